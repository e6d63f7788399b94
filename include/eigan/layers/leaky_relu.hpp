// LeakyReLU: y = x for x >= 0, slope x below.     Backward: dx = dy where x > 0, slope dy elsewhere.
//
// Element-wise; for slope >= 0 the signs of x and y agree, so backward reads y alone. As in torch.nn.LeakyReLU the
// slope is 0.01 unless given, and the gradient at 0 is slope dy.
#pragma once

#include <eigan/core/error.hpp>
#include <eigan/core/finite.hpp>
#include <eigan/core/layer.hpp>
#include <eigan/layers/elementwise.hpp>

namespace eigan {

/// y = x for x >= 0, slope x below.
class LeakyReLU {
 public:
  static constexpr bool elementwise = true;
  static constexpr bool backward_reads_x = false;
  static constexpr bool piecewise_linear = true;

  /// The slope 0.01.
  constexpr LeakyReLU() = default;
  /// Throws std::invalid_argument unless 0 <= negative_slope <= 1e30.
  explicit LeakyReLU(double negative_slope) : slope_(negative_slope) {
    if (!(detail::at_least(slope_, 0) && slope_ <= 1e30))
      detail::fail_contract("eigan::LeakyReLU: negative_slope must be at least 0 and at most 1e30, is ", slope_);
  }

  /// The slope below 0.
  double negative_slope() const { return slope_; }
  Spec spec() const { return {"LeakyReLU", {{"negative_slope", slope_}}, "::eigan::LeakyReLU"}; }

  template <class T>
  void forward(std::span<const T>, ConstView<T> x, View<T> y) const {
    detail::for_each_column(y, x, [s = static_cast<T>(slope_)](Index n, T* yj, const T* xj) {
      detail::kernels<detail::LeakyReluKernels<T>>().forward(n, s, xj, yj);
    });
  }

  template <class T>
  void backward_input(std::span<const T>, ConstView<T>, ConstView<T> y, ConstView<T> dy, View<T> dx) const {
    detail::for_each_column(dx, y, dy, [s = static_cast<T>(slope_)](Index n, T* dxj, const T* yj, const T* dyj) {
      detail::kernels<detail::LeakyReluKernels<T>>().backward(n, s, yj, dyj, dxj);
    });
  }

 private:
  double slope_ = 0.01;
};

static_assert(TangentLayer<LeakyReLU>);

}  // namespace eigan
