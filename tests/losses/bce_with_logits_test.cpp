#include <doctest/doctest.h>
#include <cmath>
#include <limits>

#include <eigan/losses/bce_with_logits.hpp>
#include <eigan/testing/check_gradients.hpp>

#include "support.hpp"

using namespace eigan;

TEST_CASE("bce_with_logits: worked by hand") {
  // sigmoid(ln 3) = 3/4: -log(3/4) against 1, -(0.9 log(1/2) + 0.1 log(1/2)) against 0.9 at logit 0.
  const Matrix<double> z{{std::log(3.0), 0}}, target{{1, 0.9}};
  Matrix<double> dz(1, 2);
  CHECK(bce_with_logits(z, target, View<double>(dz)) == doctest::Approx((std::log(4.0 / 3) + std::log(2.0)) / 2));
  CHECK(dz.isApprox(Matrix<double>{{-0.125, -0.2}}, 1e-14));

  // One target for all.
  CHECK(bce_with_logits(z, 0.0, View<double>(dz)) == doctest::Approx((std::log(4.0) + std::log(2.0)) / 2));
  CHECK(dz.isApprox(Matrix<double>{{0.375, 0.25}}, 1e-14));
}

TEST_CASE("bce_with_logits: gradients, soft targets included") {
  const auto targets = support::random_matrix<double>(3, 7, 1, 0, 1);
  for (const double target : {0.0, 0.1, 0.9, 1.0}) {
    const auto report = testing::check_loss(
        [target](ConstView<double> z, View<double> dz) { return bce_with_logits<double>(z, target, dz); }, 1, 64);
    INFO("target ", target, "\n", report.text());
    CHECK(report.ok());
  }
  const auto report = testing::check_loss(
      [&](ConstView<double> z, View<double> dz) { return bce_with_logits<double>(z, targets, dz); }, 3, 7);
  INFO(report.text());
  CHECK(report.ok());
}

/// Against the formula in long double, written without care for overflow where there is none.
template <class T>
static void check_extremes(double tolerance) {
  for (const T z : {T(-1e4), T(-500), T(-80), T(-20), T(-1), T(0), T(1), T(20), T(80), T(500), T(1e4)})
    for (const T t : {T(0), T(0.1), T(0.5), T(0.9), T(1)}) {
      INFO("logit ", z, ", target ", t);
      T dz = 0;
      const T loss = bce_with_logits(ConstView<T>(&z, 1, 1), t, View<T>(&dz, 1, 1));
      const auto wide = static_cast<long double>(z), wide_t = static_cast<long double>(t);
      const long double expected = wide_t * std::log1p(std::exp(-wide)) + (1 - wide_t) * std::log1p(std::exp(wide));
      const long double slope = 1 / (1 + std::exp(-wide)) - wide_t;
      CHECK(std::isfinite(loss));
      CHECK(static_cast<double>(loss) == doctest::Approx(static_cast<double>(expected)).epsilon(tolerance));
      CHECK(std::abs(static_cast<double>(dz) - static_cast<double>(slope)) < tolerance);
    }
}

TEST_CASE("bce_with_logits: right and finite at any logit") {
  check_extremes<float>(1e-6);
  check_extremes<double>(1e-14);
}

template <class T>
static void check_infinite() {
  const T inf = std::numeric_limits<T>::infinity();
  struct Case {
    T z, t, loss, dz;
  };
  for (const Case& c : {Case{inf, 1, 0, 0}, Case{inf, 0, inf, 1}, Case{-inf, 0, 0, 0}, Case{-inf, 1, inf, -1},
                        Case{inf, T(0.75), inf, T(0.25)}, Case{-inf, T(0.75), inf, T(-0.75)}}) {
    INFO("logit ", c.z, ", target ", c.t);
    T dz = 7;
    CHECK(bce_with_logits(ConstView<T>(&c.z, 1, 1), c.t, View<T>(&dz, 1, 1)) == c.loss);
    CHECK(dz == c.dz);
  }
  const T z = inf, t = std::numeric_limits<T>::quiet_NaN();
  CHECK(std::isnan(bce_with_logits<T>(ConstView<T>(&z, 1, 1), t)));
}

TEST_CASE("bce_with_logits: at an infinite logit it is 0 where the target is met, else infinite") {
  check_infinite<float>();
  check_infinite<double>();
}

TEST_CASE("bce_with_logits: a small loss is not rounded to 0") {
  const auto tiny = doctest::Approx(std::exp(-30.0)).scale(0).epsilon(1e-6);  // relative, or 0 would be near enough
  Matrix<float> dz(1, 1);
  CHECK(bce_with_logits(Matrix<float>{{30}}, 1.f, View<float>(dz)) == tiny);
  CHECK(bce_with_logits(Matrix<float>{{-30}}, 0.f, View<float>(dz)) == tiny);
  CHECK(dz(0) == tiny);
}

TEST_CASE("bce_with_logits: a NaN passes through") {
  const Matrix<float> z{{std::numeric_limits<float>::quiet_NaN(), 0}};
  Matrix<float> dz(1, 2);
  CHECK(std::isnan(bce_with_logits(z, 1.f, View<float>(dz))));
  CHECK(std::isnan(dz(0)));
  CHECK(dz(1) == -0.25f);
}

TEST_CASE("bce_with_logits: every shape must be that of z") {
  const Matrix<float> z(2, 2), other(2, 3);
  Matrix<float> dz(2, 2), wrong(3, 2);
  CHECK_THROWS_AS(bce_with_logits(z, other, View<float>(dz)), std::invalid_argument);
  CHECK_THROWS_AS(bce_with_logits(z, z, View<float>(wrong)), std::invalid_argument);
  CHECK_THROWS_AS(bce_with_logits(z, 1.f, View<float>(wrong)), std::invalid_argument);
}
