// Accuracy of a classifier: the share of samples whose largest output stands in the row of their label.
#pragma once

#include <cmath>
#include <cstddef>
#include <ranges>
#include <span>
#include <type_traits>
#include <vector>

#include <eigan/core/error.hpp>
#include <eigan/core/view.hpp>
#include <eigan/losses/label_range.hpp>

namespace eigan::metrics {

/// The row of a sample's largest number, the first of several; of a NaN, which counts as the largest, as in PyTorch.
template <class T>
Index argmax(std::type_identity_t<ConstView<T>> z, Index sample) {
  Index best = 0;
  for (Index i = 1; i < z.rows() && !std::isnan(z(best, sample)); ++i)
    if (z(i, sample) > z(best, sample) || std::isnan(z(i, sample))) best = i;
  return best;
}
/// Of each sample.
template <class T>
std::vector<Index> argmax(std::type_identity_t<ConstView<T>> z) {
  std::vector<Index> rows(static_cast<std::size_t>(z.cols()));
  for (Index j = 0; j < z.cols(); ++j) rows[static_cast<std::size_t>(j)] = argmax<T>(z, j);
  return rows;
}

/// z: classes x samples, logits or probabilities; labels: class numbers, one a sample. Throws std::invalid_argument for
/// another number of labels, one that is no class, and without samples.
template <class T, LabelRange Labels>
double accuracy(std::type_identity_t<ConstView<T>> z, const Labels& labels) {
  const std::span all(std::ranges::data(labels), std::ranges::size(labels));
  if (std::ssize(all) != z.cols() || all.empty())
    detail::fail_contract("eigan::metrics::accuracy: expected one label for each of the ", z.cols(),
                          " samples, at least one, got ", all.size());
  Index right = 0;
  for (Index j = 0; j < z.cols(); ++j)
    right += argmax<T>(z, j) == detail::checked_label("metrics::accuracy", all, j, z.rows());
  return static_cast<double>(right) / static_cast<double>(z.cols());
}

}  // namespace eigan::metrics
