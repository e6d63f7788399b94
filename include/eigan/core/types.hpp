// Index and the marker for sizes that are known only at run time.
#pragma once

#include <cstddef>

namespace eigan {

/// Signed, like Eigen's own index, so that loops may count down and differences may be negative.
using Index = std::ptrdiff_t;

/// A size that is given at run time: `Linear<dynamic, dynamic>(784, 128)`.
inline constexpr Index dynamic = -1;

/// No size that a program states is larger: 2^31 - 1, where an Index of 32 bits ends as well.
inline constexpr Index most_size = 2147483647;

namespace detail {
/// The width of a type that states a height alone: a vector's or dynamic, else 0, which is refused. Nobody could tell
/// whether `Input<3, 8>` is meant to be 3 x 8 x 8 or 3 x 8 x 1.
constexpr Index width_beside(Index height) {
  return height == 1 || height == dynamic ? height : 0;
}
}  // namespace detail

}  // namespace eigan
