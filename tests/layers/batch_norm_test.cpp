#include <doctest/doctest.h>
#include <cmath>
#include <vector>

#include <eigan/layers/batch_norm.hpp>
#include <eigan/layers/leaky_relu.hpp>
#include <eigan/layers/linear.hpp>
#include <eigan/losses/mse.hpp>
#include <eigan/net/sequential.hpp>
#include <eigan/testing/check_gradients.hpp>

#include "support.hpp"

using namespace eigan;

TEST_CASE("BatchNorm1d: a hand-worked batch") {
  // Feature 0: mean 2, variance 1 + 1 over 2 = 1. Feature 1: mean 0, variance 9. eps makes the variances 4 and 12.
  const BatchNorm1d<2> layer(2, 3);
  const std::vector<double> p{2, 1, 10, 20, -1, -1, -1, -1};  // gamma, beta, and statistics that training ignores
  const Matrix<double> x{{1, 3}, {3, -3}};
  Matrix<double> y(2, 2);
  for (Index part = 0; part < layer.part_count(); ++part) layer.forward_part<double>(p, x, y, part);
  const double half = std::sqrt(3.0) / 2;  // 3 / sqrt(12)
  CHECK(y(0, 0) == doctest::Approx(10 - 2 * 0.5));
  CHECK(y(0, 1) == doctest::Approx(10 + 2 * 0.5));
  CHECK(y(1, 0) == doctest::Approx(20 + half));
  CHECK(y(1, 1) == doctest::Approx(20 - half));

  // dy = (1, 0): mean 1/2, mean of dy x^ = -1/4. dx = gamma / 2 (dy - 1/2 - x^ (-1/4)) with x^ = -+1/2.
  const Matrix<double> dy{{1, 0}, {0, 0}};
  Matrix<double> dx(2, 2);
  layer.backward_input_part<double>(p, x, y, dy, dx, 0);
  CHECK(dx(0, 0) == doctest::Approx(0.5 - 0.125));
  CHECK(dx(0, 1) == doctest::Approx(-0.5 + 0.125));
  CHECK(dx.row(1).isZero());

  std::vector<double> dp(8, 100);
  layer.backward_params<double>(p, x, y, dy, dp);
  CHECK(dp[0] == doctest::Approx(100 - 0.5));
  CHECK(dp[2] == doctest::Approx(101));
  for (const std::size_t untouched : {1u, 3u, 4u, 5u, 6u, 7u}) CHECK(dp[untouched] == 100);
}

TEST_CASE("BatchNorm1d: gradients over the whole batch") {
  for (const Index features : {1, 5, 64, 65, 130}) {
    const auto report = testing::check_gradients(BatchNorm1d<>(features, 0.1), {.batches = {1, 2, 7}});
    INFO(features, " features\n", report.text());
    CHECK(report.ok());
  }
}

TEST_CASE("BatchNorm1d: gradients through a network, with coupled layers next to others and to each other") {
  using Net = Sequential<BatchNorm1d<4>, Linear<4, 70>, BatchNorm1d<70>, LeakyReLU, BatchNorm1d<70>, BatchNorm1d<70>,
                         Linear<70, 3>, BatchNorm1d<3>>;
  Model<Net, double> model(Rng(3));
  const Matrix<double> target = support::random_matrix<double>(3, 5, 8);
  const auto report =
      testing::check_model(model, [&](ConstView<double> y, View<double> dy) { return mse<double>(y, target, dy); },
                           {.batches = {5}, .absolute = 1e-6, .relative = 1e-4});
  INFO(report.text());
  CHECK(report.ok());
  CHECK(report.compared() > 400);
}

TEST_CASE("BatchNorm1d: at inference an affine map of the kept statistics") {
  const BatchNorm1d<> layer(3, 0.5);
  // gamma, beta, running_mean, running_var
  const std::vector<double> p{1, 2, -1, 0, 1, 5, 10, 20, 30, 0.5, 3.5, 8.5};
  const Matrix<double> x{{11, 8}, {20, 24}, {33, 30}};
  Matrix<double> y(3, 2), dx(3, 2);
  layer.forward<double>(p, x, y);
  CHECK(y.isApprox(Matrix<double>{{1, -2}, {1, 5}, {4, 5}}, 1e-12));
  const Matrix<double> dy = Matrix<double>::Ones(3, 2);
  layer.backward_input<double>(p, x, y, dy, dx);
  CHECK(dx.isApprox(Matrix<double>{{1, 1}, {1, 1}, {-1.0 / 3, -1.0 / 3}}, 1e-12));
}

TEST_CASE("BatchNorm1d: starts as torch.nn.BatchNorm1d does, and an optimiser never sees the statistics") {
  Model<Sequential<Linear<2, 3>, BatchNorm1d<3>>> model(Rng(1));
  const auto p = model.params<1>();
  CHECK(std::vector<float>(p.begin(), p.end()) == std::vector<float>{1, 1, 1, 0, 0, 0, 0, 0, 0, 1, 1, 1});

  auto tape = model.tape(4);
  const Matrix<float> x = support::random_matrix<float>(2, 4, 5);
  model.forward(tape, x);
  tape.output_gradient().setOnes();
  std::vector<int> visits(static_cast<std::size_t>(model.net().param_size()));
  auto grad = model.zeros();
  model.backward_params(tape, grad, Threads{1}, [&](Index first, Index count) {
    for (Index i = 0; i < count; ++i) ++visits[static_cast<std::size_t>(first + i)];
  });
  for (Index i = 0; i < model.net().param_size(); ++i)
    CHECK(visits[static_cast<std::size_t>(i)] == (i < model.net().offset(1) + 6 ? 1 : 0));
}

TEST_CASE("BatchNorm1d: the bits do not depend on threads") {
  using Net = Sequential<Linear<90, 300>, BatchNorm1d<300>, LeakyReLU, Linear<300, 200>, BatchNorm1d<200>>;
  const Model<Net> model(Rng(1));
  const Matrix<float> x = support::random_matrix<float>(90, 100, 2), dy = support::random_matrix<float>(200, 100, 3);
  std::vector<Matrix<float>> results;
  for (const int threads : {1, 2, 3, 8}) {
    auto tape = model.tape(100);
    auto grad = model.zeros();
    Matrix<float> dx(90, 100);
    Matrix<float>& all = results.emplace_back(200 + 90 + 1, std::max<Index>(100, grad.size()));
    all.setZero();
    all.topLeftCorner(200, 100) = model.forward(tape, x, Threads{threads});
    tape.output_gradient() = dy;
    model.backward(tape, grad, dx, Threads{threads});
    all.block(200, 0, 90, 100) = dx;
    all.row(290).head(grad.size()) = Eigen::Map<const Eigen::RowVectorXf>(grad.data(), grad.size());
    CHECK(support::same_bits(results.front(), all));
  }
  CHECK(results.front().row(290).norm() > 1);
}

TEST_CASE("BatchNorm1d: features and eps out of range are refused") {
  CHECK_THROWS_WITH_AS((BatchNorm1d<4>(5)), "eigan::BatchNorm1d<4>: cannot have 5 features", std::invalid_argument);
  CHECK_THROWS_AS(BatchNorm1d<>(0), std::invalid_argument);
  CHECK_THROWS_WITH_AS(BatchNorm1d<>(3, 0), "eigan::BatchNorm1d: eps must be > 0, is 0", std::invalid_argument);
  CHECK_THROWS_AS(BatchNorm1d<>(3, std::nan("")), std::invalid_argument);
}
