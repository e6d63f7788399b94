// `mnist_gan sample`: images from a trained generator.
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <eigan/core/parallel.hpp>
#include <eigan/core/printable.hpp>
#include <eigan/data/idx.hpp>
#include <eigan/io/image_sheet.hpp>
#include <eigan/io/npy.hpp>

#include "kit/exit_code.hpp"
#include "kit/text.hpp"

#include "commands.hpp"
#include "generator.hpp"
#include "latent.hpp"

namespace mnist_gan {
namespace {

constexpr Index default_walks = 10;

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

/// The digits asked for, over and over until there are `count`. Where none is asked for: those of a run's sheets, or
/// any for another count or a walk.
std::vector<std::uint8_t> digits_to_draw(const SampleOptions& options, Index classes, Index count) {
  if (options.digits.empty() && options.count == 0 && !options.interpolate) return sheet_digits(classes);
  std::vector<std::uint8_t> digits(classes > 0 || !options.digits.empty() ? static_cast<std::size_t>(count) : 0);
  if (options.digits.empty())
    draw_digits(digits, classes, eigan::Rng(options.seed).fold_in(stream::digits));
  else
    for (std::size_t i = 0; i < digits.size(); ++i)
      digits[i] = static_cast<std::uint8_t>(options.digits[i % options.digits.size()] - '0');
  return digits;
}

}  // namespace

int sample(const SampleOptions& options) {
  const auto generator = load_generator(options.model);
  const Latent latent = generator.latent();
  if (!options.digits.empty() && latent.classes == 0) {
    throw BadInput(
        concat(eigan::printable(options.model),
               ": expected a generator that can be asked for digits (trained with --conditional yes), found one that "
               "draws what it likes"));
  }
  const auto asked = static_cast<Index>(options.digits.size());
  const Index columns = options.interpolate ? walk_steps : asked;
  const Index count = options.interpolate ? 2 * (options.count > 0 ? options.count : default_walks)
                      : options.count > 0 ? options.count
                      : asked > 0         ? asked
                                          : sheet_images;
  const auto digits = digits_to_draw(options, latent.classes, count);
  eigan::Matrix<float> input =
      sample_input(latent, digits, count, options.seed, options.truncation.value_or(generator.recipe.truncation));
  if (options.interpolate) input = walks(latent, input, walk_steps);
  const auto images = generator.images(input, eigan::Threads{options.threads});
  switch (sample_format(options.out).value()) {
    case SampleFormat::png:
      eigan::write_image_sheet<float>(options.out, images, {.columns = columns});
      break;
    case SampleFormat::idx:
      write_idx(options.out, images);
      break;
    case SampleFormat::npy:
      eigan::write_npy<float>(options.out, images);
      break;
  }
  if (!options.save_z.empty()) eigan::write_npy<float>(options.save_z, input);
  return success;
}

}  // namespace mnist_gan
