// What the losses share. A loss is a function: it returns the mean over the batch and assigns the gradient with
// respect to its first argument, usually straight into Tape::output_gradient(); without a place for the gradient it
// returns the mean alone, for validation. Samples may be weighted. Sums run in double, and what is multiplied and added
// is written as std::fma: otherwise the compiler's flags would decide on one rounding or two.
#pragma once

#include <eigan/core/error.hpp>
#include <eigan/core/view.hpp>
#include <eigan/losses/sample_weights.hpp>

namespace eigan {

/// Over what a loss is averaged that leaves the choice, as in PyTorch.
enum class Reduction {
  mean,      ///< over all elements
  batchmean  ///< over the samples, whose elements are summed up
};

namespace detail {

/// Where a gradient goes that nobody wants.
struct NoGradient {
  struct Nowhere {
    template <class T>
    void operator=(const T&) const {}
  };
  Nowhere operator()(Index /*row*/, Index /*column*/) const { return {}; }
};

template <class A, class B>
void check_loss_shapes(const char* loss, const A& a, const B& b) {
  if (a.rows() != b.rows() || a.cols() != b.cols() || a.size() == 0)
    fail_contract("eigan::", loss, ": shapes must be equal and not empty, are ", a.rows(), " x ", a.cols(), " and ",
                  b.rows(), " x ", b.cols());
}
template <class A>
void check_loss_shapes(const char* loss, const A& a, NoGradient) {
  if (a.size() == 0) fail_contract("eigan::", loss, ": the batch is empty, ", a.rows(), " x ", a.cols());
}

/// The mean that a loss takes: over the samples, by their weights, and over a number of terms each.
template <class T>
class LossMean {
 public:
  LossMean(const char* loss, Index samples, Index terms, const SampleWeights<T>& weights)
      : weights_(weights), whole_(weights.sum(loss, samples) * static_cast<double>(terms)), share_(1 / T(whole_)) {}

  /// A sample's weight, by which its terms go into the sum.
  double weight(Index j) const { return static_cast<double>(weights_[j]); }
  /// What a term of sample j counts in the mean: the factor of its gradient.
  T share(Index j) const {
    return weights_.given() ? static_cast<T>(static_cast<double>(weights_[j]) / whole_) : share_;
  }
  /// The mean, of the sum of weighted terms.
  T of(double sum) const { return weights_.given() ? static_cast<T>(sum / whole_) : static_cast<T>(sum) * share_; }

 private:
  SampleWeights<T> weights_;
  double whole_;
  T share_;
};

}  // namespace detail
}  // namespace eigan
