// Softplus: y = log(1 + e^u) / beta with u = beta x, and y = x where u is above a threshold, as torch.nn.Softplus has
// it.
//   dx = s(u) dy, dy above the threshold        y'' = beta s(u) (1 - s(u)), 0 above        s(u) = 1 / (1 + e^-u)
// Element-wise.
#pragma once

#include <cmath>

#include <eigan/core/error.hpp>
#include <eigan/core/finite.hpp>
#include <eigan/core/layer.hpp>
#include <eigan/kernels/activations.hpp>
#include <eigan/layers/elementwise.hpp>

namespace eigan {

/// y = log(1 + e^(beta x)) / beta.
class Softplus {
 public:
  static constexpr bool elementwise = true;
  static constexpr bool backward_reads_y = false;

  /// beta = 1, threshold = 20.
  constexpr Softplus() = default;
  /// Throws std::invalid_argument unless 1e-30 <= beta <= 1e30 and 0 <= threshold <= 1e30.
  explicit Softplus(double beta, double threshold = 20) : beta_(beta), threshold_(threshold) {
    if (!(beta_ >= 1e-30 && beta_ <= 1e30))
      detail::fail_contract("eigan::Softplus: beta must be at least 1e-30 and at most 1e30, is ", beta_);
    if (!(detail::at_least(threshold_, 0) && threshold_ <= 1e30))
      detail::fail_contract("eigan::Softplus: threshold must be at least 0 and at most 1e30, is ", threshold_);
  }

  /// How sharp the bend is.
  double beta() const { return beta_; }
  /// From which beta x on y is x.
  double threshold() const { return threshold_; }
  Spec spec() const { return {"Softplus", {{"beta", beta_}, {"threshold", threshold_}}, "::eigan::Softplus"}; }

  template <class T>
  void forward(std::span<const T>, ConstView<T> x, View<T> y) const {
    const auto beta = static_cast<T>(beta_), threshold = static_cast<T>(threshold_);
    detail::for_each_column(y, x, [=](Index n, T* yj, const T* xj) {
      detail::kernels<detail::SoftplusKernels<T>>().forward(n, beta, threshold, xj, yj);
    });
  }

  template <class T>
  void backward_input(std::span<const T>, ConstView<T> x, ConstView<T>, ConstView<T> dy, View<T> dx) const {
    const auto beta = static_cast<T>(beta_), threshold = static_cast<T>(threshold_);
    detail::for_each_column(dx, x, dy, [=](Index n, T* dxj, const T* xj, const T* dyj) {
      detail::kernels<detail::SoftplusKernels<T>>().backward(n, beta, threshold, xj, dyj, dxj);
    });
  }

  template <class T>
  void add_curvature(std::span<const T>, ConstView<T> x, ConstView<T>, ConstView<T> tx, ConstView<T> dty,
                     View<T> dx) const {
    const auto beta = static_cast<T>(beta_), threshold = static_cast<T>(threshold_);
    detail::add_curvature(x, tx, dty, dx, [=](T v) {
      const T u = beta * v, z = std::exp(-std::abs(u));
      return u > threshold ? T(0) : beta * z / ((T(1) + z) * (T(1) + z));
    });
  }

 private:
  double beta_ = 1;
  double threshold_ = 20;
};

static_assert(TangentLayer<Softplus>);

}  // namespace eigan
