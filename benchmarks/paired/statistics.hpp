// Medians and spreads.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

namespace bench {

/// The value below which the fraction q of the (not empty) values lies, between neighbours by interpolation.
inline double quantile(std::vector<double> values, double q) {
  std::sort(values.begin(), values.end());
  const double place = q * static_cast<double>(values.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  const std::size_t above = std::min(below + 1, values.size() - 1);
  return std::lerp(values[below], values[above], place - std::floor(place));
}

struct Summary {
  double median = 0, min = 0, p10 = 0, p90 = 0;
};

inline Summary summarise(const std::vector<double>& values) {
  return {quantile(values, 0.5), quantile(values, 0), quantile(values, 0.1), quantile(values, 0.9)};
}

}  // namespace bench
