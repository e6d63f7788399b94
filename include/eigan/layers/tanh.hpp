// Tanh: y = tanh x.     Backward: dx = (1 - y^2) dy.     y'' = -2 y (1 - y^2).     Element-wise.
#pragma once

#include <cmath>

#include <eigan/core/layer.hpp>
#include <eigan/layers/elementwise.hpp>

namespace eigan {

/// y = tanh x.
class Tanh {
 public:
  static constexpr bool elementwise = true;
  static constexpr bool backward_reads_x = false;

  Spec spec() const { return {"Tanh", {}, "::eigan::Tanh"}; }

  template <class T>
  void forward(std::span<const T>, ConstView<T> x, View<T> y) const {
    detail::for_each_column(
        y, x, [](Index n, T* yj, const T* xj) { detail::kernels<detail::TanhKernels<T>>().forward(n, xj, yj); });
  }

  template <class T>
  void backward_input(std::span<const T>, ConstView<T>, ConstView<T> y, ConstView<T> dy, View<T> dx) const {
    detail::for_each_column(dx, y, dy, [](Index n, T* dxj, const T* yj, const T* dyj) {
      detail::kernels<detail::TanhKernels<T>>().backward(n, yj, dyj, dxj);
    });
  }

  template <class T>
  void add_curvature(std::span<const T>, ConstView<T>, ConstView<T> y, ConstView<T> tx, ConstView<T> dty,
                     View<T> dx) const {
    detail::add_curvature(y, tx, dty, dx, [](T v) { return T(-2) * v * std::fma(-v, v, T(1)); });
  }
};

static_assert(TangentLayer<Tanh>);

}  // namespace eigan
