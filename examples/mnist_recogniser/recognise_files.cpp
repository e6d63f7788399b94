#include "recognise_files.hpp"

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

#include <eigan/core/error.hpp>
#include <eigan/core/printable.hpp>

#include "kit/exit_code.hpp"
#include "kit/guarded.hpp"
#include "kit/message.hpp"
#include "kit/text.hpp"

#include "digit_image.hpp"
#include "grey_image.hpp"
#include "recogniser.hpp"
#include "test_images.hpp"

namespace mnist_recogniser {

using namespace example;

namespace {

/// Images [first, last) of a file; false if one of them shows nothing.
bool recognise_some(const RecogniserModel& model, const std::vector<GreyImage>& images, std::size_t first,
                    std::size_t last, const std::string& name) {
  eigan::Matrix<float> digits = eigan::Matrix<float>::Zero(image_size, static_cast<Index>(last - first));
  std::vector<std::string> faults(last - first);
  for (std::size_t i = 0; i < faults.size(); ++i) {
    try {
      write_digit(images[first + i], {digits.col(static_cast<Index>(i)).data(), std::size_t{image_size}});
    } catch (const eigan::Error& error) {
      faults[i] = error.what();
    }
  }
  const Recognised recognised = recognise(model, digits);
  bool all_right = true;
  for (std::size_t i = 0; i < faults.size(); ++i) {
    const std::string image = images.size() == 1 ? name : concat(name, '[', first + i, ']');
    if (faults[i].empty()) {
      const auto probabilities = recognised.probabilities.col(static_cast<Index>(i));
      const int digit = most_likely(probabilities);
      print(image, ": ", digit, "  ", percent(static_cast<double>(probabilities[digit])));
    } else {
      fail("mnist_recogniser", concat(image, ": ", faults[i]), bad_input);
      all_right = false;
    }
  }
  return all_right;
}

bool recognise_file(const RecogniserModel& model, const std::string& file) {
  constexpr std::size_t at_once = 1000;
  try {
    const auto images = reading([&] { return read_grey_images(file); });
    bool all_right = true;
    for (std::size_t first = 0; first < images.size(); first += at_once) {
      const std::size_t last = std::min(first + at_once, images.size());
      all_right = recognise_some(model, images, first, last, eigan::printable(file, 4096)) && all_right;
    }
    return all_right;
  } catch (const BadInput& error) {
    fail("mnist_recogniser", error.what(), bad_input);
    return false;
  }
}

}  // namespace

int recognise_files(const RecogniseOptions& options) {
  const RecogniserModel model = load_recogniser(options.model);
  bool all_right = true;
  for (const std::string& file : options.files) all_right = recognise_file(model, file) && all_right;
  return all_right ? success : bad_input;
}

}  // namespace mnist_recogniser
