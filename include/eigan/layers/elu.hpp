// ELU: y = x above 0, alpha (e^x - 1) elsewhere (Clevert et al. 2016).
//   dx = dy where y > 0, (y + alpha) dy elsewhere        y'' = y + alpha where y <= 0
// Element-wise; for alpha >= 0 the signs of x and y agree, so backward reads y alone.
#pragma once

#include <cmath>

#include <eigan/core/error.hpp>
#include <eigan/core/finite.hpp>
#include <eigan/core/layer.hpp>
#include <eigan/kernels/activations.hpp>
#include <eigan/layers/elementwise.hpp>

namespace eigan {

/// y = x above 0, alpha (e^x - 1) elsewhere.
class ELU {
 public:
  static constexpr bool elementwise = true;
  static constexpr bool backward_reads_x = false;

  /// alpha = 1.
  constexpr ELU() = default;
  /// Throws std::invalid_argument unless 0 <= alpha <= 1e30.
  explicit ELU(double alpha) : alpha_(alpha) {
    if (!(detail::at_least(alpha_, 0) && alpha_ <= 1e30))
      detail::fail_contract("eigan::ELU: alpha must be at least 0 and at most 1e30, is ", alpha_);
  }

  /// What y falls to, with the sign changed.
  double alpha() const { return alpha_; }
  Spec spec() const { return {"ELU", {{"alpha", alpha_}}, "::eigan::ELU"}; }

  template <class T>
  void forward(std::span<const T>, ConstView<T> x, View<T> y) const {
    detail::for_each_column(y, x, [alpha = static_cast<T>(alpha_)](Index n, T* yj, const T* xj) {
      detail::kernels<detail::EluKernels<T>>().forward(n, alpha, xj, yj);
    });
  }

  template <class T>
  void backward_input(std::span<const T>, ConstView<T>, ConstView<T> y, ConstView<T> dy, View<T> dx) const {
    detail::for_each_column(dx, y, dy, [alpha = static_cast<T>(alpha_)](Index n, T* dxj, const T* yj, const T* dyj) {
      detail::kernels<detail::EluKernels<T>>().backward(n, alpha, yj, dyj, dxj);
    });
  }

  template <class T>
  void add_curvature(std::span<const T>, ConstView<T>, ConstView<T> y, ConstView<T> tx, ConstView<T> dty,
                     View<T> dx) const {
    detail::add_curvature(y, tx, dty, dx,
                          [alpha = static_cast<T>(alpha_)](T v) { return v > T(0) ? T(0) : v + alpha; });
  }

 private:
  double alpha_ = 1;
};

static_assert(TangentLayer<ELU>);

}  // namespace eigan
