// Estimate: a mean over n values, and how far it may be off.
//   standard_error = s / sqrt(n),   s^2 = sum (v - mean)^2 / (n - 1)
#pragma once

#include <cmath>
#include <span>

#include <eigan/core/error.hpp>

namespace eigan::metrics {

/// A mean and its uncertainty.
struct Estimate {
  double mean = 0;            ///< of the values
  double standard_error = 0;  ///< s / sqrt(n)
};

/// Of at least two values.
inline Estimate estimate(std::span<const double> values) {
  if (values.size() < 2)
    detail::fail_contract("eigan::metrics::estimate: expected at least 2 values, got ", values.size());
  const auto n = static_cast<double>(values.size());
  double mean = 0, squares = 0;
  for (const double value : values) mean += value / n;
  for (const double value : values) squares += (value - mean) * (value - mean);
  return {mean, std::sqrt(squares / (n - 1) / n)};
}

}  // namespace eigan::metrics
