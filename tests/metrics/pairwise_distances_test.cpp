#include <doctest/doctest.h>
#include <atomic>
#include <limits>
#include <vector>

#include <eigan/metrics/pairwise_distances.hpp>

#include "support.hpp"

using namespace eigan;

namespace {

/// All distances as one matrix: reference x queries. Counts how often each query is handed out.
Matrix<float> all_distances(ConstView<float> reference, ConstView<float> queries, Threads threads = {}) {
  Matrix<float> all = Matrix<float>::Constant(reference.cols(), queries.cols(), -1);
  std::vector<std::atomic<int>> visits(static_cast<std::size_t>(queries.cols()));
  detail::for_each_distance_tile(reference, queries, threads, [&](Index first, View<float> tile) {
    all.middleCols(first, tile.cols()) = tile;
    for (Index j = 0; j < tile.cols(); ++j) ++visits[static_cast<std::size_t>(first + j)];
  });
  for (const auto& count : visits) REQUIRE(count == 1);
  return all;
}

}  // namespace

TEST_CASE("for_each_distance_tile: worked by hand") {
  const Matrix<float> reference{{0, 3, 1}, {0, 4, 1}}, queries{{0, 1}, {0, -1}};
  CHECK(all_distances(reference, queries) == Matrix<float>{{0, 2}, {25, 29}, {2, 4}});
}

TEST_CASE("for_each_distance_tile: agrees with differences in double, for every remainder of sizes") {
  for (const Index features : {1, 2, 7, 33, 784})
    for (const Index n : {1, 3, 50})
      for (const Index m : {1, 5, 47, 48, 49, 97}) {
        INFO(features, " features, ", n, " against ", m);
        const auto reference = support::random_matrix<float>(features, n, 1);
        const auto queries = support::random_matrix<float>(features, m, 2);
        const auto actual = all_distances(reference, queries);
        Index wrong = 0;
        for (Index i = 0; i < n; ++i)
          for (Index j = 0; j < m; ++j) {
            const Eigen::VectorXd a = reference.col(i).cast<double>(), b = queries.col(j).cast<double>();
            // Relative to the norms, not to the distance: that is what the product costs.
            const double scale = a.squaredNorm() + b.squaredNorm();
            wrong += !(std::abs(static_cast<double>(actual(i, j)) - (a - b).squaredNorm()) <= 1e-6 * scale);
          }
        CHECK(wrong == 0);
      }
}

TEST_CASE("for_each_distance_tile: a part of a larger matrix") {
  const auto memory = support::random_matrix<float>(9, 60, 3);
  const ConstView<float> part(memory.data() + 2, 5, 60, 9);
  CHECK(all_distances(part.columns(1, 7), part.columns(8, 50)) ==
        all_distances(memory.block(2, 1, 5, 7).eval(), memory.block(2, 8, 5, 50).eval()));
}

TEST_CASE(
    "for_each_distance_tile: equal samples are exactly 0 apart, and no distance is negative or depends on sides") {
  for (const Index features : {1, 3, 100, 783}) {
    INFO(features, " features");
    // Far from 0 and close together: the product's error is larger than most of these distances.
    auto a = support::random_matrix<float>(features, 53, 4, 10, 10.001);
    const Matrix<float> b = a.rowwise().reverse();
    const auto distances = all_distances(a, b);
    CHECK((distances.array() >= 0).all());
    Index not_zero = 0;
    for (Index j = 0; j < b.cols(); ++j) not_zero += distances(b.cols() - 1 - j, j) != 0;
    CHECK(not_zero == 0);
    CHECK(support::same_bits<float>(distances, all_distances(b, a).transpose().eval()));
  }
}

TEST_CASE("for_each_distance_tile: the same bits for any number of threads") {
  const auto reference = support::random_matrix<float>(50, 101, 5), queries = support::random_matrix<float>(50, 203, 6);
  const auto alone = all_distances(reference, queries, Threads{1});
  for (int threads = 2; threads <= 7; ++threads)
    CHECK(support::same_bits(all_distances(reference, queries, Threads{threads}), alone));
}

TEST_CASE("for_each_distance_tile: sets whose samples differ in length") {
  CHECK_THROWS_WITH_AS(all_distances(Matrix<float>::Zero(3, 2).eval(), Matrix<float>::Zero(4, 2).eval()),
                       "eigan::metrics: the reference has 3 features, the queries have 4", std::invalid_argument);
}
