// Pictures in files of PNG and JPEG, in memory. What is behind them is stb_image, which is told what it may not try.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "picture.hpp"

namespace kit {

/// A picture has no more pixels.
inline constexpr Index max_pixels = Index{1} << 24;

/// The picture in a file that begins as a PNG does, with 1 to 4 channels, whatever the file has; of 16 bits the
/// upper 8. `name` opens every message. eigan::Error if it is damaged or has more than max_pixels, before memory is
/// taken for them.
Picture decode_png(std::span<const std::uint8_t> bytes, const std::string& name, int channels);

/// The same for a file that begins as a JPEG does; turned as the camera was held.
Picture decode_jpeg(std::span<const std::uint8_t> bytes, const std::string& name, int channels);

}  // namespace kit
