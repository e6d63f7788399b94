// What the checks are made of: random matrices, central differences, and matrices whose edges must stay as they were.
#pragma once

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include <eigan/core/random.hpp>
#include <eigan/core/view.hpp>
#include <eigan/testing/report.hpp>

namespace eigan::testing::detail {

using Matrix = eigan::Matrix<double>;
inline constexpr double nan = std::numeric_limits<double>::quiet_NaN();

/// Random values in [low, high) outside (-margin, margin).
inline Matrix random_matrix(Index rows, Index cols, const CheckOptions& o, Rng rng) {
  Matrix m(rows, cols);
  fill_uniform(View<double>(m), o.low, o.high, rng);
  for (double& v : m.reshaped())
    if (std::abs(v) < o.margin) v = v < 0 ? v - o.margin : v + o.margin;
  return m;
}

inline std::span<double> span_of(Matrix& m) {
  return {m.data(), static_cast<std::size_t>(m.size())};
}
inline std::span<const double> span_of(const Matrix& m) {
  return {m.data(), static_cast<std::size_t>(m.size())};
}

/// Up to `cap` of [0, n), all if they are fewer.
inline std::vector<Index> choose(Index n, Index cap, Rng rng) {
  std::vector<Index> chosen;
  for (Index i = 0; i < std::min(n, cap); ++i)
    chosen.push_back(n <= cap ? i : static_cast<Index>(rng.uniform(i, 0) * static_cast<double>(n)));
  return chosen;
}

/// d f / d v by central difference; v is left as it was.
inline double central_difference(double& v, double h, const std::function<double()>& f) {
  const double kept = v;
  v = kept + h;
  const double above = f();
  v = kept - h;
  const double below = f();
  v = kept;
  return (above - below) / (2 * h);
}

/// A matrix with two spare rows between columns that must stay as they were.
class Guarded {
 public:
  Guarded(Index rows, Index cols, double fill) : memory_(rows + 2, cols), rows_(rows) {
    memory_.setConstant(guard);
    memory_.topRows(rows).setConstant(fill);
  }
  explicit Guarded(const Matrix& values) : Guarded(values.rows(), values.cols(), 0) { memory_.topRows(rows_) = values; }
  View<double> view() { return {memory_.data(), rows_, memory_.cols(), rows_ + 2}; }
  /// As layers are given it: their functions are templates of the number's type, which only a ConstView tells.
  ConstView<double> read() const { return {memory_.data(), rows_, memory_.cols(), rows_ + 2}; }
  /// Of one column.
  std::span<double> span() { return {memory_.data(), static_cast<std::size_t>(rows_)}; }
  bool intact() const { return (memory_.bottomRows(2).array() == guard).all(); }

 private:
  static constexpr double guard = 12345.5;
  Matrix memory_;
  Index rows_;
};

inline bool same(const ConstView<double>& a, const ConstView<double>& b) {
  return (a.array() == b.array()).all();
}
/// Equal but for rounding, as sums in another order are.
inline bool nearly_same(const ConstView<double>& a, const ConstView<double>& b) {
  return ((a - b).array().abs() <= 1e-10 * b.array().abs().max(1)).all();
}

/// Compares what `function` added to `before`, giving `after`, with numeric(i), for the chosen elements of `what`.
inline void compare_added(const Matrix& before, const Matrix& after, const std::vector<Index>& chosen,
                          const std::function<double(Index)>& numeric, const CheckOptions& o, const char* function,
                          const char* what, const std::string& where, Report& report, const char* by = "backward") {
  std::vector<double> expected;
  bool assigned = true;         // whatever was not added was assigned
  Index first = -1, wrong = 0;  // of these
  for (const Index i : chosen) {
    expected.push_back(numeric(i));
    if (o.agree(after.data()[i] - before.data()[i], expected.back())) continue;
    assigned = assigned && o.agree(after.data()[i], expected.back());
    if (wrong++ == 0) first = i;
  }
  if (wrong > 0 && assigned)
    return report.fail(function, ": assigned, not added", where, ": ", wrong == std::ssize(chosen) ? "all" : "some",
                       " of ", what, ", element ", first, " the first that was tried");
  for (std::size_t k = 0; k < chosen.size(); ++k) {
    const Index i = chosen[k];
    report.compare(after.data()[i] - before.data()[i], expected[k], o, what, i, where, by);
  }
}

}  // namespace eigan::testing::detail
