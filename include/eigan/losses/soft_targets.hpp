// soft_targets: labels as probabilities, smoothed as torch.nn.CrossEntropyLoss's label_smoothing does it:
//   t_ij = (1 - smoothing) [i = label_j] + smoothing / classes                        (Szegedy et al. 2016)
#pragma once

#include <eigan/core/finite.hpp>
#include <eigan/core/view.hpp>
#include <eigan/losses/label_range.hpp>

namespace eigan {

/// target: classes x batch, assigned. Throws std::invalid_argument for a label that is not a class, or unless smoothing
/// is in [0, 1].
template <class T, LabelRange Labels>
void soft_targets(const Labels& labels, double smoothing, View<T> target) {
  const std::span all(std::ranges::data(labels), std::ranges::size(labels));
  if (std::ssize(all) != target.cols())
    detail::fail_contract("eigan::soft_targets: expected ", target.cols(), " labels, got ", all.size());
  if (!(detail::at_least(static_cast<double>(smoothing), 0) && smoothing <= 1))
    detail::fail_contract("eigan::soft_targets: smoothing must be in [0, 1], is ", smoothing);
  const double rest = smoothing / static_cast<double>(target.rows());
  for (Index j = 0; j < target.cols(); ++j) {
    const Index label = detail::checked_label("soft_targets", all, j, target.rows());
    target.col(j).setConstant(static_cast<T>(rest));
    target(label, j) = static_cast<T>(1 - smoothing + rest);
  }
}

}  // namespace eigan
