#include <doctest/doctest.h>
#include <cmath>
#include <limits>

#include <eigan/losses/l1.hpp>
#include <eigan/testing/check_gradients.hpp>

#include "support.hpp"

using namespace eigan;

TEST_CASE("l1: worked by hand") {
  const Matrix<float> y{{1, 2}, {3, 4}}, target{{1, 0}, {6, 3}};
  Matrix<float> dy(2, 2);
  CHECK(l1(y, target, View<float>(dy)) == 1.5f);  // (0 + 2 + 3 + 1) / 4
  CHECK(dy == Matrix<float>{{0, 0.25f}, {-0.25f, 0.25f}});
}

TEST_CASE("l1: gradients") {
  const auto target = support::random_matrix<double>(5, 7, 1);
  const auto report =
      testing::check_loss([&](ConstView<double> y, View<double> dy) { return l1<double>(y, target, dy); }, 5, 7);
  INFO(report.text());
  CHECK(report.ok());
  CHECK(report.compared() == 35);
}

TEST_CASE("l1: a NaN passes through") {
  const Matrix<float> y{{std::numeric_limits<float>::quiet_NaN(), 1}}, target{{0, 0}};
  Matrix<float> dy(1, 2);
  CHECK(std::isnan(l1(y, target, View<float>(dy))));
  CHECK(std::isnan(dy(0)));
  CHECK(dy(1) == 0.5f);
}

TEST_CASE("l1: every shape must be that of y") {
  const Matrix<float> y(2, 2), other(2, 3);
  Matrix<float> dy(2, 2), wrong(3, 2);
  CHECK_THROWS_AS(l1(y, other, View<float>(dy)), std::invalid_argument);
  CHECK_THROWS_AS(l1(y, y, View<float>(wrong)), std::invalid_argument);
}
