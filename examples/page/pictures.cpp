#include "pictures.hpp"

#include <cmath>
#include <cstddef>

#include <eigan/core/error.hpp>
#include <eigan/io/pixel.hpp>

namespace page {

using eigan::Matrix;
using eigan::Shape;

namespace {

constexpr Index rgba = 4;

/// A channel on white paper.
int on_paper(const std::uint8_t* pixel, Index channel) {
  const int opaque = pixel[rgba - 1];
  return (pixel[channel] * opaque + 255 * (255 - opaque) + 127) / 255;
}

int grey_of(int red, int green, int blue) {
  return (77 * red + 150 * green + 29 * blue) >> 8;
}

void check_channels(Shape shape) {
  if (shape.channels != 1 && shape.channels != 3)
    eigan::detail::fail_data("expected a network of grey or RGB pictures, found one of ", shape.channels, " channels");
}

Shape as_picture(Shape shape) {
  const auto side = static_cast<Index>(std::lround(std::sqrt(static_cast<double>(shape.channels))));
  return shape.height == 1 && shape.width == 1 && side * side == shape.channels ? Shape{1, side, side} : shape;
}

}  // namespace

mnist_recogniser::GreyImage grey(const Canvas& canvas) {
  mnist_recogniser::GreyImage image{canvas.rows, canvas.cols, {}};
  for (std::size_t i = 0; i < canvas.rgba.size(); i += rgba) {
    const std::uint8_t* const pixel = canvas.rgba.data() + i;
    image.pixels.push_back(
        static_cast<std::uint8_t>(grey_of(on_paper(pixel, 0), on_paper(pixel, 1), on_paper(pixel, 2))));
  }
  return image;
}

Matrix<float> network_input(const Canvas& drawing, Shape shape, Lines lines) {
  check_channels(shape);
  const Index times = drawing.cols / shape.width;
  if (times < 1 || drawing.cols != times * shape.width || drawing.rows != times * shape.height)
    eigan::detail::fail_data("expected a drawing a whole number of times as large as ", shape.width, 'x', shape.height,
                             ", found ", drawing.cols, 'x', drawing.rows);
  const mnist_recogniser::GreyImage image = grey(drawing);
  Matrix<float> input(shape.size(), 1);
  float* to = input.data();
  for (Index row = 0; row < shape.height; ++row)
    for (Index col = 0; col < shape.width; ++col) {
      int sum = 0;
      for (Index r = 0; r < times; ++r)
        for (Index c = 0; c < times; ++c) sum += image.at(row * times + r, col * times + c);
      const auto area = static_cast<int>(times * times);
      const int mean = (sum + area / 2) / area;
      const int pixel = lines == Lines::soft ? mean : mean < 128 ? 0 : 255;
      for (Index channel = 0; channel < shape.channels; ++channel) *to++ = static_cast<float>(pixel) / 127.5f - 1;
    }
  return input;
}

Canvas canvas(eigan::ConstView<float> pictures, Shape shape, Index in_a_row) {
  shape = as_picture(shape);
  check_channels(shape);
  const Index rows = (pictures.cols() + in_a_row - 1) / in_a_row;
  Canvas result{rows * shape.height, in_a_row * shape.width, {}};
  result.rgba.assign(static_cast<std::size_t>(result.rows * result.cols * rgba), 255);
  for (Index picture = 0; picture < pictures.cols(); ++picture)
    for (Index row = 0; row < shape.height; ++row)
      for (Index col = 0; col < shape.width; ++col) {
        const Index y = picture / in_a_row * shape.height + row, x = picture % in_a_row * shape.width + col;
        std::uint8_t* const to = result.rgba.data() + (y * result.cols + x) * rgba;
        for (Index channel = 0; channel < 3; ++channel)
          to[channel] = eigan::pixel_from_value(
              pictures((row * shape.width + col) * shape.channels + (shape.channels == 3 ? channel : 0), picture));
      }
  return result;
}

}  // namespace page
