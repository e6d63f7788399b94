#include <doctest/doctest.h>
#include <cmath>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include <eigan/optim/rmsprop.hpp>

#include "support.hpp"

using namespace eigan;

TEST_CASE("RMSprop: worked by hand") {
  // v = 3/4 0 + 1/4 g^2 = g^2 / 4, so the first step is 2 lr in the direction of the gradient; with momentum 1/2 and
  // the same gradient, v = 7/16 g^2 and u = 1 + 4 / sqrt(7).
  std::vector<double> p{1, 1};
  const std::vector<double> g{4, -0.5};
  RMSprop<double> rmsprop(2, {.lr = 0.1, .alpha = 0.75, .eps = 0, .momentum = 0.5});
  rmsprop.step(p, g);
  CHECK(p[0] == doctest::Approx(0.8));
  CHECK(p[1] == doctest::Approx(1.2));
  rmsprop.step(p, g);
  CHECK(p[0] == doctest::Approx(0.8 - 0.1 * (1 + 4 / std::sqrt(7.0))));
  CHECK(p[1] == doctest::Approx(1.2 + 0.1 * (1 + 4 / std::sqrt(7.0))));
}

/// The formula at the top of rmsprop.hpp, as it is written there, over 20 steps.
template <class T>
static void check_against_the_formula(RMSpropOptions o, double tolerance) {
  constexpr std::size_t n = 37;
  std::vector<double> expected = support::random_values<double>(n, 1), v(n), u(n);
  std::vector<T> p(expected.begin(), expected.end());
  RMSprop<T> rmsprop(n, o);
  for (std::uint64_t step = 0; step < 20; ++step) {
    const std::vector<double> grad = support::random_values<double>(n, 10 + step);
    rmsprop.step(p, std::vector<T>(grad.begin(), grad.end()));
    for (std::size_t i = 0; i < n; ++i) {
      const double g = grad[i] + o.weight_decay * expected[i];
      v[i] = o.alpha * v[i] + (1 - o.alpha) * g * g;
      u[i] = o.momentum * u[i] + g / (std::sqrt(v[i]) + o.eps);
      expected[i] -= o.lr * u[i];
      INFO("step ", step + 1, ", parameter ", i);
      REQUIRE(std::abs(static_cast<double>(p[i]) - expected[i]) <= tolerance * (1 + std::abs(expected[i])));
    }
  }
}

TEST_CASE("RMSprop: agrees with the formula over 20 steps") {
  for (const RMSpropOptions& o :
       {RMSpropOptions{}, RMSpropOptions{.alpha = 0.9, .momentum = 0.9},
        RMSpropOptions{.eps = 0.1, .weight_decay = 0.1}, RMSpropOptions{.alpha = 0, .momentum = 0.5}}) {
    check_against_the_formula<double>(o, 1e-13);
    check_against_the_formula<float>(o, 5e-6);
  }
}

TEST_CASE("RMSprop: updates of disjoint ranges, in any order, are one step") {
  constexpr Index n = 101;
  std::vector<float> whole = support::random_values<float>(n, 1), parts = whole;
  const RMSpropOptions options{.lr = 0.1, .weight_decay = 0.1, .momentum = 0.9};
  RMSprop<float> a(n, options), b(n, options);
  for (std::uint64_t step = 0; step < 3; ++step) {
    const std::vector<float> g = support::random_values<float>(n, 20 + step);
    a.step(whole, g);
    b.begin_step();
    for (const auto& [first, count] : {std::pair<Index, Index>{50, 51}, {0, 3}, {3, 0}, {3, 47}})
      b.update(parts, g, first, count);
  }
  CHECK(support::same_bits<float>(whole, parts));
}

TEST_CASE("RMSprop: PyTorch's options unless others are given; those out of range are refused, and so is its centre") {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  const RMSpropOptions o = RMSprop<float>(1).options();
  CHECK(o.lr == 1e-2);
  CHECK(o.alpha == 0.99);
  CHECK(o.eps == 1e-8);
  CHECK(o.weight_decay == 0);
  CHECK(o.momentum == 0);
  CHECK_THROWS_WITH_AS(RMSprop<float>(1, {.centered = true}), "eigan::RMSprop: centered is not built",
                       std::invalid_argument);
  CHECK_THROWS_WITH_AS(RMSprop<float>(1, {.lr = infinity}), "eigan::RMSprop: lr must be >= 0 and finite, is inf",
                       std::invalid_argument);
  for (const RMSpropOptions& wrong :
       {RMSpropOptions{.lr = -1}, RMSpropOptions{.alpha = 1}, RMSpropOptions{.alpha = -0.1}, RMSpropOptions{.eps = -1},
        RMSpropOptions{.weight_decay = -1}, RMSpropOptions{.momentum = -1}, RMSpropOptions{.momentum = infinity}})
    CHECK_THROWS_AS(RMSprop<float>(1, wrong), std::invalid_argument);

  RMSprop<float> rmsprop(1);
  std::vector<float> p{1};
  const std::vector<float> g{1};
  rmsprop.options().lr = std::nan("");
  CHECK_THROWS_AS(rmsprop.step(p, g), std::invalid_argument);
  CHECK(p[0] == 1);
}

TEST_CASE("RMSprop: other lengths and ranges are refused") {
  RMSprop<float> rmsprop(3);
  std::vector<float> three(3), four(4);
  CHECK_THROWS_WITH_AS(rmsprop.step(four, four), "eigan::RMSprop: expected 3 parameters and gradients, got 4 and 4",
                       std::invalid_argument);
  rmsprop.update(three, three, 3, 0);
  CHECK_THROWS_WITH_AS(rmsprop.update(three, three, 2, 2),
                       "eigan::RMSprop: there are 3 parameters, asked to update 2 from 2", std::invalid_argument);
}

TEST_CASE("RMSprop: its state is what PyTorch's is") {
  RMSprop<float> rmsprop(3);
  std::vector<std::string> names;
  rmsprop.visit_state([&](const char* name, const Buffer<float>& buffer) {
    CHECK(buffer.size() == 3);
    names.emplace_back(name);
  });
  CHECK(names == std::vector<std::string>{"square_avg", "momentum_buffer"});
}
