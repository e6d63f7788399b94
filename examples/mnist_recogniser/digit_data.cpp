#include "digit_data.hpp"

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <system_error>
#include <utility>
#include <vector>

#include <eigan/core/error.hpp>
#include <eigan/data/load_idx.hpp>
#include <eigan/io/file_descriptor.hpp>

#include "digit_images.hpp"
#include "recogniser.hpp"

namespace mnist_recogniser {
namespace {

using eigan::LabelledImages;
using eigan::Split;
using eigan::detail::fail_data;

/// Plain or gzip; in the folder itself or in `gzip`, as EMNIST's archive has it.
std::filesystem::path find_emnist_file(const DataOptions& options, const std::string& stem) {
  std::error_code ignored;
  for (const char* below : {"", "gzip"}) {
    for (const char* ending : {"", ".gz"}) {
      auto path = std::filesystem::path(options.folder) / below / (stem + ending);
      if (std::filesystem::exists(path, ignored)) return path;
    }
  }
  fail_data(eigan::detail::display(options.folder), ": no ", stem, " (nor with .gz, nor below gzip)");
}

LabelledImages load_emnist(const DataOptions& options, Split split) {
  const std::string stem = "emnist-" + options.emnist + (split == Split::train ? "-train" : "-test");
  const auto images_path = find_emnist_file(options, stem + "-images-idx3-ubyte");
  const auto labels_path = find_emnist_file(options, stem + "-labels-idx1-ubyte");
  const auto images = eigan::load_idx_images(images_path);
  const auto labels = eigan::load_idx_labels(labels_path);
  const std::string images_name = eigan::detail::display(images_path);
  if (images.rows != image_side || images.cols != image_side)
    fail_data(images_name, ": images of ", images.rows, "x", images.cols, ", expected 28x28");
  if (std::cmp_not_equal(images.count, labels.size()))
    fail_data(eigan::detail::display(labels_path), ": ", labels.size(), " labels, expected ", images.count,
              ", one for each image of ", images_name);
  LabelledImages digits{image_side, image_side, 0, {}, {}};
  for (Index i = 0; i < images.count; ++i) {
    const std::uint8_t label = labels[static_cast<std::size_t>(i)];
    if (label > 9) continue;
    const auto first = images.pixels.begin() + i * image_size;
    digits.pixels.insert(digits.pixels.end(), first, first + image_size);
    digits.labels.push_back(label);
    ++digits.count;
  }
  if (digits.count == 0) fail_data(eigan::detail::display(labels_path), ": no label from 0 to 9");
  transpose_images(digits.pixels, image_side);
  return digits;
}

/// Whether files of EMNIST lie in the folder, or where its archive has them.
bool holds_emnist(const std::filesystem::path& folder) {
  std::error_code error;
  for (const char* below : {"", "gzip"})
    for (std::filesystem::directory_iterator file(folder / below, error), end; !error && file != end;
         file.increment(error))
      if (file->path().filename().string().starts_with("emnist-")) return true;
  return false;
}

LabelledImages load_plain(const DataOptions& options, Split split) {
  try {
    return eigan::load_mnist(options.folder, split);
  } catch (const eigan::Error&) {
    if (!holds_emnist(options.folder)) throw;
    fail_data(eigan::detail::display(options.folder),
              ": no MNIST, but files of EMNIST, whose images are transposed: --emnist digits reads them");
  }
}

/// Files can have been given other names: some images show which way they lie. Images of anything but digits are read
/// badly either way.
void check_upright(const LabelledImages& images, const DataOptions& options, const std::string& reader) {
  constexpr Index enough = 500, too_few = 50;
  constexpr double far = 0.3, well = 0.6;
  if (images.count < too_few) return;
  LabelledImages some = part_of(images, 0, std::min(enough, images.count));
  const RecogniserModel model = load_recogniser(reader);
  const auto known = [&] {
    const DigitImages digits(some);
    return accuracy(recognise(model, digits.pixels).probabilities, digits);
  };
  const double upright = known();
  transpose_images(some.pixels, image_side);
  const double transposed = known();
  if (transposed < well || transposed - upright < far) return;
  fail_data(eigan::detail::display(options.folder), ": these images are transposed",
            options.emnist.empty() ? ", as EMNIST's are; --emnist reads its files, under their own names"
                                   : " once more than EMNIST's; read them without --emnist, under MNIST's names");
}

}  // namespace

LabelledImages load_digits(const DataOptions& options, Split split, const std::string& reader) {
  auto images = options.emnist.empty() ? load_plain(options, split) : load_emnist(options, split);
  check_upright(images, options, reader);
  return images;
}

void transpose_images(std::span<std::uint8_t> pixels, Index side) {
  const auto n = static_cast<std::size_t>(side);
  for (std::size_t image = 0; image + n * n <= pixels.size(); image += n * n)
    for (std::size_t row = 0; row < n; ++row)
      for (std::size_t col = 0; col < row; ++col)
        std::swap(pixels[image + row * n + col], pixels[image + col * n + row]);
}

LabelledImages part_of(const LabelledImages& images, Index first, Index count) {
  const auto pixel = images.pixels.begin() + first * images.features();
  const auto label = images.labels.begin() + first;
  return {images.rows, images.cols, count, {pixel, pixel + count * images.features()}, {label, label + count}};
}

}  // namespace mnist_recogniser
