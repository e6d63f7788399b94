// Density: how many real samples' balls a generated sample lies in, on average, of the k expected. Coverage: the share
// of real samples' balls that hold a generated sample. A ball reaches to the real sample's k-th real neighbour.
//   density  = sum_ij [ |real_i - fake_j| <= radius_k(real_i) ] / (k m)           may exceed 1
//   coverage = mean_i [ exists j: |real_i - fake_j| <= radius_k(real_i) ]
// real, fake: features x n, features x m. Generated outliers make no balls, so they win nothing.
// Naeem et al., "Reliable Fidelity and Diversity Metrics for Generative Models", 2020 (k = 5).
#pragma once

#include <eigan/core/eigen.hpp>
#include <eigan/core/error.hpp>
#include <eigan/core/parallel.hpp>
#include <eigan/core/types.hpp>
#include <eigan/core/view.hpp>
#include <eigan/metrics/check_samples.hpp>
#include <eigan/metrics/neighbour_radii.hpp>
#include <eigan/metrics/pairwise_distances.hpp>

namespace eigan::metrics {

/// Two numbers for one set of generated samples.
struct DensityCoverage {
  double density = 0;   ///< balls that hold a generated sample, over k, on average
  double coverage = 0;  ///< the share of balls that hold one
};

/// `real` needs more than k samples.
inline DensityCoverage density_coverage(ConstView<float> real, ConstView<float> fake, Index k = 5,
                                        Threads threads = {}) {
  if (k < 1) detail::fail_contract("eigan::metrics::density_coverage: expected k of at least 1, got ", k);
  detail::check_same_features("density_coverage", "real", real, "fake", fake);
  detail::check_samples("density_coverage", "real", real, k + 1);
  detail::check_samples("density_coverage", "fake", fake, 1);
  const Eigen::ArrayXf radii = squared_neighbour_radii(real, k, threads);
  Eigen::ArrayX<Index> inside(real.cols());  // how many generated samples each real one's ball holds
  detail::for_each_distance_tile(fake, real, threads, [&](Index first, View<float> tile) {
    for (Index j = 0; j < tile.cols(); ++j) inside[first + j] = (tile.col(j).array() <= radii[first + j]).count();
  });
  return {static_cast<double>(inside.sum()) / (static_cast<double>(k) * static_cast<double>(fake.cols())),
          static_cast<double>((inside > 0).count()) / static_cast<double>(real.cols())};
}

}  // namespace eigan::metrics
