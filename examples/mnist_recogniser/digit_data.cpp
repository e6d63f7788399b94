#include "digit_data.hpp"

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <system_error>
#include <utility>

#include <eigan/core/error.hpp>
#include <eigan/data/emnist.hpp>
#include <eigan/io/file_descriptor.hpp>

#include "digit_images.hpp"
#include "part_of.hpp"
#include "recogniser.hpp"

namespace mnist_recogniser {
namespace {

using eigan::LabelledImages;
using eigan::Split;
using eigan::detail::fail_data;

/// Those of a split of EMNIST whose label is a digit.
LabelledImages load_emnist_digits(const DataOptions& options, Split split) {
  const LabelledImages all = eigan::load_emnist(options.folder, options.emnist, split);
  LabelledImages digits{all.rows, all.cols, 0, {}, {}};
  for (Index i = 0; i < all.count; ++i) {
    const std::uint8_t label = all.labels[static_cast<std::size_t>(i)];
    if (label > 9) continue;
    const auto first = all.pixels.begin() + i * all.features();
    digits.pixels.insert(digits.pixels.end(), first, first + all.features());
    digits.labels.push_back(label);
    ++digits.count;
  }
  if (digits.count == 0) fail_data(eigan::detail::display(options.folder), ": no label from 0 to 9");
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
  eigan::transpose_images(some.pixels, image_side);
  const double transposed = known();
  if (transposed < well || transposed - upright < far) return;
  fail_data(eigan::detail::display(options.folder), ": these images are transposed",
            options.emnist.empty() ? ", as EMNIST's are; --emnist reads its files, under their own names"
                                   : " once more than EMNIST's; read them without --emnist, under MNIST's names");
}

}  // namespace

LabelledImages load_digits(const DataOptions& options, Split split, const std::string& reader) {
  auto images = options.emnist.empty() ? load_plain(options, split) : load_emnist_digits(options, split);
  check_upright(images, options, reader);
  return images;
}

}  // namespace mnist_recogniser
