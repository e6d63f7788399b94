// What stb_image does not look at in a JPEG file: whether all of it is there, and how the camera was held (Exif's
// orientation, JEITA CP-3451, tag 274).
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "picture.hpp"

namespace kit {

struct JpegHeader {
  int orientation = 1;  ///< 1 to 8; 1 is upright
};

/// eigan::Error for a file whose segments do not lead to a picture and an end.
JpegHeader read_jpeg_header(std::span<const std::uint8_t> bytes, const std::string& name);

/// The picture upright.
Picture turned(const Picture& picture, int orientation);

}  // namespace kit
