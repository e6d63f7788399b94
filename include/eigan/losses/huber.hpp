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

/// y, target, dy: features x batch. Returns the loss and assigns dy. Throws std::invalid_argument unless delta > 0 and
/// finite.
template <class T>
T huber(std::type_identity_t<ConstView<T>> y, std::type_identity_t<ConstView<T>> target, View<T> dy,
        std::type_identity_t<T> delta = 1) {
  detail::check_loss_shapes("huber", y, target);
  detail::check_loss_shapes("huber", y, dy);
  if (!(detail::is_finite(static_cast<double>(delta)) && delta > T(0)))
    detail::fail_contract("eigan::huber: delta must be > 0 and finite, is ", delta);
  const T scale = T(1) / static_cast<T>(y.size());
  const auto bend = static_cast<double>(delta);
  double sum = 0;
  for (Index j = 0; j < y.cols(); ++j)
    for (Index i = 0; i < y.rows(); ++i) {
      const T difference = y(i, j) - target(i, j);
      const auto distance = static_cast<double>(std::abs(difference));
      // (2 |d| - m) m / 2 with m = min(|d|, delta): both cases, and a NaN stays one.
      const double bounded = distance > bend ? bend : distance;
      sum = std::fma(bounded / 2, 2 * distance - bounded, sum);
      dy(i, j) = std::clamp(difference, -delta, delta) * scale;
    }
  return static_cast<T>(sum) * scale;
}

}  // namespace eigan
