// Run: a training in a folder of its own, from the first step to result.json, over as many processes as it takes. The
// loop, and what a step does, stay the program's:
//
//   kit::Run run(options, training);
//   run.holds([&](auto visit) { visit("model", model), visit("adam", adam); });
//   if (!run.begin(settings)) return success;
//   while (run.next()) {                                        // saves; ends at the last step or at a signal
//     if (!run.took({train(run.step(), run.rate())})) continue; // diverged: the state is an earlier one
//     if (run.ends_epoch()) run.try_to([&] { write_image_sheet<float>(run.folder().sheet(run.epochs()), images()); });
//   }
//   run.close();  // then models, run.report(), and: return run.end(results);
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <eigan/core/error.hpp>
#include <eigan/io/file_descriptor.hpp>

#include "checkpoints.hpp"
#include "clock.hpp"
#include "columns.hpp"
#include "json_object.hpp"
#include "loss_log.hpp"
#include "message.hpp"
#include "progress.hpp"
#include "report.hpp"
#include "run_folder.hpp"
#include "run_options.hpp"
#include "score_log.hpp"
#include "state.hpp"

namespace kit {

/// What a program says of its training.
struct Training {
  std::string program;  ///< its name
  Plan plan;
  Columns columns;                 ///< what a step measures
  std::vector<Score> scores{};     ///< of samples, on the way
  std::vector<std::string> files;  ///< of the program's own in the folder
  bool may_grow = false;           ///< a finished run may be made longer: nothing depends on its length
};

/// What a run was told: a line of config.json each, and, of those that decide its result bit for bit, a condition that
/// other processes of the run must meet.
struct Settings {
  JsonObject decisions;
  JsonObject others{};
  std::string banner;  ///< what it says when it begins
};

class Run {
 public:
  Run(const RunOptions& options, Training training);
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;

  /// Says what a checkpoint holds beside the run's own, as eigan::save_checkpoint takes it.
  template <class Parts>
  void holds(const Parts& parts) {
    state_ = State(parts, [this](const auto& inner, auto visit) {
      visit("step", step_), visit("rate", rate_);
      inner(visit);
      History history{*this};
      visit("history", history);
    });
    state_.load = [this, load = std::move(state_.load)](const eigan::SafetensorsFile& file) {
      load(file);
      if (const std::string wrong = fault(); !wrong.empty()) throw eigan::Error(concat(file.name(), ": ", wrong));
    };
  }
  /// Another thing that must not change between the processes of the run: the data, for one.
  void depends_on(const std::string& key, const std::string& value) { checkpoints_.add_condition(key, value); }

  /// Takes the folder and, with --resume, goes on from its checkpoint. False if the run is finished already, and says
  /// so. eigan::Error if the folder is somebody else's, or the checkpoint that of another run.
  bool begin(const Settings& settings);
  /// Whether there is another step. A checkpoint that is due is written first.
  bool next();
  /// The step that comes next, counted from 0.
  std::int64_t step() const { return step_; }
  /// What the learning rates are to be multiplied by: halved by each retry.
  double rate() const { return rate_; }
  /// Takes in what the step measured, as many numbers as there are columns. False if the training has diverged, by
  /// these or by what its state holds, and stands at an earlier step again. Diverged if --retries allows no more.
  bool took(const std::vector<double>& measured);
  bool ends_epoch() const { return step_ % training_.plan.steps_per_epoch == 0; }
  /// Whole ones.
  eigan::Index epochs() const { return step_ / training_.plan.steps_per_epoch; }
  bool wants_sheet() const { return options_.samples_every > 0 && epochs() % options_.samples_every == 0; }

  /// Writes into the run's folder, as long as that is still there under its name; what fails is a warning.
  template <class Write>
  void try_to(Write&& write) {
    const auto into_the_folder = [&] {
      (void)folder_.is_kept_by(lock_);
      write();
    };
    or_warn(into_the_folder, [&] { progress_.clear(); });
  }
  const RunFolder& folder() const { return folder_; }
  ScoreLog& scores() { return scores_; }

  /// After the last step: saves what a later process can go on from, and the logs. eigan::Error if it cannot.
  void close();
  /// A page of what there is: facts, sheets, charts. The program adds its own.
  Report report(const std::string& title) const;
  /// The last word: result.json with `results` in it. The exit code: success, or by_signal + the signal that stopped
  /// it.
  int end(const JsonObject& results);
  double seconds() const { return seconds_; }

 private:
  /// What is saved of a run beside the program's parts.
  struct History {
    Run& run;
    template <class Visit>
    void visit_state(Visit&& visit) {
      visit("log", run.log_), visit("epoch", run.epoch_);
      LastEpoch last{run};
      visit("last_epoch", last), visit("scores", run.scores_);
      visit("seconds", run.seconds_), visit("retries", run.retries_);
    }
  };
  struct LastEpoch {
    Run& run;
    template <class Visit>
    void visit_state(Visit&& visit) {
      visit_columns(visit, run.training_.columns, run.last_epoch_);
    }
  };

  std::string fault() const;
  void refuse_occupied() const;
  void recover(const std::string& trouble);
  void start_progress() { progress_.start_epoch(epochs() + 1, epoch_.count()); }

  RunOptions options_;
  Training training_;
  RunFolder folder_;
  std::int64_t step_ = 0;
  double rate_ = 1;
  LossLog log_;
  Means epoch_;                     // of the epoch that has begun
  std::vector<double> last_epoch_;  // means of the last whole one
  ScoreLog scores_;
  double seconds_ = 0;        // that the steps took, and what came between them
  std::int64_t retries_ = 0;  // after divergences
  State state_;
  Checkpoints checkpoints_;
  Progress progress_;
  std::string config_;
  eigan::detail::FileDescriptor lock_;
  bool resumed_ = false;
  double seconds_before_ = 0;  // this process
  Clock::time_point start_ = Clock::now();
};

}  // namespace kit
