// What stb_image does not look at in a JPEG file: whether all of it is there, and how the camera was held (Exif's
// orientation, JEITA CP-3451, tag 274).
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "grey_image.hpp"

namespace mnist_recogniser {

struct JpegHeader {
  int orientation = 1;  ///< 1 to 8; 1 is upright
};

/// eigan::Error for a file whose segments do not lead to a picture and an end.
JpegHeader read_jpeg_header(std::span<const std::uint8_t> bytes, const std::string& name);

/// The image upright.
GreyImage turned(const GreyImage& image, int orientation);

}  // namespace mnist_recogniser
