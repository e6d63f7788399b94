#include <doctest/doctest.h>
#include <algorithm>
#include <limits>
#include <vector>

#include <eigan/metrics/neighbour_radii.hpp>

#include "support.hpp"

using namespace eigan;

static std::vector<float> radii_of(const Matrix<float>& samples, Index k, Threads threads = {}) {
  const Eigen::ArrayXf radii = metrics::squared_neighbour_radii(samples, k, threads);
  return {radii.begin(), radii.end()};
}

TEST_CASE("squared_neighbour_radii: points on a line") {
  const Matrix<float> line{{0, 1, 3, 7}};
  CHECK(radii_of(line, 1) == std::vector<float>{1, 1, 4, 16});
  CHECK(radii_of(line, 2) == std::vector<float>{9, 4, 9, 36});
  CHECK(radii_of(line, 3) == std::vector<float>{49, 36, 16, 49});
}

TEST_CASE("squared_neighbour_radii: a copy is a neighbour, the sample itself is none") {
  CHECK(radii_of(Matrix<float>{{2, 2, 7}}, 1) == std::vector<float>{0, 0, 25});
  CHECK(radii_of(Matrix<float>{{2, 2, 7}}, 2) == std::vector<float>{25, 25, 25});
}

TEST_CASE("squared_neighbour_radii: more samples than a tile has") {
  // Every column of a 2-d grid of 12 x 12: the two nearest are 1 away, at a corner as elsewhere; the third is 2 at a
  // corner.
  Matrix<float> grid(2, 144);
  for (Index j = 0; j < 144; ++j) {
    const Index row = j / 12;
    grid.col(j) << static_cast<float>(j % 12), static_cast<float>(row);
  }
  const auto second = radii_of(grid, 2), third = radii_of(grid, 3);
  CHECK(std::ranges::count(second, 1.0f) == 144);
  CHECK(std::ranges::count(third, 1.0f) == 140);
  CHECK(std::ranges::count(third, 2.0f) == 4);
}

TEST_CASE("squared_neighbour_radii: the same bits for any number of threads") {
  const auto samples = support::random_matrix<float>(40, 150, 1);
  const auto alone = radii_of(samples, 5, Threads{1});
  for (int threads = 2; threads <= 5; ++threads) CHECK(radii_of(samples, 5, Threads{threads}) == alone);
}

TEST_CASE("squared_neighbour_radii: too few samples, and numbers that are not finite") {
  const Matrix<float> line{{0, 1, 3}};
  CHECK_THROWS_WITH_AS(radii_of(line, 3),
                       "eigan::metrics::squared_neighbour_radii: samples: expected at least 4 samples, got 3",
                       std::invalid_argument);
  CHECK_THROWS_AS(radii_of(line, 0), std::invalid_argument);
  CHECK_THROWS_WITH_AS(radii_of(Matrix<float>(0, 9), 1),
                       "eigan::metrics::squared_neighbour_radii: samples: expected samples with features, got 0",
                       std::invalid_argument);
  const float infinity = std::numeric_limits<float>::infinity();
  for (const float wrong : {std::numeric_limits<float>::quiet_NaN(), infinity, -infinity, 1e19f})
    CHECK_THROWS_AS(radii_of(Matrix<float>{{0, 1, wrong}}, 1), Error);
  CHECK_THROWS_WITH_AS(radii_of(Matrix<float>{{0, infinity, 3}}, 1),
                       "eigan::metrics::squared_neighbour_radii: samples, sample 1: expected finite numbers, found a "
                       "squared norm of inf",
                       Error);
  CHECK(radii_of(Matrix<float>{{0, 1e18f}}, 1).front() == doctest::Approx(1e36));  // squares that float can hold
}
