#include <doctest/doctest.h>
#include <cmath>
#include <limits>
#include <vector>

#include <eigan/metrics/estimate.hpp>

using namespace eigan;

TEST_CASE("estimate: worked by hand") {
  const auto e = metrics::estimate(std::vector<double>{1, 2, 3, 4});
  CHECK(e.mean == doctest::Approx(2.5));
  CHECK(e.standard_error == doctest::Approx(std::sqrt((2.25 + 0.25 + 0.25 + 2.25) / 3 / 4)).epsilon(1e-14));
  CHECK(metrics::estimate(std::vector<double>{7, 7, 7}).standard_error == 0);
}

TEST_CASE("estimate: keeps the spread of large values, and a NaN") {
  const auto e = metrics::estimate(std::vector<double>{1e9 + 1, 1e9 + 3});
  CHECK(e.standard_error == doctest::Approx(1).epsilon(1e-12));
  const auto nan = metrics::estimate(std::vector<double>{1, std::numeric_limits<double>::quiet_NaN()});
  CHECK(std::isnan(nan.mean));
  CHECK(std::isnan(nan.standard_error));
}

TEST_CASE("estimate: one value has no spread") {
  CHECK_THROWS_WITH_AS(metrics::estimate(std::vector<double>{1}),
                       "eigan::metrics::estimate: expected at least 2 values, got 1", std::invalid_argument);
}
