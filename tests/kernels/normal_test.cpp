#include <doctest/doctest.h>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <vector>

#include <eigan/kernels/normal.hpp>

#include "kernels/candidates.hpp"
#define EIGAN_KERNELS <eigan/kernels/random.inc>
#include "kernels/sixty_four_bytes.inc"
#define EIGAN_KERNELS <eigan/kernels/normal.inc>
#include "kernels/sixty_four_bytes.inc"

using namespace kernel_tests;

namespace {

// The kernel once more, a number at a time.
float product(float a, float b) {
  volatile float p = a * b;  // before anything is added
  return p;
}
template <std::size_t N>
float polynomial(float x, const std::array<float, N>& c) {
  float y = c[N - 1];
  for (std::size_t i = N - 1; i-- > 0;) y = product(x, y) + c[i];
  return y;
}
std::pair<float, float> plain(std::uint32_t word, std::uint32_t angle) {
  const auto k = static_cast<std::int32_t>(word >> 1);
  const float u = product(static_cast<float>(k) + 0.5f, 0x1p-31f);
  const float rest = product(static_cast<float>(k ^ 0x7FFFFFFF) + 0.5f, 0x1p-31f);
  const std::int32_t bits = std::bit_cast<std::int32_t>(u) - 0x3F3504F3;
  const std::int32_t e = bits >> 23;
  const float f = e == 0 ? -rest : std::bit_cast<float>((bits & 0x7FFFFF) + 0x3F3504F3) - 1;
  const float q = polynomial<9>(f, {-2.0f, 0.999999821f, -0.666679025f, 0.500035107f, -0.399241447f, 0.33141017f,
                                    -0.298359483f, 0.286150455f, -0.174696878f});
  const float radius = std::sqrt(product(static_cast<float>(e), -1.38629436f) + product(f, q));
  const float t = product(static_cast<float>(angle & 0x1FFFFFFF) + 0.5f, 0x1p-29f), t2 = product(t, t);
  const float sine = product(t, polynomial<4>(t2, {0.785398185f, -0.0807454363f, 2.49000103e-3f, -3.5950452e-5f}));
  const float cosine = polynomial<5>(t2, {1.0f, -0.308425128f, 0.015854327f, -3.25940084e-4f, 3.53033806e-6f});
  const bool swap = (angle & 0x20000000) != 0;
  const float x = product(radius, swap ? sine : cosine), y = product(radius, swap ? cosine : sine);
  return {(angle & 0x80000000) != 0 ? -x : x, (angle & 0x40000000) != 0 ? -y : y};
}
// In double.
std::pair<double, double> exact(std::uint32_t word, std::uint32_t angle) {
  const double u = ((word >> 1) + 0.5) / 0x1p31;
  const double radius = std::sqrt(-2 * (u < 0.5 ? std::log(u) : std::log1p(u - 1)));
  const double t = ((angle & 0x1FFFFFFF) + 0.5) / 0x1p29 * std::atan(1);
  const bool swap = (angle & 0x20000000) != 0;
  return {((angle & 0x80000000) != 0 ? -radius : radius) * (swap ? std::sin(t) : std::cos(t)),
          ((angle & 0x40000000) != 0 ? -radius : radius) * (swap ? std::cos(t) : std::sin(t))};
}

// Words from everywhere: the ends, both sides of each power of two and of sqrt 1/2, and 2^16 spread evenly.
std::vector<std::uint32_t> words_from_everywhere() {
  std::vector<std::uint32_t> words;
  const auto around = [&](std::uint32_t centre) {
    for (std::uint32_t d = 0; d < 16; ++d) words.push_back(centre + d - 8);
  };
  for (unsigned i = 0; i < 32; ++i) around(std::uint32_t{1} << i);
  for (std::uint32_t octant = 0; octant < 8; ++octant) around(octant << 29);
  around(3037000500u);  // 2^32 sqrt 1/2
  for (std::uint32_t d = 0; d < 2048; ++d) words.push_back(3037000500u - 32768 + 32 * d);
  for (std::uint32_t i = 0; i < (1u << 16); ++i) words.push_back(i * 65537u);
  while (words.size() % 16 != 0) words.push_back(0);
  return words;
}

}  // namespace

TEST_CASE("kernels: normal numbers have the bits of the plain twin in every set, mean and deviation included") {
  for (const auto& candidate : candidates<detail::NormalKernels<float>>())
    for (const std::uint64_t key : {std::uint64_t{0}, ~std::uint64_t{5}})
      for (const Index sample : {Index{0}, Index{0x123456789A}})
        for (const auto& [mean, deviation] : {std::pair<float, float>{0, 1}, {0.3f, 1.7f}})
          for (Index n = 1; n <= 100; ++n) {
            INFO(candidate.name, ", n = ", n);
            std::vector<float> y(static_cast<std::size_t>(n) + 1, static_cast<float>(mark));
            candidate.table->normal(n, key, static_cast<std::uint64_t>(sample), mean, deviation, y.data());
            bool right = y.back() == static_cast<float>(mark);
            for (Index i = 0; i < n; ++i) {
              const Index pair = i / 32 * 32 + i % 16;
              const auto [first, second] = plain(Rng(key).word(pair, sample), Rng(key).word(pair + 16, sample));
              const float expected = product(i % 32 < 16 ? first : second, deviation) + mean;
              right = right && std::bit_cast<std::uint32_t>(y[static_cast<std::size_t>(i)]) ==
                                   std::bit_cast<std::uint32_t>(expected);
            }
            REQUIRE(right);
          }
}

TEST_CASE("kernels: normal numbers of all words are within 4e-7 of double's, relatively") {
  const std::vector<std::uint32_t> all = words_from_everywhere();
  const std::size_t n = all.size();
  double worst = 0, largest = 0;
  // Each word as the one of the radius and as the one of the angle, beside another each.
  for (std::size_t first = 0; first < n; first += 16) {
    std::uint32_t words[32];
    float y[32];
    for (std::size_t i = 0; i < 16; ++i) words[i] = all[first + i], words[16 + i] = all[(7 * (first + i) + 13) % n];
    detail::sixty_four_bytes::normal_group(words, 0.0f, 1.0f, y);
    for (std::size_t i = 0; i < 16; ++i) {
      const auto [a, b] = plain(words[i], words[16 + i]);
      REQUIRE((y[i] == a && y[16 + i] == b));
      const auto [x, z] = exact(words[i], words[16 + i]);
      worst = std::max(
          {worst, std::abs(static_cast<double>(y[i]) / x - 1), std::abs(static_cast<double>(y[16 + i]) / z - 1)});
      largest = std::max({largest, std::abs(static_cast<double>(y[i])), std::abs(static_cast<double>(y[16 + i]))});
    }
  }
  MESSAGE("largest relative error ", worst);
  CHECK(worst < 4e-7);
  CHECK(worst > 1e-7);   // there is an error to be found
  CHECK(largest > 6.6);  // word 0 beside an angle near an axis
}

TEST_CASE("kernels: normal numbers in double are those of float, but for rounding") {
  for (const auto& candidate : candidates<detail::NormalKernels<double>>()) {
    INFO(candidate.name);
    std::vector<double> y(100);
    std::vector<float> z(100);
    candidate.table->normal(100, 3, 7, 2.0, 3.0, y.data());
    detail::kernels<detail::NormalKernels<float>>().normal(100, 3, 7, 0.0f, 1.0f, z.data());
    for (Index i = 0; i < 100; ++i) {
      const Index pair = i / 32 * 32 + i % 16;
      const auto [a, b] = exact(Rng(3).word(pair, 7), Rng(3).word(pair + 16, 7));
      const auto at = static_cast<std::size_t>(i);
      CHECK(y[at] == doctest::Approx(2 + 3 * (i % 32 < 16 ? a : b)).epsilon(1e-14));
      CHECK(static_cast<double>(z[at]) == doctest::Approx((y[at] - 2) / 3).epsilon(4e-7));
    }
  }
}

TEST_CASE("kernels: normal numbers of a seed are the same on all machines") {
  std::vector<float> y(1000);
  std::uint64_t hash = 0xCBF29CE484222325u;
  for (std::uint64_t sample = 0; sample < 10; ++sample) {
    detail::kernels<detail::NormalKernels<float>>().normal(1000, 42, sample, 0.5f, 1.5f, y.data());
    for (const float v : y) hash = (hash ^ std::bit_cast<std::uint32_t>(v)) * 0x100000001B3u;
  }
  CHECK(hash == 5381763970091017819u);
}
