// Walks between latent points: what lies between two images, for a generator.
//
// Along straight lines, as in figure 3 of Goodfellow et al. 2014, arXiv:1406.2661. A uniform z stays inside its cube on
// such a line. A normal z would come too close to 0, where the generator has hardly ever been, so it is scaled by
// 1 / sqrt((1 - t)^2 + t^2), which keeps its variance; the codes of component and digit are mixed as they are.
#pragma once

#include <cmath>

#include <eigan/core/view.hpp>

#include "latent.hpp"

namespace mnist_gan {

/// Images in a row of `mnist_gan sample --interpolate`.
inline constexpr Index walk_steps = 12;

/// input_size x (walks * steps) from input_size x (2 * walks), for steps > 1: each pair of neighbouring columns is the
/// first and the last point of a walk in equal steps.
inline eigan::Matrix<float> walks(const Latent& latent, eigan::ConstView<float> ends, Index steps) {
  eigan::Matrix<float> input(ends.rows(), ends.cols() / 2 * steps);
  for (Index column = 0; column < input.cols(); ++column) {
    const Index first = column / steps * 2;
    const float t = static_cast<float>(column % steps) / static_cast<float>(steps - 1);
    input.col(column) = (1 - t) * ends.col(first) + t * ends.col(first + 1);
    if (latent.normal) input.col(column).head(latent.size) /= std::sqrt((1 - t) * (1 - t) + t * t);
  }
  return input;
}

}  // namespace mnist_gan
