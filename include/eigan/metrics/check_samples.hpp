// What the metrics refuse before they compute anything: too few samples, sets that do not fit each other, and numbers
// that are not finite, for a NaN would otherwise count as "far away" and come out as a plausible score.
#pragma once

#include <eigan/core/error.hpp>
#include <eigan/core/finite.hpp>
#include <eigan/core/types.hpp>
#include <eigan/core/view.hpp>

namespace eigan::detail {

/// Throws std::invalid_argument for fewer than `least` samples, Error for a sample that is not finite. Nor may squares
/// overflow: from norms below 1e37 every distance, and every sum on the way to it, is finite in float.
inline void check_samples(const char* metric, const char* name, const ConstView<float>& samples, Index least) {
  if (samples.rows() < 1)
    fail_contract("eigan::metrics::", metric, ": ", name, ": expected samples with features, got 0");
  if (samples.cols() < least)
    fail_contract("eigan::metrics::", metric, ": ", name, ": expected at least ", least, " samples, got ",
                  samples.cols());
  for (Index j = 0; j < samples.cols(); ++j) {
    const double norm = samples.col(j).cast<double>().squaredNorm();
    if (!(is_finite(norm) && norm < 1e37))
      fail_data("eigan::metrics::", metric, ": ", name, ", sample ", j,
                ": expected finite numbers, found a squared norm of ", norm);
  }
}

/// Throws std::invalid_argument for two sets whose samples have different lengths.
inline void check_same_features(const char* metric, const char* name, const ConstView<float>& samples,
                                const char* other_name, const ConstView<float>& other) {
  if (samples.rows() != other.rows())
    fail_contract("eigan::metrics::", metric, ": ", name, " has ", samples.rows(), " features, ", other_name, " has ",
                  other.rows());
}

}  // namespace eigan::detail
