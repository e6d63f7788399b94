// BCE: binary cross entropy of probabilities y against targets t in [0, 1], mean over all elements:
//   L = -mean( t max(log y, -100) + (1 - t) max(log(1 - y), -100) )       dy = (y - t) / max(y (1 - y), 1e-12) / count
// The logarithms stop at -100 so that the loss stays finite at y = 0 and 1, and the gradient's denominator at 1e-12
// so that it does: both as torch.nn.BCELoss has them. Where there is a choice, BCEWithLogits is the better tool.
#pragma once

#include <algorithm>
#include <cmath>
#include <type_traits>

#include <eigan/losses/loss.hpp>

namespace eigan {
namespace detail {
/// max(x, -100), but a NaN stays a NaN.
template <class T>
T clamp_log(T x) {
  return x < T(-100) ? T(-100) : x;
}

template <class T, class Target, class Gradient>
T bce(const ConstView<T>& y, const Target& target, Gradient dy, const SampleWeights<T>& weights) {
  check_loss_shapes("bce", y, dy);
  const LossMean<T> mean("bce", y.cols(), y.rows(), weights);
  double sum = 0;
  for (Index j = 0; j < y.cols(); ++j) {
    const double weight = mean.weight(j);
    const T share = mean.share(j);
    for (Index i = 0; i < y.rows(); ++i) {
      const T p = y(i, j), t = target(i, j);
      if (p < T(0) || p > T(1))
        fail_contract("eigan::bce: sample ", j, ", feature ", i, ": expected a probability from 0 to 1, found ", p,
                      "; bce_with_logits takes logits");
      const T log_p = clamp_log(std::log(p)), log_q = clamp_log(std::log1p(-p));
      sum = std::fma(-weight, static_cast<double>(std::fma(t, log_p, (T(1) - t) * log_q)), sum);
      dy(i, j) = (p - t) / std::max((T(1) - p) * p, T(1e-12F)) * share;  // a float in PyTorch, for double, too
    }
  }
  return mean.of(sum);
}
}  // namespace detail

/// One target for all elements. Returns the loss and assigns dy. Throws std::invalid_argument for a y outside [0, 1].
template <class T>
T bce(std::type_identity_t<ConstView<T>> y, std::type_identity_t<T> target, View<T> dy,
      std::type_identity_t<SampleWeights<T>> weights = {}) {
  return detail::bce<T>(
      y, [target](Index, Index) { return target; }, dy, weights);
}
/// A target for each element, of the same shape as y.
template <class T>
T bce(std::type_identity_t<ConstView<T>> y, std::type_identity_t<ConstView<T>> target, View<T> dy,
      std::type_identity_t<SampleWeights<T>> weights = {}) {
  detail::check_loss_shapes("bce", y, target);
  return detail::bce<T>(y, target, dy, weights);
}
/// The loss alone.
template <class T>
T bce(std::type_identity_t<ConstView<T>> y, std::type_identity_t<T> target,
      std::type_identity_t<SampleWeights<T>> weights = {}) {
  return detail::bce<T>(
      y, [target](Index, Index) { return target; }, detail::NoGradient{}, weights);
}
template <class T>
T bce(std::type_identity_t<ConstView<T>> y, std::type_identity_t<ConstView<T>> target,
      std::type_identity_t<SampleWeights<T>> weights = {}) {
  detail::check_loss_shapes("bce", y, target);
  return detail::bce<T>(y, target, detail::NoGradient{}, weights);
}

}  // namespace eigan
