#include <doctest/doctest.h>
#include <cmath>
#include <limits>

#include <eigan/losses/bce.hpp>
#include <eigan/testing/check_gradients.hpp>

#include "support.hpp"

using namespace eigan;

TEST_CASE("bce: worked by hand") {
  // -log(1/2) for the first; the second has -(3/4 log(1/4) + 1/4 log(3/4)).
  const Matrix<double> y{{0.5, 0.25}}, target{{1, 0.75}};
  Matrix<double> dy(1, 2);
  const double second = -(0.75 * std::log(0.25) + 0.25 * std::log(0.75));
  CHECK(bce(y, target, View<double>(dy)) == doctest::Approx((std::log(2.0) + second) / 2));
  // (y - t) / (y (1 - y)) / 2
  CHECK(dy.isApprox(Matrix<double>{{-1, -4.0 / 3}}, 1e-14));

  // One target for all.
  CHECK(bce(y, 0.0, View<double>(dy)) == doctest::Approx(-(std::log(0.5) + std::log(0.75)) / 2));
  CHECK(dy.isApprox(Matrix<double>{{1, 2.0 / 3}}, 1e-14));
}

TEST_CASE("bce: gradients") {
  const testing::CheckOptions probabilities{.low = 0.05, .high = 0.95, .margin = 0};
  const auto targets = support::random_matrix<double>(3, 7, 1, 0, 1);
  for (const auto& report :
       {testing::check_loss([&](ConstView<double> y, View<double> dy) { return bce<double>(y, targets, dy); }, 3, 7,
                            probabilities),
        testing::check_loss([](ConstView<double> y, View<double> dy) { return bce<double>(y, 0.9, dy); }, 1, 11,
                            probabilities)}) {
    INFO(report.text());
    CHECK(report.ok());
  }
}

// What torch.nn.BCELoss gives for the same numbers.
template <class T>
static void check_clamps() {
  const Matrix<T> y{{0, 0, 1, 1}}, target{{1, 0, 0, 1}};
  Matrix<T> dy(1, 4);
  CHECK(bce(y, target, View<T>(dy)) == T(50));  // (100 + 0 + 100 + 0) / 4
  CHECK(dy == Matrix<T>{{T(-1) / T(1e-12f) / 4, 0, T(1) / T(1e-12f) / 4, 0}});
  CHECK(bce(Matrix<T>{{0}}, T(1), View<T>(dy).columns(0, 1)) == T(100));
}

TEST_CASE("bce: at 0 and 1 the loss and its gradient are finite, as PyTorch's") {
  check_clamps<float>();
  check_clamps<double>();
}

TEST_CASE("bce: what is no probability is refused, with its place") {
  Matrix<float> dy(2, 2);
  for (const float wrong : {-1e-7f, 1.0000001f, 3.f, -std::numeric_limits<float>::infinity()}) {
    const Matrix<float> y{{0, 1}, {0.5f, wrong}};
    CHECK_THROWS_AS(bce(y, 1.f, View<float>(dy)), std::invalid_argument);
    CHECK_THROWS_AS(bce(y, y, View<float>(dy)), std::invalid_argument);
    CHECK_THROWS_AS(bce<float>(y, 1.f), std::invalid_argument);
  }
  CHECK_THROWS_WITH_AS(bce(Matrix<float>{{0, 1}, {0.5f, 3}}, 1.f, View<float>(dy)),
                       "eigan::bce: sample 1, feature 1: expected a probability from 0 to 1, found 3; bce_with_logits "
                       "takes logits",
                       std::invalid_argument);
}

TEST_CASE("bce: a NaN passes through") {
  const Matrix<float> y{{std::numeric_limits<float>::quiet_NaN(), 0.5f}};
  Matrix<float> dy(1, 2);
  CHECK(std::isnan(bce(y, 1.f, View<float>(dy))));
  CHECK(std::isnan(dy(0)));
  CHECK(dy(1) == -1);
}

TEST_CASE("bce: every shape must be that of y") {
  const Matrix<float> y(2, 2), other(2, 3);
  Matrix<float> dy(2, 2), wrong(3, 2);
  CHECK_THROWS_AS(bce(y, other, View<float>(dy)), std::invalid_argument);
  CHECK_THROWS_AS(bce(y, y, View<float>(wrong)), std::invalid_argument);
  CHECK_THROWS_AS(bce(y, 1.f, View<float>(wrong)), std::invalid_argument);
}
