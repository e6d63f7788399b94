// Shape: what one sample is at one place of a network: channels of height x width pixels, a vector being 1 x 1 pixel.
//
// Channels run fastest. Element (c, row, col) of a sample is number c + channels (col + width row) of its column, so
// that a pixel is a column of `channels` numbers and an image the matrix channels x (height width), as PNG files and
// browsers have it. PyTorch's order, channels last to change, is "planar": from_planar and to_planar convert.
#pragma once

#include <limits>

#include <eigan/core/checked.hpp>
#include <eigan/core/types.hpp>

namespace eigan {

/// Channels, height and width of one sample. Without channels it is no shape: what output_shape() says of an input that
/// a layer does not take.
struct Shape {
  Index channels = 0;  ///< numbers of a pixel, or features of a vector
  Index height = 1;    ///< rows of pixels
  Index width = 1;     ///< pixels of a row

  /// Pixels of the image.
  constexpr Index pixels() const { return height * width; }
  /// Numbers of a sample.
  constexpr Index size() const { return channels * height * width; }
  /// Whether it has one pixel.
  constexpr bool is_vector() const { return height == 1 && width == 1; }
  /// Whether it is a shape at all.
  constexpr explicit operator bool() const { return channels > 0 && height > 0 && width > 0; }
  constexpr bool operator==(const Shape&) const = default;  ///< equal in all three
};

/// Whether a memory may hold a sample of this shape; size() and pixels() are numbers then. Where a layer would give
/// more numbers than an Index counts, output_shape() says the largest one.
constexpr bool fits_memory(Shape shape) {
  const Index size = product_or_most(product_or_most(shape.channels, shape.height), shape.width);
  return size <= std::numeric_limits<Index>::max() / 64;
}

/// Rows [first, last) of an image.
struct ImageRows {
  Index first;  ///< the first
  Index last;   ///< behind the last
};
/// The rows of the parts [first, last), where an image of so many rows is divided into `parts`.
constexpr ImageRows rows_of_parts(Index height, Index parts, Index first, Index last) {
  return {height * first / parts, height * last / parts};
}

}  // namespace eigan
