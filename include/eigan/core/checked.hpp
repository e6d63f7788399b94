// Arithmetic on sizes that come from outside: the result, or false when it does not fit.
#pragma once

#include <concepts>

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

}  // namespace eigan
