// Inception Score: how sure a classifier is of each sample, and how evenly the samples spread over the classes.
//   exp( mean_j KL(p_j || q) ),   q = mean_j p_j        probabilities p: classes x n
// From 1 (every sample like the average) to the number of classes (sure of every sample, all classes alike). It holds
// under that classifier alone. Salimans et al., "Improved Techniques for Training GANs", 2016.
#pragma once

#include <cmath>
#include <vector>

#include <eigan/core/eigen.hpp>
#include <eigan/core/error.hpp>
#include <eigan/core/parallel.hpp>
#include <eigan/core/types.hpp>
#include <eigan/core/view.hpp>
#include <eigan/metrics/estimate.hpp>

namespace eigan::detail {

/// p log p, which is 0 at 0.
inline double times_own_logarithm(double p) {
  return p > 0 ? p * std::log(p) : 0;
}

/// The score of these samples. KL(p_j || q) sums p log p - p log q; the mean over j turns the second part into q log q.
inline double inception_score_at_once(const ConstView<float>& probabilities) {
  const auto n = static_cast<double>(probabilities.cols());
  Eigen::VectorXd marginal = Eigen::VectorXd::Zero(probabilities.rows());
  double sum = 0;
  for (Index j = 0; j < probabilities.cols(); ++j)
    for (Index i = 0; i < probabilities.rows(); ++i) {
      const auto p = static_cast<double>(probabilities(i, j));
      marginal[i] += p;
      sum += times_own_logarithm(p);
    }
  double divergence = sum / n;
  for (const double q : marginal) divergence -= times_own_logarithm(q / n);
  return std::exp(divergence);
}

}  // namespace eigan::detail

namespace eigan::metrics {

/// The score and how far it may be off.
struct InceptionScore {
  double score = 0;      ///< over all samples at once: the number to report, with splits.standard_error
  Estimate splits = {};  ///< over the splits' own scores; their mean is lower, for a few samples spread less evenly
};

/// Split s of the n samples is [n s / splits, n (s + 1) / splits), so samples must come in no order of classes.
/// (Salimans et al. report the splits' mean and standard deviation.) Throws Error for what is no probability.
inline InceptionScore inception_score(ConstView<float> probabilities, Index splits = 10) {
  const Index n = probabilities.cols();
  if (splits < 2 || n < splits)
    detail::fail_contract("eigan::metrics::inception_score: expected 2 to ", n, " splits of ", n, " samples, got ",
                          splits);
  for (Index j = 0; j < n; ++j) {
    const auto p = probabilities.col(j).cast<double>();
    // Written so that a NaN fails.
    if (!((p.array() >= 0).all() && std::abs(p.sum() - 1) <= 1e-3))
      detail::fail_data("eigan::metrics::inception_score: sample ", j,
                        ": expected probabilities whose sum is 1, found ", p.minCoeff<Eigen::PropagateNaN>(),
                        " as the smallest and ", p.sum(), " as the sum");
  }
  std::vector<double> scores;
  for (Index s = 0; s < splits; ++s) {
    const Index first = detail::part_begin(n, s, splits), last = detail::part_begin(n, s + 1, splits);
    scores.push_back(detail::inception_score_at_once(probabilities.columns(first, last - first)));
  }
  return {detail::inception_score_at_once(probabilities), estimate(scores)};
}

}  // namespace eigan::metrics
