#include <doctest/doctest.h>
#include <cmath>
#include <limits>
#include <vector>

#include <eigan/metrics/class_histogram.hpp>

using namespace eigan;
using Shares = std::vector<double>;

TEST_CASE("class_shares: worked by hand") {
  const Matrix<float> scores{{-1, 5, 2, 0}, {-3, 4, 3, 9}, {-2, 4, 1, 8}};
  CHECK(metrics::class_shares(scores) == Shares{0.5, 0.5, 0});
  const float infinity = std::numeric_limits<float>::infinity();
  CHECK(metrics::class_shares(Matrix<float>{{-infinity, 1}, {0, 1}}) == Shares{0.5, 0.5});  // equal: the first
}

TEST_CASE("class_shares: refuses a NaN wherever it stands, and nothing to count") {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  CHECK_THROWS_WITH_AS(metrics::class_shares(Matrix<float>{{0, nan}, {0, 1}}),
                       "eigan::metrics::class_shares: sample 1, class 0: expected a score, found nan", Error);
  CHECK_THROWS_AS(metrics::class_shares(Matrix<float>{{0, 1}, {0, nan}}), Error);
  CHECK_THROWS_WITH_AS(metrics::class_shares(Matrix<float>(10, 0)),
                       "eigan::metrics::class_shares: expected scores, got 10 classes of 0 samples",
                       std::invalid_argument);
}

TEST_CASE("total_variation: worked by hand") {
  CHECK(metrics::total_variation(Shares{0.5, 0.5, 0}, Shares{0.25, 0.5, 0.25}) == 0.25);
  CHECK(metrics::total_variation(Shares{1, 0}, Shares{0, 1}) == 1);
  CHECK(metrics::total_variation(Shares{0.3, 0.7}, Shares{0.3, 0.7}) == 0);
  CHECK(std::isnan(metrics::total_variation(Shares{std::nan("")}, Shares{1})));
  CHECK_THROWS_WITH_AS(metrics::total_variation(Shares(3), Shares(2)),
                       "eigan::metrics::total_variation: 3 classes and 2", std::invalid_argument);
}
