// LossLog: what the steps of a training measured: a row of means for every so many, as CSV and as charts.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include <eigan/core/types.hpp>
#include <eigan/io/atomic_file.hpp>

#include "columns.hpp"
#include "line_chart.hpp"
#include "text.hpp"

namespace kit {

class LossLog {
 public:
  /// A row for `every` steps. The columns must outlive the log.
  LossLog(const Columns& columns, eigan::Index every, eigan::Index steps_per_epoch)
      : columns_(&columns), every_(every), steps_per_epoch_(steps_per_epoch), row_(columns), rows_(columns.size()) {}

  void add(std::span<const double> values) {
    ++steps_;
    row_.add(values);
    if (row_.count() == every_) close_row();
  }
  /// The same with a row that is not full yet: for a run that is over.
  LossLog closed() const {
    LossLog log = *this;
    if (log.row_.count() > 0) log.close_row();
    return log;
  }

  void write_csv(const std::filesystem::path& path) const {
    std::string text = "step,epoch";
    for (const Column& column : *columns_) text += concat(',', column.name);
    text += '\n';
    for (std::size_t row = 0; row < row_steps_.size(); ++row) {
      text += concat(row_steps_[row], ',', (row_steps_[row] - 1) / steps_per_epoch_ + 1);
      for (const auto& column : rows_) text += concat(',', six_digits(column[row]));
      text += '\n';
    }
    eigan::write_file(path, text);
  }
  /// The charts that the columns name, in their order.
  std::vector<LineChart> charts() const {
    std::vector<double> epochs;
    for (const std::int64_t step : row_steps_)
      epochs.push_back(static_cast<double>(step) / static_cast<double>(steps_per_epoch_));
    std::vector<LineChart> charts;
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      const Column& column = (*columns_)[i];
      auto chart =
          std::find_if(charts.begin(), charts.end(), [&](const LineChart& c) { return c.title == column.chart; });
      if (chart == charts.end())
        chart = charts.insert(
            chart, {.title = column.chart, .x_label = "epoch", .y_label = column.axis, .log_y = false, .series = {}});
      chart->series.push_back({column.series, epochs, rows_[i]});
    }
    return charts;
  }

  /// For checkpoints, as in eigan::save_checkpoint.
  template <class Visit>
  void visit_state(Visit&& visit) {
    visit("steps", steps_), visit("row", row_), visit("row_steps", row_steps_);
    visit_columns(visit, *columns_, rows_);
  }
  /// What cannot be the log of so many steps; else empty.
  std::string fault(std::int64_t steps) const {
    const auto of_other_length = [&](const auto& column) { return column.size() != row_steps_.size(); };
    if (steps_ != steps || row_.count() < 0 || row_.count() >= every_)
      return concat("expected a log of ", steps, " steps, found one of ", steps_);
    if (std::any_of(rows_.begin(), rows_.end(), of_other_length))
      return "expected as many numbers in each column of the log as it has rows";
    return "";
  }

 private:
  void close_row() {
    row_steps_.push_back(steps_);
    for (std::size_t i = 0; i < rows_.size(); ++i) rows_[i].push_back(row_[i]);
    row_.clear();
  }

  const Columns* columns_;
  eigan::Index every_;
  eigan::Index steps_per_epoch_;
  std::int64_t steps_ = 0;
  Means row_;                              // that is not full yet
  std::vector<std::int64_t> row_steps_;    // that each row ends with
  std::vector<std::vector<double>> rows_;  // of each column
};

}  // namespace kit
