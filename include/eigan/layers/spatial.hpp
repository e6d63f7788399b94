// What layers of images share. Loops run over rows and columns of pixels, and inside over a pixel's channels, which lie
// side by side. A layer has its two ways by parts, which are rows; SpatialLayer makes whole passes of them.
#pragma once

#include <algorithm>

#include <Eigen/Core>

#include <eigan/core/layer.hpp>

namespace eigan::detail {

/// Pixels of one sample.
template <class T>
struct Image {
  T* data;
  Index channels, width;
  T* operator()(Index row, Index col) const { return data + (row * width + col) * channels; }
};
template <class T>
Image<const T> image(const ConstView<T>& x, Shape shape, Index sample) {
  return {x.data() + sample * x.outerStride(), shape.channels, shape.width};
}
template <class T>
Image<T> image(View<T> x, Shape shape, Index sample) {
  return {x.data() + sample * x.outerStride(), shape.channels, shape.width};
}

/// A pixel's channels as an expression.
template <class T>
using Pixel = Eigen::Map<Eigen::Array<T, Eigen::Dynamic, 1>>;
template <class T>
using ConstPixel = Eigen::Map<const Eigen::Array<T, Eigen::Dynamic, 1>>;

template <class T>
void set_zero(View<T> x, Shape shape, ImageRows rows) {
  for (Index j = 0; j < x.cols(); ++j)
    std::fill(image(x, shape, j)(rows.first, 0), image(x, shape, j)(rows.last, 0), T(0));
}

/// A layer without parameters between two shapes, linear around almost every x, that has forward_parts and
/// backward_input_parts. Its parts are rows of the smaller image.
template <class Layer>
class SpatialLayer {
 public:
  static constexpr Index input = dynamic, output = dynamic;
  static constexpr bool backward_reads_x = false, backward_reads_y = false;
  static constexpr bool piecewise_linear = true;

  SpatialLayer(Shape in, Shape out) : in_(in), out_(out) {}

  Index input_size() const { return in_.size(); }
  Index output_size() const { return out_.size(); }

  Index part_count() const { return std::min(in_.height, out_.height); }
  template <class T>
  void forward(std::span<const T> p, ConstView<T> x, View<T> y) const {
    layer().forward_parts(p, x, y, 0, layer().part_count());
  }
  template <class T>
  void backward_input(std::span<const T> p, ConstView<T> x, ConstView<T> y, ConstView<T> dy, View<T> dx) const {
    layer().backward_input_parts(p, x, y, dy, dx, 0, layer().part_count());
  }
  template <class T>
  void forward_tangent(std::span<const T> p, ConstView<T>, ConstView<T>, ConstView<T> tx, View<T> ty) const {
    layer().forward(p, tx, ty);  // a linear map is its own derivative
  }

 protected:
  Shape in() const { return in_; }
  Shape out() const { return out_; }
  /// What the parts [first, last) are in an image.
  ImageRows rows(Shape shape, Index first, Index last) const {
    return rows_of_parts(shape.height, part_count(), first, last);
  }

 private:
  const Layer& layer() const { return static_cast<const Layer&>(*this); }

  Shape in_, out_;
};

}  // namespace eigan::detail
