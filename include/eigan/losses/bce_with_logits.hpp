// BCEWithLogits: binary cross entropy of sigmoid(z) against targets t in [0, 1], mean over all elements:
//   L = mean( max(z, 0) - t z + log(1 + e^-|z|) )          dz = (sigmoid(z) - t) / count
// Finite for every finite logit. A smoothed label is just a target of 0.9. (torch.nn.BCEWithLogitsLoss)
#pragma once

#include <cmath>
#include <type_traits>

#include <eigan/losses/loss.hpp>

namespace eigan {
namespace detail {
template <class T, class Target>
T bce_with_logits(const ConstView<T>& z, const Target& target, View<T> dz) {
  check_loss_shapes("bce_with_logits", z, dz);
  const T scale = T(1) / static_cast<T>(z.size());
  double sum = 0;
  for (Index j = 0; j < z.cols(); ++j)
    for (Index i = 0; i < z.rows(); ++i) {
      const T zij = z(i, j), t = target(i, j);
      const T e = std::exp(-std::abs(zij));
      sum += static_cast<double>(std::fma(-t, zij, std::max(zij, T(0))) + std::log1p(e));
      dz(i, j) = ((zij >= T(0) ? T(1) : e) / (T(1) + e) - t) * scale;
    }
  return static_cast<T>(sum) * scale;
}
}  // namespace detail

/// One target for all elements. Returns the loss and assigns dz.
template <class T>
T bce_with_logits(std::type_identity_t<ConstView<T>> z, std::type_identity_t<T> target, View<T> dz) {
  return detail::bce_with_logits<T>(
      z, [target](Index, Index) { return target; }, dz);
}
/// A target for each element, of the same shape as z.
template <class T>
T bce_with_logits(std::type_identity_t<ConstView<T>> z, std::type_identity_t<ConstView<T>> target, View<T> dz) {
  detail::check_loss_shapes("bce_with_logits", z, target);
  return detail::bce_with_logits<T>(z, target, dz);
}

}  // namespace eigan
