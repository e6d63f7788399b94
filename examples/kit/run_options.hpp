// RunOptions: what the command line of every training says of its run, whatever is trained.
#pragma once

#include <string>

#include <eigan/core/types.hpp>

namespace kit {

/// When a checkpoint is due. Both 0: never.
struct CheckpointEvery {
  eigan::Index steps = 0;
  double seconds = 60;

  bool wanted() const { return steps > 0 || seconds > 0; }
};

struct RunOptions {
  std::string out;
  eigan::Index samples_every = 1;  ///< epochs from sheet to sheet; 0: only the last
  eigan::Index log_every = 100;    ///< steps that a row of the log is the mean of
  CheckpointEvery checkpoint_every{};
  eigan::Index retries = 0;  ///< times that a run which diverges goes on from its last checkpoint with half the rates
  bool resume = false;
  bool force = false;
  bool quiet = false;
  bool no_progress = false;
  int threads = 0;  ///< 0: all processors
};

}  // namespace kit
