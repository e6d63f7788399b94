// Any image of a digit made into one like MNIST's: light on dark, 20 pixels at most in each direction, the centre of
// mass in the middle of 28x28 (LeCun, Cortes, Burges: "The MNIST database of handwritten digits").
#pragma once

#include <span>

#include "grey_image.hpp"

namespace mnist_recogniser {

/// Writes 28 * 28 values in [-1, 1]. What most of the border is, is the background; a light one is turned dark. An
/// image of 28x28 pixels is taken to be placed already. Of another the part that differs from the background is cut out
/// and scaled. eigan::Error, without a file's name, if nothing differs from the background.
void write_digit(const GreyImage& image, std::span<float> out);

}  // namespace mnist_recogniser
