#include <doctest/doctest.h>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include <eigan/losses/cross_entropy.hpp>
#include <eigan/testing/check_gradients.hpp>

#include "support.hpp"

using namespace eigan;

template <class T, class Label>
static T loss_of(const Matrix<T>& z, const std::vector<Label>& labels, Matrix<T>& dz) {
  return cross_entropy<T>(z, labels, View<T>(dz));
}

TEST_CASE("cross_entropy: worked by hand") {
  // softmax(ln 1, ln 2, ln 5) = 1/8, 2/8, 5/8.
  const double l2 = std::log(2.0), l5 = std::log(5.0);
  const Matrix<double> z{{0, l2}, {l2, 0}, {l5, l5}};
  Matrix<double> dz(3, 2);
  CHECK(loss_of<double, int>(z, {2, 0}, dz) == doctest::Approx((std::log(8.0 / 5) + std::log(4.0)) / 2));
  CHECK(dz.isApprox(Matrix<double>{{1.0 / 16, -6.0 / 16}, {2.0 / 16, 1.0 / 16}, {-3.0 / 16, 5.0 / 16}}, 1e-14));
}

TEST_CASE("cross_entropy: gradients") {
  const std::vector<std::uint8_t> labels{0, 9, 4, 4, 1};
  const auto report = testing::check_loss(
      [&](ConstView<double> z, View<double> dz) {
        return cross_entropy<double>(z, std::span<const std::uint8_t>(labels), dz);
      },
      10, 5);
  INFO(report.text());
  CHECK(report.ok());
  CHECK(report.compared() == 50);
}

template <class T>
static void check_extremes() {
  const T big = T(1e4);
  Matrix<T> dz(2, 4);
  const Matrix<T> z{{big, big, -big, -big}, {-big, big, -big, big}};
  // Right, even, even and wrong by 2e4.
  CHECK(static_cast<double>(loss_of<T, int>(z, {0, 0, 0, 0}, dz)) == doctest::Approx((2 * std::log(2.0) + 2e4) / 4));
  const T eighth = T(0.125), quarter = T(0.25);
  CHECK(dz == Matrix<T>{{0, -eighth, -eighth, -quarter}, {0, eighth, eighth, quarter}});
}

TEST_CASE("cross_entropy: right and finite at any logit") {
  check_extremes<float>();
  check_extremes<double>();
}

TEST_CASE("cross_entropy: a NaN spreads over its sample") {
  const Matrix<float> z{{std::numeric_limits<float>::quiet_NaN(), 0}, {1, 0}};
  Matrix<float> dz(2, 2);
  CHECK(std::isnan(loss_of<float, int>(z, {0, 1}, dz)));
  CHECK(std::isnan(dz(0, 0)));
  CHECK(std::isnan(dz(1, 0)));
  CHECK(dz(0, 1) == 0.25f);
}

TEST_CASE("cross_entropy: labels of any integral type") {
  const Matrix<float> z{{1, 0}, {0, 2}};
  Matrix<float> dz(2, 2);
  const float expected = loss_of<float, int>(z, {0, 1}, dz);
  CHECK(loss_of<float, std::uint8_t>(z, {0, 1}, dz) == expected);
  CHECK(loss_of<float, std::int64_t>(z, {0, 1}, dz) == expected);
  CHECK(loss_of<float, char>(z, {0, 1}, dz) == expected);
}

TEST_CASE("cross_entropy: labels must be classes, one a sample") {
  const Matrix<float> z = Matrix<float>::Zero(3, 2);
  Matrix<float> dz(3, 2), wrong(3, 3);
  CHECK_THROWS_WITH_AS((loss_of<float, int>(z, {0, 3}, dz)),
                       "eigan::cross_entropy: sample 1: expected a label from 0 to 2, found 3", std::invalid_argument);
  CHECK_THROWS_WITH_AS((loss_of<float, int>(z, {-1, 0}, dz)),
                       "eigan::cross_entropy: sample 0: expected a label from 0 to 2, found -1", std::invalid_argument);
  CHECK_THROWS_WITH_AS((loss_of<float, std::uint8_t>(z, {0}, dz)), "eigan::cross_entropy: expected 2 labels, got 1",
                       std::invalid_argument);
  CHECK_THROWS_AS((loss_of<float, int>(z, {0, 1}, wrong)), std::invalid_argument);
}
