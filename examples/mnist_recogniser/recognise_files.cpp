#include "recognise_files.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <eigan/core/error.hpp>
#include <eigan/core/printable.hpp>

#include "kit/exit_code.hpp"
#include "kit/guarded.hpp"
#include "kit/message.hpp"
#include "kit/text.hpp"

#include "digit_data.hpp"
#include "digit_image.hpp"
#include "digit_images.hpp"
#include "grey_image.hpp"
#include "recogniser.hpp"

namespace mnist_recogniser {

using namespace kit;

namespace {

/// What is less sure is a guess, and said to be one.
constexpr float sure = 0.8f;

/// "7  99.87 %", "7  63.20 %, not sure: or 1, 21.00 %".
template <class Column>
std::string reading_of(const Column& probabilities) {
  Eigen::VectorXf rest = probabilities;
  const int digit = most_likely(rest);
  const auto share = [&](int of) { return percent(static_cast<double>(probabilities[of])); };
  const std::string text = concat(digit, "  ", share(digit));
  if (probabilities[digit] >= sure) return text;
  rest[digit] = -1;
  const int second = most_likely(rest);
  return concat(text, ", not sure: or ", second, ", ", share(second));
}

using GreyImages = std::span<const GreyImage>;

struct Seen {
  std::vector<std::string> faults;  ///< of each image; empty for one that shows a digit
  Recognised recognised;
};

Seen look_at(const RecogniserModel& model, GreyImages images) {
  eigan::Matrix<float> digits = eigan::Matrix<float>::Constant(image_size, std::ssize(images), -1);
  std::vector<std::string> faults(images.size());
  for (std::size_t i = 0; i < faults.size(); ++i) {
    try {
      write_digit(images[i], {digits.col(static_cast<Index>(i)).data(), std::size_t{image_size}});
    } catch (const eigan::Error& error) {
      faults[i] = error.what();
    }
  }
  return {std::move(faults), recognise(model, digits)};
}

/// Prints a line for each image, the first of which has a number; false if one of them shows no digit.
bool tell(const Seen& seen, std::size_t number, bool numbered, const std::string& name) {
  bool all_right = true;
  for (std::size_t i = 0; i < seen.faults.size(); ++i) {
    const std::string image = numbered ? concat(name, '[', number + i, ']') : name;
    if (seen.faults[i].empty()) {
      print(image, ": ", reading_of(seen.recognised.probabilities.col(static_cast<Index>(i))));
    } else {
      fail("mnist_recogniser", concat(image, ": ", seen.faults[i]), bad_input);
      all_right = false;
    }
  }
  return all_right;
}

void transpose(GreyImage& image) {
  GreyImage turned{image.cols, image.rows, {}};
  turned.pixels.reserve(image.pixels.size());
  for (Index row = 0; row < turned.rows; ++row)
    for (Index col = 0; col < turned.cols; ++col) turned.pixels.push_back(image.at(col, row));
  image = std::move(turned);
}

/// The mean of -log(1 - p) over images, p being the probability of the digit that is read; 0 where none is. It tells
/// the sure from the nearly sure, which p alone does not.
float sureness(const Seen& seen) {
  constexpr float least_doubt = 1e-4f;
  float sum = 0;
  for (std::size_t i = 0; i < seen.faults.size(); ++i)
    if (seen.faults[i].empty())
      sum -= std::log(std::max(1 - seen.recognised.probabilities.col(static_cast<Index>(i)).maxCoeff(), least_doubt));
  return sum / static_cast<float>(seen.faults.size());
}

/// BadInput for images that are EMNIST's as they stand in its files, by the file's name or, where there are many, by
/// how much surer the recogniser is of them transposed.
void check_upright(const RecogniserModel& model, GreyImages images, const std::string& file) {
  constexpr std::size_t few = 50, enough = 200;
  constexpr float surer = 1.5f;
  const std::string name = std::filesystem::path(file).filename().string();
  bool transposed = name.starts_with("emnist-") && name.find("idx3") != std::string::npos;
  if (!transposed && images.size() >= few) {
    std::vector<GreyImage> some(images.begin(), images.begin() + std::min<std::ptrdiff_t>(enough, std::ssize(images)));
    const float upright = sureness(look_at(model, some));
    for (GreyImage& image : some) transpose(image);
    transposed = sureness(look_at(model, some)) - upright > surer;
  }
  if (transposed)
    throw BadInput(concat(eigan::printable(file, 4096),
                          ": these images are transposed, as EMNIST's are; --emnist turns them upright"));
}

bool recognise_file(const RecogniserModel& model, const std::string& file, bool emnist) {
  constexpr std::size_t at_once = 1000;
  try {
    auto images = reading([&] { return read_grey_images(file); });
    if (emnist) {
      for (GreyImage& image : images) transpose(image);
    } else {
      check_upright(model, images, file);
    }
    bool all_right = true;
    for (std::size_t first = 0; first < images.size(); first += at_once) {
      const auto some = GreyImages(images).subspan(first, std::min(at_once, images.size() - first));
      all_right = tell(look_at(model, some), first, images.size() > 1, eigan::printable(file, 4096)) && all_right;
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
  for (const std::string& file : options.files) all_right = recognise_file(model, file, options.emnist) && all_right;
  return all_right ? success : bad_input;
}

}  // namespace mnist_recogniser
