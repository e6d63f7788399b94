// L1: L = mean |y - t| over all elements,   dy = sign(y - t) / count, 0 where they are equal.     (torch.nn.L1Loss)
#pragma once

#include <cmath>
#include <type_traits>

#include <eigan/losses/loss.hpp>

namespace eigan {
namespace detail {
template <class T, class Gradient>
T l1(const ConstView<T>& y, const ConstView<T>& target, Gradient dy, const SampleWeights<T>& weights) {
  check_loss_shapes("l1", y, target);
  check_loss_shapes("l1", y, dy);
  const LossMean<T> mean("l1", y.cols(), y.rows(), weights);
  double sum = 0;
  for (Index j = 0; j < y.cols(); ++j) {
    const double weight = mean.weight(j);
    const T share = mean.share(j);
    for (Index i = 0; i < y.rows(); ++i) {
      const T difference = y(i, j) - target(i, j);
      sum = std::fma(weight, static_cast<double>(std::abs(difference)), sum);
      const bool has_sign = difference < T(0) || difference > T(0);         // no branch on it: it may fall either way
      dy(i, j) = has_sign ? std::copysign(share, difference) : difference;  // 0, or a NaN
    }
  }
  return mean.of(sum);
}
}  // namespace detail

/// y, target, dy: features x batch. Returns the loss and assigns dy.
template <class T>
T l1(std::type_identity_t<ConstView<T>> y, std::type_identity_t<ConstView<T>> target, View<T> dy,
     std::type_identity_t<SampleWeights<T>> weights = {}) {
  return detail::l1<T>(y, target, dy, weights);
}
/// The loss alone.
template <class T>
T l1(std::type_identity_t<ConstView<T>> y, std::type_identity_t<ConstView<T>> target,
     std::type_identity_t<SampleWeights<T>> weights = {}) {
  return detail::l1<T>(y, target, detail::NoGradient{}, weights);
}

}  // namespace eigan
