// A picture in memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include <eigan/core/types.hpp>

namespace kit {

using eigan::Index;

/// Row by row, pixel by pixel, channels last: 1 grey, 2 grey and opacity, 3 red, green, blue, 4 those and opacity.
struct Picture {
  Index height = 0, width = 0, channels = 0;
  std::vector<std::uint8_t> bytes;  ///< height x width x channels, 0 black or clear to 255 white or opaque

  std::uint8_t at(Index row, Index col, Index channel = 0) const {
    return bytes[static_cast<std::size_t>((row * width + col) * channels + channel)];
  }
};

}  // namespace kit
