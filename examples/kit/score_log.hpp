// ScoreLog: how good the samples were, by one or more scores, over the epochs of a training.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include <eigan/core/types.hpp>
#include <eigan/io/atomic_file.hpp>

#include "line_chart.hpp"
#include "text.hpp"

namespace kit {

/// A chart of its own.
struct Score {
  std::string name;  ///< in files: "frechet_distance"
  std::string title;
  std::string axis;
  bool log_axis = false;
};

class ScoreLog {
 public:
  /// The last score is the one that tells which samples are the best: those where it is least.
  explicit ScoreLog(std::vector<Score> scores) : scores_(std::move(scores)), rows_(scores_.size()) {}

  bool is_best(const std::vector<double>& values) const { return values.back() < best_; }
  /// The least so far.
  double best() const { return best_; }
  /// After steps were given up: the best of theirs still counts.
  void keep_best(double value) { best_ = std::min(best_, value); }
  /// samples: how many were scored.
  void add(eigan::Index epoch, eigan::Index samples, const std::vector<double>& values) {
    epochs_.push_back(epoch);
    samples_.push_back(samples);
    for (std::size_t i = 0; i < rows_.size(); ++i) rows_[i].push_back(values[i]);
    keep_best(values.back());
  }

  void write_csv(const std::filesystem::path& path) const {
    std::string text = "epoch,samples";
    for (const Score& score : scores_) text += concat(',', score.name);
    text += '\n';
    for (std::size_t row = 0; row < epochs_.size(); ++row) {
      text += concat(epochs_[row], ',', samples_[row]);
      for (const auto& column : rows_) text += concat(',', six_digits(column[row]));
      text += '\n';
    }
    eigan::write_file(path, text);
  }
  /// None without scores.
  std::vector<LineChart> charts() const {
    std::vector<LineChart> charts;
    const std::vector<double> epochs(epochs_.begin(), epochs_.end());
    for (std::size_t i = 0; i < rows_.size() && !epochs.empty(); ++i)
      charts.push_back({.title = scores_[i].title,
                        .x_label = "epoch",
                        .y_label = scores_[i].axis,
                        .log_y = scores_[i].log_axis,
                        .series = {{"samples", epochs, rows_[i]}}});
    return charts;
  }

  /// For checkpoints, as in eigan::save_checkpoint.
  template <class Visit>
  void visit_state(Visit&& visit) {
    visit("epoch", epochs_), visit("samples", samples_);
    for (std::size_t i = 0; i < rows_.size(); ++i) visit(scores_[i].name, rows_[i]);
    visit("best", best_);
  }
  /// What cannot be a log; else empty.
  std::string fault() const {
    const auto of_other_length = [&](const auto& column) { return column.size() != epochs_.size(); };
    if (of_other_length(samples_) || std::any_of(rows_.begin(), rows_.end(), of_other_length))
      return "expected as many numbers in each column of the scores";
    return std::isfinite(best_) ? "" : "expected a finite best distance";
  }

 private:
  std::vector<Score> scores_;
  std::vector<std::int64_t> epochs_;
  std::vector<std::int64_t> samples_;
  std::vector<std::vector<double>> rows_;  // of each score
  double best_ = std::numeric_limits<double>::max();
};

}  // namespace kit
