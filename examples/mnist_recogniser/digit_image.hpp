// Any picture of a digit made into one like MNIST's: light on dark, 20 pixels at most in each direction, the centre of
// mass in the middle of 28x28 (LeCun, Cortes, Burges: "The MNIST database of handwritten digits").
#pragma once

#include <span>

#include "grey.hpp"

namespace mnist_recogniser {

/// Writes 28 * 28 values in [-1, 1]. Ground, frames, specks and what stands at the edge are left out; a digit that has
/// about MNIST's size is moved and otherwise left as it is. eigan::Error, without a file's name, for a picture of no
/// digit or of several.
void write_digit(const GreyImage& image, std::span<float> out);

}  // namespace mnist_recogniser
