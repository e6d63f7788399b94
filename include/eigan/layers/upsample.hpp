// Upsample: images grow by a whole factor s, as torch.nn.Upsample does (bilinear with align_corners=False).
//   x: C x H x W,   y: C x s H x s W
//   nearest:   y(row, col) = x(row / s, col / s)
//   bilinear:  y(row, col) = the mean of four pixels around ((row + 1/2) / s - 1/2, (col + 1/2) / s - 1/2), inside x
// Backward:  each pixel of dx is the sum of dy over all pixels that it went into, with the same weights.
#pragma once

#include <algorithm>
#include <string>

#include <eigan/core/checked.hpp>
#include <eigan/core/error.hpp>
#include <eigan/layers/spatial.hpp>

namespace eigan {

/// How a larger image comes about.
enum class Interpolation {
  nearest,  ///< pixels are repeated
  bilinear  ///< pixels lie between four others
};

namespace placed {

/// Upsampling where it stands.
class Upsample : public detail::SpatialLayer<Upsample> {
 public:
  /// Of images of shape `in`, by a factor of `scale`.
  Upsample(Shape in, Index scale, Interpolation mode)
      : SpatialLayer(in, {in.channels, scale * in.height, scale * in.width}),
        scale_(scale),
        bilinear_(mode == Interpolation::bilinear) {}

  Spec spec() const {
    return {"Upsample",
            {{"scale_factor", scale_}, {"bilinear", bilinear_}},
            detail::concat("::eigan::Upsample<", scale_, bilinear_ ? ", ::eigan::Interpolation::bilinear>" : ">")};
  }

  // Parts: rows of x and what they become.

  template <class T>
  void forward_parts(std::span<const T>, ConstView<T> x, View<T> y, Index first, Index last) const {
    const Index c = in().channels;
    for (Index j = 0; j < x.cols(); ++j)
      for (Index row = scale_ * first; row < scale_ * last; ++row)
        for (Index col = 0; col < out().width; ++col) {
          const detail::Image<const T> from = detail::image(x, in(), j);
          detail::Pixel<T> to(detail::image(y, out(), j)(row, col), c);
          const auto pixel = [&](Index r, Index s) { return detail::ConstPixel<T>(from(r, s), c); };
          const Between<T> r = between<T>(row, in().height), s = between<T>(col, in().width);
          if (!bilinear_)
            to = pixel(r.first, s.first);
          else
            to = r.of_first() * (s.of_first() * pixel(r.first, s.first) + s.of_second * pixel(r.first, s.second)) +
                 r.of_second * (s.of_first() * pixel(r.second, s.first) + s.of_second * pixel(r.second, s.second));
        }
  }
  template <class T>
  void backward_input_parts(std::span<const T>, ConstView<T>, ConstView<T>, ConstView<T> dy, View<T> dx, Index first,
                            Index last) const {
    const Index c = in().channels;
    detail::set_zero(dx, in(), {first, last});
    // A row of y lies between rows of x at most one away from its own.
    const Index begin = scale_ * std::max<Index>(first - bilinear_, 0);
    const Index end = scale_ * std::min<Index>(last + bilinear_, in().height);
    for (Index j = 0; j < dy.cols(); ++j)
      for (Index row = begin; row < end; ++row)
        for (Index col = 0; col < out().width; ++col) {
          const detail::ConstPixel<T> d(detail::image(dy, out(), j)(row, col), c);
          const detail::Image<T> to = detail::image(dx, in(), j);
          const Between<T> r = between<T>(row, in().height), s = between<T>(col, in().width);
          const auto add = [&](Index at, T weight) {
            if (at < first || at >= last || weight == 0) return;
            detail::Pixel<T>(to(at, s.first), c) += (weight * s.of_first()) * d;
            if (bilinear_) detail::Pixel<T>(to(at, s.second), c) += (weight * s.of_second) * d;
          };
          add(r.first, r.of_first());
          add(r.second, r.of_second);
        }
  }

 private:
  /// The rows or columns of x that one of y lies between.
  template <class T>
  struct Between {
    Index first, second;
    T of_second;
    T of_first() const { return 1 - of_second; }
  };
  template <class T>
  Between<T> between(Index at, Index size) const {
    if (!bilinear_) return {at / scale_, at / scale_, T(0)};
    const T place = std::max(T(0), (static_cast<T>(at) + T(0.5)) / static_cast<T>(scale_) - T(0.5));
    const auto first = static_cast<Index>(place);
    return {first, std::min(first + 1, size - 1), place - static_cast<T>(first)};
  }

  Index scale_;
  bool bilinear_;
};

}  // namespace placed

/// Larger images: `Upsample<2>` repeats pixels, `Upsample<2, Interpolation::bilinear>` lies between them; or
/// `Upsample<>(2, Interpolation::bilinear)`.
template <Index Scale = dynamic, Interpolation Mode = Interpolation::nearest>
class Upsample {
  static_assert(Scale > 0 || Scale == dynamic, "eigan::Upsample: the scale factor is positive or dynamic");

 public:
  /// The factor that the type states.
  constexpr Upsample() requires(Scale != dynamic) : scale_(Scale) {}
  /// Throws std::invalid_argument unless 0 < scale_factor < 2^16, and as the type says where it does.
  explicit Upsample(Index scale_factor, Interpolation mode = Mode) : scale_(scale_factor), mode_(mode) {
    if (scale_ <= 0 || scale_ >= Index{1} << 16 || (Scale != dynamic && (Scale != scale_ || Mode != mode_)))
      detail::fail_contract("eigan::Upsample<", detail::stated_text(Scale), ">: cannot have the scale factor ", scale_,
                            mode_ == Interpolation::bilinear ? ", bilinear" : "",
                            ", expected 1 to 65535 and what the type states");
  }
  /// The same, of settings as files and generated sources have them.
  Upsample(Index scale_factor, bool is_bilinear)
      : Upsample(scale_factor, is_bilinear ? Interpolation::bilinear : Interpolation::nearest) {}

  constexpr Shape output_shape(Shape in) const {
    return in ? Shape{in.channels, product_or_most(scale_, in.height), product_or_most(scale_, in.width)} : Shape{};
  }
  std::string expects() const { return "an image"; }
  Spec spec() const { return at({}).spec(); }
  /// The layer over images of shape `in`.
  placed::Upsample at(Shape in) const { return {in, scale_, mode_}; }

 private:
  Index scale_;
  Interpolation mode_ = Mode;
};

static_assert(PartedLayer<placed::Upsample> && TangentLayer<placed::Upsample, double> && ShapedLayer<Upsample<2>>);

}  // namespace eigan
