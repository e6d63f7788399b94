#include <doctest/doctest.h>
#include <cmath>
#include <limits>

#include <eigan/losses/kl_divergence.hpp>
#include <eigan/testing/check_gradients.hpp>

#include "support.hpp"

using namespace eigan;

TEST_CASE("kl_divergence: worked by hand") {
  // Two elements of two samples: (mu^2 + v - 1 - log v) / 2 with v = 1, 2, 1, 4.
  const double l = std::log(2.0);
  const Matrix<double> mu{{3, 0}, {1, -2}}, logvar{{0, l}, {0, 2 * l}};
  Matrix<double> dmu(2, 2), dlogvar(2, 2);
  const double sum = 4.5 + (1 - l) / 2 + 0.5 + (4 + 3 - 2 * l) / 2;
  CHECK(kl_divergence(mu, logvar, View<double>(dmu), View<double>(dlogvar)) == doctest::Approx(sum / 2));
  CHECK(dmu.isApprox(Matrix<double>{{1.5, 0}, {0.5, -1}}, 1e-15));
  CHECK(dlogvar.isApprox(Matrix<double>{{0, 0.25}, {0, 0.75}}, 1e-15));

  CHECK(kl_divergence(mu, logvar, View<double>(dmu), View<double>(dlogvar), Reduction::mean) ==
        doctest::Approx(sum / 4));
  CHECK(dmu.isApprox(Matrix<double>{{0.75, 0}, {0.25, -0.5}}, 1e-15));
  CHECK(dlogvar.isApprox(Matrix<double>{{0, 0.125}, {0, 0.375}}, 1e-15));
}

TEST_CASE("kl_divergence: both gradients, as rows of one encoder's output") {
  for (const Reduction reduction : {Reduction::mean, Reduction::batchmean}) {
    const auto report = testing::check_loss(
        [&](ConstView<double> y, View<double> dy) {
          const auto upper = [&](auto& view, Index row) {
            return std::remove_cvref_t<decltype(view)>(view.data() + row, 4, view.cols(), view.outerStride());
          };
          return kl_divergence<double>(upper(y, 0), upper(y, 4), upper(dy, 0), upper(dy, 4), reduction);
        },
        8, 3);
    INFO(report.text());
    CHECK(report.ok());
    CHECK(report.compared() == 24);
  }
}

TEST_CASE("kl_divergence: in float, near the standard normal it keeps its digits") {
  // logvar^2 / 4, which e^logvar - 1 - logvar in float would lose.
  const Matrix<float> mu{{0}}, logvar{{1e-3f}};
  Matrix<float> dmu(1, 1), dlogvar(1, 1);
  CHECK(static_cast<double>(kl_divergence(mu, logvar, View<float>(dmu), View<float>(dlogvar))) ==
        doctest::Approx(2.5e-7 * (1 + 1e-3 / 3)).scale(0).epsilon(1e-6));
  CHECK(static_cast<double>(dlogvar(0)) == doctest::Approx(0.5 * std::expm1(1e-3)).scale(0).epsilon(1e-6));
}

TEST_CASE("kl_divergence: every shape must be that of mu") {
  const Matrix<float> mu(2, 2), other(2, 3);
  Matrix<float> d(2, 2), wrong(3, 2);
  CHECK_THROWS_AS(kl_divergence(mu, other, View<float>(d), View<float>(d)), std::invalid_argument);
  CHECK_THROWS_AS(kl_divergence(mu, mu, View<float>(wrong), View<float>(d)), std::invalid_argument);
  CHECK_THROWS_AS(kl_divergence(mu, mu, View<float>(d), View<float>(wrong)), std::invalid_argument);
}

TEST_CASE("kl_divergence: at infinite log variances it is infinite, not a NaN") {
  const double inf = std::numeric_limits<double>::infinity();
  for (const double l : {inf, -inf, 1e5}) CHECK(kl_divergence<double>(Matrix<double>{{0}}, Matrix<double>{{l}}) == inf);
}
