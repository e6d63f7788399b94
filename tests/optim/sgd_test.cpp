#include <doctest/doctest.h>
#include <cmath>
#include <limits>
#include <vector>

#include <eigan/optim/sgd.hpp>

#include "support.hpp"

using namespace eigan;

TEST_CASE("SGD: worked by hand") {
  const std::vector<double> g{1, -2};
  std::vector<double> plain{10, 10}, momentum{10, 10}, nesterov{10, 10}, decay{10, 10};
  SGD<double> a(2, {.lr = 0.5}), b(2, {.lr = 0.5, .momentum = 0.5}),
      c(2, {.lr = 0.5, .momentum = 0.5, .nesterov = true}), d(2, {.lr = 0.5, .weight_decay = 0.1});
  for (int step = 0; step < 2; ++step) {
    a.step(plain, g);
    b.step(momentum, g);
    c.step(nesterov, g);
    d.step(decay, g);
  }
  CHECK(plain == std::vector<double>{9, 12});
  // Velocities 1, then 1.5.
  CHECK(momentum == std::vector<double>{8.75, 12.5});
  // Steps of 1 + 0.5, then of 1 + 0.75.
  CHECK(nesterov == std::vector<double>{8.375, 13.25});
  // 10 - 0.5 (1 + 1) = 9 and 9 - 0.5 (1 + 0.9); 10 - 0.5 (-2 + 1) = 10.5 and 10.5 - 0.5 (-2 + 1.05)
  CHECK(decay[0] == doctest::Approx(8.05));
  CHECK(decay[1] == doctest::Approx(10.975));
}

/// The formula at the top of sgd.hpp, as it is written there, over 20 steps.
template <class T>
static void check_against_the_formula(SGDOptions o, double tolerance) {
  constexpr std::size_t n = 37;
  std::vector<double> expected = support::random_values<double>(n, 1), v(n);
  std::vector<T> p(expected.begin(), expected.end());
  SGD<T> sgd(n, o);
  for (std::uint64_t step = 0; step < 20; ++step) {
    const std::vector<double> grad = support::random_values<double>(n, 10 + step);
    sgd.step(p, std::vector<T>(grad.begin(), grad.end()));
    for (std::size_t i = 0; i < n; ++i) {
      const double g = grad[i] + o.weight_decay * expected[i];
      v[i] = o.momentum * v[i] + g;
      expected[i] -= o.lr * (o.nesterov ? g + o.momentum * v[i] : v[i]);
      REQUIRE(std::abs(static_cast<double>(p[i]) - expected[i]) < tolerance);
    }
  }
}

TEST_CASE("SGD: agrees with the formula over 20 steps") {
  for (const SGDOptions& o :
       {SGDOptions{}, SGDOptions{.lr = 0.1, .momentum = 0.9}, SGDOptions{.lr = 0.1, .weight_decay = 0.01},
        SGDOptions{.lr = 0.1, .momentum = 0.9, .weight_decay = 0.01},
        SGDOptions{.lr = 0.1, .momentum = 0.9, .weight_decay = 0.01, .nesterov = true}}) {
    check_against_the_formula<double>(o, 1e-13);
    check_against_the_formula<float>(o, 2e-5);
  }
}

TEST_CASE("SGD: updates of disjoint ranges, in any order, are one step") {
  std::vector<float> whole = support::random_values<float>(101, 1), parts = whole;
  const std::vector<float> g = support::random_values<float>(101, 2);
  const SGDOptions options{.lr = 0.1, .momentum = 0.9, .weight_decay = 0.1};
  SGD<float> a(101, options), b(101, options);
  for (int step = 0; step < 3; ++step) {
    a.step(whole, g);
    b.begin_step();
    for (const auto& [first, count] : {std::pair<Index, Index>{50, 51}, {0, 3}, {3, 47}})
      b.update(parts, g, first, count);
  }
  CHECK(support::same_bits<float>(whole, parts));
}

TEST_CASE("SGD: PyTorch's options unless others are given; those out of range are refused") {
  const SGDOptions o = SGD<float>(1).options();
  CHECK(o.lr == 1e-2);
  CHECK(o.momentum == 0);
  CHECK(o.weight_decay == 0);
  CHECK_FALSE(o.nesterov);
  CHECK_THROWS_WITH_AS(SGD<float>(1, {.nesterov = true}), "eigan::SGD: nesterov needs momentum > 0",
                       std::invalid_argument);
  constexpr double infinity = std::numeric_limits<double>::infinity();
  for (const SGDOptions& wrong :
       {SGDOptions{.lr = infinity}, SGDOptions{.momentum = infinity}, SGDOptions{.weight_decay = infinity},
        SGDOptions{.lr = -1}, SGDOptions{.lr = std::nan("")}, SGDOptions{.momentum = -0.1},
        SGDOptions{.weight_decay = -1}})
    CHECK_THROWS_AS(SGD<float>(1, wrong), std::invalid_argument);

  SGD<float> sgd(1);
  std::vector<float> p{1};
  const std::vector<float> g{1};
  sgd.options().momentum = -1;
  CHECK_THROWS_WITH_AS(sgd.step(p, g), "eigan::SGD: momentum must be >= 0 and finite, is -1", std::invalid_argument);
  CHECK(p[0] == 1);
}

TEST_CASE("SGD: a range beyond the parameters is refused") {
  SGD<float> sgd(3);
  std::vector<float> p(3), g(3);
  sgd.update(p, g, 3, 0);
  CHECK_THROWS_WITH_AS(sgd.update(p, g, 2, 2), "eigan::SGD: there are 3 parameters, asked to update 2 from 2",
                       std::invalid_argument);
  CHECK_THROWS_AS(sgd.update(p, g, -1, 1), std::invalid_argument);
  CHECK_THROWS_AS(sgd.update(p, g, 0, -1), std::invalid_argument);
}

TEST_CASE("SGD: buffers of another length are refused") {
  SGD<float> sgd(3);
  std::vector<float> three(3), four(4);
  CHECK_THROWS_WITH_AS(sgd.step(four, four), "eigan::SGD: expected 3 parameters and gradients, got 4 and 4",
                       std::invalid_argument);
  CHECK_THROWS_AS(sgd.step(three, four), std::invalid_argument);
}
