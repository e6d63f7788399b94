// ChartAxis: where values lie on one axis of a chart, and which of them get a tick.
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

namespace kit {

/// What an axis can show: the arithmetic of values beyond would overflow.
inline constexpr double chart_limit = 1e150;

class ChartAxis {
 public:
  /// An axis for values from `low` to `high` (within chart_limit, if `logarithmic` above its inverse; low > high
  /// if there are none).
  /// `whole_ticks` extends a linear axis to the ticks next to the data; a logarithmic one always is.
  ChartAxis(double low, double high, bool logarithmic, bool whole_ticks) : logarithmic_(logarithmic) {
    if (low > high) low = high = 1;  // nothing to show
    const double magnitude = std::max(std::abs(low), std::abs(high));
    if (!logarithmic && high - low <= std::max(1e-9 * magnitude, 1 / chart_limit)) {  // as good as one value
      const double margin = magnitude > 1 / chart_limit ? magnitude / 2 : 0.5;
      low -= margin, high += margin;
    }
    if (logarithmic) {
      log_ticks(low, high);
    } else {
      linear_ticks(low, high, whole_ticks);
    }
    low_ = scale(low), high_ = scale(high);
  }

  /// 0 at the axis' lower end, 1 at the upper one.
  double position(double value) const { return (scale(value) - low_) / (high_ - low_); }
  const std::vector<double>& ticks() const { return ticks_; }

 private:
  double scale(double value) const { return logarithmic_ ? std::log10(value) : value; }

  // About five steps of 1, 2 or 5 times a power of ten.
  void linear_ticks(double& low, double& high, bool whole) {
    const double rough = (high - low) / 6, power = std::pow(10, std::floor(std::log10(rough)));
    const double step = power * (rough <= power ? 1 : rough <= 2 * power ? 2 : rough <= 5 * power ? 5 : 10);
    const double slack = whole ? 0 : 1e-9;
    double first = std::ceil(low / step - slack), last = std::floor(high / step + slack);
    if (whole) first = std::floor(low / step), last = std::ceil(high / step);
    for (double i = first; i <= last && ticks_.size() < 20; ++i) ticks_.push_back(i * step + 0.0);
    if (whole) low = first * step, high = last * step;
  }

  // Powers of ten, with 2 and 5 times them when there are few.
  void log_ticks(double& low, double& high) {
    const auto exponent = [](double value) { return static_cast<int>(std::floor(std::log10(value))); };
    const int decades = exponent(high) - exponent(low);
    const int stride = decades / 8 + 1;
    std::vector<double> all;
    for (int e = exponent(low); e <= exponent(high) + stride; e += stride) {
      for (const double factor : {1., 2., 5.}) {
        if (factor == 1 || decades < 3) all.push_back(factor * std::pow(10, e));
      }
    }
    const auto above = std::upper_bound(all.begin(), all.end(), low);
    const auto first = above == all.begin() ? above : above - 1;
    auto last = std::lower_bound(first, all.end(), high);
    if (last == first) ++last;  // an axis has two ends
    if (last == all.end()) --last;
    ticks_.assign(first, last + 1);
    low = *first, high = *last;
  }

  bool logarithmic_;
  double low_ = 0, high_ = 1;
  std::vector<double> ticks_;
};

}  // namespace kit
