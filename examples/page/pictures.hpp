// Pictures between a browser's canvas and a network. A canvas has rows of pixels of four bytes: red, green, blue, and
// how opaque. A network has numbers in [-1, 1], pixel by pixel, its channels side by side.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include <eigan/core/shape.hpp>
#include <eigan/core/types.hpp>
#include <eigan/core/view.hpp>

#include "mnist_recogniser/grey.hpp"

namespace page {

using eigan::Index;

struct Canvas {
  Index rows = 0, cols = 0;
  std::vector<std::uint8_t> rgba;
};

/// The canvas in grey, on white paper; by the weights that the recogniser's reader of files has.
mnist_recogniser::GreyImage grey(const Canvas& canvas);

/// How lines look that a network has learnt from.
enum class Lines { soft, hard };

/// A drawing as a network's input: every pixel is the mean of the canvas's pixels that it covers; hard lines are then
/// black or white, black from half on. eigan::Error if the canvas is not a whole number of times as large as the shape,
/// or the shape is neither grey nor RGB.
eigan::Matrix<float> network_input(const Canvas& drawing, eigan::Shape shape, Lines lines);

/// Pictures of a network, one a column, side by side with so many in a row. eigan::Error for a shape that is neither
/// grey nor RGB. A vector of a square number of features is a square grey picture.
Canvas canvas(eigan::ConstView<float> pictures, eigan::Shape shape, Index in_a_row = 1);

}  // namespace page
