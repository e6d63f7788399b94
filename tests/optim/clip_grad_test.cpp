#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include <eigan/eigan.hpp>

#include "../allocations.hpp"
#include "../support.hpp"

using namespace eigan;

TEST_CASE_TEMPLATE("clip_grad_norm: worked by hand, as PyTorch's", T, float, double) {
  std::vector<T> g{3, -4};
  CHECK(clip_grad_norm(std::span<T>(g), 10) == 5);
  CHECK(g == std::vector<T>{3, -4});
  CHECK(clip_grad_norm(std::span<T>(g), 2.5) == 5);
  CHECK(static_cast<double>(g[0]) == doctest::Approx(3 * 2.5 / (5 + 1e-6)));
  CHECK(static_cast<double>(g[1]) == doctest::Approx(-4 * 2.5 / (5 + 1e-6)));
  CHECK(grad_norm(std::span<const T>(g)) <= 2.5);
  std::vector<T> nan{1, std::numeric_limits<T>::quiet_NaN()};
  CHECK(std::isnan(clip_grad_norm(std::span<T>(nan), 1)));
  CHECK(std::isnan(nan[0]));
}

TEST_CASE_TEMPLATE("clip_grad_value: worked by hand", T, float, double) {
  std::vector<T> g{3, T(-0.5), -4, std::numeric_limits<T>::infinity()};
  clip_grad_value(std::span<T>(g), 1);
  CHECK(g == std::vector<T>{1, T(-0.5), -1, 1});
}

TEST_CASE("grad_norm: every element counts, with the same bits for any number of threads") {
  for (const std::size_t size : {0u, 1u, 7u, 63u, 64u, 65u, 1000u, 300000u}) {
    const auto g = support::random_values<float>(size, 1);
    long double squares = 0;
    for (const float v : g) squares += static_cast<long double>(v) * static_cast<long double>(v);
    const double norm = grad_norm(std::span(g), Threads{1});
    CHECK(norm == doctest::Approx(static_cast<double>(std::sqrt(squares))).epsilon(1e-12));
    for (const int threads : {2, 3, 7}) CHECK(grad_norm(std::span(g), Threads{threads}) == norm);
  }
}

namespace {

using Net = Sequential<Linear<30, 200>, ReLU, Linear<200, 2>>;

/// Parameters after some steps, clipped inside of backward_and_step or by hand.
std::vector<float> trained(ClipGrad clip, bool by_hand, Threads threads, std::vector<double>* norms = nullptr) {
  const auto x = support::random_matrix<float>(30, 64, 1), target = support::random_matrix<float>(2, 64, 2, -50, 50);
  Model<Net> model(Rng(1));
  auto tape = model.tape(64);
  auto gradient = model.zeros();
  Adam adam(gradient.size(), {.lr = 0.01});
  for (int step = 0; step < 5; ++step) {
    const auto y = model.forward(tape, x, threads);
    mse<float>(y, target, tape.output_gradient());
    if (!by_hand) {
      const double norm = backward_and_step(model, tape, adam, gradient, clip, threads);
      if (norms != nullptr) norms->push_back(norm);
      continue;
    }
    gradient.zero();
    model.backward_params(tape, gradient, threads);
    if (clip.value < 1e9) clip_grad_value(std::span<float>(gradient), clip.value);
    if (clip.norm < 1e9) clip_grad_norm(std::span<float>(gradient), clip.norm, threads);
    adam.step(model.params(), gradient);
  }
  return support::copy_of(std::span<const float>(model.params()));
}

}  // namespace

TEST_CASE("backward_and_step: clipped, it is clipping by hand, to the last bit and for any number of threads") {
  for (const ClipGrad clip : {ClipGrad{.norm = 1}, ClipGrad{.value = 0.1}, ClipGrad{.norm = 2, .value = 0.1}}) {
    std::vector<double> norms, others;
    const auto expected = trained(clip, true, Threads{1});
    CHECK(trained(clip, false, Threads{1}, &norms) == expected);
    CHECK(trained(clip, false, Threads{3}, &others) == expected);
    CHECK(norms == others);
    CHECK(expected != trained({}, true, Threads{1}));
  }
  CHECK(trained({}, false, Threads{1}) == trained({}, true, Threads{1}));
}

TEST_CASE("backward_and_step: clipped, it allocates nothing and leaves zeros") {
  const auto x = support::random_matrix<float>(30, 64, 1), target = support::random_matrix<float>(2, 64, 2);
  Model<Net> model(Rng(1));
  auto tape = model.tape(64);
  auto gradient = model.zeros();
  Adam adam(gradient.size());
  const auto step = [&] {
    const auto y = model.forward(tape, x, Threads{1});
    mse<float>(y, target, tape.output_gradient());
    backward_and_step(model, tape, adam, gradient, {.norm = 1}, Threads{1});
  };
  step();
  const auto before = support::allocations();
  step();
  if (support::counts_allocations) CHECK(support::allocations() == before);
  CHECK(std::all_of(gradient.begin(), gradient.end(), [](float g) { return g == 0; }));
}

TEST_CASE("clip_grad: bounds that are not more than 0, or no numbers, are refused") {
  std::vector<float> g{1};
  Model<Net> model(Rng(1));
  auto tape = model.tape(1);
  auto gradient = model.zeros();
  Adam adam(gradient.size());
  for (const double bound : {0.0, -1.0, std::nan("")}) {
    CHECK_THROWS_AS(clip_grad_norm(std::span<float>(g), bound), std::invalid_argument);
    CHECK_THROWS_AS(clip_grad_value(std::span<float>(g), bound), std::invalid_argument);
    CHECK_THROWS_AS(backward_and_step(model, tape, adam, gradient, {.norm = bound}), std::invalid_argument);
    CHECK_THROWS_AS(backward_and_step(model, tape, adam, gradient, {.value = bound}), std::invalid_argument);
  }
  CHECK_THROWS_WITH_AS(clip_grad_norm(std::span<float>(g), 0),
                       "eigan::clip_grad_norm: max_norm must be more than 0, is 0", std::invalid_argument);
  CHECK(adam.steps() == 0);
}
