// How far each sample of a set is from its k-th nearest neighbour in that set, itself not counted. The balls of these
// radii around the samples are a picture of where the set lies: eigan/metrics/precision_recall.hpp and
// density_coverage.hpp ask which samples of another set lie inside.
#pragma once

#include <algorithm>
#include <limits>

#include <eigan/core/eigen.hpp>
#include <eigan/core/error.hpp>
#include <eigan/core/parallel.hpp>
#include <eigan/core/types.hpp>
#include <eigan/core/view.hpp>
#include <eigan/metrics/check_samples.hpp>
#include <eigan/metrics/pairwise_distances.hpp>

namespace eigan::metrics {

/// The squares of these distances, one for each sample: distances are compared as squares. A copy of a sample is a
/// neighbour like any other, at distance 0.  samples: features x n, n > k
inline Eigen::ArrayXf squared_neighbour_radii(ConstView<float> samples, Index k, Threads threads = {}) {
  if (k < 1) detail::fail_contract("eigan::metrics::squared_neighbour_radii: expected k of at least 1, got ", k);
  detail::check_samples("squared_neighbour_radii", "samples", samples, k + 1);
  Eigen::ArrayXf radii(samples.cols());
  detail::for_each_distance_tile(samples, samples, threads, [&](Index first, View<float> tile) {
    for (Index j = 0; j < tile.cols(); ++j) {
      tile(first + j, j) = std::numeric_limits<float>::infinity();
      float* const distances = tile.col(j).data();
      std::partial_sort(distances, distances + k, distances + tile.rows());
      radii[first + j] = distances[k - 1];
    }
  });
  return radii;
}

}  // namespace eigan::metrics
