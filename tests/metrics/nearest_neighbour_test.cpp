#include <doctest/doctest.h>
#include <limits>
#include <vector>

#include <eigan/metrics/nearest_neighbour.hpp>

#include "support.hpp"

using namespace eigan;

TEST_CASE("nearest_neighbours: worked by hand") {
  const Matrix<float> reference{{0, 10, 3, 3}, {0, 10, 4, 4}}, queries{{0, 11, 3}, {1, 10, 3}};
  const auto found = metrics::nearest_neighbours(reference, queries);
  REQUIRE(found.size() == 3);
  CHECK(found[0].index == 0);
  CHECK(found[0].distance == 1);
  CHECK(found[1].index == 1);
  CHECK(found[1].distance == 1);
  CHECK(found[2].index == 2);  // of two copies, the first
  CHECK(found[2].distance == 1);
  CHECK(metrics::nearest_neighbours(reference, Matrix<float>{{3}, {0}}).front().distance == 3);  // not its square
}

TEST_CASE("nearest_neighbours: the distance keeps the digits that the product loses") {
  const auto reference = support::random_matrix<float>(784, 70, 1, 0, 1);
  Matrix<float> queries = reference.rightCols(60);
  queries(5, 59) += 1.0f / 1024;
  const auto found = metrics::nearest_neighbours(reference, queries);
  Index wrong = 0;
  for (Index j = 0; j < 60; ++j) wrong += found[static_cast<std::size_t>(j)].index != 10 + j;
  CHECK(wrong == 0);
  CHECK(found[58].distance == 0);
  CHECK(found[59].distance == doctest::Approx(1.0 / 1024).epsilon(1e-4));  // the sum is rounded to 2^-24
}

TEST_CASE("nearest_neighbours: the same bits for any number of threads") {
  const auto reference = support::random_matrix<float>(50, 101, 5), queries = support::random_matrix<float>(50, 203, 6);
  const auto alone = metrics::nearest_neighbours(reference, queries, Threads{1});
  for (int threads = 2; threads <= 5; ++threads) {
    const auto together = metrics::nearest_neighbours(reference, queries, Threads{threads});
    Index different = 0;
    for (std::size_t j = 0; j < alone.size(); ++j)
      different += together[j].index != alone[j].index || together[j].distance != alone[j].distance;
    CHECK(different == 0);
  }
}

TEST_CASE("nearest_neighbours: sets that do not fit, no samples, numbers that are not finite") {
  const Matrix<float> some = Matrix<float>::Zero(2, 3), none(2, 0);
  CHECK_THROWS_WITH_AS(metrics::nearest_neighbours(some, Matrix<float>::Zero(3, 3).eval()),
                       "eigan::metrics::nearest_neighbours: reference has 2 features, queries has 3",
                       std::invalid_argument);
  CHECK_THROWS_AS(metrics::nearest_neighbours(some, none), std::invalid_argument);
  CHECK_THROWS_AS(metrics::nearest_neighbours(none, some), std::invalid_argument);
  Matrix<float> nan = some;
  nan(0, 1) = std::numeric_limits<float>::quiet_NaN();
  CHECK_THROWS_AS(metrics::nearest_neighbours(some, nan), Error);
  CHECK_THROWS_AS(metrics::nearest_neighbours(nan, some), Error);
}

TEST_CASE("mean_distance: worked by hand") {
  CHECK(metrics::mean_distance(std::vector<metrics::Neighbour>{{0, 1}, {3, 2}, {0, 6}}) == 3);
  CHECK_THROWS_AS(metrics::mean_distance({}), std::invalid_argument);
}
