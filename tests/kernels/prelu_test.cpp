#include <doctest/doctest.h>
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include <eigan/kernels/prelu.hpp>

#include "kernels/candidates.hpp"
#define EIGAN_KERNELS <eigan/kernels/map.inc>
#include "kernels/sixty_four_bytes.inc"
#define EIGAN_KERNELS <eigan/kernels/prelu.inc>
#include "kernels/sixty_four_bytes.inc"

using namespace kernel_tests;

// Whole numbers: every result is exact.
template <class T>
static void check_lengths() {
  const auto whole = [](std::uint64_t seed) {
    return Matrix<T>(support::random_matrix<double>(70, 1, seed, -8, 8).array().round().matrix().cast<T>());
  };
  const Matrix<T> slope = whole(1), x = whole(2), dy = whole(3), v = whole(4), before = whole(5);
  REQUIRE((x.array() == T(0)).any());
  for (const auto& candidate : candidates<detail::PreluKernels<T>>())
    for (Index n = 1; n <= 70; ++n) {
      INFO(candidate.name, ", n = ", n);
      Matrix<T> y = Matrix<T>::Constant(n + 3, 1, static_cast<T>(mark));
      Matrix<T> dx = y, sums = y, y_over = y, dx_over = y;
      sums.topRows(n) = before.topRows(n);
      y_over.topRows(n) = x.topRows(n), dx_over.topRows(n) = dy.topRows(n);
      candidate.table->forward(n, slope.data(), x.data(), y.data());
      candidate.table->forward(n, slope.data(), y_over.data(), y_over.data());
      candidate.table->backward(n, slope.data(), x.data(), dy.data(), dx.data());
      candidate.table->backward(n, slope.data(), x.data(), dx_over.data(), dx_over.data());
      candidate.table->add_below(n, x.data(), v.data(), dy.data(), sums.data());
      T total = 0;
      bool right = true;
      for (Index i = 0; i < n; ++i) {
        const bool above = x(i) > T(0);
        const T below = above ? T(0) : v(i) * dy(i);
        total += below;
        right = right && y(i) == (above ? x(i) : slope(i) * x(i)) && dx(i) == (above ? dy(i) : slope(i) * dy(i)) &&
                sums(i) == before(i) + below;
      }
      for (const auto& result : {y, dx, sums}) right = right && (result.bottomRows(3).array() == T(mark)).all();
      REQUIRE(right);
      REQUIRE(y == y_over);
      REQUIRE(dx == dx_over);
      REQUIRE(candidate.table->sum_below(n, x.data(), v.data(), dy.data()) == total);
    }
}

TEST_CASE("prelu: every length, in float and double") {
  check_lengths<float>();
  check_lengths<double>();
}

TEST_CASE("prelu: a NaN stays one") {
  const std::vector<float> x(5, std::numeric_limits<float>::quiet_NaN()), ones(5, 1);
  for (const auto& candidate : candidates<detail::PreluKernels<float>>()) {
    CAPTURE(candidate.name);
    std::vector<float> y(5), sums(5);
    candidate.table->forward(5, ones.data(), x.data(), y.data());
    candidate.table->add_below(5, x.data(), x.data(), ones.data(), sums.data());
    CHECK(std::ranges::all_of(y, [](float v) { return std::isnan(v); }));
    CHECK(std::ranges::all_of(sums, [](float v) { return std::isnan(v); }));
    CHECK(std::isnan(candidate.table->sum_below(5, x.data(), x.data(), ones.data())));
  }
}
