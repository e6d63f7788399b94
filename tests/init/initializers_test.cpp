#include <doctest/doctest.h>
#include <cmath>

#include <eigan/init/initializers.hpp>

#include "support.hpp"

using namespace eigan;

namespace {

// w is out x in, so fan_in is 300 and fan_out 200: formulas that mix them up give other numbers.
constexpr Index fan_in = 300, fan_out = 200;

template <class Init>
Matrix<double> weights(const Init& initialise) {
  Matrix<double> w(fan_out, fan_in);
  initialise(View<double>(w), Rng(8));
  return w;
}

/// Uniform in [-a, a): a itself, and the variance a^2 / 3. 60000 numbers leave the ends within a thousandth.
void check_uniform(const Matrix<double>& w, double a) {
  CHECK(w.minCoeff() >= -a);
  CHECK(w.minCoeff() < -0.999 * a);
  CHECK(w.maxCoeff() < a);
  CHECK(w.maxCoeff() > 0.999 * a);
  CHECK(std::abs(w.mean()) < 0.01 * a);
  CHECK(w.array().square().mean() == doctest::Approx(a * a / 3).scale(0).epsilon(0.02));
}

/// Normal with variance s^2: about 68.3 % within s and 95.4 % within 2 s.
void check_normal(const Matrix<double>& w, double s) {
  const auto share = [&](double k) {
    return static_cast<double>((w.array().abs() < k * s).count()) / static_cast<double>(w.size());
  };
  CHECK(std::abs(w.mean()) < 0.02 * s);
  CHECK(w.array().square().mean() == doctest::Approx(s * s).scale(0).epsilon(0.03));
  CHECK(share(1) == doctest::Approx(0.683).epsilon(0.015));
  CHECK(share(2) == doctest::Approx(0.954).epsilon(0.01));
}

}  // namespace

TEST_CASE("init: Xavier's range and deviation") {
  check_uniform(weights([](View<double> w, Rng rng) { init::xavier_uniform(w, rng); }), std::sqrt(6.0 / 500));
  check_uniform(weights([](View<double> w, Rng rng) { init::xavier_uniform(w, rng, 3); }), 3 * std::sqrt(6.0 / 500));
  check_normal(weights([](View<double> w, Rng rng) { init::xavier_normal(w, rng); }), std::sqrt(2.0 / 500));
  check_normal(weights([](View<double> w, Rng rng) { init::xavier_normal(w, rng, 3); }), 3 * std::sqrt(2.0 / 500));
}

TEST_CASE("init: He's range and deviation, for ReLU unless a gain is given") {
  check_uniform(weights([](View<double> w, Rng rng) { init::he_uniform(w, rng); }), std::sqrt(6.0 / fan_in));
  check_uniform(weights([](View<double> w, Rng rng) { init::he_uniform(w, rng, 1); }), std::sqrt(3.0 / fan_in));
  check_normal(weights([](View<double> w, Rng rng) { init::he_normal(w, rng); }), std::sqrt(2.0 / fan_in));
  check_normal(weights([](View<double> w, Rng rng) { init::he_normal(w, rng, 1); }), std::sqrt(1.0 / fan_in));
}

TEST_CASE("init: the gain of a leaky ReLU") {
  CHECK(init::leaky_relu_gain() == doctest::Approx(std::sqrt(2.0)));
  CHECK(init::leaky_relu_gain(1) == doctest::Approx(1));
  CHECK(init::leaky_relu_gain(0.2) == doctest::Approx(std::sqrt(2 / 1.04)));
}

TEST_CASE("init: He's gain keeps the size of what passes through a layer and a leaky ReLU") {
  const double slope = 0.2;
  Matrix<double> x = support::random_matrix<double>(fan_in, 50, 1, -1, 1);
  const double before = x.array().square().mean();
  Matrix<double> y =
      weights([&](View<double> w, Rng rng) { init::he_normal(w, rng, init::leaky_relu_gain(slope)); }) * x;
  y = (y.array() < 0).select(slope * y, y);
  CHECK(y.array().square().mean() == doctest::Approx(before).epsilon(0.1));
}

TEST_CASE("init: a Linear starts as PyTorch's, weight and bias from streams of their own") {
  Matrix<double> w(fan_out, fan_in), b(5000, 1);
  init::linear_default(View<double>(w), View<double>(b), Rng(8));
  check_uniform(w, 1 / std::sqrt(300.0));
  const double a = 1 / std::sqrt(300.0);
  CHECK(b.array().abs().maxCoeff() < a);
  CHECK(b.array().abs().maxCoeff() > 0.995 * a);
  CHECK(std::abs(b.mean()) < 0.05 * a);
  CHECK((w.col(0).array() == b.topRows(fan_out).array()).count() == 0);
}

TEST_CASE("init: the same generator gives the same weights, another others") {
  const auto one = weights([](View<double> w, Rng) { init::he_normal(w, Rng(1)); });
  const auto same = weights([](View<double> w, Rng) { init::he_normal(w, Rng(1)); });
  const auto other = weights([](View<double> w, Rng) { init::he_normal(w, Rng(2)); });
  CHECK(support::same_bits(one, same));
  CHECK((one.array() == other.array()).count() == 0);
}
