// ConvolutionShape: the sizes of a convolution, and what follows from them.
//
//   y(o, r, s) = b(o) + sum over c, i, j of  w(o, c, i, j) x(c, r stride - padding + i, s stride - padding + j)
//
// x is zero outside the image. A sample is a column, channels last: a pixel is a column of `in` or `out` numbers,
// element (c, row, col) of an image C x H x W stands at c + C (col + W row).
// Weights: out x (in taps), column-major, tap-major: column (tap in + c) with tap = i kernel_width + j.
#pragma once

#include <algorithm>

#include <eigan/core/types.hpp>

namespace eigan {

/// Sizes of a convolution from an image of in x height x width to one of out x out_height() x out_width(). Its
/// transposed map goes the other way; there height and width choose among the sizes that have the same output.
struct ConvolutionShape {
  Index in;                  ///< channels of the image
  Index height;              ///< rows of the image
  Index width;               ///< columns of the image
  Index out;                 ///< channels of the output
  Index kernel_height;       ///< rows of the kernel
  Index kernel_width;        ///< columns of the kernel
  Index stride_height = 1;   ///< from one output row to the next
  Index stride_width = 1;    ///< from one output column to the next
  Index padding_height = 0;  ///< rows of zeros above and below
  Index padding_width = 0;   ///< columns of zeros on the left and on the right

  /// Rows of the output.
  constexpr Index out_height() const { return (height + 2 * padding_height - kernel_height) / stride_height + 1; }
  /// Columns of the output.
  constexpr Index out_width() const { return (width + 2 * padding_width - kernel_width) / stride_width + 1; }
  /// Pixels of the kernel.
  constexpr Index taps() const { return kernel_height * kernel_width; }
  /// Numbers in a sample of the input.
  constexpr Index in_size() const { return in * height * width; }
  /// Numbers in a sample of the output.
  constexpr Index out_size() const { return out * out_height() * out_width(); }
  /// Numbers in the weight.
  constexpr Index weights() const { return out * in * taps(); }

  /// Multiplications with a pixel of the image for one sample, in each of the three directions.
  constexpr double multiplications() const {
    return static_cast<double>(out) * static_cast<double>(in) *
           meetings(height, out_height(), kernel_height, stride_height, padding_height) *
           meetings(width, out_width(), kernel_width, stride_width, padding_width);
  }

  /// Whether all sizes are equal.
  friend bool operator==(const ConvolutionShape&, const ConvolutionShape&) = default;

 private:
  /// How often a tap meets a pixel, along one side.
  static constexpr double meetings(Index size, Index out_size, Index kernel, Index stride, Index padding) {
    double sum = 0;
    for (Index tap = 0; tap < kernel; ++tap) {  // a kernel is small; an image's sides may be any number
      const Index first = tap < padding ? (padding - tap - 1) / stride + 1 : 0;
      const Index behind = tap < size + padding ? std::min(out_size, (size + padding - tap - 1) / stride + 1) : 0;
      sum += static_cast<double>(std::max<Index>(0, behind - first));
    }
    return sum;
  }
};

}  // namespace eigan
