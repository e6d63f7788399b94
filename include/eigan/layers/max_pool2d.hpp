// MaxPool2d: y is the largest number in a window of kernel x kernel pixels, which moves by stride; each channel by
// itself.
//   x: C x H x W,   y: C x H' x W',   H' = floor((H + 2 padding - kernel) / stride) + 1;   the padding never is largest
// Backward:  dx is the sum of dy over all windows whose largest number stands there, the first of equal ones, as in
// torch.nn.MaxPool2d. A NaN counts as largest.
#pragma once

#include <algorithm>
#include <limits>

#include <eigan/layers/window.hpp>

namespace eigan {
namespace placed {

/// Max pooling where it stands.
class MaxPool2d : public detail::PlacedPooling<MaxPool2d> {
 public:
  static constexpr const char* name = "MaxPool2d";
  static constexpr bool backward_reads_x = true, backward_reads_y = true;
  using PlacedPooling::PlacedPooling;

  template <class T>
  void forward_parts(std::span<const T>, ConstView<T> x, View<T> y, Index first, Index last) const {
    const Index c = in().channels;
    for_each_window(x.cols(), rows(out(), first, last), [&](Index j, Index row, Index col) {
      const detail::Image<const T> from = detail::image(x, in(), j);
      T* const most = detail::image(y, out(), j)(row, col);
      std::fill_n(most, c, -std::numeric_limits<T>::infinity());
      window().for_each_pixel(in(), row, col, [&](Index r, Index s) {
        const T* const v = from(r, s);
        for (Index i = 0; i < c; ++i) most[i] = v[i] > most[i] || is_nan(v[i]) ? v[i] : most[i];
      });
    });
  }
  template <class T>
  void backward_input_parts(std::span<const T>, ConstView<T> x, ConstView<T> y, ConstView<T> dy, View<T> dx,
                            Index first, Index last) const {
    const ImageRows own = rows(in(), first, last);
    detail::set_zero(dx, in(), own);
    for_each_window(x.cols(), window().over(own, out().height), [&](Index j, Index row, Index col) {
      const T* const d = detail::image(dy, out(), j)(row, col);
      const detail::Image<T> to = detail::image(dx, in(), j);
      route(x, y, j, row, col, d, [&](Index r, Index s, Index channel, Index n, const T* share) {
        if (r < own.first || r >= own.last) return;
        T* const dxi = to(r, s) + channel;
        for (Index i = 0; i < n; ++i) dxi[i] += share[i];
      });
    });
  }

  template <class T>
  void forward_tangent(std::span<const T>, ConstView<T> x, ConstView<T> y, ConstView<T> tx, View<T> ty) const {
    ty.setZero();
    for_each_window(x.cols(), {0, out().height}, [&](Index j, Index row, Index col) {
      const detail::Image<const T> from = detail::image(tx, in(), j);
      T* const to = detail::image(ty, out(), j)(row, col);
      route<T>(x, y, j, row, col, nullptr, [&](Index r, Index s, Index channel, Index n, const T* share) {
        const T* const t = from(r, s) + channel;
        for (Index i = 0; i < n; ++i) to[channel + i] += share[i] > 0 ? t[i] : T(0);
      });
    });
  }

 private:
  template <class T>
  static bool is_nan(T v) {
    return !(v == v);  // NOLINT(misc-redundant-expression): inside loops that compilers turn into vectors
  }
  /// give(row, col, channel, n, share) for the pixels of a window in order, by up to 64 channels: share[i] is d (1
  /// where there is none) where the window's largest number stands there for the first time, and 0 elsewhere.
  template <class T, class Give>
  void route(const ConstView<T>& x, const ConstView<T>& y, Index sample, Index row, Index col, const T* d,
             const Give& give) const {
    constexpr Index most = 64;
    const detail::Image<const T> from = detail::image(x, in(), sample);
    const T* const largest = detail::image(y, out(), sample)(row, col);
    for (Index channel = 0; channel < in().channels; channel += most) {
      const Index n = std::min(most, in().channels - channel);
      T left[most], share[most];
      if (d != nullptr)
        std::copy_n(d + channel, n, left);
      else
        std::fill_n(left, n, T(1));
      window().for_each_pixel(in(), row, col, [&](Index r, Index s) {
        const T *const v = from(r, s) + channel, *const most_v = largest + channel;
        for (Index i = 0; i < n; ++i) {
          const bool here = v[i] == most_v[i] || is_nan(v[i]);
          share[i] = here ? left[i] : T(0);
          left[i] = here ? T(0) : left[i];
        }
        give(r, s, channel, n, share);
      });
    }
  }
};

}  // namespace placed

/// The largest of windows. `MaxPool2d<2>`, `MaxPool2d<3, 2, 1>`: kernel, stride (the kernel unless given) and padding;
/// or `MaxPool2d<>(3, 2, 1)`.
template <Index Kernel = dynamic, Index Stride = Kernel, Index Padding = Kernel == dynamic ? dynamic : 0>
class MaxPool2d : public detail::Pooling<placed::MaxPool2d, Kernel, Stride, Padding> {
 public:
  using detail::Pooling<placed::MaxPool2d, Kernel, Stride, Padding>::Pooling;
};

static_assert(PartedLayer<placed::MaxPool2d> && TangentLayer<placed::MaxPool2d, double> && ShapedLayer<MaxPool2d<2>>);

}  // namespace eigan
