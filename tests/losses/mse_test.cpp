#include <doctest/doctest.h>

#include <eigan/losses/mse.hpp>
#include <eigan/testing/check_gradients.hpp>

#include "support.hpp"

using namespace eigan;

TEST_CASE("mse: worked by hand") {
  const Matrix<float> y{{1, 2}, {3, 4}}, target{{1, 0}, {6, 3}};
  Matrix<float> dy(2, 2);
  CHECK(mse(y, target, View<float>(dy)) == 3.5f);  // (0 + 4 + 9 + 1) / 4
  CHECK(dy == Matrix<float>{{0, 1}, {-1.5f, 0.5f}});
}

TEST_CASE("mse: gradients") {
  const auto target = support::random_matrix<double>(5, 7, 1);
  const auto report =
      testing::check_loss([&](ConstView<double> y, View<double> dy) { return mse<double>(y, target, dy); }, 5, 7);
  INFO(report.text());
  CHECK(report.ok());
  CHECK(report.compared() == 35);
}

TEST_CASE("mse: every shape must be that of y") {
  const Matrix<float> y(2, 2), other(2, 3);
  Matrix<float> dy(2, 2), wrong(3, 2);
  CHECK_THROWS_AS(mse(y, other, View<float>(dy)), std::invalid_argument);
  CHECK_THROWS_AS(mse(y, y, View<float>(wrong)), std::invalid_argument);
}
