// Walks between latent points: what lies between two images, for a generator.
//
// Along straight lines, as in figure 3 of Goodfellow et al. 2014, arXiv:1406.2661: z is uniform in a cube, and a
// straight line between two points of a cube stays inside it. (An arc, which fits a normal z, would leave it.)
#pragma once

#include <eigan/core/view.hpp>

namespace mnist_gan {

using eigan::Index;

/// Images in a row of `mnist_gan sample --interpolate`.
inline constexpr Index walk_steps = 12;

/// latent x (walks * steps) from latent x (2 * walks), for steps > 1: each pair of neighbouring columns is the first
/// and the last point of a walk in equal steps.
inline eigan::Matrix<float> walk_z(eigan::ConstView<float> ends, Index steps) {
  eigan::Matrix<float> z(ends.rows(), ends.cols() / 2 * steps);
  for (Index column = 0; column < z.cols(); ++column) {
    const Index first = column / steps * 2;
    const float t = static_cast<float>(column % steps) / static_cast<float>(steps - 1);
    z.col(column) = (1 - t) * ends.col(first) + t * ends.col(first + 1);
  }
  return z;
}

}  // namespace mnist_gan
