#include <doctest/doctest.h>
#include <cstdint>
#include <limits>

#include <eigan/core/checked.hpp>

// Every pair of bytes against the same sum in a wider type: the whole domain, and with it every edge.
TEST_CASE("checked: all pairs of bytes agree with wide arithmetic") {
  bool all_right = true;
  for (unsigned a = 0; a < 256; ++a) {
    for (unsigned b = 0; b < 256; ++b) {
      std::uint8_t sum = 77, product = 77;
      const bool sum_fits = eigan::checked_add(static_cast<std::uint8_t>(a), static_cast<std::uint8_t>(b), sum);
      const bool product_fits = eigan::checked_mul(static_cast<std::uint8_t>(a), static_cast<std::uint8_t>(b), product);
      all_right = all_right && sum_fits == (a + b < 256) && sum == (sum_fits ? a + b : 77);
      all_right = all_right && product_fits == (a * b < 256) && product == (product_fits ? a * b : 77);
    }
  }
  CHECK(all_right);
}

TEST_CASE("checked: with a sign") {
  constexpr auto max = std::numeric_limits<std::int64_t>::max(), min = std::numeric_limits<std::int64_t>::min();
  std::int64_t result = 77;
  CHECK_FALSE(eigan::checked_add(max, std::int64_t{1}, result));
  CHECK_FALSE(eigan::checked_add(min, std::int64_t{-1}, result));
  CHECK_FALSE(eigan::checked_mul(min, std::int64_t{-1}, result));
  CHECK_FALSE(eigan::checked_mul(std::int64_t{1} << 32, std::int64_t{1} << 31, result));
  CHECK(result == 77);
  CHECK(eigan::checked_mul(std::int64_t{-3}, std::int64_t{5}, result));
  CHECK(result == -15);
}

TEST_CASE("checked: sizes that are too large are the largest") {
  constexpr auto max = std::numeric_limits<std::int64_t>::max();
  static_assert(eigan::sum_or_most(std::int64_t{5}, std::int64_t{-7}) == -2);
  static_assert(eigan::product_or_most(std::int64_t{5}, std::int64_t{7}) == 35);
  CHECK(eigan::sum_or_most(max, std::int64_t{1}) == max);
  CHECK(eigan::sum_or_most(max, std::int64_t{-1}) == max - 1);
  CHECK(eigan::product_or_most(std::int64_t{1} << 57, std::int64_t{1} << 12) == max);
}

TEST_CASE("checked: 64-bit edges") {
  constexpr auto max = std::numeric_limits<std::uint64_t>::max();
  std::uint64_t result = 0;
  CHECK(eigan::checked_mul(max, std::uint64_t{1}, result));
  CHECK(result == max);
  CHECK_FALSE(eigan::checked_mul(std::uint64_t{1} << 32, std::uint64_t{1} << 32, result));
  CHECK(eigan::checked_add(max - 1, std::uint64_t{1}, result));
  CHECK_FALSE(eigan::checked_add(max, std::uint64_t{1}, result));
  CHECK(result == max);
}
