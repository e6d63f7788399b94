#include <doctest/doctest.h>
#include <limits>

#include <eigan/core/finite.hpp>

using namespace eigan;

TEST_CASE("is_finite, is_nan, at_least: numbers, infinities and NaNs of both signs") {
  using limits = std::numeric_limits<double>;
  for (const double x : {0.0, 1.0, limits::denorm_min(), limits::min(), limits::max()})
    for (const double signed_x : {x, -x}) {
      CHECK(detail::is_finite(signed_x));
      CHECK_FALSE(detail::is_nan(signed_x));
    }
  for (const double infinite : {limits::infinity(), -limits::infinity()}) {
    CHECK_FALSE(detail::is_finite(infinite));
    CHECK_FALSE(detail::is_nan(infinite));
  }
  for (const double nan : {limits::quiet_NaN(), -limits::quiet_NaN(), limits::signaling_NaN()}) {
    CHECK_FALSE(detail::is_finite(nan));
    CHECK(detail::is_nan(nan));
    CHECK_FALSE(detail::at_least(nan, 0));
  }
  CHECK(detail::at_least(0, 0));
  CHECK(detail::at_least(-0.0, 0));
  CHECK_FALSE(detail::at_least(-limits::denorm_min(), 0));
  CHECK(detail::at_least(limits::infinity(), 0));
}
