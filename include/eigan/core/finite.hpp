// is_finite, is_nan, at_least: questions about one number, answered by its bits. -ffast-math lets a compiler take it
// that there is no NaN, and !(x >= 0) then no longer refuses one.
#pragma once

#include <bit>
#include <cstdint>

namespace eigan::detail {

constexpr std::uint64_t magnitude_bits(double x) {
  return std::bit_cast<std::uint64_t>(x) << 1 >> 1;
}
inline constexpr std::uint64_t infinity_bits = std::uint64_t{0x7FF} << 52;

/// Whether x is neither infinite nor NaN.
constexpr bool is_finite(double x) {
  return magnitude_bits(x) < infinity_bits;
}
constexpr bool is_nan(double x) {
  return magnitude_bits(x) > infinity_bits;
}
/// x >= low; false for a NaN.
constexpr bool at_least(double x, double low) {
  return !is_nan(x) && x >= low;
}

}  // namespace eigan::detail
