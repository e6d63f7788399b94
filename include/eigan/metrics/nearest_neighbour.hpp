// The nearest neighbour of each query in a reference set, such as that of a generated image among the training images.
// Samples much nearer to the training images than test images are were learnt by heart: compare
//   mean_distance(nearest_neighbours(train, samples)) / mean_distance(nearest_neighbours(train, test))      with 1.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

#include <eigan/core/error.hpp>
#include <eigan/core/parallel.hpp>
#include <eigan/core/types.hpp>
#include <eigan/core/view.hpp>
#include <eigan/metrics/check_samples.hpp>
#include <eigan/metrics/pairwise_distances.hpp>

namespace eigan::metrics {

/// A query's nearest neighbour.
struct Neighbour {
  Index index = 0;      ///< in the reference
  double distance = 0;  ///< Euclidean
};

/// One for each query; of several at the same distance, the first.   reference: features x n, queries: features x m
inline std::vector<Neighbour> nearest_neighbours(ConstView<float> reference, ConstView<float> queries,
                                                 Threads threads = {}) {
  detail::check_same_features("nearest_neighbours", "reference", reference, "queries", queries);
  detail::check_samples("nearest_neighbours", "reference", reference, 1);
  detail::check_samples("nearest_neighbours", "queries", queries, 1);
  std::vector<Neighbour> result(static_cast<std::size_t>(queries.cols()));
  detail::for_each_distance_tile(reference, queries, threads, [&](Index first, View<float> tile) {
    for (Index j = 0; j < tile.cols(); ++j) {
      const float* const distances = tile.col(j).data();
      const Index nearest = std::min_element(distances, distances + tile.rows()) - distances;
      // The product has found it; the distance itself keeps all digits, down to 0 for a copy.
      const auto difference = reference.col(nearest).cast<double>() - queries.col(first + j).cast<double>();
      result[static_cast<std::size_t>(first + j)] = {nearest, difference.norm()};
    }
  });
  return result;
}

/// Of at least one.
inline double mean_distance(std::span<const Neighbour> neighbours) {
  if (neighbours.empty()) detail::fail_contract("eigan::metrics::mean_distance: expected at least 1 neighbour, got 0");
  double sum = 0;
  for (const Neighbour& neighbour : neighbours) sum += neighbour.distance;
  return sum / static_cast<double>(neighbours.size());
}

}  // namespace eigan::metrics
