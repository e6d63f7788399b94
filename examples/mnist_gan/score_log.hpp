// ScoreLog: how good the samples were, over the epochs of a training.
#pragma once

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
  /// True if the samples are the best so far: the nearest by Fréchet's distance.
  bool add(Index epoch, const QuickScores& scores) {
    rows_ += example::concat(epoch, ',', scores.samples, ',', example::six_digits(scores.inception), ',',
                             example::six_digits(scores.frechet), '\n');
    inception_.series[0].x.push_back(static_cast<double>(epoch));
    inception_.series[0].y.push_back(scores.inception);
    frechet_.series[0].x.push_back(static_cast<double>(epoch));
    frechet_.series[0].y.push_back(scores.frechet);
    if (!(scores.frechet < best_)) return false;
    best_ = scores.frechet;
    return true;
  }
  bool empty() const { return rows_.empty(); }

  void write_csv(const std::filesystem::path& path) const {
    eigan::write_file(path, example::concat("epoch,samples,inception_score,frechet_distance\n", rows_));
  }
  std::vector<eigan::LineChart> charts() const {
    if (empty()) return {};
    return {inception_, frechet_};
  }

 private:
  static eigan::LineChart chart(const char* title, const char* y, bool log_y) {
    return {.title = title, .x_label = "epoch", .y_label = y, .log_y = log_y, .series = {{"samples", {}, {}}}};
  }

  std::string rows_;
  double best_ = std::numeric_limits<double>::infinity();
  eigan::LineChart inception_ = chart("Inception Score", "score, at most 10", false);
  eigan::LineChart frechet_ = chart("Frechet distance from the test images", "distance", true);
};

}  // namespace mnist_gan
