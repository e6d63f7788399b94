// Column: a number that every step of a training measures, a loss as a rule. Means: such numbers over some steps.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace kit {

/// What a number is called, and where it is shown.
struct Column {
  std::string name;      ///< in files: "d_loss"
  std::string label{};   ///< on the line of an epoch: "D(real)"
  std::string brief{};   ///< on the line that is drawn again and again: "real"
  int digits = 3;        ///< behind the point, on the line of an epoch
  std::string chart{};   ///< the title of the chart that it stands in
  std::string axis{};    ///< of that chart
  std::string series{};  ///< its line there
};
using Columns = std::vector<Column>;

/// Names the members of a row of numbers, for checkpoints.
template <class Visit>
void visit_columns(Visit&& visit, const Columns& columns, auto& values) {
  for (std::size_t i = 0; i < columns.size(); ++i) visit(columns[i].name, values[i]);
}

class Means {
 public:
  explicit Means(const Columns& columns) : columns_(&columns), sum_(columns.size()) {}

  void add(std::span<const double> values) {
    for (std::size_t i = 0; i < sum_.size(); ++i) sum_[i] += values[i];
    ++count_;
  }
  std::int64_t count() const { return count_; }
  double operator[](std::size_t i) const { return sum_[i] / (count_ > 0 ? static_cast<double>(count_) : 1); }
  std::vector<double> all() const {
    std::vector<double> means;
    for (std::size_t i = 0; i < sum_.size(); ++i) means.push_back((*this)[i]);
    return means;
  }
  void clear() { *this = Means(*columns_); }

  /// For checkpoints, as in eigan::save_checkpoint.
  template <class Visit>
  void visit_state(Visit&& visit) {
    Sum sum{*columns_, sum_};
    visit("sum", sum), visit("count", count_);
  }

 private:
  struct Sum {
    const Columns& columns;
    std::vector<double>& values;
    template <class Visit>
    void visit_state(Visit&& visit) {
      visit_columns(visit, columns, values);
    }
  };

  const Columns* columns_;  // the training's
  std::vector<double> sum_;
  std::int64_t count_ = 0;
};

}  // namespace kit
