// MSE: L = mean( (y - t)^2 ) over all elements,   dy = 2 (y - t) / count.     (torch.nn.MSELoss)
#pragma once

#include <cmath>
#include <type_traits>

#include <eigan/losses/loss.hpp>

namespace eigan {

/// y, target, dy: features x batch. Returns the loss and assigns dy.
template <class T>
T mse(std::type_identity_t<ConstView<T>> y, std::type_identity_t<ConstView<T>> target, View<T> dy) {
  detail::check_loss_shapes("mse", y, target);
  detail::check_loss_shapes("mse", y, dy);
  const T scale = T(1) / static_cast<T>(y.size());
  double sum = 0;
  for (Index j = 0; j < y.cols(); ++j)
    for (Index i = 0; i < y.rows(); ++i) {
      const T difference = y(i, j) - target(i, j);
      sum = std::fma(static_cast<double>(difference), static_cast<double>(difference), sum);
      dy(i, j) = difference * (2 * scale);
    }
  return static_cast<T>(sum) * scale;
}

}  // namespace eigan
