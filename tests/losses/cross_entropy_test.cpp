#include <doctest/doctest.h>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include <eigan/losses/cross_entropy.hpp>
#include <eigan/losses/soft_targets.hpp>
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

template <class T>
static void check_infinite() {
  const T inf = std::numeric_limits<T>::infinity(), half = T(0.5);
  Matrix<T> dz(3, 1);
  // A class that is ruled out: softmax of the others.
  const Matrix<T> out{{0}, {0}, {-inf}};
  CHECK(loss_of<T, int>(out, {0}, dz) == std::log(T(2)));
  CHECK(dz == Matrix<T>{{-half}, {half}, {0}});
  CHECK(loss_of<T, int>(out, {2}, dz) == inf);
  CHECK(cross_entropy<T>(out, Matrix<T>{{half}, {half}, {0}}, View<T>(dz)) == std::log(T(2)));
  CHECK(dz == Matrix<T>{{0}, {0}, {0}});
  // A class that is certain.
  const Matrix<T> sure{{0}, {inf}, {5}};
  CHECK(loss_of<T, int>(sure, {1}, dz) == 0);
  CHECK(dz == Matrix<T>{{0}, {0}, {0}});
  CHECK(loss_of<T, int>(sure, {0}, dz) == inf);
  CHECK(dz == Matrix<T>{{-1}, {1}, {0}});
  CHECK(cross_entropy<T>(sure, Matrix<T>{{0}, {1}, {0}}) == 0);
  CHECK(cross_entropy<T>(sure, Matrix<T>{{half}, {half}, {0}}) == inf);
}

TEST_CASE("cross_entropy: infinite logits rule classes out, or are certain") {
  check_infinite<float>();
  check_infinite<double>();
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

TEST_CASE("cross_entropy: soft targets, worked by hand") {
  // softmax(ln 1, ln 2, ln 5) = 1/8, 2/8, 5/8.
  const Matrix<double> z{{0}, {std::log(2.0)}, {std::log(5.0)}}, target{{0.5}, {0}, {0.5}};
  Matrix<double> dz(3, 1);
  CHECK(cross_entropy(z, target, View<double>(dz)) == doctest::Approx((std::log(8.0) + std::log(8.0 / 5)) / 2));
  CHECK(dz.isApprox(Matrix<double>{{-3.0 / 8}, {2.0 / 8}, {1.0 / 8}}, 1e-14));
}

TEST_CASE("cross_entropy: gradients of soft targets, also of such as do not add up to 1") {
  const auto target = support::random_matrix<double>(10, 5, 3, 0, 1);
  const auto report = testing::check_loss(
      [&](ConstView<double> z, View<double> dz) { return cross_entropy<double>(z, target, dz); }, 10, 5);
  INFO(report.text());
  CHECK(report.ok());
}

TEST_CASE("cross_entropy: a label is the probability 1 of its class") {
  const auto z = support::random_matrix<double>(4, 6, 1);
  const std::vector<int> labels{0, 3, 1, 2, 2, 0};
  Matrix<double> target(4, 6), dz(4, 6), soft_dz(4, 6);
  soft_targets(labels, 0, View<double>(target));
  CHECK(loss_of(z, labels, dz) == doctest::Approx(cross_entropy(z, target, View<double>(soft_dz))));
  CHECK(soft_dz.isApprox(dz, 1e-14));
}

TEST_CASE("cross_entropy: soft targets are right and finite at any logit") {
  const Matrix<float> z{{1e4f, -1e4f}, {-1e4f, 1e4f}}, target{{1, 0.5f}, {0, 0.5f}};
  Matrix<float> dz(2, 2);
  CHECK(cross_entropy(z, target, View<float>(dz)) == 5e3f);
  CHECK(dz == Matrix<float>{{0, -0.25f}, {0, 0.25f}});
}

TEST_CASE("cross_entropy: each pixel of an image is a sample") {
  // Two samples of three pixels of two classes, and the six pixels as samples.
  const auto z = support::random_matrix<double>(2, 6, 1), target = support::random_matrix<double>(2, 6, 2, 0, 1);
  const std::vector<int> labels{0, 1, 1, 0, 0, 1};
  const ConstView<double> images(z.data(), 6, 2), image_targets(target.data(), 6, 2);
  Matrix<double> dz(2, 6), image_dz(6, 2);
  CHECK(cross_entropy<double>(images, labels, View<double>(image_dz), 3) == loss_of(z, labels, dz));
  CHECK(image_dz.reshaped(2, 6) == dz);
  CHECK(cross_entropy<double>(images, image_targets, View<double>(image_dz), 3) ==
        cross_entropy<double>(z, target, View<double>(dz)));
  CHECK(image_dz.reshaped(2, 6) == dz);
  CHECK_THROWS_WITH_AS(cross_entropy<double>(images, labels, View<double>(image_dz), 4),
                       "eigan::cross_entropy: 6 logits are not those of 4 pixels", std::invalid_argument);
  CHECK_THROWS_WITH_AS(cross_entropy<double>(images, labels, View<double>(image_dz), 2),
                       "eigan::cross_entropy: expected 4 labels, got 6", std::invalid_argument);
  const std::vector<int> wrong{0, 1, 1, 0, 2, 1};
  CHECK_THROWS_WITH_AS(cross_entropy<double>(images, wrong, View<double>(image_dz), 3),
                       "eigan::cross_entropy: sample 1, pixel 1: expected a label from 0 to 1, found 2",
                       std::invalid_argument);
}

TEST_CASE("cross_entropy: soft targets must have the shape of z") {
  const Matrix<float> z(2, 2), other(2, 3);
  Matrix<float> dz(2, 2), wrong(3, 2);
  CHECK_THROWS_AS(cross_entropy(z, other, View<float>(dz)), std::invalid_argument);
  CHECK_THROWS_AS(cross_entropy(z, z, View<float>(wrong)), std::invalid_argument);
}
