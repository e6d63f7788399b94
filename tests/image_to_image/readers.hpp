// Recognisers of random weights, whose statistics look like a training's, and what they say.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

#include <eigan/core/rng.hpp>
#include <eigan/core/types.hpp>

#include "image_to_image/networks.hpp"
#include "mnist_recogniser/recogniser.hpp"
#include "mnist_recogniser/recogniser_net.hpp"

namespace test {

inline constexpr eigan::Index picture_size = mnist_recogniser::image_size;

inline image_to_image::AnyModel reader(std::uint64_t seed) {
  eigan::Model<mnist_recogniser::Eyes> model{eigan::Rng(seed)};
  for (float& number : model.state()) number = 0.5F;
  for (float& weight : model.params()) weight *= 2;  // at their start they hardly depend on what they are given
  return model;
}

/// The mean cross entropy of the logits for `made` to the largest of those for `source`.
inline double meaning_lost(const image_to_image::AnyModel& reader, const eigan::Matrix<float>& source,
                           const eigan::Matrix<float>& made) {
  using mnist_recogniser::digit_count;
  const eigan::Matrix<double> wanted = reader.infer(source).bottomRows(digit_count).cast<double>(),
                              said = reader.infer(made).bottomRows(digit_count).cast<double>();
  double sum = 0;
  for (eigan::Index j = 0; j < made.cols(); ++j) {
    eigan::Index digit = 0;
    wanted.col(j).maxCoeff(&digit);
    sum += std::log(said.col(j).array().exp().sum()) - said(digit, j);
  }
  return sum / static_cast<double>(made.cols());
}

}  // namespace test
