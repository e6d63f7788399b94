// Pictures in files of PNG and JPEG. What is behind them is stb_image, which is told what it may not try.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "grey_image.hpp"

namespace mnist_recogniser {

/// The picture in a file that begins as a PNG does. `name` opens every message.
GreyImage read_png(std::span<const std::uint8_t> bytes, const std::string& name);

/// The picture in a file that begins as a JPEG does, turned as the camera was held.
GreyImage read_jpeg(std::span<const std::uint8_t> bytes, const std::string& name);

}  // namespace mnist_recogniser
