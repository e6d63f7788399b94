// Sigmoid: y = 1 / (1 + e^-x).     Backward: dx = y (1 - y) dy.     y'' = y (1 - y) (1 - 2 y).     Element-wise.
#pragma once

#include <eigan/core/layer.hpp>
#include <eigan/layers/elementwise.hpp>

namespace eigan {

/// y = 1 / (1 + e^-x).
class Sigmoid {
 public:
  static constexpr bool elementwise = true;
  static constexpr bool backward_reads_x = false;

  Spec spec() const { return {"Sigmoid", {}, "::eigan::Sigmoid"}; }

  template <class T>
  void forward(std::span<const T>, ConstView<T> x, View<T> y) const {
    detail::for_each_column(
        y, x, [](Index n, T* yj, const T* xj) { detail::kernels<detail::SigmoidKernels<T>>().forward(n, xj, yj); });
  }

  template <class T>
  void backward_input(std::span<const T>, ConstView<T>, ConstView<T> y, ConstView<T> dy, View<T> dx) const {
    detail::for_each_column(dx, y, dy, [](Index n, T* dxj, const T* yj, const T* dyj) {
      detail::kernels<detail::SigmoidKernels<T>>().backward(n, yj, dyj, dxj);
    });
  }

  template <class T>
  void add_curvature(std::span<const T>, ConstView<T>, ConstView<T> y, ConstView<T> tx, ConstView<T> dty,
                     View<T> dx) const {
    detail::add_curvature(y, tx, dty, dx, [](T v) { return v * (T(1) - v) * (T(1) - T(2) * v); });
  }
};

static_assert(TangentLayer<Sigmoid>);

}  // namespace eigan
