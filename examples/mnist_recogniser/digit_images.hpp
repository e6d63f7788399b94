// Digits as a matrix, and how many of them were recognised.
#pragma once

#include <numeric>
#include <utility>
#include <vector>

#include <eigan/core/view.hpp>
#include <eigan/data/labelled_images.hpp>

#include "recogniser.hpp"

namespace mnist_recogniser {

struct DigitImages {
  eigan::LabelledImages bytes;
  eigan::Matrix<float> pixels;  ///< in [-1, 1], one image a column

  explicit DigitImages(eigan::LabelledImages images) : bytes(std::move(images)), pixels(image_size, bytes.count) {
    std::vector<std::uint32_t> all(static_cast<std::size_t>(bytes.count));
    std::iota(all.begin(), all.end(), 0u);
    eigan::pixels_to_unit<float>(bytes, all, pixels, {1});
  }

  int label(Index image) const { return bytes.labels[static_cast<std::size_t>(image)]; }
};

/// The digit of the largest probability, or logit.
template <class Column>
int most_likely(const Column& column) {
  Index digit = 0;
  column.maxCoeff(&digit);
  return static_cast<int>(digit);
}

/// The part of the images whose most likely digit is the right one, 0 to 1, by probabilities or logits, one a column.
inline double accuracy(const eigan::Matrix<float>& outputs, const DigitImages& images) {
  Index right = 0;
  for (Index i = 0; i < outputs.cols(); ++i) right += most_likely(outputs.col(i)) == images.label(i);
  return static_cast<double>(right) / static_cast<double>(outputs.cols());
}

}  // namespace mnist_recogniser
