// ScoreLog: how good the samples were, over the epochs of a training.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <string>
#include <vector>

#include <eigan/io/atomic_file.hpp>
#include <eigan/io/line_chart.hpp>

#include "common/text.hpp"

#include "judge.hpp"

namespace mnist_gan {

class ScoreLog {
 public:
  /// Whether the samples are the best so far: the nearest by Fréchet's distance.
  bool is_best(const QuickScores& scores) const { return scores.frechet < best_; }
  /// The best distance so far.
  double best() const { return best_; }
  /// After steps were given up: the best of theirs still counts.
  void keep_best(double distance) { best_ = std::min(best_, distance); }
  void add(Index epoch, const QuickScores& scores) {
    epochs_.push_back(epoch);
    samples_.push_back(scores.samples);
    inception_.push_back(scores.inception);
    frechet_.push_back(scores.frechet);
    keep_best(scores.frechet);
  }
  bool empty() const { return epochs_.empty(); }

  void write_csv(const std::filesystem::path& path) const {
    std::string text = "epoch,samples,inception_score,frechet_distance\n";
    for (std::size_t row = 0; row < epochs_.size(); ++row) {
      text += example::concat(epochs_[row], ',', samples_[row], ',', example::six_digits(inception_[row]), ',',
                              example::six_digits(frechet_[row]), '\n');
    }
    eigan::write_file(path, text);
  }
  std::vector<eigan::LineChart> charts() const {
    if (empty()) return {};
    return {chart("Inception Score", "score, at most 10", false, inception_),
            chart("Frechet distance from the test images", "distance", true, frechet_)};
  }

  /// What cannot be a log; else empty.
  std::string fault() const {
    const std::size_t rows = epochs_.size();
    if (samples_.size() != rows || inception_.size() != rows || frechet_.size() != rows)
      return "expected as many numbers in each column of the scores";
    return std::isfinite(best_) ? "" : "expected a finite best distance";
  }

  /// For checkpoints, as in eigan::save_checkpoint.
  template <class Visit>
  void visit_state(Visit&& visit) {
    visit("epoch", epochs_), visit("samples", samples_), visit("inception_score", inception_);
    visit("frechet_distance", frechet_), visit("best", best_);
  }

 private:
  eigan::LineChart chart(const char* title, const char* y, bool log_y, const std::vector<double>& scores) const {
    return {.title = title,
            .x_label = "epoch",
            .y_label = y,
            .log_y = log_y,
            .series = {{"samples", std::vector<double>(epochs_.begin(), epochs_.end()), scores}}};
  }

  std::vector<std::int64_t> epochs_;
  std::vector<std::int64_t> samples_;
  std::vector<double> inception_;
  std::vector<double> frechet_;
  double best_ = std::numeric_limits<double>::max();
};

}  // namespace mnist_gan
