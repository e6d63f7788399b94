#include <doctest/doctest.h>
#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <eigan/gan/gradient_penalty.hpp>
#include <eigan/gan/networks.hpp>
#include <eigan/layers/conv2d.hpp>
#include <eigan/layers/softplus.hpp>

#include "allocations.hpp"
#include "net/networks.hpp"
#include "net/random_steps.hpp"
#include "support.hpp"

using namespace eigan;

namespace {

using Matrices = std::vector<Matrix<double>>;

std::vector<ConstView<double>> views(const Matrices& inputs) {
  return {inputs.begin(), inputs.end()};
}
Matrices random_inputs(const BasicModel<double>& model, Index batch, std::uint64_t seed) {
  Matrices inputs;
  for (std::size_t i = 0; i < model.steps().inputs(); ++i)
    inputs.push_back(support::random_matrix<double>(model.input_size(i), batch, seed + i));
  return inputs;
}

/// The slope of the sum of all outputs with respect to the first input, by the model's own way back.
Matrix<double> slope_of(const BasicModel<double>& d, const std::vector<ConstView<double>>& x, Rng rng) {
  auto tape = d.tape(x[0].cols());
  d.forward(tape, x, Draw{rng, 0});
  tape.output_gradient().setOnes();
  Matrix<double> slope(d.input_size(), x[0].cols());
  d.backward_input(tape, slope);
  return slope;
}

/// The gradient that add(grad) adds agrees with central differences of the penalty, which it returns.
template <class Add>
void check_against_differences(BasicModel<double>& d, const Add& add, Index every = 1, double scale = 1) {
  INFO(d.architecture());
  Buffer<double> grad = d.zeros(), ignored = d.zeros();
  std::fill(grad.begin(), grad.end(), 3.0);  // it is added to
  add(grad);
  constexpr double h = 1e-6;
  double largest = 0;
  for (Index i = 0; i < grad.size(); i += every) {
    double& p = d.params()[static_cast<std::size_t>(i)];
    const double kept = p;
    p = kept + h;
    const double above = add(ignored);
    p = kept - h;
    const double below = add(ignored);
    p = kept;
    const double numeric = (above - below) / (2 * h);
    CAPTURE(i);
    CHECK(std::abs(grad[i] - 3 - numeric) <= scale * (1e-7 + 1e-5 * std::abs(numeric)));
    largest = std::max(largest, std::abs(numeric));
  }
  CHECK(largest > 1e-3);
}

/// R1 and WGAN-GP of a model, values and gradients.
void check_penalties(BasicModel<double>& d, Index every = 1) {
  constexpr Index batch = 5;
  const Matrices real = random_inputs(d, batch, 40), fake = random_inputs(d, batch, 50);
  GradientPenalty<double> penalty(d, batch + 2);
  const auto r1 = [&](Buffer<double>& grad) { return penalty.add_r1(d, views(real), 1.5, grad, Rng(5), Threads{2}); };
  const auto wgan = [&](Buffer<double>& grad) {
    return penalty.add_wgan_gp(d, views(real), fake[0], 2.5, grad, Rng(5), Threads{2});
  };
  Buffer<double> ignored = d.zeros();
  CHECK(r1(ignored) == doctest::Approx(1.5 / 2 * slope_of(d, views(real), Rng(5)).squaredNorm() / batch));
  check_against_differences(d, r1, every);
  check_against_differences(d, wgan, every);
}
template <class Net>
void check_penalties(const Net& net, Index every = 1) {
  Model<Net, double> model(net, Rng(3));
  check_penalties(static_cast<BasicModel<double>&>(model), every);
}

using L = Linear<4, 4>;

}  // namespace

TEST_CASE("GradientPenalty: R1 of a hand-worked logit") {
  // D(x) = 3 x0 - 4 x1 + 7: the slope is (3, -4) everywhere, R = 2 / 2 * 25, dR/dw = 2 w, and none for the bias.
  Model<Sequential<Linear<2, 1>>, double> d(Rng(1));
  std::copy_n(std::vector<double>{3, -4, 7}.data(), 3, d.params().data());
  GradientPenalty penalty(d, 5);
  std::vector<double> grad{100, 100, 100};
  CHECK(penalty.add_r1(d, support::random_matrix<double>(2, 5, 1), 2, grad, Rng(2)) == doctest::Approx(25));
  CHECK(grad[0] == doctest::Approx(106));
  CHECK(grad[1] == doctest::Approx(92));
  CHECK(grad[2] == 100);
}

TEST_CASE("GradientPenalty: WGAN-GP of a hand-worked logit") {
  // |g| = 5 everywhere: P = 10 (5 - 1)^2, dP/dw = 10 * 2 * 4 * w / 5.
  Model<Sequential<Linear<2, 1>>, double> d(Rng(1));
  std::copy_n(std::vector<double>{3, -4, 7}.data(), 3, d.params().data());
  GradientPenalty penalty(d, 5);
  std::vector<double> grad{100, 100, 100};
  const auto real = support::random_matrix<double>(2, 3, 1), fake = support::random_matrix<double>(2, 3, 2);
  CHECK(penalty.add_wgan_gp(d, real, fake, 10, grad, Rng(2)) == doctest::Approx(160));
  CHECK(grad[0] == doctest::Approx(148));
  CHECK(grad[1] == doctest::Approx(36));
  CHECK(grad[2] == 100);
}

TEST_CASE("GradientPenalty: agrees with central differences, linear piece by piece") {
  check_penalties(make_discriminator(std::array<Index, 4>{9, 17, 12, 1}), 3);  // with dropout
  check_penalties(Sequential<Linear<3, 8>, ReLU, Linear<8, 1>>{});
  check_penalties(Sequential<L, Residual<LeakyReLU, L>, Linear<4, 1>>{});
  check_penalties(Sequential(Linear<>(3, 4), own::ExpGain{4}, LeakyReLU(0.3), own::ExpGain{4}));
}

TEST_CASE("GradientPenalty: agrees with central differences where layers are curved") {
  check_penalties(Sequential<L, Tanh, Linear<4, 1>>{});
  check_penalties(Sequential<Tanh, L, Sigmoid, L, Tanh, Dropout, Linear<4, 1>>{});
  check_penalties(Sequential<L, own::Square, L, own::Square, Linear<4, 1>>{});
  check_penalties(Sequential<L, Tanh>{});  // many outputs, each of which bends
  check_penalties(Sequential<Residual<L, Tanh, L>, SkipConnection<Sigmoid, Linear<4, 2>>, Linear<6, 1>>{});
  check_penalties(Sequential<L, Parallel<Sequential<Tanh, Linear<4, 1>>, Residual<Tanh>, L>>{});
  check_penalties(Sequential(Linear<>(3, 4), Tanh(), own::ExpGain{4}, own::Square{}));
}

TEST_CASE("GradientPenalty: of images and patches") {
  using own::Halve;
  using own::Pointwise;
  check_penalties(Sequential<Input<2, 4, 4>, Pointwise<2, 3>, Tanh, Halve, Dropout, Pointwise<3, 1>>{});
  check_penalties(
      Sequential<Input<2, 4, 4>, Conv2d<2, 3, 3, 1, 1>, Tanh, Conv2d<3, 4, 4, 2, 1>, LeakyReLU, Conv2d<4, 1, 2>>{}, 3);
}

TEST_CASE("GradientPenalty: with respect to the first of several inputs") {
  check_penalties(Sequential<Inputs<Input<3>, Input<2>>, Linear<5, 6>, Tanh, Linear<6, 1>>{});
  check_penalties(Sequential<Inputs<Input<1, 2, 2>, Input<2>>, own::Pointwise<3, 2>, Tanh, own::Pointwise<2, 1>>{});
  check_penalties(Sequential<Inputs<Sequential<Input<1, 2, 2>, own::Pointwise<1, 2>, Tanh>, Input<2>>,
                             own::Pointwise<4, 2>, Tanh, own::Pointwise<2, 1>>{});
  check_penalties(Sequential<Inputs<Input<3>, Sequential<Linear<2, 2>, Tanh>>, Linear<5, 6>, Tanh, Linear<6, 1>>{});
}

TEST_CASE("GradientPenalty: agrees with central differences for lists of steps put together at random") {
  int checked = 0;
  for (std::uint64_t seed = 2000; checked < 25; ++seed) {
    const auto net = random_steps::make<double>(seed, true);
    BasicModel<double> d(net, random_steps::text(*net), Rng(seed));
    // Its slope must depend on parameters: a Tanh behind or in front of a Linear.
    bool linear = false, tanh = false;
    for (const auto& step : net->steps()) linear = linear || step.size > 0, tanh = tanh || step.traits().curved;
    if (!linear || !tanh) continue;
    CAPTURE(seed);
    const Matrices real = random_inputs(d, 3, 40);
    if (slope_of(d, views(real), Rng(5)).isZero(0)) continue;  // only the other input is read
    GradientPenalty<double> penalty(d, 3);
    Buffer<double> grad = d.zeros(), ignored = d.zeros();
    const auto add = [&](Buffer<double>& to) { return penalty.add_r1(d, views(real), 1.0, to, Rng(5)); };
    add(grad);
    for (Index i = 0; i < grad.size(); i += 5) {
      double& p = d.params()[static_cast<std::size_t>(i)];
      const double kept = p;
      p = kept + 1e-6;
      const double above = add(ignored);
      p = kept - 1e-6;
      const double numeric = (above - add(ignored)) / 2e-6;
      p = kept;
      CHECK(std::abs(grad[i] - numeric) <= 1e-6 * (1 + above) + 1e-5 * std::abs(numeric));
    }
    ++checked;
  }
}

TEST_CASE("GradientPenalty: WGAN-GP at samples between real and generated ones, each at a place of its own") {
  // D is the squared norm, whose slope 2 x shows where it was asked.
  Model<Sequential<own::Square, Linear<3, 1>>, double> d(Sequential(own::Square{1}, Linear<3, 1>()), Rng(1));
  std::copy_n(std::vector<double>{1, 1, 1, 0}.data(), 4, d.params().data());
  GradientPenalty penalty(d, 64);
  Buffer<double> grad = d.zeros();
  // On a line from 1 to 2, (|2 x| - 1)^2 = (2 |x| - 1)^2 has the mean of (2 sqrt 3 t - 1)^2 over t in [1, 2].
  const Matrix<double> real = Matrix<double>::Ones(3, 64), fake = 2 * real;
  double sum = 0;
  for (std::uint64_t seed = 0; seed < 50; ++seed) sum += penalty.add_wgan_gp(d, real, fake, 1, grad, Rng(seed));
  const double root = std::sqrt(3.0), expected = 4 * 7.0 - 2 * root * 3 + 1;  // 12 E t^2 - 4 root E t + 1
  CHECK(sum / 50 == doctest::Approx(expected).epsilon(0.01));
  // Equal on both sides, it is there.
  CHECK(penalty.add_wgan_gp(d, real, real, 1, grad, Rng(1)) == doctest::Approx(std::pow(2 * root - 1, 2)));
  // Another generator, another place.
  CHECK(penalty.add_wgan_gp(d, real, fake, 1, grad, Rng(1)) != penalty.add_wgan_gp(d, real, fake, 1, grad, Rng(2)));
}

TEST_CASE("GradientPenalty: both halves go through the layers of the model that is given") {
  using Net = Sequential<Linear<3, 8>, Softplus, Linear<8, 1>>;
  Model<Net, double> d(Net(Linear<3, 8>(), Softplus(2), Linear<8, 1>()), Rng(3));
  const Model<Net, double> other(Net(Linear<3, 8>(), Softplus(0.5), Linear<8, 1>()), Rng(4));
  const Matrix<double> x = support::random_matrix<double>(3, 4, 40);
  GradientPenalty<double> penalty(other, 4);
  check_against_differences(d, [&](Buffer<double>& grad) { return penalty.add_r1(d, x, 1.5, grad, Rng(5)); });
}

TEST_CASE("GradientPenalty: finite where the slope is zero, or next to it") {
  Model<Sequential<Linear<3, 4>, ReLU, Linear<4, 1>>> dead(Rng(1));
  std::fill(dead.params().begin(), dead.params().end(), 0.f);
  GradientPenalty penalty(dead, 5);
  const Matrix<float> x = support::random_matrix<float>(3, 5, 2);
  for (const float tiny : {0.f, 1e-30f, std::numeric_limits<float>::min(), std::numeric_limits<float>::denorm_min()}) {
    CAPTURE(tiny);
    // A slope of (tiny, 0, 0).
    Model<Sequential<Linear<3, 1>>> flat(Rng(1));
    std::fill(flat.params().begin(), flat.params().end(), 0.f);
    flat.params()[0] = tiny;
    GradientPenalty of_flat(flat, 5);
    Buffer<float> grad = flat.zeros();
    CHECK(of_flat.add_r1(flat, x, 1, grad, Rng(1)) == doctest::Approx(0));
    CHECK(of_flat.add_wgan_gp(flat, x, x, 10, grad, Rng(1)) == doctest::Approx(10));
    for (const float g : grad) CHECK(std::isfinite(g));
    // dP/dw = 20 (1 - 1 / |w|) w, which has no value at 0.
    CHECK(grad[0] == doctest::Approx(tiny == 0 ? 0 : -20).epsilon(1e-6));
  }
  Buffer<float> grad = dead.zeros();
  CHECK(penalty.add_wgan_gp(dead, x, x, 10, grad, Rng(1)) == doctest::Approx(10));
  for (const float g : grad) CHECK(g == 0);
}

TEST_CASE("GradientPenalty: the bits do not depend on threads, nor on what the last batch left") {
  const auto check = [](const auto& d) {
    std::vector<Matrix<float>> inputs, others;
    for (std::size_t i = 0; i < d.steps().inputs(); ++i) {
      inputs.push_back(support::random_matrix<float>(d.input_size(i), 100, 4 + i));
      others.push_back(Matrix<float>::Constant(d.input_size(i), 100, 1e3f));
    }
    const std::vector<ConstView<float>> x(inputs.begin(), inputs.end()), other(others.begin(), others.end());
    std::vector<Matrix<float>> results;
    for (const int threads : {1, 2, 3, 8}) {
      GradientPenalty penalty(d, 100);
      Buffer<float> grad = d.zeros();
      penalty.add_r1(d, other, 1, grad, Rng(9), Threads{threads});
      grad.zero();
      penalty.add_r1(d, x, 1, grad, Rng(5), Threads{threads});
      penalty.add_wgan_gp(d, x, inputs[0], 1, grad, Rng(5), Threads{threads});
      results.push_back(Eigen::Map<const Matrix<float>>(grad.data(), grad.size(), 1));
      CHECK(support::same_bits(results.front(), results.back()));
    }
    CHECK(results.front().norm() > 0);
  };
  check(Model<Discriminator<200, 150, 60, 1>>(Rng(3)));
  check(Model<networks::Chain>(Rng(3)));
  check(Model<networks::UNet>(Rng(3)));
}

TEST_CASE("GradientPenalty: nothing is allocated once it stands" * doctest::skip(!support::counts_allocations)) {
  const Model<networks::UNet> d(Rng(3));
  const Matrix<float> x = support::random_matrix<float>(d.input_size(), 20, 4),
                      label = support::random_matrix<float>(2, 20, 5);
  const std::array<ConstView<float>, 2> inputs{x, label};
  GradientPenalty penalty(d, 20);
  Buffer<float> grad = d.zeros();
  const auto step = [&] {
    penalty.add_r1(d, inputs, 1, grad, Rng(5), Threads{2});
    penalty.add_wgan_gp(d, inputs, x, 1, grad, Rng(5), Threads{2});
  };
  step();
  const long before = support::allocations();
  step();
  CHECK(support::allocations() == before);
}

TEST_CASE("GradientPenalty: what has no tangent is refused by name") {
  const Model<Sequential<Linear<6, 4>, Residual<BatchNorm1d<4>>, Linear<4, 1>>> norm(Rng(2));
  CHECK_THROWS_WITH_AS(GradientPenalty(norm, 10),
                       "eigan::GradientPenalty: expected layers with a tangent, found layer 1.body.0, "
                       "BatchNorm1d(num_features=4, eps=1e-05)",
                       std::invalid_argument);
  const Model gain(Sequential(Linear<>(6, 4), own::Gain{4}), Rng(2));
  CHECK_THROWS_WITH_AS(GradientPenalty(gain, 10),
                       "eigan::GradientPenalty: expected layers with a tangent, found layer 1, Gain(features=4)",
                       std::invalid_argument);
  // An element-wise layer with parameters and without their tangent.
  const Model scale(Sequential(Linear<>(6, 6), own::Scale{6}), Rng(2));
  CHECK_THROWS_AS(GradientPenalty(scale, 10), std::invalid_argument);
}

TEST_CASE("GradientPenalty: what does not fit is refused") {
  const Model<Discriminator<6, 4, 1>> d(Rng(2));
  GradientPenalty penalty(d, 10);
  Buffer<float> small(3);
  CHECK_THROWS_AS(penalty.add_r1(d, Matrix<float>(6, 5), 1, small, Rng(1)), std::invalid_argument);
  Buffer<float> grad = d.zeros();
  const Matrix<float> five = Matrix<float>::Zero(6, 5), four = Matrix<float>::Zero(6, 4),
                      many = Matrix<float>::Zero(6, 11);
  CHECK_THROWS_AS(penalty.add_r1(d, many, 1, grad, Rng(1)), std::invalid_argument);
  CHECK_THROWS_AS(penalty.add_r1(d, Matrix<float>(7, 5), 1, grad, Rng(1)), std::invalid_argument);
  CHECK_THROWS_WITH_AS(penalty.add_wgan_gp(d, five, four, 1, grad, Rng(1)),
                       "eigan::GradientPenalty: real samples are 6 x 5, generated ones 6 x 4", std::invalid_argument);
  CHECK_THROWS_WITH_AS(penalty.add_wgan_gp(d, many, many, 1, grad, Rng(1)),
                       "eigan::GradientPenalty: holds up to 10 samples of 6 features, got 11 of 6",
                       std::invalid_argument);
  CHECK_THROWS_WITH_AS(penalty.add_wgan_gp(d, std::span<const ConstView<float>>(), five, 1, grad, Rng(1)),
                       "eigan::Model: this network has 1 inputs, given are 0", std::invalid_argument);
  CHECK_THROWS_WITH_AS(penalty.add_r1(d, five, -1, grad, Rng(1)),
                       "eigan::GradientPenalty: gamma must be >= 0 and finite, is -1", std::invalid_argument);
  CHECK_THROWS_WITH_AS(penalty.add_wgan_gp(d, five, five, std::numeric_limits<float>::quiet_NaN(), grad, Rng(1)),
                       "eigan::GradientPenalty: lambda must be >= 0 and finite, is nan", std::invalid_argument);
  const Model<Discriminator<6, 5, 1>> other(Rng(2));
  Buffer<float> other_grad = other.zeros();
  CHECK_THROWS_AS(penalty.add_r1(other, five, 1, other_grad, Rng(1)), std::invalid_argument);
  for (const float g : grad) CHECK(g == 0);
}
