// Dropout: in training y = m x / (1 - p), m = 0 with probability p and 1 otherwise; at inference y = x.
// Backward: dx = m dy / (1 - p), with the mask drawn again: it is a function of the pass's generator, the sample and
// the feature, and is never stored. (Srivastava et al. 2014, "inverted": the scale is applied in training.)
// A mask bit takes 16 random bits: p is rounded to a multiple of 2^-16, in the scale as well.
#pragma once

#include <cmath>
#include <cstdint>

#include <eigan/core/error.hpp>
#include <eigan/core/finite.hpp>
#include <eigan/core/layer.hpp>
#include <eigan/kernels/random.hpp>

namespace eigan {

/// y = m x / (1 - p) in training, y = x at inference.
class Dropout {
 public:
  static constexpr bool elementwise = true;
  static constexpr bool backward_reads_x = false;
  static constexpr bool backward_reads_y = false;
  static constexpr bool piecewise_linear = true;

  /// p = 0.5.
  constexpr Dropout() = default;
  /// p: the probability of zeroing an element. Throws std::invalid_argument unless 0 <= p < 1.
  explicit Dropout(double p) : p_(p) {
    if (!(detail::at_least(p, 0) && p < 1)) detail::fail_contract("eigan::Dropout: p must be in [0, 1), is ", p);
    if (threshold() == draws) detail::fail_contract("eigan::Dropout: p is too close to 1: ", p);
  }

  /// The probability of zeroing an element.
  double p() const { return p_; }
  Spec spec() const { return {"Dropout", {{"p", p_}}, "::eigan::Dropout"}; }

  template <class T>
  void forward(std::span<const T>, ConstView<T> x, View<T> y) const {
    if (y.data() != x.data()) y = x;
  }
  template <class T>
  void backward_input(std::span<const T>, ConstView<T>, ConstView<T>, ConstView<T> dy, View<T> dx) const {
    if (dx.data() != dy.data()) dx = dy;
  }

  template <class T>
  void forward_train(std::span<const T>, ConstView<T> x, View<T> y, Draw draw) const {
    mask<T>(x, y, draw);
  }
  template <class T>
  void backward_input_train(std::span<const T>, ConstView<T>, ConstView<T>, ConstView<T> dy, View<T> dx,
                            Draw draw) const {
    mask<T>(dy, dx, draw);
  }

 private:
  template <class T>
  void mask(const ConstView<T>& in, View<T> out, Draw draw) const {
    if (threshold() == 0) {
      if (out.data() != in.data()) out = in;
      return;
    }
    const T scale = static_cast<T>(double{draws} / (draws - threshold()));
    for (Index j = 0; j < out.cols(); ++j)
      detail::kernels<detail::DropoutKernels<T>>().dropout(
          out.rows(), draw.rng.key(), static_cast<std::uint64_t>(draw.first_sample + j), threshold(), scale,
          in.data() + j * in.outerStride(), out.data() + j * out.outerStride());
  }

  static constexpr std::uint32_t draws = 1 << 16;
  /// Of all draws, those below this are dropped.
  std::uint32_t threshold() const { return static_cast<std::uint32_t>(std::lround(p_ * draws)); }

  double p_ = 0.5;
};

static_assert(StochasticLayer<Dropout> && TangentLayer<Dropout>);

}  // namespace eigan
