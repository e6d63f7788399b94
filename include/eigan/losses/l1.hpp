// L1: L = mean |y - t| over all elements,   dy = sign(y - t) / count, 0 where they are equal.     (torch.nn.L1Loss)
#pragma once

#include <cmath>
#include <type_traits>

#include <eigan/losses/loss.hpp>

namespace eigan {

/// y, target, dy: features x batch. Returns the loss and assigns dy.
template <class T>
T l1(std::type_identity_t<ConstView<T>> y, std::type_identity_t<ConstView<T>> target, View<T> dy) {
  detail::check_loss_shapes("l1", y, target);
  detail::check_loss_shapes("l1", y, dy);
  const T scale = T(1) / static_cast<T>(y.size());
  double sum = 0;
  for (Index j = 0; j < y.cols(); ++j)
    for (Index i = 0; i < y.rows(); ++i) {
      const T difference = y(i, j) - target(i, j);
      sum += static_cast<double>(std::abs(difference));
      const bool has_sign = difference < T(0) || difference > T(0);         // no branch on it: it may fall either way
      dy(i, j) = has_sign ? std::copysign(scale, difference) : difference;  // 0, or a NaN
    }
  return static_cast<T>(sum) * scale;
}

}  // namespace eigan
