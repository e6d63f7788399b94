// Report and CheckOptions: how derivatives are compared, and what came of it.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <sstream>
#include <string>
#include <vector>

#include <eigan/core/error.hpp>
#include <eigan/core/shape.hpp>
#include <eigan/core/types.hpp>

namespace eigan::testing {

/// How gradients are checked; the values suit nearly every layer.
struct CheckOptions {
  /// Of a sample, for layers that are placed: Conv2d at {3, 8, 8}.
  Shape shape = {};
  /// Features of a sample, if there is no shape; only for layers whose type and value state no size.
  Index features = 5;
  /// The batch sizes to try.
  std::vector<Index> batches = {1, 3};
  /// The step h of the central difference.
  double step = 1e-6;
  /// |a - n| <= absolute + relative max(|a|, |n|).
  double absolute = 1e-7;
  /// The part that grows with the derivative.
  double relative = 1e-5;
  /// At most so many inputs and so many parameters are differentiated; more are sampled.
  Index cap = 400;
  /// Inputs are drawn from [low, high), but not from (-margin, margin), where activations have their kink.
  double low = -2;
  /// The upper end.
  double high = 2;
  /// How far to keep from 0.
  double margin = 0.01;
  /// Of all random numbers.
  std::uint64_t seed = 1;

  /// Whether an analytic and a numeric derivative agree; a NaN agrees with nothing.
  bool agree(double analytic, double numeric) const {
    return std::abs(analytic - numeric) <= absolute + relative * std::max(std::abs(analytic), std::abs(numeric));
  }
};

/// What was found. Empty failures mean that everything agreed.
class Report {
 public:
  /// Whether there is no failure.
  bool ok() const { return failures_.empty(); }
  /// The largest |a - n| seen.
  double worst() const { return worst_; }
  /// How many derivatives were compared.
  Index compared() const { return compared_; }
  /// One text for each failure.
  const std::vector<std::string>& failures() const { return failures_; }

  /// The failures, one a line, at most ten.
  std::string text() const {
    std::ostringstream out;
    for (std::size_t i = 0; i < std::min<std::size_t>(failures_.size(), 10); ++i) out << failures_[i] << '\n';
    if (failures_.size() > 10) out << "... and " << failures_.size() - 10 << " more\n";
    return out.str();
  }

  /// Notes a failure.
  template <class... Parts>
  void fail(const Parts&... parts) {
    failures_.push_back(eigan::detail::concat(parts...));
  }

  /// Compares an analytic derivative with a numeric one. For the text: `what` and its element, `where`, and `by`, the
  /// function that computed the analytic one.
  void compare(double analytic, double numeric, const CheckOptions& o, const char* what, Index element,
               const std::string& where, const char* by = "backward") {
    ++compared_;
    worst_ = std::max(worst_, std::abs(analytic - numeric));
    if (!o.agree(analytic, numeric))
      fail(what, " element ", element, where, ": ", by, " gives ", analytic, ", central difference ", numeric);
  }

 private:
  std::vector<std::string> failures_;
  double worst_ = 0;
  Index compared_ = 0;
};

}  // namespace eigan::testing
