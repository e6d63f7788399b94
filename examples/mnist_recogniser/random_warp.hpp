// random_warp: images as another hand might have written them: turned, stretched, sheared, shifted, perhaps mirrored,
// and bent by a coarse grid of random displacements (Simard, Steinkraus, Platt: "Best practices for convolutional
// neural networks applied to visual document analysis", 2003; there the field is a smoothed one). The pixel at d from
// the middle shows the source at
//   middle + diag(1/sx, 1/sy) R(angle) [1 shear; 0 1] diag(m, 1) d + shift + bend(d)
// where m is -1 in a mirrored image and 1 in others; black outside, bilinear between pixels.
// Every quantity is drawn uniformly for each sample, counter by counter. From there on all is integer arithmetic, in
// 65536ths of a pixel, so the bits do not follow the compiler's flags.
#pragma once

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numbers>
#include <span>

#include <eigan/core/error.hpp>
#include <eigan/core/finite.hpp>
#include <eigan/core/parallel.hpp>
#include <eigan/core/random.hpp>
#include <eigan/data/labelled_images.hpp>

namespace mnist_recogniser {

using eigan::Index;
using eigan::LabelledImages;
using eigan::Rng;
using eigan::Threads;
using eigan::View;

/// How much at most, in either direction.
struct WarpOptions {
  double degrees = 10;  ///< of turning
  double scale = 0.1;   ///< each axis by itself, by a factor from 1 / (1 + scale) to 1 + scale
  double shear = 0.1;   ///< of x along y
  double shift = 1;     ///< pixels, each axis by itself
  double bend = 1.5;    ///< pixels, each of the grid's nodes and each axis by itself
  double mirror = 0;    ///< how probable it is that left and right change places
};

namespace detail {

/// One sample's warp, of images with rows x cols pixels.
class Warp {
 public:
  static constexpr std::size_t nodes = 5;  ///< of the grid, in each direction
  /// What is drawn: angle, stretch of x and of y, shear, shift in x and in y, bends in x and in y, mirror; all from -1
  /// to 1.
  using Numbers = std::array<float, 6 + 2 * nodes * nodes + 1>;

  Warp(const WarpOptions& options, const Numbers& numbers, Index rows, Index cols)
      : rows_(static_cast<std::int32_t>(rows)), cols_(static_cast<std::int32_t>(cols)) {
    const auto u = [&](std::size_t i) { return static_cast<double>(numbers[i]); };
    const double angle = options.degrees * u(0) * std::numbers::pi / 180;
    const double sx = std::pow(1 + options.scale, u(1)), sy = std::pow(1 + options.scale, u(2));
    const double shear = options.shear * u(3), cos = std::cos(angle), sin = std::sin(angle);
    const double mirrored = u(numbers.size() - 1) < 2 * options.mirror - 1 ? -1 : 1;
    x_ = line(mirrored * cos / sx, (shear * cos + sin) / sx, options.shift * u(4), cols, rows, cols);
    y_ = line(mirrored * -sin / sy, (cos - shear * sin) / sy, options.shift * u(5), cols, rows, rows);
    for (std::size_t i = 0; i < nodes * nodes; ++i) {
      bend_x_[i] = fixed(options.bend * u(6 + i), 256);
      bend_y_[i] = fixed(options.bend * u(6 + nodes * nodes + i), 256);
    }
  }

  /// Image and result are row-major; the result is in [-1, 1] as pixels_to_unit has it.
  template <class T>
  void apply(const std::uint8_t* image, T* out) const {
    const std::int32_t row_step = grid_step(rows_), col_step = grid_step(cols_);
    for (std::int32_t r = 0; r < rows_; ++r) {
      std::array<std::int32_t, nodes> bend_x, bend_y;  // the grid's lines, cut by this row
      for (std::size_t i = 0; i < nodes; ++i) {
        const std::size_t at = static_cast<std::size_t>(r * row_step >> 16) * nodes + i;
        bend_x[i] = between(bend_x_[at], bend_x_[at + nodes], r * row_step);
        bend_y[i] = between(bend_y_[at], bend_y_[at + nodes], r * row_step);
      }
      for (std::int32_t c = 0; c < cols_; ++c) {
        const auto node = static_cast<std::size_t>(c * col_step >> 16);
        const std::int32_t x = x_.at(c, r) + between(bend_x[node], bend_x[node + 1], c * col_step) * 256;
        const std::int32_t y = y_.at(c, r) + between(bend_y[node], bend_y[node + 1], c * col_step) * 256;
        // 65536 times a value from 0 to 255; minus half of the largest it is exact in float.
        constexpr std::int32_t half = 255 << 15;
        *out++ = static_cast<T>(sample(image, x, y) - half) / static_cast<T>(half);
      }
    }
  }

 private:
  /// A coordinate of the source as a function of the result's: start + per_col c + per_row r, in 65536ths.
  struct Line {
    std::int32_t per_col = 0, per_row = 0, start = 0;
    std::int32_t at(std::int32_t c, std::int32_t r) const { return per_col * c + per_row * r + start; }
  };

  static std::int32_t fixed(double value, double unit) { return static_cast<std::int32_t>(std::lround(value * unit)); }
  /// `extent`: of the source along this coordinate.
  static Line line(double per_col, double per_row, double shift, Index cols, Index rows, Index extent) {
    const auto middle = [](Index n) { return static_cast<double>(n - 1) / 2; };
    const double start = middle(extent) + shift - per_col * middle(cols) - per_row * middle(rows);
    return {fixed(per_col, 65536), fixed(per_row, 65536), fixed(start, 65536)};
  }

  /// From pixel to pixel in 65536ths of the distance between nodes.
  static std::int32_t grid_step(std::int32_t extent) { return static_cast<std::int32_t>(nodes - 1) * 65536 / extent; }
  /// From a at 0 to b at 65536, where the upper bits of `at` do not count.
  static std::int32_t between(std::int32_t a, std::int32_t b, std::int32_t at) {
    const std::int32_t weight = at >> 8 & 255;
    return (a * (256 - weight) + b * weight) >> 8;
  }

  std::int32_t pixel(const std::uint8_t* image, std::int32_t x, std::int32_t y) const {
    return x >= 0 && x < cols_ && y >= 0 && y < rows_ ? image[y * cols_ + x] : 0;
  }
  /// 65536 times the source's value at a point.
  std::int32_t sample(const std::uint8_t* image, std::int32_t x, std::int32_t y) const {
    const std::int32_t left = x >> 16, top = y >> 16, right_part = x >> 8 & 255, lower_part = y >> 8 & 255;
    std::int32_t corners[4];
    if (left >= 0 && left < cols_ - 1 && top >= 0 && top < rows_ - 1) {
      const std::uint8_t* const corner = image + top * cols_ + left;
      corners[0] = corner[0], corners[1] = corner[1], corners[2] = corner[cols_], corners[3] = corner[cols_ + 1];
    } else {
      corners[0] = pixel(image, left, top), corners[1] = pixel(image, left + 1, top);
      corners[2] = pixel(image, left, top + 1), corners[3] = pixel(image, left + 1, top + 1);
    }
    const std::int32_t upper = corners[0] * (256 - right_part) + corners[1] * right_part;
    const std::int32_t lower = corners[2] * (256 - right_part) + corners[3] * right_part;
    return upper * (256 - lower_part) + lower * lower_part;
  }

  std::int32_t rows_, cols_;
  Line x_, y_;
  std::array<std::int32_t, nodes * nodes> bend_x_{}, bend_y_{};  // in 256ths of a pixel
};

inline void check_warp(const WarpOptions& options, const LabelledImages& images) {
  constexpr Index largest = 4096;  // beyond it 65536ths would not fit in 32 bits
  const auto in_range = [](const char* name, double value, double high) {
    if (!(eigan::detail::at_least(value, 0) && value <= high))
      eigan::detail::fail_contract("random_warp: ", name, " must be from 0 to ", high, ", is ", value);
  };
  in_range("degrees", options.degrees, 180);
  in_range("scale", options.scale, 1);
  in_range("shear", options.shear, 1);
  in_range("shift", options.shift, largest);
  in_range("bend", options.bend, largest);
  in_range("mirror", options.mirror, 1);
  if (images.rows > largest || images.cols > largest)
    eigan::detail::fail_contract("random_warp: images of ", images.rows, "x", images.cols, ", expected at most ",
                                 largest, "x", largest);
}

}  // namespace detail

/// Writes the images `indices`, each warped in its own way, as pixels_to_unit writes them as they are: in [-1, 1], one
/// a column, rows * cols of an image x indices.size(). Column j draws sample j of `rng`.
template <class T>
void random_warp(const LabelledImages& images, std::span<const std::uint32_t> indices, const WarpOptions& options,
                 Rng rng, View<T> out, Threads threads = {}) {
  const Index features = images.features();
  if (out.rows() != features || out.cols() != std::ssize(indices)) {
    eigan::detail::fail_contract("random_warp: out is ", out.rows(), " x ", out.cols(), ", expected ", features, " x ",
                                 indices.size());
  }
  eigan::detail::check_batch(images, indices);
  detail::check_warp(options, images);
  const double work = 50.0 * static_cast<double>(features) * static_cast<double>(out.cols());
  eigan::detail::parallel_for(out.cols(), work, threads, [&](Index j) {
    detail::Warp::Numbers numbers{};
    eigan::fill_uniform(View<float>(numbers.data(), std::ssize(numbers), 1), -1, 1, rng, j);
    const detail::Warp warp(options, numbers, images.rows, images.cols);
    const auto image = static_cast<Index>(indices[static_cast<std::size_t>(j)]);
    warp.apply(images.pixels.data() + image * features, out.data() + j * out.outerStride());
  });
}

}  // namespace mnist_recogniser
