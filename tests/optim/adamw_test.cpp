#include <doctest/doctest.h>
#include <cmath>
#include <limits>
#include <vector>

#include <eigan/optim/adamw.hpp>

#include "support.hpp"

using namespace eigan;

// What it shares with Adam is tested there.

TEST_CASE("AdamW: worked by hand") {
  // The first step is lr in the direction of the gradient, and the weight loses lr weight_decay of itself.
  std::vector<double> p{2, -4};
  AdamW<double>(2, {.lr = 0.1, .eps = 0, .weight_decay = 0.5}).step(p, std::vector<double>{5, 1e-6});
  CHECK(p[0] == doctest::Approx(2 * 0.95 - 0.1));
  CHECK(p[1] == doctest::Approx(-4 * 0.95 - 0.1));
}

/// The formula at the top of adamw.hpp, as it is written there, over 20 steps.
template <class T>
static void check_against_the_formula(AdamWOptions o, double tolerance) {
  constexpr std::size_t n = 37;
  std::vector<double> expected = support::random_values<double>(n, 1), m(n), v(n);
  std::vector<T> p(expected.begin(), expected.end());
  AdamW<T> adamw(n, o);
  for (std::uint64_t step = 0; step < 20; ++step) {
    if (step == 10) o.lr = adamw.options().lr = o.lr / 3;
    const std::vector<double> g = support::random_values<double>(n, 10 + step);
    adamw.step(p, std::vector<T>(g.begin(), g.end()));
    const auto t = static_cast<double>(step + 1);
    for (std::size_t i = 0; i < n; ++i) {
      m[i] = o.beta1 * m[i] + (1 - o.beta1) * g[i];
      v[i] = o.beta2 * v[i] + (1 - o.beta2) * g[i] * g[i];
      const double m_hat = m[i] / (1 - std::pow(o.beta1, t)), v_hat = v[i] / (1 - std::pow(o.beta2, t));
      expected[i] -= o.lr * o.weight_decay * expected[i] + o.lr * m_hat / (std::sqrt(v_hat) + o.eps);
      INFO("step ", step + 1, ", parameter ", i);
      REQUIRE(std::abs(static_cast<double>(p[i]) - expected[i]) <= tolerance * (1 + std::abs(expected[i])));
    }
  }
  CHECK(adamw.steps() == 20);
}

TEST_CASE("AdamW: agrees with the formula over 20 steps") {
  for (const AdamWOptions& o :
       {AdamWOptions{}, AdamWOptions{.lr = 0.01, .beta1 = 0.5, .beta2 = 0.9, .weight_decay = 0.3},
        AdamWOptions{.lr = 0.01, .eps = 0.1, .weight_decay = 0}}) {
    check_against_the_formula<double>(o, 1e-13);
    check_against_the_formula<float>(o, 2e-6);
  }
}

TEST_CASE("AdamW: without decay it is Adam, to the last bit") {
  std::vector<float> p = support::random_values<float>(37, 1), q = p;
  Adam<float> adam(37, {.lr = 0.1});
  AdamW<float> adamw(37, {.lr = 0.1, .weight_decay = 0});
  for (std::uint64_t step = 0; step < 3; ++step) {
    const auto g = support::random_values<float>(37, 2 + step);
    adam.step(p, g);
    adamw.step(q, g);
  }
  CHECK(support::same_bits<float>(p, q));
}

TEST_CASE("AdamW: PyTorch's options unless others are given; refusals go by its own name") {
  const AdamOptions o = AdamW<float>(1).options();
  CHECK(o.lr == 1e-3);
  CHECK(o.beta1 == 0.9);
  CHECK(o.beta2 == 0.999);
  CHECK(o.eps == 1e-8);
  CHECK(o.weight_decay == 1e-2);
  CHECK_THROWS_WITH_AS(AdamW<float>(1, {.lr = std::numeric_limits<double>::infinity()}),
                       "eigan::AdamW: lr must be >= 0 and finite, is inf", std::invalid_argument);
  CHECK_THROWS_WITH_AS(AdamW<float>(1, {.beta1 = 1}), "eigan::AdamW: beta1 must be in [0, 1), is 1",
                       std::invalid_argument);
  AdamW<float> adamw(3);
  std::vector<float> four(4);
  CHECK_THROWS_WITH_AS(adamw.step(four, four), "eigan::AdamW: expected 3 parameters and gradients, got 4 and 4",
                       std::invalid_argument);
}
