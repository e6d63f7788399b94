// The test images of MNIST as a matrix, and how many of them a recogniser knows.
#pragma once

#include <filesystem>
#include <numeric>
#include <vector>

#include <eigan/data/mnist.hpp>

#include "recogniser.hpp"

namespace mnist_recogniser {

struct TestImages {
  eigan::LabelledImages bytes;
  eigan::Matrix<float> pixels;  ///< in [-1, 1], one image a column

  explicit TestImages(const std::filesystem::path& folder)
      : bytes(eigan::load_mnist(folder, eigan::Split::test)), pixels(image_size, bytes.count) {
    std::vector<std::uint32_t> all(static_cast<std::size_t>(bytes.count));
    std::iota(all.begin(), all.end(), 0u);
    eigan::pixels_to_unit<float>(bytes, all, pixels);
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

/// The part of the images that the model recognises, 0 to 1.
inline double accuracy(const RecogniserModel& model, const TestImages& images, eigan::Threads threads) {
  const eigan::Matrix<float> logits = model.infer(images.pixels, threads);
  Index right = 0;
  for (Index i = 0; i < logits.cols(); ++i) right += most_likely(logits.col(i)) == images.label(i);
  return static_cast<double>(right) / static_cast<double>(logits.cols());
}

}  // namespace mnist_recogniser
