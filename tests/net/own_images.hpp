// Layers of images, small and plain, from which a U-Net can be put together in a test.
#pragma once

#include <algorithm>
#include <span>
#include <string>
#include <vector>

#include <eigan/core/layer.hpp>
#include <eigan/core/random.hpp>

namespace own {

using namespace eigan;

namespace placed {

/// Every pixel's channels times a matrix; in a single part, and with a gradient that is split over samples.
struct Pointwise {
  static constexpr Index input = dynamic, output = dynamic;
  static constexpr bool backward_reads_y = false, piecewise_linear = true;
  Index in, out, pixels;

  Index input_size() const { return in * pixels; }
  Index output_size() const { return out * pixels; }
  Index param_size() const { return in * out; }
  /// Much, so that threads start.
  double operations() const { return 2e4 * static_cast<double>(in * out * pixels); }
  Index gradient_splits(Index batch) const { return std::min<Index>(batch, 5); }
  std::vector<Parameter> parameters() const { return {{"weight", 0, out, in, 2}}; }
  Spec spec() const { return {"Pointwise", {{"in_channels", in}, {"out_channels", out}}}; }
  template <class T>
  void init(std::span<T> p, Rng rng) const {
    fill_uniform(View<T>(p.data(), out, in), -1, 1, rng);
  }
  template <class T>
  void forward(std::span<const T> p, ConstView<T> x, View<T> y) const {
    y.setZero();
    each<T>(y, x, [&](T& yo, T xi, Index w) { yo += p[static_cast<std::size_t>(w)] * xi; });
  }
  template <class T>
  void backward_input(std::span<const T> p, ConstView<T>, ConstView<T>, ConstView<T> dy, View<T> dx) const {
    dx.setZero();
    each<T>(dy, dx, [&](T dyo, T& dxi, Index w) { dxi += p[static_cast<std::size_t>(w)] * dyo; });
  }
  template <class T>
  void backward_params(std::span<const T>, ConstView<T> x, ConstView<T>, ConstView<T> dy, std::span<T> dp) const {
    each<T>(dy, x, [&](T dyo, T xi, Index w) { dp[static_cast<std::size_t>(w)] += dyo * xi; });
  }
  template <class T>
  void forward_tangent(std::span<const T> p, ConstView<T>, ConstView<T>, ConstView<T> tx, View<T> ty) const {
    forward<T>(p, tx, ty);
  }
  template <class T>
  void backward_params_tangent(std::span<const T> p, ConstView<T>, ConstView<T> y, ConstView<T> tx, ConstView<T> dty,
                               std::span<T> dp) const {
    backward_params<T>(p, tx, y, dty, dp);
  }

 private:
  /// f(an output, an input, the place of their weight).
  template <class T, class Y, class X, class F>
  void each(Y y, X x, const F& f) const {
    for (Index j = 0; j < x.cols(); ++j)
      for (Index pixel = 0; pixel < pixels; ++pixel) {
        auto* const yp = y.data() + j * y.outerStride() + pixel * out;
        auto* const xp = x.data() + j * x.outerStride() + pixel * in;
        for (Index w = 0; w < in * out; ++w) f(yp[w % out], xp[w / out], w);
      }
  }
};

/// The sum of 2 x 2 pixels, or, the other way round, each pixel four times: with `grows`. Every row of the smaller
/// image is a part.
struct Resized {
  static constexpr Index input = dynamic, output = dynamic;
  static constexpr bool backward_reads_x = false, backward_reads_y = false, piecewise_linear = true;
  Shape small;
  bool grows;

  Index input_size() const { return grows ? small.size() : 4 * small.size(); }
  Index output_size() const { return grows ? 4 * small.size() : small.size(); }
  Index part_count() const { return small.height; }
  Spec spec() const { return {grows ? "Twice" : "Halve"}; }
  template <class T>
  void forward_parts(std::span<const T>, ConstView<T> x, View<T> y, Index first, Index last) const {
    map<T>(x, y, grows, first, last);
  }
  template <class T>
  void backward_input_parts(std::span<const T>, ConstView<T>, ConstView<T>, ConstView<T> dy, View<T> dx, Index first,
                            Index last) const {
    map<T>(dy, dx, !grows, first, last);
  }
  template <class T>
  void forward(std::span<const T> p, ConstView<T> x, View<T> y) const {
    forward_parts<T>(p, x, y, 0, small.height);
  }
  template <class T>
  void backward_input(std::span<const T> p, ConstView<T> x, ConstView<T> y, ConstView<T> dy, View<T> dx) const {
    backward_input_parts<T>(p, x, y, dy, dx, 0, small.height);
  }
  template <class T>
  void forward_tangent(std::span<const T> p, ConstView<T>, ConstView<T>, ConstView<T> tx, View<T> ty) const {
    forward<T>(p, tx, ty);
  }

 private:
  template <class T>
  void map(const ConstView<T>& from, View<T> to, bool copies, Index first, Index last) const {
    const Index c = small.channels, w = small.width;
    for (Index j = 0; j < from.cols(); ++j)
      for (Index row = first; row < last; ++row)
        for (Index col = 0; col < w; ++col) {
          const Index one = c * (col + w * row);
          if (!copies) to.col(j).segment(one, c).setZero();
          for (const Index corner : {0, 1, 2, 3}) {
            const Index four = c * (2 * col + corner % 2 + 2 * w * (2 * row + corner / 2));
            if (copies)
              to.col(j).segment(four, c) = from.col(j).segment(one, c);
            else
              to.col(j).segment(one, c) += from.col(j).segment(four, c);
          }
        }
  }
};

}  // namespace placed

/// A 1 x 1 convolution without bias.
template <Index In, Index Out>
struct Pointwise {
  constexpr Shape output_shape(Shape in) const {
    return in && in.channels == In ? Shape{Out, in.height, in.width} : Shape{};
  }
  placed::Pointwise at(Shape in) const { return {In, Out, in.pixels()}; }
  std::string expects() const { return std::to_string(In) + " channels"; }
  Spec spec() const { return at({In}).spec(); }
};
/// Sums of 2 x 2 pixels.
struct Halve {
  constexpr Shape output_shape(Shape in) const {
    return in.height % 2 == 0 && in.width % 2 == 0 ? Shape{in.channels, in.height / 2, in.width / 2} : Shape{};
  }
  placed::Resized at(Shape in) const { return {output_shape(in), false}; }
  std::string expects() const { return "an even height and width"; }
  Spec spec() const { return {"Halve"}; }
};
/// Every pixel four times.
struct Twice {
  constexpr Shape output_shape(Shape in) const { return {in.channels, 2 * in.height, 2 * in.width}; }
  placed::Resized at(Shape in) const { return {in, true}; }
  Spec spec() const { return {"Twice"}; }
};

static_assert(ParametricLayer<placed::Pointwise> && TangentLayer<placed::Pointwise> && PartedLayer<placed::Resized>);
static_assert(ShapedLayer<Pointwise<2, 3>> && ShapedLayer<Halve> && ShapedLayer<Twice>);

}  // namespace own
