// CrossEntropy: of softmax(z) against integer labels, mean over the batch.     z: classes x batch.
//   L = mean_j( log sum_i e^z_ij - z_{label_j, j} )          dz_ij = (softmax(z)_ij - [i = label_j]) / batch
// Finite for every finite logit: the largest is taken out of the sum first. (torch.nn.CrossEntropyLoss)
#pragma once

#include <cmath>
#include <concepts>
#include <ranges>
#include <span>
#include <type_traits>
#include <utility>

#include <eigan/losses/loss.hpp>

namespace eigan {

/// Whole numbers in contiguous memory, such as std::vector<std::uint8_t> or std::span<const int>.
template <class R>
concept LabelRange =
    std::ranges::contiguous_range<R> && std::ranges::sized_range<R> && std::integral<std::ranges::range_value_t<R>>;

/// Labels are class numbers, one for each column. Returns the loss and assigns dz. Throws std::invalid_argument for a
/// label that is not a class.
template <class T, LabelRange Labels>
T cross_entropy(std::type_identity_t<ConstView<T>> z, const Labels& labels, View<T> dz) {
  detail::check_loss_shapes("cross_entropy", z, dz);
  const std::span all(std::ranges::data(labels), std::ranges::size(labels));
  if (std::ssize(all) != z.cols())
    detail::fail_contract("eigan::cross_entropy: expected ", z.cols(), " labels, got ", all.size());
  const T scale = T(1) / static_cast<T>(z.cols());
  double sum = 0;
  for (Index j = 0; j < z.cols(); ++j) {
    const auto given = +all[static_cast<std::size_t>(j)];  // characters are numbers, too
    if (std::cmp_less(given, 0) || std::cmp_greater_equal(given, z.rows()))
      detail::fail_contract("eigan::cross_entropy: sample ", j, ": expected a label from 0 to ", z.rows() - 1,
                            ", found ", given);
    const auto label = static_cast<Index>(given);
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
