#include <doctest/doctest.h>
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include <eigan/optim/adam.hpp>

#include "support.hpp"

using namespace eigan;

namespace {

/// The formula at the top of adam.hpp, as it is written there.
struct NaiveAdam {
  AdamOptions o;
  std::vector<double> m, v;
  int t = 0;

  NaiveAdam(std::size_t size, AdamOptions options) : o(options), m(size), v(size) {}
  void step(std::vector<double>& p, const std::vector<double>& grad) {
    ++t;
    for (std::size_t i = 0; i < p.size(); ++i) {
      const double g = grad[i] + o.weight_decay * p[i];
      m[i] = o.beta1 * m[i] + (1 - o.beta1) * g;
      v[i] = o.beta2 * v[i] + (1 - o.beta2) * g * g;
      const double m_hat = m[i] / (1 - std::pow(o.beta1, t)), v_hat = v[i] / (1 - std::pow(o.beta2, t));
      p[i] -= o.lr * m_hat / (std::sqrt(v_hat) + o.eps);
    }
  }
};

/// 20 steps with a gradient that differs from step to step, and a learning rate that falls on the way.
template <class T>
void check_against_the_formula(AdamOptions options, double tolerance) {
  constexpr std::size_t n = 37;
  std::vector<double> expected = support::random_values<double>(n, 1);
  std::vector<T> p(expected.begin(), expected.end());
  NaiveAdam naive(n, options);
  Adam<T> adam(n, options);
  for (std::uint64_t step = 0; step < 20; ++step) {
    if (step == 10) naive.o.lr = adam.options().lr = options.lr / 3;
    const std::vector<double> g = support::random_values<double>(n, 10 + step);
    naive.step(expected, g);
    adam.step(p, std::vector<T>(g.begin(), g.end()));
    for (std::size_t i = 0; i < n; ++i) {
      INFO("step ", step + 1, ", parameter ", i);
      REQUIRE(std::abs(static_cast<double>(p[i]) - expected[i]) <= tolerance * (1 + std::abs(expected[i])));
    }
  }
  CHECK(adam.steps() == 20);
}

}  // namespace

TEST_CASE("Adam: worked by hand") {
  // The first step is lr in the direction of the gradient, whatever its size: both corrections cancel 1 - beta.
  std::vector<double> p{1, 1, 1};
  Adam<double> adam(3, {.lr = 0.1, .eps = 0});
  adam.step(p, std::vector<double>{5, -0.001, 1e6});
  CHECK(p[0] == doctest::Approx(0.9));
  CHECK(p[1] == doctest::Approx(1.1));
  CHECK(p[2] == doctest::Approx(0.9));
  // Where eps is as large as the gradient, the step is half as long.
  std::vector<double> q{1};
  Adam<double>(1, {.lr = 0.1, .eps = 4}).step(q, std::vector<double>{4});
  CHECK(q[0] == doctest::Approx(0.95));
}

TEST_CASE("Adam: agrees with the formula over 20 steps") {
  for (const AdamOptions& options :
       {AdamOptions{}, AdamOptions{.lr = 0.01, .beta1 = 0.5, .beta2 = 0.9}, AdamOptions{.lr = 0.01, .eps = 0.1},
        AdamOptions{.lr = 0.01, .weight_decay = 0.1}, AdamOptions{.lr = 0.01, .beta1 = 0, .beta2 = 0.5}}) {
    check_against_the_formula<double>(options, 1e-13);
    check_against_the_formula<float>(options, 2e-6);
  }
}

TEST_CASE("Adam: updates of disjoint ranges, in any order, are one step") {
  constexpr Index n = 101;
  std::vector<float> whole = support::random_values<float>(n, 1), parts = whole;
  Adam<float> a(n, {.lr = 0.1}), b(n, {.lr = 0.1});
  for (std::uint64_t step = 0; step < 3; ++step) {
    const std::vector<float> g = support::random_values<float>(n, 20 + step);
    a.step(whole, g);
    b.begin_step();
    for (const auto& [first, count] : {std::pair<Index, Index>{50, 51}, {0, 3}, {3, 0}, {3, 47}})
      b.update(parts, g, first, count);
  }
  CHECK(support::same_bits<float>(whole, parts));
  CHECK(a.steps() == 3);
  CHECK(b.steps() == 3);
}

TEST_CASE("Adam: an update touches its range alone") {
  std::vector<float> p(50, 1);
  Adam<float> adam(50, {.lr = 0.1});
  adam.begin_step();
  adam.update(p, std::vector<float>(50, 1), 10, 7);
  for (std::size_t i = 0; i < 50; ++i) CHECK((p[i] != 1) == (i >= 10 && i < 17));
}

TEST_CASE("Adam: a NaN in a gradient is seen in the parameter") {
  std::vector<float> p(9, 1), g(9, 0);
  g[8] = std::numeric_limits<float>::quiet_NaN();
  Adam<float>(9).step(p, g);
  CHECK(p[0] == 1);
  CHECK(std::isnan(p[8]));
}

TEST_CASE("Adam: PyTorch's options unless others are given; those out of range are refused") {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  const AdamOptions o = Adam<float>(1).options();
  CHECK(o.lr == 1e-3);
  CHECK(o.beta1 == 0.9);
  CHECK(o.beta2 == 0.999);
  CHECK(o.eps == 1e-8);
  CHECK(o.weight_decay == 0);
  CHECK_THROWS_WITH_AS(Adam<float>(1, {.lr = -1}), "eigan::Adam: lr must be >= 0 and finite, is -1",
                       std::invalid_argument);
  for (const AdamOptions& wrong :
       {AdamOptions{.lr = std::nan("")}, AdamOptions{.lr = infinity}, AdamOptions{.lr = 1e39}, AdamOptions{.beta1 = 1},
        AdamOptions{.beta1 = -0.1}, AdamOptions{.beta2 = 1}, AdamOptions{.beta2 = -0.1}, AdamOptions{.eps = -1e-8},
        AdamOptions{.eps = infinity}, AdamOptions{.weight_decay = -1}, AdamOptions{.weight_decay = infinity}})
    CHECK_THROWS_AS(Adam<float>(1, wrong), std::invalid_argument);

  // A schedule that goes astray is noticed before anything has changed.
  Adam<float> adam(1);
  std::vector<float> p{1};
  const std::vector<float> g{1};
  adam.options().lr = std::nan("");
  CHECK_THROWS_WITH_AS(adam.step(p, g), "eigan::Adam: lr must be >= 0 and finite, is nan", std::invalid_argument);
  CHECK(adam.steps() == 0);
  CHECK(p[0] == 1);
}

TEST_CASE("Adam: buffers of another length are refused") {
  Adam<float> adam(3);
  std::vector<float> three(3), four(4);
  CHECK_THROWS_WITH_AS(adam.step(four, four), "eigan::Adam: expected 3 parameters and gradients, got 4 and 4",
                       std::invalid_argument);
  CHECK_THROWS_AS(adam.step(three, four), std::invalid_argument);
  CHECK(adam.steps() == 0);
}

TEST_CASE("Adam: a range beyond the parameters is refused") {
  Adam<float> adam(3);
  std::vector<float> p(3), g(3);
  CHECK_THROWS_WITH_AS(adam.update(p, g, 0, 3), "eigan::Adam: update() before the first begin_step()",
                       std::invalid_argument);
  adam.begin_step();
  CHECK_NOTHROW(adam.update(p, g, 0, 3));
  // A state that was loaded has a clock, but no step is going on.
  adam.visit_state([](const char*, auto&, auto...) {});
  CHECK(adam.steps() == 1);
  CHECK_THROWS_WITH_AS(adam.update(p, g, 0, 3), "eigan::Adam: update() before the first begin_step()",
                       std::invalid_argument);
  adam.begin_step();
  adam.update(p, g, 3, 0);
  CHECK_THROWS_WITH_AS(adam.update(p, g, 2, 2), "eigan::Adam: there are 3 parameters, asked to update 2 from 2",
                       std::invalid_argument);
  CHECK_THROWS_AS(adam.update(p, g, -1, 1), std::invalid_argument);
  CHECK_THROWS_AS(adam.update(p, g, 0, -1), std::invalid_argument);
}

TEST_CASE("Adam: decayed moments move nothing, and the caller's treatment of tiny numbers stays") {
  Adam<float> adam(20);
  std::vector<float> p(20, 1), g(20, 1e-30f);
  adam.step(p, g);
  std::fill(g.begin(), g.end(), 0.f);
  for (int step = 0; step < 2000; ++step) adam.step(p, g);
  CHECK(std::isfinite(p[0]));
  const auto before = p;
  adam.step(p, g);
  CHECK(p == before);
  volatile float tiny = std::numeric_limits<float>::denorm_min();
  CHECK(tiny + tiny > 0);  // neither read as zero nor flushed
}
