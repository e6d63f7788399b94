// KlDivergence of a diagonal normal distribution, mean mu and variance e^logvar, from the standard one: what a
// variational autoencoder pays for its code (Kingma and Welling 2014). For one element:
//   l = (mu^2 + e^logvar - 1 - logvar) / 2        dl/dmu = mu        dl/dlogvar = (e^logvar - 1) / 2
// Summed over a sample's elements and averaged over the samples, or averaged over all elements.
#pragma once

#include <cmath>
#include <type_traits>

#include <eigan/losses/loss.hpp>

namespace eigan {
namespace detail {
template <class T, class Gradient>
T kl_divergence(const ConstView<T>& mu, const ConstView<T>& logvar, Gradient dmu, Gradient dlogvar, Reduction reduction,
                const SampleWeights<T>& weights) {
  check_loss_shapes("kl_divergence", mu, logvar);
  check_loss_shapes("kl_divergence", mu, dmu);
  check_loss_shapes("kl_divergence", mu, dlogvar);
  const LossMean<T> mean("kl_divergence", mu.cols(), reduction == Reduction::mean ? mu.rows() : 1, weights);
  double sum = 0;
  for (Index j = 0; j < mu.cols(); ++j) {
    const double weight = mean.weight(j);
    const T share = mean.share(j);
    for (Index i = 0; i < mu.rows(); ++i) {
      const auto m = static_cast<double>(mu(i, j)), l = static_cast<double>(logvar(i, j));
      const double excess = std::expm1(l);  // of the variance over 1
      sum = std::fma(weight, std::fma(m, m, std::isinf(excess) ? excess : excess - l) / 2, sum);
      dmu(i, j) = mu(i, j) * share;
      dlogvar(i, j) = static_cast<T>(excess / 2) * share;
    }
  }
  return mean.of(sum);
}
}  // namespace detail

/// mu, logvar, dmu, dlogvar: features x batch; two halves of an encoder's output are views of its rows. Returns the
/// loss and assigns both gradients.
template <class T>
T kl_divergence(std::type_identity_t<ConstView<T>> mu, std::type_identity_t<ConstView<T>> logvar, View<T> dmu,
                View<T> dlogvar, Reduction reduction = Reduction::batchmean,
                std::type_identity_t<SampleWeights<T>> weights = {}) {
  return detail::kl_divergence<T>(mu, logvar, dmu, dlogvar, reduction, weights);
}
/// The loss alone.
template <class T>
T kl_divergence(std::type_identity_t<ConstView<T>> mu, std::type_identity_t<ConstView<T>> logvar,
                Reduction reduction = Reduction::batchmean, std::type_identity_t<SampleWeights<T>> weights = {}) {
  return detail::kl_divergence<T>(mu, logvar, detail::NoGradient{}, detail::NoGradient{}, reduction, weights);
}

}  // namespace eigan
