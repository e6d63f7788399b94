// What a training step measures, means of it, and the log of a whole run.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <eigan/core/types.hpp>
#include <eigan/io/atomic_file.hpp>
#include <eigan/io/line_chart.hpp>

#include "common/text.hpp"

namespace mnist_gan {

using namespace example;

struct StepLosses {
  double d_loss = 0;
  double g_loss = 0;
  double d_real = 0;  ///< the discriminator's mean opinion of real images, 0 to 1
  double d_fake = 0;  ///< and of generated ones

  /// For checkpoints, as in eigan::save_checkpoint; so below.
  template <class Visit>
  void visit_state(Visit&& visit) {
    visit("d_loss", d_loss), visit("g_loss", g_loss), visit("d_real", d_real), visit("d_fake", d_fake);
  }
};

class MeanLosses {
 public:
  void add(const StepLosses& step) {
    sum_.d_loss += step.d_loss, sum_.g_loss += step.g_loss, sum_.d_real += step.d_real, sum_.d_fake += step.d_fake;
    ++count_;
  }
  std::int64_t count() const { return count_; }
  StepLosses mean() const {
    const double n = count_ > 0 ? static_cast<double>(count_) : 1.0;
    return {sum_.d_loss / n, sum_.g_loss / n, sum_.d_real / n, sum_.d_fake / n};
  }

  template <class Visit>
  void visit_state(Visit&& visit) {
    visit("sum", sum_), visit("count", count_);
  }

 private:
  StepLosses sum_;
  std::int64_t count_ = 0;
};

/// A row of means for every `every` steps, as CSV and as plots.
class LossLog {
 public:
  LossLog(eigan::Index every, eigan::Index steps_per_epoch) : every_(every), steps_per_epoch_(steps_per_epoch) {}

  void add(const StepLosses& step) {
    ++steps_;
    means_.add(step);
    if (means_.count() == every_) close_row();
  }

  /// The same with a row that is not full yet: for a run that is over.
  LossLog closed() const {
    LossLog log = *this;
    if (log.means_.count() > 0) log.close_row();
    return log;
  }

  void write_csv(const std::filesystem::path& path) const {
    std::string text = "step,epoch,d_loss,g_loss,d_real,d_fake\n";
    for (std::size_t row = 0; row < row_steps_.size(); ++row) {
      text += concat(row_steps_[row], ',', (row_steps_[row] - 1) / steps_per_epoch_ + 1);
      for (const auto& column : columns_) text += concat(',', six_digits(column[row]));
      text += '\n';
    }
    eigan::write_file(path, text);
  }
  void write_chart(const std::filesystem::path& path) const { eigan::write_line_chart(path, charts().front()); }

  /// The losses, and what the discriminator takes real and generated images for.
  std::vector<eigan::LineChart> charts() const {
    std::vector<double> epochs;
    for (const std::int64_t step : row_steps_)
      epochs.push_back(static_cast<double>(step) / static_cast<double>(steps_per_epoch_));
    return {{.title = "Losses",
             .x_label = "epoch",
             .y_label = "loss",
             .log_y = false,
             .series = {{"discriminator", epochs, columns_[0]}, {"generator", epochs, columns_[1]}}},
            {.title = "Discriminator's opinion",
             .x_label = "epoch",
             .y_label = "mean of D",
             .log_y = false,
             .series = {{"real images", epochs, columns_[2]}, {"generated images", epochs, columns_[3]}}}};
  }

  template <class Visit>
  void visit_state(Visit&& visit) {
    visit("steps", steps_), visit("row", means_), visit("row_steps", row_steps_);
    visit("d_loss", columns_[0]), visit("g_loss", columns_[1]), visit("d_real", columns_[2]);
    visit("d_fake", columns_[3]);
  }

  /// What cannot be the log of so many steps; else empty.
  std::string fault(std::int64_t steps) const {
    const auto of_other_length = [&](const auto& column) { return column.size() != row_steps_.size(); };
    if (steps_ != steps || means_.count() < 0 || means_.count() >= every_)
      return concat("expected a log of ", steps, " steps, found one of ", steps_);
    if (std::any_of(columns_.begin(), columns_.end(), of_other_length))
      return "expected as many numbers in each column of the log as it has rows";
    return "";
  }

 private:
  void close_row() {
    const StepLosses mean = means_.mean();
    row_steps_.push_back(steps_);
    columns_[0].push_back(mean.d_loss), columns_[1].push_back(mean.g_loss);
    columns_[2].push_back(mean.d_real), columns_[3].push_back(mean.d_fake);
    means_ = {};
  }

  eigan::Index every_;
  eigan::Index steps_per_epoch_;
  std::int64_t steps_ = 0;
  MeanLosses means_;
  std::vector<std::int64_t> row_steps_;         // that each row ends with
  std::array<std::vector<double>, 4> columns_;  // d_loss, g_loss, d_real, d_fake
};

}  // namespace mnist_gan
