// Flatten and Unflatten: an image as a vector in PyTorch's order and back, so that the weights of a dense layer beside
// them are PyTorch's numbers.
//   Flatten:  y[(c H + row) W + col] = x[c + C (row W + col)]     x: C x H x W,  y: C H W      Unflatten: its inverse
// Backward:  each is the other's, for they only change the order.
#pragma once

#include <algorithm>
#include <string>

#include <eigan/core/error.hpp>
#include <eigan/core/transpose.hpp>
#include <eigan/layers/spatial.hpp>

namespace eigan {
namespace placed {

/// A change of order where it stands: from pixels to planes, or from planes to pixels.
class Reorder : public detail::SpatialLayer<Reorder> {
 public:
  /// Flatten makes planes of an image of pixels, Unflatten pixels of planes.
  Reorder(Shape image, bool to_planes)
      : SpatialLayer(to_planes ? image : Shape{image.size()}, to_planes ? Shape{image.size()} : image),
        image_(image),
        to_planes_(to_planes) {}

  Spec spec() const {
    if (to_planes_) return {"Flatten", {}, "::eigan::Flatten"};
    const auto [c, h, w] = image_;
    return {"Unflatten",
            {{"channels", c}, {"height", h}, {"width", w}},
            detail::concat("::eigan::Unflatten<", c, ", ", h, ", ", w, ">")};
  }

  // Parts: consecutive channels.

  Index part_count() const { return (image_.channels + 15) / 16; }
  template <class T>
  void forward_parts(std::span<const T>, ConstView<T> x, View<T> y, Index first, Index last) const {
    to_planes_ ? planes(x, y, first, last) : pixels(x, y, first, last);
  }
  template <class T>
  void backward_input_parts(std::span<const T>, ConstView<T>, ConstView<T>, ConstView<T> dy, View<T> dx, Index first,
                            Index last) const {
    to_planes_ ? pixels(dy, dx, first, last) : planes(dy, dx, first, last);
  }

 private:
  template <class T>
  void planes(const ConstView<T>& x, View<T> y, Index first, Index last) const {
    const Index from = 16 * first, count = std::min(16 * last, image_.channels) - from;
    for (Index j = 0; j < x.cols(); ++j)
      detail::transpose(x.data() + j * x.outerStride() + from, image_.channels, count, image_.pixels(),
                        y.data() + j * y.outerStride() + from * image_.pixels(), image_.pixels());
  }
  template <class T>
  void pixels(const ConstView<T>& x, View<T> y, Index first, Index last) const {
    const Index from = 16 * first, count = std::min(16 * last, image_.channels) - from;
    for (Index j = 0; j < x.cols(); ++j)
      detail::transpose(x.data() + j * x.outerStride() + from * image_.pixels(), image_.pixels(), image_.pixels(),
                        count, y.data() + j * y.outerStride() + from, image_.channels);
  }

  Shape image_;
  bool to_planes_;
};

static_assert(PartedLayer<Reorder> && TangentLayer<Reorder, double>);

}  // namespace placed

/// An image as a vector, in PyTorch's order.
class Flatten {
 public:
  constexpr Shape output_shape(Shape in) const { return in ? Shape{in.size()} : Shape{}; }
  std::string expects() const { return "an image"; }
  Spec spec() const { return at({}).spec(); }
  /// The layer of images of shape `in`.
  placed::Reorder at(Shape in) const { return {in, true}; }
};

}  // namespace eigan
