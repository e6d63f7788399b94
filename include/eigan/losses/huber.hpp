// Huber: squares near the target, absolute values far from it, mean over all elements. With d = y - t:
//   L = mean( d^2 / 2  where |d| <= delta,  delta (|d| - delta / 2) elsewhere )
//   dy = min(max(d, -delta), delta) / count                                          (torch.nn.HuberLoss; Huber 1964)
#pragma once

#include <algorithm>
#include <cmath>
#include <type_traits>

#include <eigan/core/finite.hpp>
#include <eigan/losses/loss.hpp>

namespace eigan {
namespace detail {
template <class T, class Gradient>
T huber(const ConstView<T>& y, const ConstView<T>& target, Gradient dy, T delta, const SampleWeights<T>& weights) {
  check_loss_shapes("huber", y, target);
  check_loss_shapes("huber", y, dy);
  if (!(is_finite(static_cast<double>(delta)) && delta > T(0)))
    fail_contract("eigan::huber: delta must be > 0 and finite, is ", delta);
  const LossMean<T> mean("huber", y.cols(), y.rows(), weights);
  const auto bend = static_cast<double>(delta);
  double sum = 0;
  for (Index j = 0; j < y.cols(); ++j) {
    const double weight = mean.weight(j);
    const T share = mean.share(j);
    for (Index i = 0; i < y.rows(); ++i) {
      const T difference = y(i, j) - target(i, j);
      const auto distance = static_cast<double>(std::abs(difference));
      // (2 |d| - m) m / 2 with m = min(|d|, delta): both cases, and a NaN stays one.
      const double bounded = distance > bend ? bend : distance;
      sum = std::fma(weight * (bounded / 2), 2 * distance - bounded, sum);
      dy(i, j) = std::clamp(difference, -delta, delta) * share;
    }
  }
  return mean.of(sum);
}
}  // namespace detail

/// y, target, dy: features x batch. Returns the loss and assigns dy. Throws std::invalid_argument unless delta > 0 and
/// finite.
template <class T>
T huber(std::type_identity_t<ConstView<T>> y, std::type_identity_t<ConstView<T>> target, View<T> dy,
        std::type_identity_t<T> delta = 1, std::type_identity_t<SampleWeights<T>> weights = {}) {
  return detail::huber<T>(y, target, dy, delta, weights);
}
/// The loss alone.
template <class T>
T huber(std::type_identity_t<ConstView<T>> y, std::type_identity_t<ConstView<T>> target,
        std::type_identity_t<T> delta = 1, std::type_identity_t<SampleWeights<T>> weights = {}) {
  return detail::huber<T>(y, target, detail::NoGradient{}, delta, weights);
}

}  // namespace eigan
