#include <doctest/doctest.h>
#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include <eigan/core/random.hpp>

#include "support.hpp"

using namespace eigan;

// low = 0 and width = 1 leave the 24 bits as they are, so the kernels' numbers can be compared with the definition.
template <class T>
static void check_kernels_against_the_definition() {
  for (const Isa isa : {Isa::portable, Isa::avx2, Isa::avx512}) {
    if (!supports(isa)) continue;
    CAPTURE(std::string(to_string(isa)));
    for (const std::uint64_t key : {std::uint64_t{0}, std::uint64_t{42}, ~std::uint64_t{5}})
      for (const Index sample : {Index{0}, Index{63}, Index{0x123456789A}})
        for (Index n = 1; n <= 70; ++n) {
          std::vector<T> y(static_cast<std::size_t>(n) + 1, T(-1));
          detail::kernels_for<detail::UniformKernels<T>>(isa).uniform(n, key, static_cast<std::uint64_t>(sample), T(0),
                                                                      T(1), y.data());
          bool right = y.back() == T(-1);
          for (Index i = 0; i < n; ++i)
            right = right && y[static_cast<std::size_t>(i)] == static_cast<T>(Rng(key).uniform(i, sample));
          REQUIRE(right);
        }
  }
}

TEST_CASE("fill_uniform: the kernels of every instruction set give the words of Rng, bit for bit") {
  check_kernels_against_the_definition<float>();
  check_kernels_against_the_definition<double>();
}

TEST_CASE("fill_uniform: stays in [low, high) and spreads evenly") {
  const auto m = support::random_matrix<float>(100, 1000, 5, -1, 3);
  CHECK(m.minCoeff() >= -1.f);
  CHECK(m.minCoeff() < -0.999f);
  CHECK(m.maxCoeff() < 3.f);
  CHECK(m.maxCoeff() > 2.999f);
  // Standard errors: 4 / sqrt(12 n) of the mean, n = 1e5; a quarter of the numbers falls into each quarter.
  CHECK(std::abs(m.cast<double>().mean() - 1) < 0.015);
  for (int quarter = 0; quarter < 4; ++quarter) {
    const auto low = static_cast<float>(quarter - 1);
    CHECK(std::abs(static_cast<double>((m.array() >= low && m.array() < low + 1).count()) - 25000) < 600);
  }
}

TEST_CASE("fill_uniform: element (i, j) depends on the key, i and first_sample + j alone") {
  const Rng rng(9);
  Matrix<float> all(13, 40), parts(13, 40), upper(5, 40);
  fill_uniform(View<float>(all), -1, 1, rng, 100);
  for (const auto& [first, count] : {std::pair<Index, Index>{31, 9}, {0, 1}, {1, 30}})
    fill_uniform(View<float>(parts).columns(first, count), -1, 1, rng, 100 + first);
  CHECK(support::same_bits(all, parts));
  fill_uniform(View<float>(upper), -1, 1, rng, 100);
  CHECK(upper == all.topRows(5));

  Matrix<float> other(13, 40);
  fill_uniform(View<float>(other), -1, 1, Rng(10), 100);
  CHECK((other.array() == all.array()).count() < 5);
  CHECK((all.col(0).array() == all.col(1).array()).count() < 5);
}

TEST_CASE("fill_normal: moments") {
  const auto check = []<class T>(T) {
    Matrix<T> m(100, 1000);
    fill_normal(View<T>(m), 3, 2, Rng(4));
    const auto z = ((m.template cast<double>().array() - 3) / 2).eval();
    // Standard errors for n = 1e5: 0.003 of the mean, 0.0045 of the variance, 0.012 and 0.03 of the third and fourth.
    CHECK(std::abs(z.mean()) < 0.013);
    CHECK(std::abs(z.square().mean() - 1) < 0.02);
    CHECK(std::abs(z.cube().mean()) < 0.05);
    CHECK(std::abs(z.square().square().mean() - 3) < 0.15);
    CHECK(std::abs(static_cast<double>((z.abs() < 1).count()) / 1e5 - 0.6827) < 0.006);
    // Neighbours share counters, elements i and 16 + i a radius and an angle, but nothing else.
    CHECK(std::abs((z.topRows(99) * z.bottomRows(99)).mean()) < 0.015);
    CHECK(std::abs((z.topRows(84) * z.bottomRows(84)).mean()) < 0.015);
    CHECK(std::abs((z.topRows(16).square() * z.middleRows(16, 16).square()).mean() - 1) < 0.06);
  };
  check(1.0f);
  check(1.0);
}

TEST_CASE("fill_normal: a million numbers are spread as a normal distribution's, and as many on either side") {
  Matrix<float> m(500, 2000);
  fill_normal(View<float>(m), 0, 1, Rng(11));
  std::vector<float> z(m.data(), m.data() + m.size());
  std::sort(z.begin(), z.end());
  const auto n = static_cast<double>(z.size());
  // Kolmogorov and Smirnov: the distance between the distribution functions exceeds 1.63 / sqrt n once in a hundred
  // seeds.
  double distance = 0;
  for (std::size_t i = 0; i < z.size(); ++i) {
    const double below = std::erfc(static_cast<double>(-z[i]) * std::sqrt(0.5)) / 2;
    distance = std::max({distance, below - static_cast<double>(i) / n, static_cast<double>(i + 1) / n - below});
  }
  CHECK(distance * std::sqrt(n) < 1.63);
  CHECK(distance * std::sqrt(n) > 0.3);  // less once in a hundred thousand: numbers spread too evenly
  // Beyond 4: 31.7 of a million on each side.
  const auto beyond = [&](auto outside) { return static_cast<int>(std::count_if(z.begin(), z.end(), outside)); };
  CHECK(std::abs(beyond([](float v) { return v < -4; }) - 32) < 20);
  CHECK(std::abs(beyond([](float v) { return v > 4; }) - 32) < 20);
  CHECK(std::abs(beyond([](float v) { return v < 0; }) - 500000) < 1500);
}

TEST_CASE("fill_normal: filled in parts, the same numbers") {
  Matrix<float> all(7, 20), parts(7, 20);
  fill_normal(View<float>(all), 0, 1, Rng(4), 50);
  fill_normal(View<float>(parts).columns(12, 8), 0, 1, Rng(4), 62);
  fill_normal(View<float>(parts).columns(0, 12), 0, 1, Rng(4), 50);
  CHECK(support::same_bits(all, parts));
}
