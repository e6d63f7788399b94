// What a training step measures, means of it, and the log of a whole run.
#pragma once

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
};

class MeanLosses {
 public:
  void add(const StepLosses& step) {
    sum_.d_loss += step.d_loss, sum_.g_loss += step.g_loss, sum_.d_real += step.d_real, sum_.d_fake += step.d_fake;
    ++count_;
  }
  eigan::Index count() const { return count_; }
  StepLosses mean() const {
    const double n = count_ > 0 ? static_cast<double>(count_) : 1.0;
    return {sum_.d_loss / n, sum_.g_loss / n, sum_.d_real / n, sum_.d_fake / n};
  }

 private:
  StepLosses sum_;
  eigan::Index count_ = 0;
};

/// A row of means for every `every` steps, as CSV and as plots.
class LossLog {
 public:
  LossLog(eigan::Index every, eigan::Index steps_per_epoch) : every_(every), steps_per_epoch_(steps_per_epoch) {
    for (const char* name : {"discriminator", "generator"}) losses_.series.push_back({name, {}, {}});
    for (const char* name : {"real images", "generated images"}) opinions_.series.push_back({name, {}, {}});
  }

  void add(const StepLosses& step) {
    ++steps_;
    means_.add(step);
    if (means_.count() == every_) close_row();
  }

  /// Ends a row that is not full yet: the run is over.
  void close() {
    if (means_.count() > 0) close_row();
  }

  void write_csv(const std::filesystem::path& path) const {
    eigan::write_file(path, concat("step,epoch,d_loss,g_loss,d_real,d_fake\n", rows_));
  }
  void write_chart(const std::filesystem::path& path) const { eigan::write_line_chart(path, losses_); }

  /// The losses, and what the discriminator takes real and generated images for.
  std::vector<eigan::LineChart> charts() const { return {losses_, opinions_}; }

 private:
  void close_row() {
    const StepLosses mean = means_.mean();
    rows_ += concat(steps_, ',', (steps_ - 1) / steps_per_epoch_ + 1, ',', six_digits(mean.d_loss), ',',
                    six_digits(mean.g_loss), ',', six_digits(mean.d_real), ',', six_digits(mean.d_fake), '\n');
    add_point(losses_, mean.d_loss, mean.g_loss);
    add_point(opinions_, mean.d_real, mean.d_fake);
    means_ = {};
  }

  void add_point(eigan::LineChart& chart, double first, double second) const {
    for (auto& series : chart.series) {
      series.x.push_back(static_cast<double>(steps_) / static_cast<double>(steps_per_epoch_));
    }
    chart.series[0].y.push_back(first);
    chart.series[1].y.push_back(second);
  }

  eigan::Index every_;
  eigan::Index steps_per_epoch_;
  eigan::Index steps_ = 0;
  MeanLosses means_;
  std::string rows_;
  eigan::LineChart losses_{.title = "Losses", .x_label = "epoch", .y_label = "loss", .log_y = false, .series = {}};
  eigan::LineChart opinions_{
      .title = "Discriminator's opinion", .x_label = "epoch", .y_label = "mean of D", .log_y = false, .series = {}};
};

}  // namespace mnist_gan
