// PReLU: y = x above 0, a x elsewhere, with a slope a to learn: one for all, or one for each channel (He et al. 2015).
//   dx = dy where x > 0, a dy elsewhere        da += sum of x dy over samples and pixels where x <= 0
// Element-wise; its parameters are as in torch.nn.PReLU, and start at 0.25. Channels run fastest in a column, so number
// i of it has the slope i mod num_parameters.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <vector>

#include <eigan/core/error.hpp>
#include <eigan/core/finite.hpp>
#include <eigan/core/layer.hpp>
#include <eigan/kernels/elementwise.hpp>
#include <eigan/kernels/prelu.hpp>
#include <eigan/layers/elementwise.hpp>

namespace eigan {

/// y = x above 0, a x elsewhere.
class PReLU {
 public:
  static constexpr bool elementwise = true;
  static constexpr bool backward_reads_y = false;
  static constexpr bool piecewise_linear = true;

  /// num_parameters: 1, or the number of channels. Throws std::invalid_argument unless it is in 1 to 2^31 - 1 and the
  /// initial slope finite.
  constexpr explicit PReLU(Index num_parameters = 1, double init = 0.25) : slopes_(num_parameters), init_(init) {
    if (slopes_ < 1 || slopes_ > most_size)
      detail::fail_contract("eigan::PReLU: num_parameters must be in 1 to 2^31 - 1, is ", slopes_);
    if (!detail::is_finite(init_)) detail::fail_contract("eigan::PReLU: init must be finite, is ", init_);
  }

  /// How many slopes there are.
  Index num_parameters() const { return slopes_; }
  Index param_size() const { return slopes_; }
  Spec spec() const {
    Spec spec{"PReLU", {{"num_parameters", slopes_}}, "::eigan::PReLU"};
    if (init_ != 0.25) spec.settings.emplace_back("init", init_);
    return spec;
  }
  std::vector<Parameter> parameters() const { return {{"weight", 0, slopes_, 1, 1}}; }
  constexpr Shape output_shape(Shape in) const { return slopes_ == 1 || in.channels == slopes_ ? in : Shape{}; }
  PReLU at(Shape) const { return *this; }
  /// What it takes, in words.
  std::string expects() const { return slopes_ == 1 ? "any shape" : detail::concat(slopes_, " channels"); }

  template <class T>
  void init(std::span<T> p, Rng) const {
    std::fill(p.begin(), p.end(), static_cast<T>(init_));
  }

  template <class T>
  void forward(std::span<const T> p, ConstView<T> x, View<T> y) const {
    check_rows(x.rows());
    detail::for_each_column(y, x, [&](Index n, T* yj, const T* xj) {
      if (slopes_ == 1) return detail::kernels<detail::LeakyReluKernels<T>>().forward(n, p[0], xj, yj);
      for (Index i = 0; i < n; i += slopes_) detail::prelu_kernels<T>().forward(slopes_, p.data(), xj + i, yj + i);
    });
  }

  template <class T>
  void backward_input(std::span<const T> p, ConstView<T> x, ConstView<T>, ConstView<T> dy, View<T> dx) const {
    check_rows(x.rows());
    detail::for_each_column(dx, x, dy, [&](Index n, T* dxj, const T* xj, const T* dyj) {
      if (slopes_ == 1) return detail::kernels<detail::LeakyReluKernels<T>>().backward(n, p[0], xj, dyj, dxj);
      for (Index i = 0; i < n; i += slopes_)
        detail::prelu_kernels<T>().backward(slopes_, p.data(), xj + i, dyj + i, dxj + i);
    });
  }

  template <class T>
  void backward_params(std::span<const T>, ConstView<T> x, ConstView<T>, ConstView<T> dy, std::span<T> dp) const {
    add_slopes(x, x, dy, dp);
  }
  /// Few slopes, many samples.
  Index gradient_splits(Index batch) const { return std::clamp<Index>(batch / 4, 1, 8); }

  template <class T>
  void backward_params_tangent(std::span<const T>, ConstView<T> x, ConstView<T>, ConstView<T> tx, ConstView<T> dty,
                               std::span<T> dp) const {
    add_slopes(x, tx, dty, dp);
  }

 private:
  void check_rows(Index rows) const {
    if (rows % slopes_ != 0)
      detail::fail_contract("eigan::PReLU: ", rows, " numbers are not whole pixels of ", slopes_);
  }
  /// da += sum of v dy where x <= 0. A sample's pixels are added up first, then the samples, so that rounding errors of
  /// large images stay small.
  template <class T>
  void add_slopes(const ConstView<T>& x, const ConstView<T>& v, const ConstView<T>& dy, std::span<T> da) const {
    check_rows(x.rows());
    const auto& kernels = detail::prelu_kernels<T>();
    constexpr Index most = 64;
    for (Index j = 0; j < x.cols(); ++j) {
      const T *xj = x.data() + j * x.outerStride(), *vj = v.data() + j * v.outerStride(),
              *dyj = dy.data() + j * dy.outerStride();
      if (slopes_ == 1) {
        da[0] += kernels.sum_below(x.rows(), xj, vj, dyj);
        continue;
      }
      for (Index first = 0; first < slopes_; first += most) {
        const Index count = std::min(most, slopes_ - first);
        std::array<T, most> sums{};
        for (Index i = first; i < x.rows(); i += slopes_)
          kernels.add_below(count, xj + i, vj + i, dyj + i, sums.data());
        for (Index c = 0; c < count; ++c) da[static_cast<std::size_t>(first + c)] += sums[static_cast<std::size_t>(c)];
      }
    }
  }

  Index slopes_;
  double init_;
};

static_assert(ParametricLayer<PReLU> && TangentLayer<PReLU> && ShapedLayer<PReLU>);

}  // namespace eigan
