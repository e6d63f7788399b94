#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "kit/chart_axis.hpp"

using kit::ChartAxis;

namespace {

void check_ticks(const ChartAxis& axis, const std::vector<double>& expected) {
  REQUIRE(axis.ticks().size() == expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) CHECK(axis.ticks()[i] == doctest::Approx(expected[i]));
}

constexpr bool linear = false, logarithmic = true;

}  // namespace

TEST_CASE("ChartAxis: round ticks within the data, which fills the axis") {
  const ChartAxis axis(0.5, 100, linear, false);
  check_ticks(axis, {20, 40, 60, 80, 100});
  CHECK(axis.position(0.5) == doctest::Approx(0));
  CHECK(axis.position(100) == doctest::Approx(1));
  CHECK(axis.position(50.25) == doctest::Approx(0.5));
}

TEST_CASE("ChartAxis: or an axis that reaches to the ticks around the data") {
  const ChartAxis axis(0.31, 2.6, linear, true);
  check_ticks(axis, {0, 0.5, 1, 1.5, 2, 2.5, 3});
  CHECK(axis.position(0) == doctest::Approx(0));
  CHECK(axis.position(3) == doctest::Approx(1));
  check_ticks(ChartAxis(-0.003, 0.001, linear, true), {-0.003, -0.002, -0.001, 0, 0.001});
}

TEST_CASE("ChartAxis: powers of ten on a logarithmic axis, with 2 and 5 when there are few") {
  check_ticks(ChartAxis(0.02, 300, logarithmic, true), {0.01, 0.1, 1, 10, 100, 1000});
  check_ticks(ChartAxis(0.3, 1.2, logarithmic, true), {0.2, 0.5, 1, 2});
  const ChartAxis axis(1, 100, logarithmic, true);
  CHECK(axis.position(10) == doctest::Approx(0.5));
  const ChartAxis wide(1e-150, 1e150, logarithmic, true);
  CHECK(wide.ticks().size() < 12);
  CHECK(wide.position(1e-150) >= 0);
  CHECK(wide.position(1e150) <= 1);
}

TEST_CASE("ChartAxis: every range gives few ticks and places all its values between 0 and 1") {
  constexpr double largest = kit::chart_limit;
  constexpr double smallest = std::numeric_limits<double>::denorm_min();
  const double values[] = {-largest, -1e9, -1.5, -1e-140,     -smallest, 0,      smallest,
                           1e-300,   0.1,  1.5,  1.5 + 1e-15, 1e9,       largest};
  for (const double low : values) {
    for (const double high : values) {
      for (const bool logarithm : {false, true}) {
        if (low > high || (logarithm && low < 1 / largest)) continue;
        CAPTURE(low);
        CAPTURE(high);
        CAPTURE(logarithm);
        const ChartAxis axis(low, high, logarithm, true);
        CHECK(axis.ticks().size() <= 20);
        for (const double value : {low, high}) {
          CHECK(axis.position(value) >= -1e-6);
          CHECK(axis.position(value) <= 1 + 1e-6);
        }
      }
    }
  }
}

TEST_CASE("ChartAxis: a single value, and none, have an axis, too") {
  CHECK(ChartAxis(3, 3, linear, false).position(3) == doctest::Approx(0.5));
  CHECK(ChartAxis(0, 0, linear, true).position(0) == doctest::Approx(0.5));
  CHECK(std::isfinite(ChartAxis(3, 3, logarithmic, true).position(3)));
  constexpr double infinity = std::numeric_limits<double>::infinity();
  CHECK_FALSE(ChartAxis(infinity, -infinity, linear, true).ticks().empty());
  CHECK_FALSE(ChartAxis(infinity, -infinity, logarithmic, true).ticks().empty());
}
