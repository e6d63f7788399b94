// How large MNIST's images are.
#pragma once

#include <eigan/core/types.hpp>

namespace mnist_recogniser {

using eigan::Index;

inline constexpr Index image_side = 28;
inline constexpr Index image_size = image_side * image_side;

}  // namespace mnist_recogniser
