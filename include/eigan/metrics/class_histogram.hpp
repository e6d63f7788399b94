// The share of each class among samples, and how far two such histograms are apart.
//   shares_c = (number of j whose largest score is c) / n          scores: classes x n (logits or probabilities)
//   total_variation(a, b) = sum_c |a_c - b_c| / 2                  0 for the same shares, 1 where no class is shared
#pragma once

#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

#include <eigan/core/error.hpp>
#include <eigan/core/finite.hpp>
#include <eigan/core/types.hpp>
#include <eigan/core/view.hpp>

namespace eigan::metrics {

/// A sample counts for the class with its largest score, of several the first. Throws Error for a NaN.
inline std::vector<double> class_shares(ConstView<float> scores) {
  if (scores.size() == 0)
    detail::fail_contract("eigan::metrics::class_shares: expected scores, got ", scores.rows(), " classes of ",
                          scores.cols(), " samples");
  std::vector<Index> counts(static_cast<std::size_t>(scores.rows()));
  for (Index j = 0; j < scores.cols(); ++j) {
    Index largest = 0;
    for (Index i = 0; i < scores.rows(); ++i) {
      if (detail::is_nan(static_cast<double>(scores(i, j))))
        detail::fail_data("eigan::metrics::class_shares: sample ", j, ", class ", i, ": expected a score, found nan");
      if (scores(i, j) > scores(largest, j)) largest = i;
    }
    ++counts[static_cast<std::size_t>(largest)];
  }
  std::vector<double> shares;
  for (const Index count : counts) shares.push_back(static_cast<double>(count) / static_cast<double>(scores.cols()));
  return shares;
}

/// Of two histograms over the same classes.
inline double total_variation(std::span<const double> a, std::span<const double> b) {
  if (a.size() != b.size())
    detail::fail_contract("eigan::metrics::total_variation: ", a.size(), " classes and ", b.size());
  double sum = 0;
  for (std::size_t c = 0; c < a.size(); ++c) sum += std::abs(a[c] - b[c]);
  return sum / 2;
}

}  // namespace eigan::metrics
