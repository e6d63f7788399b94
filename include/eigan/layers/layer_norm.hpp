// LayerNorm: a whole sample is centred and scaled by its own mean and variance (Ba, Kiros and Hinton 2016).
//   y = gamma x^ + beta,    x^ = r (x - mean),   r = 1 / sqrt(var + eps)     x, y: shape x batch;  gamma, beta: shape
// Backward:  dx = P (gamma dy)  with  P v = r (v - mean(v) - x^ mean(x^ v)),   dgamma += sum dy x^,   dbeta += sum dy.
// Tangent:   ty = gamma P tx.  With g = gamma dty, a = mean(x^ g), b = mean(x^ tx), c = mean(g (tx - mean(tx))):
//   d<dty, ty> = r^2 ((3 a b - c) x^ - b (g - mean(g)) - a (tx - mean(tx))) in x,   dty P tx in gamma.
// As torch.nn.LayerNorm of the whole sample, whose order (C, H, W) the tensors have in files.
#pragma once

#include <algorithm>
#include <cmath>
#include <concepts>
#include <string>
#include <vector>

#include <eigan/core/checked.hpp>
#include <eigan/core/error.hpp>
#include <eigan/core/finite.hpp>
#include <eigan/core/layer.hpp>
#include <eigan/core/parallel.hpp>
#include <eigan/kernels/columns.hpp>

namespace eigan {
namespace placed {

/// Layer normalisation of samples of one shape.
class LayerNorm {
 public:
  static constexpr Index input = dynamic, output = dynamic;
  static constexpr bool backward_reads_y = false;

  /// For samples of this shape; eps is added to the variance.
  constexpr LayerNorm(Shape shape, double eps) : shape_(shape), eps_(eps) {}

  /// Of one sample.
  constexpr Shape shape() const { return shape_; }
  Index input_size() const { return shape_.size(); }
  Index output_size() const { return shape_.size(); }
  /// x is read twice, y written.
  double operations() const { return 3 * detail::memory_access * static_cast<double>(shape_.size()); }
  Spec spec() const {
    const auto [c, h, w] = shape_;
    return {"LayerNorm",
            {{"channels", c}, {"height", h}, {"width", w}, {"eps", eps_}},
            shape_.is_vector() ? detail::concat("::eigan::LayerNorm<", c, ">")
                               : detail::concat("::eigan::LayerNorm<", c, ", ", h, ", ", w, ">")};
  }

  Index param_size() const { return 2 * shape_.size(); }
  std::vector<Parameter> parameters() const {
    const Index n = shape_.size();
    std::vector<Parameter> both{{"weight", 0, n, 1, 1}, {"bias", n, n, 1, 1}};
    if (!shape_.is_vector())
      for (Parameter& tensor : both) {
        tensor.shape = {shape_.channels, shape_.height, shape_.width};
        tensor.strides = {1, shape_.channels * shape_.width, shape_.channels};
      }
    return both;
  }
  template <class T>
  void init(std::span<T> p, Rng) const {
    std::fill_n(std::fill_n(p.data(), shape_.size(), T(1)), shape_.size(), T(0));
  }

  template <class T>
  void forward(std::span<const T> p, ConstView<T> x, View<T> y) const {
    forward_parts(p, x, y, 0, part_count());
  }
  template <class T>
  void backward_input(std::span<const T> p, ConstView<T> x, ConstView<T> y, ConstView<T> dy, View<T> dx) const {
    backward_input_parts(p, x, y, dy, dx, 0, part_count());
  }
  template <class T>
  void backward_params(std::span<const T>, ConstView<T> x, ConstView<T>, ConstView<T> dy, std::span<T> dp) const {
    const Index n = shape_.size();
    T *const dgamma = dp.data(), *const dbeta = dgamma + n;
    for (Index j = 0; j < x.cols(); ++j) {
      const T *const xj = column(x, j), *const dyj = column(dy, j);
      const Moments<T> m = moments(xj);
      kernels<T>().weigh_column(n, dyj, {0, xj, m.r, xj, m.center, -m.r * m.rest}, dgamma, dgamma);
      kernels<T>().weigh_column(n, dyj, {0, xj, 0, xj, m.center, 1}, dbeta, dbeta);
    }
  }

  // Parts: runs of 4096 numbers. Each call takes the means of whole samples anew.

  Index part_count() const { return (shape_.size() + part - 1) / part; }
  template <class T>
  void forward_parts(std::span<const T> p, ConstView<T> x, View<T> y, Index first, Index last) const {
    const Index from = first * part, n = std::min(last * part, shape_.size()) - from;
    const T *const gamma = p.data() + from, *const beta = gamma + shape_.size();
    for (Index j = 0; j < x.cols(); ++j) {
      const T* const xj = column(x, j);
      const Moments<T> m = moments(xj);
      kernels<T>().weigh_column(n, gamma, {0, xj + from, m.r, xj + from, m.center, -m.r * m.rest}, beta,
                                column(y, j) + from);
    }
  }
  template <class T>
  void backward_input_parts(std::span<const T> p, ConstView<T> x, ConstView<T>, ConstView<T> dy, View<T> dx,
                            Index first, Index last) const {
    const Index from = first * part, n = std::min(last * part, shape_.size()) - from;
    for (Index j = 0; j < x.cols(); ++j) {
      const T *const xj = column(x, j), *const dyj = column(dy, j);
      const Moments<T> m = moments(xj);
      kernels<T>().combine_column(n, p.data() + from, projection(xj + from, m, dyj + from, means(xj, m, p.data(), dyj)),
                                  nullptr, column(dx, j) + from);
    }
  }

  template <class T>
  void forward_tangent(std::span<const T> p, ConstView<T> x, ConstView<T>, ConstView<T> tx, View<T> ty) const {
    for (Index j = 0; j < x.cols(); ++j) {
      const T *const xj = column(x, j), *const txj = column(tx, j);
      const Moments<T> m = moments(xj);
      const auto f = projection(xj, m, txj, means<T>(xj, m, nullptr, txj));
      kernels<T>().weigh_column(shape_.size(), p.data(), f, nullptr, column(ty, j));
    }
  }
  template <class T>
  void add_curvature(std::span<const T> p, ConstView<T> x, ConstView<T>, ConstView<T> tx, ConstView<T> dty,
                     View<T> dx) const {
    for (Index j = 0; j < x.cols(); ++j) {
      const T *const xj = column(x, j), *const txj = column(tx, j), *const dtyj = column(dty, j);
      T* const dxj = column(dx, j);
      const Moments<T> m = moments(xj);
      const ColumnProducts<T> g = means(xj, m, p.data(), dtyj), t = means<T>(xj, m, nullptr, txj);
      const T c = kernels<T>().column_products(shape_.size(), txj, t.sum, p.data(), dtyj).product * share<T>();
      const T a = m.r * g.product, b = m.r * t.product, scale = m.r * m.r;
      const T of_x = scale * (3 * a * b - c) * m.r, of_g = -scale * b, of_t = -scale * a;
      const Combination<T> of_both{of_g, dtyj, of_x, xj, m.center, -of_x * m.rest - of_g * g.sum};
      kernels<T>().combine_column(shape_.size(), p.data(), of_both, dxj, dxj);
      kernels<T>().combine_column(shape_.size(), p.data(), {0, dtyj, of_t, txj, t.sum, 0}, dxj, dxj);
    }
  }
  template <class T>
  void backward_params_tangent(std::span<const T>, ConstView<T> x, ConstView<T>, ConstView<T> tx, ConstView<T> dty,
                               std::span<T> dp) const {
    for (Index j = 0; j < x.cols(); ++j) {
      const T *const xj = column(x, j), *const txj = column(tx, j);
      const Moments<T> m = moments(xj);
      const auto f = projection(xj, m, txj, means<T>(xj, m, nullptr, txj));
      kernels<T>().weigh_column(shape_.size(), column(dty, j), f, dp.data(), dp.data());
    }
  }

 private:
  static constexpr Index part = 4096;
  template <class T>
  using ColumnProducts = detail::ColumnProducts<T>;
  template <class T>
  using Combination = detail::Combination<T>;
  template <class T>
  static const detail::ColumnKernels<T>& kernels() {
    return detail::column_kernels<T>();
  }
  template <class T>
  static const T* column(const ConstView<T>& x, Index j) {
    return x.data() + j * x.outerStride();
  }
  template <class T>
  static T* column(View<T> x, Index j) {
    return x.data() + j * x.outerStride();
  }

  template <class T>
  struct Moments {
    T center, rest, r;
  };
  template <class T>
  Moments<T> moments(const T* x) const {
    const auto m = kernels<T>().column_moments(shape_.size(), x);
    return {m.center, m.rest, 1 / std::sqrt(m.variance + static_cast<T>(eps_))};
  }
  template <class T>
  T share() const {
    return 1 / static_cast<T>(shape_.size());
  }
  /// The means of v = w dy and of v (x - mean).
  template <class T>
  ColumnProducts<T> means(const T* x, const Moments<T>& m, const T* w, const T* dy) const {
    const auto sums = kernels<T>().column_products(shape_.size(), x, m.center, w, dy);
    const T mean = sums.sum * share<T>();
    return {mean, sums.product * share<T>() - m.rest * mean};
  }
  /// P v = r v - r^3 (x - mean) mean(v (x - mean)) - r mean(v).
  template <class T>
  static Combination<T> projection(const T* x, const Moments<T>& m, const T* v, const ColumnProducts<T>& means) {
    const T of_x = -(m.r * m.r * m.r) * means.product;
    return {m.r, v, of_x, x, m.center, -of_x * m.rest - m.r * means.sum};
  }

  Shape shape_;
  double eps_;
};

}  // namespace placed

/// Layer normalisation of vectors, `LayerNorm<256>`, or of images, `LayerNorm<64, 8, 8>`: channels, height and width.
/// With these at run time `LayerNorm<>(256)` and `LayerNorm<>(64, 8, 8)`, and eps behind them: `LayerNorm<>(256,
/// 1e-6)`.
template <Index Channels = dynamic, Index Height = Channels == dynamic ? dynamic : 1,
          Index Width = detail::width_beside(Height)>
class LayerNorm : public placed::LayerNorm {
  static_assert(Width != 0, "eigan::LayerNorm: height and width go together, as in LayerNorm<64, 8, 8>");
  static_assert((Channels > 0 && Height > 0 && Width > 0) ||
                    (Channels == dynamic && Height == dynamic && Width == dynamic),
                "eigan::LayerNorm: channels, height and width are positive, or dynamic all three");

 public:
  static constexpr Index input = Channels == dynamic ? dynamic : Channels * Height * Width, output = input;

  /// The shape that the type states, eps 1e-5.
  constexpr LayerNorm() requires(Channels != dynamic) : placed::LayerNorm({Channels, Height, Width}, 1e-5) {}
  /// Of vectors.
  explicit LayerNorm(Index channels) : LayerNorm(channels, 1, 1) {}
  /// The same with eps; a whole number would be a height whose width is missing.
  LayerNorm(Index channels, std::same_as<double> auto eps) : LayerNorm(channels, 1, 1, eps) {}
  /// Throws std::invalid_argument unless all are positive, the size is below 2^31, the shape that of the type where it
  /// has one, and eps > 0.
  LayerNorm(Index channels, Index height, Index width, double eps = 1e-5)
      : placed::LayerNorm({channels, height, width}, eps) {
    Index size = 0;
    if (!shape() || !checked_mul(channels, height, size) || !checked_mul(size, width, size) || size > most_size ||
        (Channels != dynamic && shape() != Shape{Channels, Height, Width}))
      detail::fail_contract("eigan::LayerNorm<", detail::stated_text(Channels), ", ", detail::stated_text(Height), ", ",
                            detail::stated_text(Width), ">: cannot have the shape ", channels, " x ", height, " x ",
                            width, ", expected positive sizes with a product below 2^31 and what the type states");
    if (!(detail::is_finite(eps) && eps > 0)) detail::fail_contract("eigan::LayerNorm: eps must be > 0, is ", eps);
  }

  constexpr Shape output_shape(Shape in) const { return in == shape() ? in : Shape{}; }
  std::string expects() const {
    const auto [c, h, w] = shape();
    return shape().is_vector() ? detail::concat(c, " features")
                               : detail::concat(c, " channels of ", h, " x ", w, " pixels");
  }
  /// Itself, as the class that all sizes share.
  placed::LayerNorm at(Shape) const { return *this; }
};

static_assert(ParametricLayer<placed::LayerNorm> && PartedLayer<placed::LayerNorm> &&
              TangentLayer<placed::LayerNorm, double> && ShapedLayer<LayerNorm<3>> && SizedLayer<LayerNorm<3, 4, 5>>);

}  // namespace eigan
