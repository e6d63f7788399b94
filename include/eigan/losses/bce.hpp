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

template <class T, class Target>
T bce(const ConstView<T>& y, const Target& target, View<T> dy) {
  check_loss_shapes("bce", y, dy);
  const T scale = T(1) / static_cast<T>(y.size());
  double sum = 0;
  for (Index j = 0; j < y.cols(); ++j)
    for (Index i = 0; i < y.rows(); ++i) {
      const T p = y(i, j), t = target(i, j);
      const T log_p = clamp_log(std::log(p)), log_q = clamp_log(std::log1p(-p));
      sum -= static_cast<double>(std::fma(t, log_p, (T(1) - t) * log_q));
      dy(i, j) = (p - t) / std::max((T(1) - p) * p, T(1e-12F)) * scale;  // a float in PyTorch, for double, too
    }
  return static_cast<T>(sum) * scale;
}
}  // namespace detail

/// One target for all elements. Returns the loss and assigns dy.
template <class T>
T bce(std::type_identity_t<ConstView<T>> y, std::type_identity_t<T> target, View<T> dy) {
  return detail::bce<T>(
      y, [target](Index, Index) { return target; }, dy);
}
/// A target for each element, of the same shape as y.
template <class T>
T bce(std::type_identity_t<ConstView<T>> y, std::type_identity_t<ConstView<T>> target, View<T> dy) {
  detail::check_loss_shapes("bce", y, target);
  return detail::bce<T>(y, target, dy);
}

}  // namespace eigan
