// Arithmetic on sizes that come from outside: the result, or false when it does not fit.
#pragma once

#include <concepts>
#include <limits>

namespace eigan {

/// sum = a + b; false, with `sum` untouched, when that does not fit T.
template <std::unsigned_integral T>
constexpr bool checked_add(T a, T b, T& sum) {
  if (b > std::numeric_limits<T>::max() - a) return false;
  sum = static_cast<T>(a + b);
  return true;
}

/// product = a * b; false, with `product` untouched, when that does not fit T.
template <std::unsigned_integral T>
constexpr bool checked_mul(T a, T b, T& product) {
  if (a != 0 && b > std::numeric_limits<T>::max() / a) return false;
  product = static_cast<T>(a * b);
  return true;
}

}  // namespace eigan
