// GreyImage: a picture without colours.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include <eigan/core/types.hpp>

namespace mnist_recogniser {

using eigan::Index;

struct GreyImage {
  Index rows = 0;
  Index cols = 0;
  std::vector<std::uint8_t> pixels;  ///< row-major, 0 black to 255 white

  std::uint8_t at(Index row, Index col) const { return pixels[static_cast<std::size_t>(row * cols + col)]; }
};

}  // namespace mnist_recogniser
