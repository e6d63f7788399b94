// Precision: the share of generated samples that lie among the real ones. Recall: the share of real samples that lie
// among the generated ones. "Among" a set is within the distance of one of its samples from its k-th neighbour there.
//   precision = mean_j [ exists i: |real_i - fake_j| <= radius_k(real_i) ],   recall with both sets in turn
// real, fake: features x n, features x m. One outlier with a wide ball can hold many: see density_coverage.hpp.
// Kynkäänniemi et al., "Improved Precision and Recall Metric for Assessing Generative Models", 2019 (k = 3).
#pragma once

#include <eigan/core/eigen.hpp>
#include <eigan/core/error.hpp>
#include <eigan/core/parallel.hpp>
#include <eigan/core/types.hpp>
#include <eigan/core/view.hpp>
#include <eigan/metrics/check_samples.hpp>
#include <eigan/metrics/neighbour_radii.hpp>
#include <eigan/metrics/pairwise_distances.hpp>

namespace eigan::detail {

/// The share of `points` that lie in a ball around one of `centres`.
inline double share_inside(const ConstView<float>& centres, const ConstView<float>& points, Index k, Threads threads) {
  const Eigen::ArrayXf radii = metrics::squared_neighbour_radii(centres, k, threads);
  Eigen::ArrayX<bool> inside(points.cols());
  for_each_distance_tile(centres, points, threads, [&](Index first, View<float> tile) {
    for (Index j = 0; j < tile.cols(); ++j) inside[first + j] = (tile.col(j).array() <= radii).any();
  });
  return static_cast<double>(inside.count()) / static_cast<double>(points.cols());
}

}  // namespace eigan::detail

namespace eigan::metrics {

/// Two numbers for one set of generated samples.
struct PrecisionRecall {
  double precision = 0;  ///< the share of generated samples among the real ones
  double recall = 0;     ///< the share of real samples among the generated ones
};

/// Both sets need more than k samples.
inline PrecisionRecall precision_recall(ConstView<float> real, ConstView<float> fake, Index k = 3,
                                        Threads threads = {}) {
  if (k < 1) detail::fail_contract("eigan::metrics::precision_recall: expected k of at least 1, got ", k);
  detail::check_same_features("precision_recall", "real", real, "fake", fake);
  detail::check_samples("precision_recall", "real", real, k + 1);
  detail::check_samples("precision_recall", "fake", fake, k + 1);
  return {detail::share_inside(real, fake, k, threads), detail::share_inside(fake, real, k, threads)};
}

}  // namespace eigan::metrics
