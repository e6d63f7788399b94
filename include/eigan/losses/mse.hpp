// MSE: L = mean( (y - t)^2 ) over all elements,   dy = 2 (y - t) / count.     (torch.nn.MSELoss)
#pragma once

#include <type_traits>

#include <eigan/losses/loss.hpp>

namespace eigan {

/// y, target, dy: features x batch. Returns the loss and assigns dy.
template <class T>
T mse(std::type_identity_t<ConstView<T>> y, std::type_identity_t<ConstView<T>> target, View<T> dy) {
  detail::check_loss_shapes("mse", y, target);
  detail::check_loss_shapes("mse", y, dy);
  const T scale = T(1) / static_cast<T>(y.size());
  const double sum = (y - target).template cast<double>().squaredNorm();
  dy = (y - target) * (2 * scale);
  return static_cast<T>(sum) * scale;
}

}  // namespace eigan
