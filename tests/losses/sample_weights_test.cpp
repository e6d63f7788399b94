#include <doctest/doctest.h>

#include <limits>
#include <vector>

#include <eigan/losses/sample_weights.hpp>
#include <eigan/testing/check_gradients.hpp>

#include "losses/loss_support.hpp"

using namespace eigan;

TEST_CASE("SampleWeights: worked by hand") {
  const Matrix<double> y{{1, 2, 3}}, target{{0, 0, 0}};
  const std::vector<double> weights{1, 0, 3};
  Matrix<double> dy(1, 3);
  CHECK(mse(y, target, View<double>(dy), weights) == (1 * 1 + 0 * 4 + 3 * 9) / 4.0);
  CHECK(dy == Matrix<double>{{2 * 1 / 4.0, 0, 2 * 3 * 3 / 4.0}});
}

TEST_CASE("SampleWeights: a sample of weight 2 counts as that sample twice, one of weight 0 not at all") {
  const std::vector<double> weights{2, 1, 0, 1, 3};
  losses::for_each([&](const char* name, const auto& loss) {
    INFO(name);
    Matrix<double> repeated(4, 7), dy(4, 5);
    const SampleWeights<double> w = weights;
    const double expected = loss({0, 0, 1, 3, 4, 4, 4}, View<double>(repeated));
    CHECK(loss({0, 1, 2, 3, 4}, View<double>(dy), w) == doctest::Approx(expected).epsilon(1e-14));
    CHECK(loss({0, 1, 2, 3, 4}, w) == loss({0, 1, 2, 3, 4}, View<double>(dy), w));
    Matrix<double> sums(4, 5);
    sums << repeated.leftCols(2).rowwise().sum(), repeated.col(2), Matrix<double>::Zero(4, 1), repeated.col(3),
        repeated.rightCols(3).rowwise().sum();
    CHECK(dy.isApprox(sums, 1e-14));
  });
}

TEST_CASE("SampleWeights: equal weights are none") {
  const std::vector<double> weights(5, 0.3);
  losses::for_each([&](const char* name, const auto& loss) {
    INFO(name);
    Matrix<double> dy(4, 5), weighted(4, 5);
    const double expected = loss({0, 1, 2, 3, 4}, View<double>(dy));
    CHECK(loss({0, 1, 2, 3, 4}, View<double>(weighted), SampleWeights<double>(weights)) ==
          doctest::Approx(expected).epsilon(1e-14));
    CHECK(weighted.isApprox(dy, 1e-14));
  });
}

TEST_CASE("SampleWeights: gradients") {
  const auto target = support::random_matrix<double>(3, 4, 1), logvar = support::random_matrix<double>(3, 4, 2);
  const std::vector<double> weights{0.5, 2, 0, 1};
  for (const auto& report :
       {testing::check_loss(
            [&](ConstView<double> y, View<double> dy) { return huber<double>(y, target, dy, 0.5, weights); }, 3, 4),
        testing::check_loss(
            [&](ConstView<double> y, View<double> dy) {
              Matrix<double> dlogvar(3, 4);
              return kl_divergence<double>(y, logvar, dy, dlogvar, Reduction::mean, weights);
            },
            3, 4)}) {
    INFO(report.text());
    CHECK(report.ok());
  }
}

TEST_CASE("SampleWeights: of each pixel of an image") {
  const auto z = support::random_matrix<double>(6, 2, 1);  // three pixels of two classes
  const std::vector<int> labels{0, 1, 1, 0, 0, 1};
  const std::vector<double> weights{1, 3};
  Matrix<double> dz(6, 2), one(6, 1);
  const double first =
      cross_entropy<double>(ConstView<double>(z).columns(0, 1), std::vector{0, 1, 1}, View<double>(one), 3);
  const double second =
      cross_entropy<double>(ConstView<double>(z).columns(1, 1), std::vector{0, 0, 1}, View<double>(one), 3);
  CHECK(cross_entropy<double>(z, labels, View<double>(dz), 3, weights) == doctest::Approx((first + 3 * second) / 4));
}

TEST_CASE("SampleWeights: one a sample, none negative, not all 0") {
  const Matrix<float> y = Matrix<float>::Zero(2, 2);
  const auto of = [&](const std::vector<float>& weights) { return mse<float>(y, y, weights); };
  CHECK_THROWS_WITH_AS(of({1}), "eigan::mse: expected 2 sample weights, got 1", std::invalid_argument);
  CHECK_THROWS_WITH_AS(of({}), "eigan::mse: expected 2 sample weights, got 0", std::invalid_argument);
  CHECK_THROWS_WITH_AS(of({0, 0}), "eigan::mse: the sample weights are all 0", std::invalid_argument);
  CHECK_THROWS_WITH_AS(of({1, -1}), "eigan::mse: sample weight 1 must be >= 0 and finite, is -1",
                       std::invalid_argument);
  CHECK_THROWS_AS(of({1, std::numeric_limits<float>::infinity()}), std::invalid_argument);
  CHECK_THROWS_AS(of({std::numeric_limits<float>::quiet_NaN(), 1}), std::invalid_argument);
}
