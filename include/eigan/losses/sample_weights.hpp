// SampleWeights: how much each sample of a batch counts in a loss's mean. Of samples' losses l_j and weights w_j:
//   L = sum_j w_j l_j / sum_j w_j
// so a sample of weight 2 counts as the same sample twice, and one of weight 0 not at all. Class weights are those of
// the samples' labels. (scikit-learn's sample_weight; torch.nn.CrossEntropyLoss's weight, which goes by the class.)
#pragma once

#include <concepts>
#include <cstddef>
#include <ranges>
#include <span>
#include <type_traits>

#include <eigan/core/error.hpp>
#include <eigan/core/finite.hpp>
#include <eigan/core/types.hpp>

namespace eigan {

/// One weight a sample, which somebody else owns, or none: then all samples count alike.
template <class T>
class SampleWeights {
 public:
  /// All samples count alike.
  SampleWeights() = default;
  /// Numbers in contiguous memory, such as std::vector<float>.
  template <std::ranges::contiguous_range Range>
  requires std::same_as<std::ranges::range_value_t<Range>, T> SampleWeights(
      const Range& weights)  // NOLINT(google-explicit-constructor): numbers are where weights are expected
      : weights_(std::ranges::data(weights), static_cast<std::size_t>(std::ranges::size(weights))), given_(true) {}

  /// Whether there are any.
  bool given() const { return given_; }
  /// The weight of sample j; 1 where no weights were given.
  T operator[](Index j) const { return given_ ? weights_[static_cast<std::size_t>(j)] : T(1); }
  /// The sum. Throws std::invalid_argument unless there is one weight for each of so many samples, none of them
  /// negative or not finite, and not all of them 0. `loss`: its name for the message.
  double sum(const char* loss, Index samples) const {
    if (!given_) return static_cast<double>(samples);
    if (std::ssize(weights_) != samples)
      detail::fail_contract("eigan::", loss, ": expected ", samples, " sample weights, got ", weights_.size());
    double sum = 0;
    for (std::size_t j = 0; j < weights_.size(); ++j) {
      const auto w = static_cast<double>(weights_[j]);
      if (!(detail::at_least(w, 0) && detail::is_finite(w)))
        detail::fail_contract("eigan::", loss, ": sample weight ", j, " must be >= 0 and finite, is ", w);
      sum += w;
    }
    if (!(sum > 0)) detail::fail_contract("eigan::", loss, ": the sample weights are all 0");
    return sum;
  }

 private:
  std::span<const T> weights_;
  bool given_ = false;
};

}  // namespace eigan
