// MSE: L = mean( (y - t)^2 ) over all elements,   dy = 2 (y - t) / count.     (torch.nn.MSELoss)
#pragma once

#include <cmath>
#include <type_traits>

#include <eigan/losses/loss.hpp>

namespace eigan {
namespace detail {
template <class T, class Gradient>
T mse(const ConstView<T>& y, const ConstView<T>& target, Gradient dy, const SampleWeights<T>& weights) {
  check_loss_shapes("mse", y, target);
  check_loss_shapes("mse", y, dy);
  const LossMean<T> mean("mse", y.cols(), y.rows(), weights);
  double sum = 0;
  for (Index j = 0; j < y.cols(); ++j) {
    const double weight = mean.weight(j);
    const T share = mean.share(j);
    for (Index i = 0; i < y.rows(); ++i) {
      const T difference = y(i, j) - target(i, j);
      sum = std::fma(weight * static_cast<double>(difference), static_cast<double>(difference), sum);
      dy(i, j) = difference * (2 * share);
    }
  }
  return mean.of(sum);
}
}  // namespace detail

/// y, target, dy: features x batch. Returns the loss and assigns dy.
template <class T>
T mse(std::type_identity_t<ConstView<T>> y, std::type_identity_t<ConstView<T>> target, View<T> dy,
      std::type_identity_t<SampleWeights<T>> weights = {}) {
  return detail::mse<T>(y, target, dy, weights);
}
/// The loss alone.
template <class T>
T mse(std::type_identity_t<ConstView<T>> y, std::type_identity_t<ConstView<T>> target,
      std::type_identity_t<SampleWeights<T>> weights = {}) {
  return detail::mse<T>(y, target, detail::NoGradient{}, weights);
}

}  // namespace eigan
