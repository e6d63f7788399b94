// Arithmetic on sizes that come from outside: the result, or false when it does not fit, or the largest number.
#pragma once

#include <concepts>
#include <limits>

namespace eigan {

/// sum = a + b; false, with `sum` untouched, when that does not fit T.
template <std::integral T>
constexpr bool checked_add(T a, T b, T& sum) {
  T result = 0;
  if (__builtin_add_overflow(a, b, &result)) return false;
  sum = result;
  return true;
}

/// product = a * b; false, with `product` untouched, when that does not fit T.
template <std::integral T>
constexpr bool checked_mul(T a, T b, T& product) {
  T result = 0;
  if (__builtin_mul_overflow(a, b, &result)) return false;
  product = result;
  return true;
}

/// a + b of which one is a size, or the largest T where that does not fit: a size that no memory holds.
template <std::integral T>
constexpr T sum_or_most(T a, T b) {
  T sum = std::numeric_limits<T>::max();
  checked_add(a, b, sum);
  return sum;
}

/// a * b of two sizes, or the largest T where that does not fit: a size that no memory holds.
template <std::integral T>
constexpr T product_or_most(T a, T b) {
  T product = std::numeric_limits<T>::max();
  checked_mul(a, b, product);
  return product;
}

}  // namespace eigan
