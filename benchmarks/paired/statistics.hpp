// Medians, spreads, and how sure a median is.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>
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

/// Of not empty values.
inline double mean(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

struct Summary {
  double median = 0, min = 0, p10 = 0, p90 = 0;
};

inline Summary summarise(const std::vector<double>& values) {
  return {quantile(values, 0.5), quantile(values, 0), quantile(values, 0.1), quantile(values, 0.9)};
}

struct Bounds {
  double lower, upper;
};

/// Between which the median of the distribution that the values were drawn from lies, with a probability of 95 % or a
/// little more, whatever that distribution is: the number of values below it is binomial. All of fewer than six values.
inline Bounds median_bounds(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t n = values.size();
  double chance = std::pow(0.5, static_cast<double>(n)),
         below = chance;  // of `outside` values below; of so many or fewer
  std::size_t outside = 0;
  while (outside < n / 2) {
    chance *= static_cast<double>(n - outside) / static_cast<double>(outside + 1);
    if (below + chance > 0.025) break;
    below += chance;
    ++outside;
  }
  return {values[outside], values[n - 1 - outside]};
}

}  // namespace bench
