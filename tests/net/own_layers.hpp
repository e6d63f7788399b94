// Layers of vectors such as a user writes, for tests that want some that the library does not have.
#pragma once

#include <cmath>
#include <span>
#include <string>
#include <vector>

#include <eigan/core/layer.hpp>
#include <eigan/core/random.hpp>

namespace own {

using namespace eigan;

/// y = x^2 / scale: the way back needs x, so nobody may write over it.
struct Square {
  static constexpr bool elementwise = true;
  static constexpr bool backward_reads_y = false;
  double scale = 2;

  Spec spec() const { return {"Square", {{"scale", scale}}, "::own::Square", "net/own_layers.hpp"}; }
  template <class T>
  void forward(std::span<const T>, ConstView<T> x, View<T> y) const {
    y = x.cwiseProduct(x) / static_cast<T>(scale);
  }
  template <class T>
  void backward_input(std::span<const T>, ConstView<T> x, ConstView<T>, ConstView<T> dy, View<T> dx) const {
    dx = x.cwiseProduct(dy) * static_cast<T>(2 / scale);
  }
  template <class T>
  void add_curvature(std::span<const T>, ConstView<T>, ConstView<T>, ConstView<T> tx, ConstView<T> dty,
                     View<T> dx) const {
    dx += tx.cwiseProduct(dty) * static_cast<T>(2 / scale);
  }
};

/// y = -x, which needs nothing on the way back and may always work in place.
struct Negate {
  static constexpr bool elementwise = true;
  static constexpr bool backward_reads_x = false;
  static constexpr bool backward_reads_y = false;
  static constexpr bool piecewise_linear = true;
  template <class T>
  void forward(std::span<const T>, ConstView<T> x, View<T> y) const {
    y = -x;
  }
  template <class T>
  void backward_input(std::span<const T>, ConstView<T>, ConstView<T>, ConstView<T> dy, View<T> dx) const {
    dx = -dy;
  }
};

/// y_i = p_i x_i, element-wise; its parameters' gradient needs x and dy after dx is computed.
struct Scale {
  static constexpr bool elementwise = true;
  static constexpr bool backward_reads_y = false;
  Index size = 6;

  Index param_size() const { return size; }
  template <class T>
  static auto diagonal(std::span<T> p) {
    return Eigen::Map<const Eigen::Matrix<std::remove_const_t<T>, Eigen::Dynamic, 1>>(p.data(), std::ssize(p));
  }
  template <class T>
  void init(std::span<T> p, Rng rng) const {
    fill_uniform(View<T>(p.data(), size, 1), 0.5, 2, rng);
  }
  template <class T>
  void forward(std::span<const T> p, ConstView<T> x, View<T> y) const {
    for (Index j = 0; j < x.cols(); ++j) y.col(j) = diagonal(p).cwiseProduct(x.col(j));
  }
  template <class T>
  void backward_input(std::span<const T> p, ConstView<T>, ConstView<T>, ConstView<T> dy, View<T> dx) const {
    forward<T>(p, dy, dx);
  }
  template <class T>
  void backward_params(std::span<const T>, ConstView<T> x, ConstView<T>, ConstView<T> dy, std::span<T> dp) const {
    for (Index j = 0; j < x.cols(); ++j) View<T>(dp.data(), size, 1) += x.col(j).cwiseProduct(dy.col(j));
  }
};

/// For each row i the sum of x_ij dy_ij. Eigen would round by where its result lies.
template <class T, class F>
void sum_of_products(ConstView<T> x, ConstView<T> dy, const F& take) {
  for (Index i = 0; i < x.rows(); ++i) {
    T sum = 0;
    for (Index j = 0; j < x.cols(); ++j) sum = std::fma(x(i, j), dy(i, j), sum);
    take(static_cast<std::size_t>(i), sum);
  }
}

/// y = gain x, one gain a feature, of a stated size and without blocks.
struct Gain {
  static constexpr Index input = dynamic, output = dynamic;
  Index features;

  Index input_size() const { return features; }
  Index output_size() const { return features; }
  Index param_size() const { return features; }
  Spec spec() const { return {"Gain", {{"features", features}}, "::own::Gain", "net/own_layers.hpp"}; }
  std::vector<Parameter> parameters() const { return {{"gain", 0, features, 1, 1}}; }
  template <class T>
  void init(std::span<T> p, Rng rng) const {
    fill_uniform(View<T>(p.data(), features, 1), 0.5, 1.5, rng);
  }
  template <class T>
  void forward(std::span<const T> p, ConstView<T> x, View<T> y) const {
    y = ConstView<T>(p.data(), features, 1).col(0).asDiagonal() * x;
  }
  template <class T>
  void backward_input(std::span<const T> p, ConstView<T>, ConstView<T>, ConstView<T> dy, View<T> dx) const {
    dx = ConstView<T>(p.data(), features, 1).col(0).asDiagonal() * dy;
  }
  template <class T>
  void backward_params(std::span<const T>, ConstView<T> x, ConstView<T>, ConstView<T> dy, std::span<T> dp) const {
    sum_of_products<T>(x, dy, [&](std::size_t i, T sum) { dp[i] += sum; });
  }
};

/// y = e^p x, one p a feature; e^p is computed once a pass.
struct ExpGain {
  static constexpr Index input = dynamic, output = dynamic;
  static constexpr bool piecewise_linear = true;
  Index features;

  Index input_size() const { return features; }
  Index output_size() const { return features; }
  Index param_size() const { return features; }
  Index prepared_size() const { return features; }
  template <class T>
  void init(std::span<T> p, Rng rng) const {
    fill_uniform(View<T>(p.data(), features, 1), -0.5, 0.5, rng);
  }
  template <class T>
  void prepare(std::span<const T> p, std::span<const T>, std::span<T> q, Phase) const {
    for (std::size_t i = 0; i < p.size(); ++i) q[i] = std::exp(p[i]);
  }
  template <class T>
  void forward(Prepared<T> p, ConstView<T> x, View<T> y) const {
    y = ConstView<T>(p.prepared.data(), features, 1).col(0).asDiagonal() * x;
  }
  template <class T>
  void backward_input(Prepared<T> p, ConstView<T>, ConstView<T>, ConstView<T> dy, View<T> dx) const {
    forward<T>(p, dy, dx);
  }
  template <class T>
  void backward_params(Prepared<T> p, ConstView<T> x, ConstView<T>, ConstView<T> dy, std::span<T> dp) const {
    sum_of_products<T>(x, dy, [&](std::size_t i, T sum) { dp[i] = std::fma(p.prepared[i], sum, dp[i]); });
  }
  template <class T>
  void forward_tangent(Prepared<T> p, ConstView<T>, ConstView<T>, ConstView<T> tx, View<T> ty) const {
    forward<T>(p, tx, ty);
  }
  template <class T>
  void backward_params_tangent(Prepared<T> p, ConstView<T> x, ConstView<T> y, ConstView<T> tx, ConstView<T> dty,
                               std::span<T> dp) const {
    static_cast<void>(x);
    backward_params<T>(p, tx, y, dty, dp);
  }
};

static_assert(TangentLayer<Square> && TangentLayer<Negate> && ParametricLayer<Scale> && !BlockedLayer<Scale>);
static_assert(ParametricLayer<Gain> && !BlockedLayer<Gain> && PreparedLayer<ExpGain> && TangentLayer<ExpGain>);

}  // namespace own
