// Checkpoints: the files of a run that a later process can go on from, and when they are written.
#pragma once

#include <string>

#include <eigan/core/error.hpp>

#include "common/clock.hpp"

#include "history.hpp"
#include "options.hpp"
#include "run_folder.hpp"
#include "trainer.hpp"

namespace mnist_gan {

/// The checkpoint is one of a run with other options or images.
struct OtherRun : eigan::Error {
  using Error::Error;
};

class Checkpoints {
 public:
  /// `images`: what training sees; another data set is noticed.
  Checkpoints(const RunFolder& folder, const TrainOptions& options, const eigan::LabelledImages& images);

  /// Another thing that must not change between the processes of a run.
  void add_condition(const std::string& key, const std::string& value) { metadata_[key] = value; }
  void add_condition(const std::string& key, const eigan::LabelledImages& images);

  /// Goes on from the last checkpoint, or from the one before it if that one is damaged, and says so. False if there is
  /// none. eigan::Error if neither can be read, or if the run began with other options or images.
  bool load(Trainer& trainer, History& history);

  /// Whether one should be written after this step.
  bool due(Index steps) const;
  /// Writes one; the last one becomes the one before. eigan::Error if it cannot be written.
  void save(Trainer& trainer, History& history);

  /// After a divergence: goes back to the last checkpoint, or to the one before it if the last one has led to a
  /// divergence already, since a training that blows up may have been saved while its numbers were still finite.
  bool roll_back(Trainer& trainer, History& history);
  /// Replaces the last checkpoint and leaves the one before it: for what has been rolled back.
  void replace(Trainer& trainer, History& history);

  bool wanted() const { return options_.checkpoint_every.wanted(); }

 private:
  bool load(Trainer& trainer, History& history, bool from_previous);
  void check_conditions(const eigan::SafetensorsFile& file) const;
  void write(Trainer& trainer, History& history, bool keeps_last);

  const RunFolder& folder_;
  const TrainOptions& options_;
  Metadata metadata_;
  Index step_ = 0;                         // of the last one
  bool last_is_bad_ = false;               // damaged, or on the way to a divergence: not worth keeping
  bool rolled_back_ = false;               // since it was written
  Clock::time_point time_ = Clock::now();  // and when it was tried to write it
};

}  // namespace mnist_gan
