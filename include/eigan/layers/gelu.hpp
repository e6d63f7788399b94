// GELU: y = x Phi(x), where Phi is the distribution function of the standard normal and phi its density (Hendrycks and
// Gimpel 2016).
//   dx = (Phi(x) + x phi(x)) dy        y'' = (2 - x^2) phi(x)
// Element-wise; exact, as torch.nn.GELU is unless told otherwise. Its approximation by tanh is another function, which
// is refused by name.
#pragma once

#include <cmath>
#include <numbers>
#include <string_view>

#include <eigan/core/error.hpp>
#include <eigan/core/layer.hpp>
#include <eigan/kernels/activations.hpp>
#include <eigan/layers/elementwise.hpp>

namespace eigan {

/// y = x Phi(x).
class GELU {
 public:
  static constexpr bool elementwise = true;
  static constexpr bool backward_reads_y = false;

  constexpr GELU() = default;
  /// PyTorch's argument. Throws std::invalid_argument unless it is "none".
  explicit GELU(std::string_view approximate) {
    if (approximate != "none")
      detail::fail_contract("eigan::GELU: approximate must be none, is ", approximate, ", which is not built");
  }

  Spec spec() const { return {"GELU", {}, "::eigan::GELU"}; }

  template <class T>
  void forward(std::span<const T>, ConstView<T> x, View<T> y) const {
    detail::for_each_column(
        y, x, [](Index n, T* yj, const T* xj) { detail::kernels<detail::GeluKernels<T>>().forward(n, xj, yj); });
  }

  template <class T>
  void backward_input(std::span<const T>, ConstView<T> x, ConstView<T>, ConstView<T> dy, View<T> dx) const {
    detail::for_each_column(dx, x, dy, [](Index n, T* dxj, const T* xj, const T* dyj) {
      detail::kernels<detail::GeluKernels<T>>().backward(n, xj, dyj, dxj);
    });
  }

  template <class T>
  void add_curvature(std::span<const T>, ConstView<T> x, ConstView<T>, ConstView<T> tx, ConstView<T> dty,
                     View<T> dx) const {
    constexpr T density_at_0 = std::numbers::inv_sqrtpi_v<T> / std::numbers::sqrt2_v<T>;
    detail::add_curvature(x, tx, dty, dx,
                          [](T v) { return std::fma(-v, v, T(2)) * (density_at_0 * std::exp(T(-0.5) * (v * v))); });
  }
};

static_assert(TangentLayer<GELU>);

}  // namespace eigan
