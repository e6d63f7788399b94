#include <doctest/doctest.h>
#include <cmath>
#include <limits>

#include <eigan/losses/huber.hpp>
#include <eigan/testing/check_gradients.hpp>

#include "support.hpp"

using namespace eigan;

TEST_CASE("huber: worked by hand") {
  const Matrix<float> y{{1, 2}, {3, 4}}, target{{1, 0}, {6, 3}};
  Matrix<float> dy(2, 2);
  CHECK(huber(y, target, View<float>(dy)) == 1.125f);  // (0 + 1.5 + 2.5 + 0.5) / 4
  CHECK(dy == Matrix<float>{{0, 0.25f}, {-0.25f, 0.25f}});
  CHECK(huber(y, target, View<float>(dy), 2) == 1.625f);  // (0 + 2 + 4 + 0.5) / 4
  CHECK(dy == Matrix<float>{{0, 0.5f}, {-0.5f, 0.25f}});
}

TEST_CASE("huber: gradients on both sides of the bend") {
  const auto target = support::random_matrix<double>(5, 7, 1);
  for (const double delta : {0.1, 1.0, 10.0}) {
    const auto report = testing::check_loss(
        [&](ConstView<double> y, View<double> dy) { return huber<double>(y, target, dy, delta); }, 5, 7);
    INFO("delta ", delta, "\n", report.text());
    CHECK(report.ok());
    CHECK(report.compared() == 35);
  }
}

TEST_CASE("huber: a NaN passes through") {
  const Matrix<float> y{{std::numeric_limits<float>::quiet_NaN(), 1}}, target{{0, 0}};
  Matrix<float> dy(1, 2);
  CHECK(std::isnan(huber(y, target, View<float>(dy))));
  CHECK(std::isnan(dy(0)));
  CHECK(dy(1) == 0.5f);
}

TEST_CASE("huber: every shape must be that of y, and delta a number above 0") {
  const Matrix<float> y(2, 2), other(2, 3);
  Matrix<float> dy(2, 2), wrong(3, 2);
  CHECK_THROWS_AS(huber(y, other, View<float>(dy)), std::invalid_argument);
  CHECK_THROWS_AS(huber(y, y, View<float>(wrong)), std::invalid_argument);
  CHECK_THROWS_WITH_AS(huber(y, y, View<float>(dy), 0), "eigan::huber: delta must be > 0 and finite, is 0",
                       std::invalid_argument);
  CHECK_THROWS_AS(huber(y, y, View<float>(dy), std::nanf("")), std::invalid_argument);
  CHECK_THROWS_AS(huber(y, y, View<float>(dy), std::numeric_limits<float>::infinity()), std::invalid_argument);
}
