// pixel_from_value: what a picture's file or a screen shows of a number in [-1, 1].
#pragma once

#include <cmath>
#include <concepts>
#include <cstdint>

#include <eigan/core/finite.hpp>

namespace eigan {

/// The pixel 0 to 255 for a value in [-1, 1]; values outside are clamped, NaN is black.
template <std::floating_point T>
std::uint8_t pixel_from_value(T value) {
  if (detail::is_nan(static_cast<double>(value)) || value <= T(-1)) return 0;
  if (value >= T(1)) return 255;
  return static_cast<std::uint8_t>(std::lround((value + T(1)) * T(127.5)));
}

}  // namespace eigan
