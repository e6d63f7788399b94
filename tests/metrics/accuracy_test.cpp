#include <doctest/doctest.h>

#include <limits>
#include <vector>

#include <eigan/metrics/accuracy.hpp>

using namespace eigan;

TEST_CASE("argmax: the first of the largest") {
  constexpr float nan = std::numeric_limits<float>::quiet_NaN();
  const Matrix<float> z{{1, 5, 2, 1}, {3, 5, -1, nan}, {2, 0, 2, 7}};
  CHECK(metrics::argmax<float>(z) == std::vector<Index>{1, 0, 0, 1});
  CHECK(metrics::argmax<float>(z.col(0)) == std::vector<Index>{1});
  CHECK(metrics::argmax<float>(Matrix<float>(3, 0)).empty());
}

TEST_CASE("accuracy: worked by hand") {
  const Matrix<double> z{{1, 5, 2, 1}, {3, 4, -1, 0}};
  CHECK(metrics::accuracy<double>(z, std::vector<int>{1, 0, 1, 0}) == 0.75);
  CHECK(metrics::accuracy<double>(z, std::vector<unsigned char>{1, 0, 0, 0}) == 1);
}

TEST_CASE("accuracy: labels must be classes, one a sample") {
  const Matrix<float> z = Matrix<float>::Zero(2, 2);
  CHECK_THROWS_WITH_AS(metrics::accuracy<float>(z, std::vector<int>{0}),
                       "eigan::metrics::accuracy: expected one label for each of the 2 samples, at least one, got 1",
                       std::invalid_argument);
  CHECK_THROWS_WITH_AS(metrics::accuracy<float>(z, std::vector<int>{0, 2}),
                       "eigan::metrics::accuracy: sample 1: expected a label from 0 to 1, found 2",
                       std::invalid_argument);
  CHECK_THROWS_AS(metrics::accuracy<float>(Matrix<float>(2, 0), std::vector<int>{}), std::invalid_argument);
}
