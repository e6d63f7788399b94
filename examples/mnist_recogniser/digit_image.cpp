#include "digit_image.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

#include <eigan/core/error.hpp>
#include <eigan/core/view.hpp>

#include "recogniser.hpp"

namespace mnist_recogniser {
namespace {

using eigan::Matrix;

constexpr Index digit_side = 20;
/// Of the largest difference from the background: what is less belongs to the background.
constexpr float ink = 0.2f;
/// The least difference, of 255, that can be a digit.
constexpr int least_contrast = 16;

/// The median of the border's pixels.
std::uint8_t background(const GreyImage& image) {
  std::vector<std::uint8_t> border;
  for (Index col = 0; col < image.cols; ++col) {
    border.push_back(image.at(0, col));
    border.push_back(image.at(image.rows - 1, col));
  }
  for (Index row = 0; row < image.rows; ++row) {
    border.push_back(image.at(row, 0));
    border.push_back(image.at(row, image.cols - 1));
  }
  const auto middle = border.begin() + std::ssize(border) / 2;
  std::nth_element(border.begin(), middle, border.end());
  return *middle;
}

/// Rows or columns [first, last).
struct Range {
  Index first = 0, last = 0;
  Index size() const { return last - first; }
  void include(Index i) {
    if (size() == 0) first = i;
    first = std::min(first, i);
    last = std::max(last, i + 1);
  }
};

/// As many rows as asked for, out of many or few. Each is the mean of the rows around its place, weighted by a triangle
/// that reaches as far as the next result's place, or as the next row where those are further apart.
Matrix<float> with_rows(const Matrix<float>& in, Index rows) {
  Matrix<float> out = Matrix<float>::Zero(rows, in.cols());
  const float step = static_cast<float>(in.rows()) / static_cast<float>(rows), reach = std::max(step, 1.0f);
  for (Index i = 0; i < rows; ++i) {
    const float place = (static_cast<float>(i) + 0.5f) * step - 0.5f;
    const Index first = std::max<Index>(static_cast<Index>(std::ceil(place - reach)), 0);
    const Index last = std::min<Index>(static_cast<Index>(std::floor(place + reach)), in.rows() - 1);
    float sum = 0;
    for (Index j = first; j <= last; ++j) {
      // At the ends rounding could let it fall below 0.
      const float weight = std::max(1 - std::abs(static_cast<float>(j) - place) / reach, 0.0f);
      out.row(i) += weight * in.row(j);
      sum += weight;
    }
    out.row(i) /= sum;
  }
  return out;
}

/// Where a digit of `size` begins so that `centre`, counted from its first pixel, comes to lie in the middle; it stays
/// inside the image.
Index placed(Index size, float centre) {
  const auto start = static_cast<Index>(std::lround((image_side - 1) / 2.0f - centre));
  return std::clamp<Index>(start, 0, image_side - size);
}

}  // namespace

void write_digit(const GreyImage& image, std::span<float> out) {
  eigan::View<float> result(out.data(), image_side, image_side);  // transposed: an image is row-major
  if (out.size() != static_cast<std::size_t>(image_size)) {
    eigan::detail::fail_contract("write_digit: room for ", out.size(), " values, expected ", image_size);
  }
  const std::uint8_t ground = background(image);
  const auto [darkest, lightest] = std::minmax_element(image.pixels.begin(), image.pixels.end());
  const bool dark_on_light = ground - *darkest > *lightest - ground;
  const int contrast = dark_on_light ? ground - *darkest : *lightest - ground;
  if (contrast < least_contrast) eigan::detail::fail_data("expected a digit, found an image of nearly one colour");

  if (image.rows == image_side && image.cols == image_side) {
    for (std::size_t i = 0; i < out.size(); ++i) {
      const int value = dark_on_light ? 255 - image.pixels[i] : image.pixels[i];
      out[i] = static_cast<float>(2 * value - 255) / 255;
    }
    return;
  }

  // How far a pixel is from the background, 0 to 1.
  const auto strength = [&](Index row, Index col) {
    const int difference = dark_on_light ? ground - image.at(row, col) : image.at(row, col) - ground;
    return static_cast<float>(std::max(difference, 0)) / static_cast<float>(contrast);
  };
  Range rows, cols;
  for (Index row = 0; row < image.rows; ++row) {
    for (Index col = 0; col < image.cols; ++col) {
      if (strength(row, col) > ink) rows.include(row), cols.include(col);
    }
  }
  Matrix<float> digit(rows.size(), cols.size());
  for (Index row = 0; row < digit.rows(); ++row) {
    for (Index col = 0; col < digit.cols(); ++col) digit(row, col) = strength(rows.first + row, cols.first + col);
  }

  const auto scaled = [longest = std::max(digit.rows(), digit.cols())](Index size) {
    return std::max<Index>((2 * digit_side * size + longest) / (2 * longest), 1);  // rounded
  };
  const Index height = scaled(digit.rows()), width = scaled(digit.cols());
  digit = with_rows(digit, height).transpose().eval();
  digit = with_rows(digit, width);  // transposed now, as the result is
  digit /= digit.maxCoeff();        // thin lines have become faint

  const float mass = digit.sum();
  float centre_row = 0, centre_col = 0;
  for (Index row = 0; row < height; ++row) centre_row += static_cast<float>(row) * digit.col(row).sum() / mass;
  for (Index col = 0; col < width; ++col) centre_col += static_cast<float>(col) * digit.row(col).sum() / mass;
  result.setConstant(-1);
  result.block(placed(width, centre_col), placed(height, centre_row), width, height) = 2 * digit.array() - 1;
}

}  // namespace mnist_recogniser
