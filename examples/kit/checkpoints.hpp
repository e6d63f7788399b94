// Checkpoints: the files of a run that a later process can go on from, and when they are written.
#pragma once

#include <cstdint>
#include <string>

#include <eigan/core/error.hpp>
#include <eigan/core/types.hpp>

#include "clock.hpp"
#include "run_folder.hpp"
#include "run_options.hpp"
#include "state.hpp"

namespace kit {

/// The checkpoint is one of a run with other options or images.
struct OtherRun : eigan::Error {
  using Error::Error;
};

class Checkpoints {
 public:
  /// `step` counts the training's steps and is a part of its state; all must outlive the checkpoints.
  Checkpoints(const RunFolder& folder, const CheckpointEvery& every, const State& state, const std::int64_t& step);

  /// What must not change between the processes of a run.
  void add_condition(const std::string& key, const std::string& value) { metadata_[key] = value; }
  /// What may change: the file states it, and nobody checks it.
  void add_note(const std::string& key, const std::string& value) { metadata_[key] = value, unchecked_ = key; }

  /// Goes on from the last checkpoint, or from the one before it if that one is damaged, and says so. False if there is
  /// none. eigan::Error if neither can be read, or if the run began with other options or images.
  bool load() { return load(false); }

  /// Whether one should be written after this step.
  bool due() const;
  /// Writes one; the last one becomes the one before. eigan::Error if it cannot be written.
  void save();

  /// After a divergence: goes back to the last checkpoint, or to the one before it if the last one has led to a
  /// divergence already, since a training that blows up may have been saved while its numbers were still finite.
  bool roll_back();
  /// Replaces the last checkpoint and leaves the one before it: for what has been rolled back.
  void replace() { write(false); }

  bool wanted() const { return every_.wanted(); }

 private:
  bool load(bool from_previous);
  void check_conditions(const eigan::SafetensorsFile& file) const;
  void write(bool keeps_last);

  const RunFolder& folder_;
  CheckpointEvery every_;
  const State& state_;
  const std::int64_t& step_;
  Metadata metadata_;
  std::string unchecked_;
  std::int64_t saved_step_ = 0;            // of the last one
  bool last_is_bad_ = false;               // damaged, or on the way to a divergence: not worth keeping
  bool rolled_back_ = false;               // since it was written
  Clock::time_point time_ = Clock::now();  // and when it was tried to write it
};

}  // namespace kit
