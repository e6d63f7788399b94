// Tanh: y = tanh x.     Backward: dx = (1 - y^2) dy.     Element-wise.
#pragma once

#include <string>

#include <eigan/core/layer.hpp>
#include <eigan/layers/elementwise.hpp>

namespace eigan {

/// y = tanh x.
class Tanh {
 public:
  static constexpr bool elementwise = true;
  static constexpr bool backward_reads_x = false;

  std::string describe() const { return "Tanh()"; }

  template <class T>
  void forward(std::span<const T>, ConstView<T> x, View<T> y) const {
    detail::for_each_column(y, x,
                            [](Index n, T* yj, const T* xj) { detail::elementwise_kernels<T>().tanh(n, xj, yj); });
  }

  template <class T>
  void backward_input(std::span<const T>, ConstView<T>, ConstView<T> y, ConstView<T> dy, View<T> dx) const {
    detail::for_each_column(dx, y, dy, [](Index n, T* dxj, const T* yj, const T* dyj) {
      detail::elementwise_kernels<T>().tanh_backward(n, yj, dyj, dxj);
    });
  }
};

static_assert(Layer<Tanh>);

}  // namespace eigan
