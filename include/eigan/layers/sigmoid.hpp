// Sigmoid: y = 1 / (1 + e^-x).     Backward: dx = y (1 - y) dy.     Element-wise.
#pragma once

#include <string>

#include <eigan/core/layer.hpp>
#include <eigan/layers/elementwise.hpp>

namespace eigan {

/// y = 1 / (1 + e^-x).
class Sigmoid {
 public:
  static constexpr bool elementwise = true;
  static constexpr bool backward_reads_x = false;

  std::string describe() const { return "Sigmoid()"; }

  template <class T>
  void forward(std::span<const T>, ConstView<T> x, View<T> y) const {
    detail::for_each_column(y, x,
                            [](Index n, T* yj, const T* xj) { detail::elementwise_kernels<T>().sigmoid(n, xj, yj); });
  }

  template <class T>
  void backward_input(std::span<const T>, ConstView<T>, ConstView<T> y, ConstView<T> dy, View<T> dx) const {
    detail::for_each_column(dx, y, dy, [](Index n, T* dxj, const T* yj, const T* dyj) {
      detail::elementwise_kernels<T>().sigmoid_backward(n, yj, dyj, dxj);
    });
  }
};

static_assert(Layer<Sigmoid>);

}  // namespace eigan
