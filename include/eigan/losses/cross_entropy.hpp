// CrossEntropy: of softmax(z) against integer labels, mean over the batch.     z: classes x batch.
//   L = mean_j( log sum_i e^z_ij - z_{label_j, j} )          dz_ij = (softmax(z)_ij - [i = label_j]) / batch
// Finite for every finite logit: the largest is taken out of the sum first. (torch.nn.CrossEntropyLoss)
#pragma once

#include <cmath>
#include <cstdint>
#include <span>
#include <type_traits>

#include <eigan/losses/loss.hpp>

namespace eigan {

/// Labels are class numbers, one for each column. Returns the loss and assigns dz. Throws std::invalid_argument for a
/// label that is not a class.
template <class T, class Label>
T cross_entropy(std::type_identity_t<ConstView<T>> z, std::span<const Label> labels, View<T> dz) {
  static_assert(std::is_integral_v<Label>);
  detail::check_loss_shapes("cross_entropy", z, dz);
  if (std::ssize(labels) != z.cols())
    detail::fail_contract("eigan::cross_entropy: expected ", z.cols(), " labels, got ", labels.size());
  const T scale = T(1) / static_cast<T>(z.cols());
  double sum = 0;
  for (Index j = 0; j < z.cols(); ++j) {
    const auto label = static_cast<Index>(labels[static_cast<std::size_t>(j)]);
    if (label < 0 || label >= z.rows())
      detail::fail_contract("eigan::cross_entropy: label ", label, " of sample ", j, " is not below ", z.rows());
    const T largest = z.col(j).maxCoeff();
    T total = 0;
    for (Index i = 0; i < z.rows(); ++i) total += dz(i, j) = std::exp(z(i, j) - largest);
    sum += static_cast<double>(std::log(total) + largest - z(label, j));
    dz.col(j) *= scale / total;
    dz(label, j) -= scale;
  }
  return static_cast<T>(sum) * scale;
}

}  // namespace eigan
