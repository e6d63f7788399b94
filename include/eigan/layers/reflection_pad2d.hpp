// ReflectionPad2d: images grow by `padding` pixels on each side, which mirror those inside: d c b | a b c d | c b a.
//   x: C x H x W,   y: C x (H + 2 padding) x (W + 2 padding),   padding < H, W
// Backward:  dx is the sum of dy over a pixel and its mirror images.
#pragma once

#include <algorithm>
#include <cstdlib>
#include <string>

#include <eigan/core/error.hpp>
#include <eigan/layers/spatial.hpp>

namespace eigan {
namespace placed {

/// Padding by reflection where it stands.
class ReflectionPad2d : public detail::SpatialLayer<ReflectionPad2d> {
 public:
  /// `padding` pixels around images of shape `in`.
  ReflectionPad2d(Shape in, Index padding)
      : SpatialLayer(in, {in.channels, in.height + 2 * padding, in.width + 2 * padding}), padding_(padding) {}

  Spec spec() const {
    return {"ReflectionPad2d", {{"padding", padding_}}, detail::concat("::eigan::ReflectionPad2d<", padding_, ">")};
  }

  template <class T>
  void forward_parts(std::span<const T>, ConstView<T> x, View<T> y, Index first, Index last) const {
    const ImageRows own = rows(out(), first, last);
    for (Index j = 0; j < x.cols(); ++j)
      for (Index row = own.first; row < own.last; ++row)
        for (Index col = 0; col < out().width; ++col)
          std::copy_n(detail::image(x, in(), j)(inside(row, in().height), inside(col, in().width)), in().channels,
                      detail::image(y, out(), j)(row, col));
  }
  template <class T>
  void backward_input_parts(std::span<const T>, ConstView<T>, ConstView<T>, ConstView<T> dy, View<T> dx, Index first,
                            Index last) const {
    const Index c = in().channels;
    const ImageRows own = rows(in(), first, last);
    for (Index j = 0; j < dy.cols(); ++j)
      for (Index row = own.first; row < own.last; ++row)
        for (Index col = 0; col < in().width; ++col) {
          const detail::Image<const T> from = detail::image(dy, out(), j);
          detail::Pixel<T> sum(detail::image(dx, in(), j)(row, col), c);
          sum.setZero();
          for_each_image(row, in().height, [&](Index r) {
            for_each_image(col, in().width, [&](Index s) { sum += detail::ConstPixel<T>(from(r, s), c); });
          });
        }
  }

 private:
  /// The row or column of x that one of y shows.
  Index inside(Index at, Index size) const {
    const Index i = std::abs(at - padding_);
    return i < size ? i : 2 * (size - 1) - i;
  }
  /// f(row or column of y) for each that shows this one of x.
  template <class F>
  void for_each_image(Index at, Index size, const F& f) const {
    if (at > 0 && at <= padding_) f(padding_ - at);
    f(padding_ + at);
    if (at < size - 1 && size - 1 - at <= padding_) f(padding_ + 2 * (size - 1) - at);
  }

  Index padding_;
};

}  // namespace placed

/// Padding by reflection. `ReflectionPad2d<1>`, or `ReflectionPad2d<>(1)`.
template <Index Padding = dynamic>
class ReflectionPad2d {
  static_assert(Padding >= 0 || Padding == dynamic, "eigan::ReflectionPad2d: padding is not negative, or dynamic");

 public:
  /// The padding that the type states.
  constexpr ReflectionPad2d() requires(Padding != dynamic) : padding_(Padding) {}
  /// Throws std::invalid_argument unless 0 <= padding < 2^30, and as the type says where it does.
  explicit ReflectionPad2d(Index padding) : padding_(padding) {
    if (padding < 0 || padding >= Index{1} << 30 || (Padding != dynamic && Padding != padding))
      detail::fail_contract("eigan::ReflectionPad2d<", detail::stated_text(Padding), ">: cannot have padding ", padding,
                            ", expected 0 to 2^30 - 1 and what the type states");
  }

  /// A mirror needs more pixels than it shows.
  constexpr Shape output_shape(Shape in) const {
    if (!in || in.height <= padding_ || in.width <= padding_) return {};
    return {in.channels, in.height + 2 * padding_, in.width + 2 * padding_};
  }
  std::string expects() const { return detail::concat("at least ", padding_ + 1, " x ", padding_ + 1, " pixels"); }
  Spec spec() const { return at({}).spec(); }
  /// The layer over images of shape `in`.
  placed::ReflectionPad2d at(Shape in) const { return {in, padding_}; }

 private:
  Index padding_;
};

static_assert(PartedLayer<placed::ReflectionPad2d> && TangentLayer<placed::ReflectionPad2d, double> &&
              ShapedLayer<ReflectionPad2d<1>>);

}  // namespace eigan
