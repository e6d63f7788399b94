#include <doctest/doctest.h>
#include <cmath>
#include <Eigen/SVD>
#include <string>
#include <type_traits>
#include <vector>

#include <eigan/layers/spectral_norm.hpp>
#include <eigan/testing/check_gradients.hpp>

#include "support.hpp"

using namespace eigan;

TEST_CASE("SpectralNorm: gradients and tangents of Linear and Conv2d") {
  const auto check = [](const auto& layer, Shape shape) {
    const auto report = testing::check_gradients(layer, {.shape = shape, .batches = {1, 3}, .cap = 150});
    INFO(layer.spec().text(), "\n", report.text());
    CHECK(report.ok());
  };
  check(SpectralNorm(Linear<>(1, 1)), {1});
  check(SpectralNorm(Linear<>(7, 3)), {7});
  check(SpectralNorm(Linear<>(5, 30)), {5});
  check(SpectralNorm(Linear<>(400, 100)), {400});  // several blocks
  check(SpectralNorm(Conv2d<>(1, 5, 3, 1, 1)), {1, 4, 5});
  check(SpectralNorm(Conv2d<>(3, 4, 4, 2, 1, false)), {3, 4, 6});
  check(SpectralNorm(Conv2d<>(17, 5, 3, 1, 1)), {17, 3, 4});
}

TEST_CASE("SpectralNorm: a hand-worked weight") {
  // W = diag(3, 1), u and v of the larger axis: sigma 3.
  const SpectralNorm<Linear<2, 2>> description;
  const auto layer = description.at({2});
  const std::vector<double> p{3, 0, 0, 1, 10, 20}, s{1, 0, 1, 0};
  std::vector<double> q(static_cast<std::size_t>(layer.prepared_size()));
  layer.prepare<double>(p, s, q, Phase::training);
  const Matrix<double> x{{3}, {6}};
  Matrix<double> y(2, 1);
  layer.forward<double>({p, q}, x, y);
  CHECK(y.isApprox(Matrix<double>{{13}, {22}}, 1e-12));
  // dW^ = dy x^T = [3 6; 0 0], <dW^, W^> = 3; (dW^ - 3 u v^T) / 3.
  const Matrix<double> dy{{1}, {0}};
  std::vector<double> dp(6, 100);
  layer.backward_params<double>({p, q}, x, y, dy, dp);
  const std::vector<double> expected{100, 100, 102, 100, 101, 100};
  for (std::size_t i = 0; i < 6; ++i) CHECK(dp[i] == doctest::Approx(expected[i]));
}

TEST_CASE("SpectralNorm: the power method finds the largest singular value") {
  const auto check = [](const auto& layer, Index rows, Index cols) {
    const auto p = support::random_values<double>(static_cast<std::size_t>(layer.param_size()), 3);
    std::vector<double> s(static_cast<std::size_t>(layer.state_size())),
        q(static_cast<std::size_t>(layer.prepared_size()));
    layer.template init_state<double>(s);
    const auto norm = [&] {
      layer.template prepare<double>(p, s, q, Phase::inference);
      const Matrix<double> w = ConstView<double>(q.data(), rows, cols);
      return Eigen::JacobiSVD<Matrix<double>>(w).singularValues()(0);
    };
    CHECK(norm() == doctest::Approx(1).epsilon(0.02));  // 15 steps that nobody has asked for
    const double by_itself = norm();
    layer.template update_state<double>(p, s);
    CHECK(norm() == doctest::Approx(by_itself).epsilon(1e-12));  // the same 15, kept
    for (int step = 0; step < 300; ++step) layer.template update_state<double>(p, s);
    CHECK(norm() == doctest::Approx(1).epsilon(1e-6));
  };
  check(SpectralNorm(Linear<>(30, 20)).at({30}), 20, 30);
  check(SpectralNorm(Conv2d<>(4, 12, 3, 1, 1)).at({4, 5, 5}), 12, 36);
}

TEST_CASE("SpectralNorm: v has the order of files, channels before taps") {
  const auto layer = SpectralNorm(Conv2d<>(2, 1, 2)).at({2, 2, 2});
  // One row: v is the weight itself, brought to length 1; columns in memory are (tap, channel).
  const std::vector<double> p{1, 10, 2, 20, 3, 30, 4, 40, 0};
  std::vector<double> s(9);
  layer.init_state<double>(s);
  layer.update_state<double>(p, s);
  const double length = std::sqrt(30.0 * 101), sign = s[0];
  CHECK(std::abs(sign) == doctest::Approx(1));
  const double order[] = {1, 2, 3, 4, 10, 20, 30, 40};
  for (std::size_t i = 0; i < 8; ++i) CHECK(s[1 + i] * sign == doctest::Approx(order[i] / length));
}

TEST_CASE("SpectralNorm: what it says of itself") {
  CHECK(SpectralNorm<Conv2d<3, 8, 4>>().spec().text() ==
        "SpectralNorm(Conv2d(in_channels=3, out_channels=8, kernel_size=4, stride=1, padding=0, bias=1))");
  const auto layer = SpectralNorm<Linear<3, 8>>().at({3});
  CHECK(layer.spec().text() == "SpectralNorm(Linear(in_features=3, out_features=8))");
  CHECK(layer.parameters()[0].name == "parametrizations.weight.original");
  CHECK(layer.parameters()[1].name == "bias");
  CHECK(layer.states()[1].name == "parametrizations.weight.0._v");
  CHECK(layer.states()[1].offset == 8);
  static_assert(SpectralNorm<Conv2d<3, 8, 4>>{}.output_shape({3, 5, 6}) == Shape{8, 2, 3});
  static_assert(!SpectralNorm<Conv2d<3, 8, 4>>{}.output_shape({4, 5, 6}));
  static_assert(!std::is_default_constructible_v<SpectralNorm<Linear<>>>);
  CHECK(SpectralNorm(Linear<>(3, 8)).input_size() == 3);
  CHECK(SpectralNorm(Linear<>(3, 8)).output_size() == 8);
  static_assert(SpectralNorm<Linear<3, 8>>::input == 3 && SpectralNorm<Conv2d<3, 8, 4>>::input == dynamic);
}
