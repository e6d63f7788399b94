// AvgPool2d: y is the mean over a window of kernel x kernel pixels, which moves by stride; each channel by itself.
// Zeros of the padding count, as is torch.nn.AvgPool2d's default (count_include_pad).
//   x: C x H x W,   y: C x H' x W',   H' = floor((H + 2 padding - kernel) / stride) + 1
// Backward:  dx is the sum of dy / kernel^2 over all windows that a pixel is in.
#pragma once

#include <eigan/layers/window.hpp>

namespace eigan {
namespace placed {

/// Average pooling where it stands.
class AvgPool2d : public detail::PlacedPooling<AvgPool2d> {
 public:
  static constexpr const char* name = "AvgPool2d";
  using PlacedPooling::PlacedPooling;

  template <class T>
  void forward_parts(std::span<const T>, ConstView<T> x, View<T> y, Index first, Index last) const {
    const Index c = in().channels;
    for_each_window(x.cols(), rows(out(), first, last), [&](Index j, Index row, Index col) {
      const detail::Image<const T> from = detail::image(x, in(), j);
      detail::Pixel<T> mean(detail::image(y, out(), j)(row, col), c);
      mean.setZero();
      window().for_each_pixel(in(), row, col, [&](Index r, Index s) { mean += detail::ConstPixel<T>(from(r, s), c); });
      mean *= share<T>();
    });
  }
  template <class T>
  void backward_input_parts(std::span<const T>, ConstView<T>, ConstView<T>, ConstView<T> dy, View<T> dx, Index first,
                            Index last) const {
    const Index c = in().channels;
    const ImageRows own = rows(in(), first, last);
    detail::set_zero(dx, in(), own);
    for_each_window(dy.cols(), window().over(own, out().height), [&](Index j, Index row, Index col) {
      const detail::Image<T> to = detail::image(dx, in(), j);
      const detail::ConstPixel<T> d(detail::image(dy, out(), j)(row, col), c);
      window().for_each_pixel(in(), row, col, [&](Index r, Index s) {
        if (own.first <= r && r < own.last) detail::Pixel<T>(to(r, s), c) += d * share<T>();
      });
    });
  }

 private:
  template <class T>
  T share() const {
    return 1 / static_cast<T>(window().kernel * window().kernel);
  }
};

}  // namespace placed

/// The mean of windows. `AvgPool2d<2>`, `AvgPool2d<3, 2, 1>`: kernel, stride (the kernel unless given) and padding; or
/// `AvgPool2d<>(3, 2, 1)`.
template <Index Kernel = dynamic, Index Stride = Kernel, Index Padding = Kernel == dynamic ? dynamic : 0>
class AvgPool2d : public detail::Pooling<placed::AvgPool2d, Kernel, Stride, Padding> {
 public:
  using detail::Pooling<placed::AvgPool2d, Kernel, Stride, Padding>::Pooling;
};

static_assert(PartedLayer<placed::AvgPool2d> && TangentLayer<placed::AvgPool2d, double> && ShapedLayer<AvgPool2d<2>>);

}  // namespace eigan
