// BCEWithLogits: binary cross entropy of sigmoid(z) against targets t in [0, 1], mean over all elements:
//   L = mean( max(z, 0) - t z + log(1 + e^-|z|) )          dz = (sigmoid(z) - t) / count
// Finite for every finite logit, and what it tends to at infinite ones: 0 where the target is met, else infinite. A
// smoothed label is just a target of 0.9. (torch.nn.BCEWithLogitsLoss)
#pragma once

#include <algorithm>
#include <cmath>
#include <type_traits>

#include <eigan/losses/loss.hpp>

namespace eigan {
namespace detail {
/// max(z, 0) - t z, which is |z| times the distance from t to where z points.
template <class T>
T logit_excess(T z, T t) {
  if (!std::isinf(z)) return std::fma(-t, z, std::max(z, T(0)));
  const T distance = std::abs(T(z > 0) - t);
  return distance == 0 ? T(0) : distance * std::abs(z);
}

template <class T, class Target, class Gradient>
T bce_with_logits(const ConstView<T>& z, const Target& target, Gradient dz, const SampleWeights<T>& weights) {
  check_loss_shapes("bce_with_logits", z, dz);
  const LossMean<T> mean("bce_with_logits", z.cols(), z.rows(), weights);
  double sum = 0;
  for (Index j = 0; j < z.cols(); ++j) {
    const double weight = mean.weight(j);
    const T share = mean.share(j);
    for (Index i = 0; i < z.rows(); ++i) {
      const T zij = z(i, j), t = target(i, j);
      const T e = std::exp(-std::abs(zij));
      sum = std::fma(weight, static_cast<double>(logit_excess(zij, t) + std::log1p(e)), sum);
      dz(i, j) = ((zij >= T(0) ? T(1) : e) / (T(1) + e) - t) * share;
    }
  }
  return mean.of(sum);
}
}  // namespace detail

/// One target for all elements. Returns the loss and assigns dz.
template <class T>
T bce_with_logits(std::type_identity_t<ConstView<T>> z, std::type_identity_t<T> target, View<T> dz,
                  std::type_identity_t<SampleWeights<T>> weights = {}) {
  return detail::bce_with_logits<T>(
      z, [target](Index, Index) { return target; }, dz, weights);
}
/// A target for each element, of the same shape as z.
template <class T>
T bce_with_logits(std::type_identity_t<ConstView<T>> z, std::type_identity_t<ConstView<T>> target, View<T> dz,
                  std::type_identity_t<SampleWeights<T>> weights = {}) {
  detail::check_loss_shapes("bce_with_logits", z, target);
  return detail::bce_with_logits<T>(z, target, dz, weights);
}
/// The loss alone.
template <class T>
T bce_with_logits(std::type_identity_t<ConstView<T>> z, std::type_identity_t<T> target,
                  std::type_identity_t<SampleWeights<T>> weights = {}) {
  return detail::bce_with_logits<T>(
      z, [target](Index, Index) { return target; }, detail::NoGradient{}, weights);
}
template <class T>
T bce_with_logits(std::type_identity_t<ConstView<T>> z, std::type_identity_t<ConstView<T>> target,
                  std::type_identity_t<SampleWeights<T>> weights = {}) {
  detail::check_loss_shapes("bce_with_logits", z, target);
  return detail::bce_with_logits<T>(z, target, detail::NoGradient{}, weights);
}

}  // namespace eigan
