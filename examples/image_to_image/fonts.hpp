// mnist2fonts: digits by hand, and digits of fonts.
#pragma once

#include <span>

#include "kit/picture.hpp"

#include "tasks.hpp"

namespace image_to_image {

/// The ten digits of a font (TrueType or OpenType), each as MNIST has its own: white on black, 20 pixels at most in
/// each direction, the centre of mass in the middle of 28x28. None if one is missing. The file must be of someone who
/// is trusted: stb_truetype is what reads it.
std::vector<kit::Picture> digits_of_font(std::span<const std::byte> file);

/// a is MNIST, validation its last 5,000 training images; b is the digits of all faces below a folder of fonts, divided
/// by its subfolders, one a Debian package, and what looks alike joined. Both have labels.
TaskData mnist2fonts(const Sources& sources);

}  // namespace image_to_image
