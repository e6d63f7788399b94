// Checkpoints: the files of a run that a later process can go on from, and when they are written.
#pragma once

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

  /// Goes on from the last checkpoint, or from the one before it if that one is damaged, and says so. False if there is
  /// none. eigan::Error if neither can be read, or if the run began with other options or images.
  bool load(Trainer& trainer, History& history);

  /// Writes one; the last one becomes the one before. eigan::Error if it cannot be written.
  void save(Trainer& trainer, History& history);
  /// The same if it is time. A file that cannot be written is only a warning: the training goes on.
  void save_when_due(Trainer& trainer, History& history);

  bool wanted() const { return options_.checkpoint_every.steps > 0 || options_.checkpoint_every.seconds > 0; }

 private:
  void check_options(const eigan::SafetensorsFile& file) const;

  const RunFolder& folder_;
  const TrainOptions& options_;
  Metadata metadata_;
  Index step_ = 0;                         // of the last one
  Clock::time_point time_ = Clock::now();  // and when it was tried to write it
};

}  // namespace mnist_gan
