// ReLU: y = max(0, x).     Backward: dx = dy where x > 0, 0 elsewhere.     Element-wise; a NaN stays a NaN.
#pragma once

#include <eigan/core/layer.hpp>
#include <eigan/layers/elementwise.hpp>

namespace eigan {

/// y = max(0, x).
class ReLU {
 public:
  static constexpr bool elementwise = true;
  static constexpr bool backward_reads_x = false;
  static constexpr bool piecewise_linear = true;

  Spec spec() const { return {"ReLU", {}, "::eigan::ReLU"}; }

  template <class T>
  void forward(std::span<const T>, ConstView<T> x, View<T> y) const {
    detail::for_each_column(
        y, x, [](Index n, T* yj, const T* xj) { detail::kernels<detail::ReluKernels<T>>().forward(n, xj, yj); });
  }

  template <class T>
  void backward_input(std::span<const T>, ConstView<T>, ConstView<T> y, ConstView<T> dy, View<T> dx) const {
    detail::for_each_column(dx, y, dy, [](Index n, T* dxj, const T* yj, const T* dyj) {
      detail::kernels<detail::LeakyReluKernels<T>>().backward(n, T(0), yj, dyj, dxj);
    });
  }
};

static_assert(TangentLayer<ReLU>);

}  // namespace eigan
