// How the kernels of a convolution divide it: what follows from sizes alone, whatever the processor.
#pragma once

#include <algorithm>

#include <eigan/kernels/convolution_shape.hpp>

namespace eigan::detail {

/// Images of fewer channels are handled a row of taps at a time: a pixel alone would not fill the registers.
inline constexpr Index few_channels = 16;
constexpr bool has_few_channels(const ConvolutionShape& s) {
  return s.in < few_channels;
}

constexpr Index divide_up(Index a, Index b) {
  return (a + b - 1) / b;
}

/// Output rows that are handled together where channels are few, of `rows`: some hundred pixels.
constexpr Index band_rows(const ConvolutionShape& s, Index rows) {
  const Index most = std::max<Index>(1, 128 / std::max<Index>(1, s.out_width()));
  return rows <= most ? rows : divide_up(rows, divide_up(rows, most));
}

/// A band of the image with its zeros around: numbers in a row, and rows.
constexpr Index padded_row(const ConvolutionShape& s) {
  return s.in * (s.width + 2 * s.padding_width);
}
constexpr Index padded_rows(const ConvolutionShape& s, Index out_rows) {
  return (out_rows - 1) * s.stride_height + s.kernel_height;
}

/// On the way back an output pixel gives one number to each tap and channel; these are kept for so many output rows.
constexpr Index kept_rows(const ConvolutionShape& s) {
  return divide_up(s.kernel_height, s.stride_height) - 1 + band_rows(s, s.out_height());
}
/// Numbers of the widest vector, which may be read and written behind the end of a row.
inline constexpr Index vector_slack = 16;
/// An image row is summed up in pieces of as many pixels as the stride has.
constexpr Index row_pieces(const ConvolutionShape& s) {
  return divide_up(s.width + s.padding_width, s.stride_width);
}

/// Rows of the weight and channels of the image that a part of the gradient has at most.
inline constexpr Index part_size = 64;
/// Parts of the weight's gradient: of few channels rows of the weight, of many a tap's rows and channels.
constexpr Index gradient_parts(const ConvolutionShape& s) {
  const Index rows = divide_up(s.out, part_size);
  return has_few_channels(s) ? rows : rows * divide_up(s.in, part_size) * s.taps();
}

// Numbers that the kernels ask for as workspace; forward needs none.
constexpr Index gradient_workspace(const ConvolutionShape& s) {
  return has_few_channels(s) ? padded_rows(s, band_rows(s, s.out_height())) * padded_row(s) : 0;
}
constexpr Index transposed_workspace(const ConvolutionShape& s) {
  if (!has_few_channels(s)) return 0;
  return kept_rows(s) * s.out_width() * s.in * s.taps() + (1 + 2 * row_pieces(s)) * s.in * s.stride_width +
         4 * vector_slack;
}

}  // namespace eigan::detail
