// SiLU, also called swish: y = x s(x), s(x) = 1 / (1 + e^-x) (Elfwing et al. 2018; Ramachandran et al. 2017).
//   dx = s (1 + x (1 - s)) dy        y'' = s (1 - s) (2 + x (1 - 2 s))
// Element-wise.
#pragma once

#include <cmath>

#include <eigan/core/layer.hpp>
#include <eigan/kernels/activations.hpp>
#include <eigan/layers/elementwise.hpp>

namespace eigan {

/// y = x / (1 + e^-x).
class SiLU {
 public:
  static constexpr bool elementwise = true;
  static constexpr bool backward_reads_y = false;

  Spec spec() const { return {"SiLU", {}, "::eigan::SiLU"}; }

  template <class T>
  void forward(std::span<const T>, ConstView<T> x, View<T> y) const {
    detail::for_each_column(
        y, x, [](Index n, T* yj, const T* xj) { detail::kernels<detail::SiluKernels<T>>().forward(n, xj, yj); });
  }

  template <class T>
  void backward_input(std::span<const T>, ConstView<T> x, ConstView<T>, ConstView<T> dy, View<T> dx) const {
    detail::for_each_column(dx, x, dy, [](Index n, T* dxj, const T* xj, const T* dyj) {
      detail::kernels<detail::SiluKernels<T>>().backward(n, xj, dyj, dxj);
    });
  }

  template <class T>
  void add_curvature(std::span<const T>, ConstView<T> x, ConstView<T>, ConstView<T> tx, ConstView<T> dty,
                     View<T> dx) const {
    detail::add_curvature(x, tx, dty, dx, [](T v) {
      const T z = std::exp(-std::abs(v)), slope = z / ((T(1) + z) * (T(1) + z));  // s (1 - s)
      const T balance = std::copysign((T(1) - z) / (T(1) + z), v);                // 2 s - 1
      return slope * std::fma(-v, balance, T(2));
    });
  }
};

static_assert(TangentLayer<SiLU>);

}  // namespace eigan
