// Squared Euclidean distances between all samples of two sets, a tile of queries at a time.
//   d2_ij = |r_i|^2 + |q_j|^2 - 2 r_i . q_j        reference r: features x n, queries q: features x m
// The products are one matrix product, which makes this fast and costs digits: the error of d2 is some 1e-7 of the two
// norms, not of d2. Norms are summed by the same kernel in the same order, so equal samples are exactly 0 apart, and
// d2_ij = d2_ji to the last bit.
#pragma once

#include <algorithm>

#include <eigan/core/eigen.hpp>
#include <eigan/core/error.hpp>
#include <eigan/core/parallel.hpp>
#include <eigan/core/types.hpp>
#include <eigan/core/view.hpp>
#include <eigan/kernels/gemm.hpp>

namespace eigan::detail {

/// How many queries a tile has: enough that the reference is seldom read, few enough that they stay in a core's cache.
inline constexpr Index distance_tile = 48;

inline Eigen::ArrayXf squared_norms(const ConstView<float>& x) {
  Eigen::ArrayXf norms(x.cols());
  for (Index j = 0; j < x.cols(); ++j)
    gemm::transposed<float>(x.columns(j, 1), x.columns(j, 1), View<float>(norms.data() + j, 1, 1));
  return norms;
}

/// Calls f(first, tile) for each tile, on several threads: tile(i, j) is the squared distance of query first + j from
/// sample i of the reference. The tile is f's to write on. Which thread computes a tile does not change its bits.
/// Samples are finite: every metric sees to that first.
template <class F>
void for_each_distance_tile(const ConstView<float>& reference, const ConstView<float>& queries, Threads threads,
                            const F& f) {
  if (reference.rows() != queries.rows())
    fail_contract("eigan::metrics: the reference has ", reference.rows(), " features, the queries have ",
                  queries.rows());
  const Eigen::ArrayXf reference_norms = squared_norms(reference), query_norms = squared_norms(queries);
  const Index n = reference.cols(), m = queries.cols(), tiles = (m + distance_tile - 1) / distance_tile;
  const double work = 2.0 * static_cast<double>(reference.size()) * static_cast<double>(m);
  parallel(usable_threads(threads, work), [&](int part, int of) {
    Matrix<float> memory(n, std::min(distance_tile, m));
    for (Index t = range_begin(tiles, part, of); t < range_begin(tiles, part + 1, of); ++t) {
      const Index first = t * distance_tile, count = std::min(distance_tile, m - first);
      View<float> tile = View<float>(memory).columns(0, count);
      gemm::transposed<float>(reference, queries.columns(first, count), tile);
      for (Index j = 0; j < count; ++j) {
        const auto squares = reference_norms + query_norms[first + j] - 2 * tile.col(j).array();
        tile.col(j) = squares.max(0.0f).matrix();  // rounding may take what should be nearly 0 below it
      }
      f(first, tile);
    }
  });
}

}  // namespace eigan::detail
