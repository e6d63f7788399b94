// KlDivergence of a diagonal normal distribution, mean mu and variance e^logvar, from the standard one: what a
// variational autoencoder pays for its code (Kingma and Welling 2014). For one element:
//   l = (mu^2 + e^logvar - 1 - logvar) / 2        dl/dmu = mu        dl/dlogvar = (e^logvar - 1) / 2
// Summed over a sample's elements and averaged over the samples, or averaged over all elements.
#pragma once

#include <cmath>
#include <type_traits>

#include <eigan/losses/loss.hpp>

namespace eigan {

/// mu, logvar, dmu, dlogvar: features x batch; two halves of an encoder's output are views of its rows. Returns the
/// loss and assigns both gradients.
template <class T>
T kl_divergence(std::type_identity_t<ConstView<T>> mu, std::type_identity_t<ConstView<T>> logvar, View<T> dmu,
                View<T> dlogvar, Reduction reduction = Reduction::batchmean) {
  detail::check_loss_shapes("kl_divergence", mu, logvar);
  detail::check_loss_shapes("kl_divergence", mu, dmu);
  detail::check_loss_shapes("kl_divergence", mu, dlogvar);
  const T scale = T(1) / static_cast<T>(reduction == Reduction::mean ? mu.size() : mu.cols());
  double sum = 0;
  for (Index j = 0; j < mu.cols(); ++j)
    for (Index i = 0; i < mu.rows(); ++i) {
      const auto m = static_cast<double>(mu(i, j)), l = static_cast<double>(logvar(i, j));
      const double excess = std::expm1(l);  // of the variance over 1
      sum += std::fma(m, m, excess - l) / 2;
      dmu(i, j) = mu(i, j) * scale;
      dlogvar(i, j) = static_cast<T>(excess / 2) * scale;
    }
  return static_cast<T>(sum) * scale;
}

}  // namespace eigan
