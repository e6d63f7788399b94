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

}  // namespace eigan
