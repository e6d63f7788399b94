#include "sample.hpp"

#include <cstddef>

#include <eigan/core/parallel.hpp>
#include <eigan/data/idx.hpp>
#include <eigan/io/image_sheet.hpp>
#include <eigan/io/npy.hpp>

#include "exit_code.hpp"
#include "generator_file.hpp"
#include "streams.hpp"
#include "walk.hpp"

namespace mnist_gan {
namespace {

void write_idx(const std::string& path, eigan::ConstView<float> images) {
  eigan::IdxImages idx{images.cols(), image_side, image_side, {}};
  idx.pixels.reserve(static_cast<std::size_t>(images.size()));
  for (Index image = 0; image < images.cols(); ++image) {
    for (Index pixel = 0; pixel < image_size; ++pixel) {
      idx.pixels.push_back(eigan::pixel_from_value(images(pixel, image)));
    }
  }
  eigan::write_idx_images(path, idx);
}

}  // namespace

std::optional<SampleFormat> sample_format(std::string_view name) {
  if (name.ends_with(".png")) return SampleFormat::png;
  if (name.ends_with(".npy")) return SampleFormat::npy;
  if (name.ends_with(".idx3-ubyte") || name.ends_with("-idx3-ubyte")) return SampleFormat::idx;  // both are in use
  return std::nullopt;
}

int sample(const SampleOptions& options) {
  const GeneratorModel generator = load_generator(options.model);
  const Index latent = generator.net().input_size();
  const auto z = options.interpolate ? walk_z(sample_z(latent, 2 * options.count, options.seed), walk_steps)
                                     : sample_z(latent, options.count, options.seed);
  const auto images = generator.infer(z, eigan::Threads{options.threads});
  switch (sample_format(options.out).value()) {
    case SampleFormat::png:
      eigan::write_image_sheet<float>(options.out, images, {.columns = options.interpolate ? walk_steps : 0});
      break;
    case SampleFormat::idx:
      write_idx(options.out, images);
      break;
    case SampleFormat::npy:
      eigan::write_npy<float>(options.out, images);
      break;
  }
  if (!options.save_z.empty()) eigan::write_npy<float>(options.save_z, z);
  return success;
}

}  // namespace mnist_gan
