// Inputs at the edge of what float can hold or a loss can bear: outputs, losses and gradients stay finite and are
// those of double.
#include <doctest/doctest.h>
#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include <eigan/gan/networks.hpp>
#include <eigan/gan/steps.hpp>
#include <eigan/layers/batch_norm.hpp>
#include <eigan/layers/dropout.hpp>
#include <eigan/layers/leaky_relu.hpp>
#include <eigan/layers/linear.hpp>
#include <eigan/layers/relu.hpp>
#include <eigan/layers/sigmoid.hpp>
#include <eigan/layers/tanh.hpp>
#include <eigan/losses/bce.hpp>
#include <eigan/losses/bce_with_logits.hpp>
#include <eigan/losses/cross_entropy.hpp>
#include <eigan/losses/mse.hpp>
#include <eigan/net/model.hpp>
#include <eigan/net/sequential.hpp>
#include <eigan/optim/adam.hpp>
#include <eigan/testing/check_gradients.hpp>

#include "reliability/extremes.hpp"
#include "support.hpp"

using namespace eigan;
using namespace extremes;

TEST_CASE("extreme numbers: every layer at 0, denormal numbers and 1e4, in batches of one and more") {
  check_network<Sequential<Linear<8, 5>>>("Linear", 8);
  check_network<Sequential<Linear<8, 8>, ReLU>>("ReLU", 8);
  check_network<Sequential<Linear<8, 8>, LeakyReLU>>("LeakyReLU", 8);
  check_network<Sequential<Linear<8, 8>, Tanh>>("Tanh", 8, 1e-3);        // saturated: what is left of the gradient
  check_network<Sequential<Linear<8, 8>, Sigmoid>>("Sigmoid", 8, 1e-3);  // is what the rounding of x leaves
  check_network<Sequential<Linear<8, 8>, Dropout>>("Dropout", 8);
}

TEST_CASE("extreme numbers: nothing but denormal numbers") {
  using Net = Sequential<Linear<8, 8>>;
  Model<Net, float> narrow(Rng(1));
  Model<Net, double> wide(Rng(1));
  narrow.params().back() = 0;  // its bias would hide the last output
  std::copy(std::as_const(narrow).params().begin(), std::as_const(narrow).params().end(), wide.params().begin());
  for (const Index batch : {1, 2, 33}) {
    CAPTURE(batch);
    Matrix<float> x(8, batch);
    for (Index i = 0; i < x.size(); ++i) x(i) = static_cast<float>(i % 7 - 3) * denormal;
    const auto found = train<float>(narrow, x);
    const auto expected = train<double>(wide, x.cast<double>());
    // From a gradient of ones: sums of denormal numbers, which are exact.
    CHECK(found.grad.topRows(64).cast<double>() == expected.grad.topRows(64));
    CHECK(found.grad.topRows(64).cwiseAbs().maxCoeff() > 0);
    // Each of the eight terms is rounded to a multiple of the smallest number.
    const double smallest = static_cast<double>(std::numeric_limits<float>::denorm_min());
    CHECK((found.y.row(7).cast<double>() - expected.y.row(7)).cwiseAbs().maxCoeff() <= 8 * smallest);
    CHECK(found.y.row(7).cwiseAbs().maxCoeff() > 100 * std::numeric_limits<float>::denorm_min());
  }
}

TEST_CASE("extreme numbers: BatchNorm1d over equal, tiny and huge samples") {
  using Net = Sequential<BatchNorm1d<8>>;
  const Model<Net, float> narrow(Rng(1));
  const Model<Net, double> wide(Rng(1));
  for (const float factor : {0.0f, denormal, 1e-20f, 1.0f, 1e4f}) {
    CAPTURE(factor);
    for (const Index batch : {2, 33}) {
      const Matrix<float> x = factor * support::random_matrix<float>(8, batch, 3);
      const auto found = train<float>(narrow, x);
      const auto expected = train<double>(wide, x.cast<double>());
      CHECK(found.dx.allFinite());
      CHECK(found.grad.allFinite());
      CHECK(found.y.allFinite());
      // The mean is rounded to float's digits, and what is left of a sample is divided by at least sqrt(eps).
      const double rounding = 2.4e-7 * static_cast<double>(x.cwiseAbs().maxCoeff()) / std::sqrt(1e-5);
      CHECK((found.y.cast<double>() - expected.y).cwiseAbs().maxCoeff() < 1e-5 + rounding);
    }
  }
}

TEST_CASE("extreme numbers: gradients agree with central differences at large and at tiny inputs") {
  struct Case {
    double low, high, step;  // a step of 1e-6 would be lost beside a loss of 1e4
  };
  for (const auto& range : {Case{-1e4, 1e4, 1e-3}, Case{-1e-300, 1e-300, 1e-6}, Case{9e3, 1e4, 1e-3}}) {
    CAPTURE(range.low);
    const auto targets = support::random_matrix<double>(3, 5, 1, 0, 1);
    const testing::CheckOptions options{.step = range.step, .low = range.low, .high = range.high, .margin = 0};
    const auto report = testing::check_loss(
        [&](ConstView<double> z, View<double> dz) { return bce_with_logits<double>(z, targets, dz); }, 3, 5, options);
    INFO(report.text());
    CHECK(report.ok());
  }
}

TEST_CASE("extreme numbers: losses and their gradients are finite, and double's, at +-1e4") {
  std::vector<float> values(mixture.begin(), mixture.end());
  for (const float z : {-80.0f, -20.0f, 20.0f, 80.0f, 88.8f, -103.9f, 1e30f, -1e30f}) values.push_back(z);
  const Matrix<float> z = Eigen::Map<const Matrix<float>>(values.data(), 1, std::ssize(values));
  const Matrix<double> wide_z = z.cast<double>();
  Matrix<float> dz(1, z.cols());
  Matrix<double> wide_dz(1, z.cols());
  for (const float target : {0.0f, 0.1f, 0.9f, 1.0f}) {
    CAPTURE(target);
    for (Index j = 0; j < z.cols(); ++j) {  // one at a time: in a mean the largest would hide the others
      CAPTURE(z(j));
      const float loss =
          bce_with_logits<float>(ConstView<float>(z).columns(j, 1), target, View<float>(dz).columns(j, 1));
      const double expected = bce_with_logits<double>(ConstView<double>(wide_z).columns(j, 1),
                                                      static_cast<double>(target), View<double>(wide_dz).columns(j, 1));
      CHECK(std::isfinite(loss));
      CHECK(static_cast<double>(loss) == doctest::Approx(expected).epsilon(1e-6));
      CHECK(std::abs(static_cast<double>(dz(j)) - wide_dz(j)) < 1e-6);

      const float y = 1 / (1 + std::exp(-z(j)));  // 0 and 1 at the ends
      const Matrix<float> probability{{y}};
      const Matrix<double> wide_probability = probability.cast<double>();
      Matrix<float> dy(1, 1);
      Matrix<double> wide_dy(1, 1);
      const float bce_loss = bce<float>(probability, target, View<float>(dy));
      const double bce_expected = bce<double>(wide_probability, static_cast<double>(target), View<double>(wide_dy));
      CHECK(std::isfinite(bce_loss));
      CHECK(std::isfinite(dy(0)));
      CHECK(static_cast<double>(bce_loss) == doctest::Approx(bce_expected).epsilon(1e-5));
      CHECK(static_cast<double>(dy(0)) == doctest::Approx(wide_dy(0)).epsilon(1e-4));
    }
  }
}

TEST_CASE("extreme numbers: cross entropy of 1e4 and denormal logits is double's") {
  const Matrix<float> z = extreme_inputs(10, 24);
  const Matrix<double> wide_z = z.cast<double>();
  std::vector<int> labels;
  for (int j = 0; j < 24; ++j) labels.push_back(j % 10);
  Matrix<float> dz(10, 24);
  Matrix<double> wide_dz(10, 24);
  const float loss = cross_entropy<float>(z, labels, View<float>(dz));
  const double expected = cross_entropy<double>(wide_z, labels, View<double>(wide_dz));
  CHECK(std::isfinite(loss));
  CHECK(expected > 1e3);  // some labels are of logits far below the largest
  CHECK(static_cast<double>(loss) == doctest::Approx(expected).epsilon(1e-6));
  check_near(dz, wide_dz);
}

TEST_CASE("extreme numbers: mse of 1e4 and of denormal differences") {
  const Matrix<float> y = extreme_inputs(8, 5), target = -y;
  Matrix<float> dy(8, 5);
  Matrix<double> wide_dy(8, 5);
  const float loss = mse<float>(y, target, View<float>(dy));
  const Matrix<double> wide_y = y.cast<double>(), wide_target = target.cast<double>();
  const double expected = mse<double>(wide_y, wide_target, View<double>(wide_dy));
  CHECK(static_cast<double>(loss) == doctest::Approx(expected).epsilon(1e-6));
  check_near(dy, wide_dy);
}

TEST_CASE("extreme numbers: a last short batch, down to a single sample, is trained on as if it had room of its own") {
  using G = Generator<5, 7, 6>;
  using D = Discriminator<6, 7, 1>;
  struct Game {
    Model<G> generator{Rng(1)};
    Model<D> discriminator{Rng(2)};
    Adam<float> g_adam{generator.param_size()}, d_adam{discriminator.param_size()};

    void step(GanWorkspace<float>& workspace, Index batch, std::uint64_t number) {
      const Matrix<float> images = 1e4f * support::random_matrix<float>(6, batch, number);
      const auto z = support::random_matrix<float>(5, batch, number + 100);
      const auto d =
          discriminator_step(generator, discriminator, d_adam, workspace, images, z, Rng(number), NonSaturatingLoss());
      const auto g = generator_step(generator, discriminator, g_adam, workspace, z, Rng(number), NonSaturatingLoss());
      CHECK(std::isfinite(d.loss));
      CHECK(std::isfinite(g.loss));
    }
  };
  for (const Index last : {1, 3}) {
    Game shared, own;
    GanWorkspace<float> large(shared.generator, shared.discriminator, 64), full(own.generator, own.discriminator, 64),
        small(own.generator, own.discriminator, last);
    shared.step(large, 64, 1), own.step(full, 64, 1);
    shared.step(large, last, 2), own.step(small, last, 2);
    shared.step(large, 64, 3), own.step(full, 64, 3);
    CHECK(support::same_bits<float>(shared.generator.params(), own.generator.params()));
    CHECK(support::same_bits<float>(shared.discriminator.params(), own.discriminator.params()));
    for (const float p : shared.generator.params()) REQUIRE(std::isfinite(p));
  }
}
