// History: what a run remembers of its steps beside the networks themselves.
#pragma once

#include "losses.hpp"
#include "score_log.hpp"

namespace mnist_gan {

struct History {
  LossLog log;
  MeanLosses epoch{};       ///< of the epoch that has begun
  StepLosses last_epoch{};  ///< means of the last whole one
  ScoreLog scores{};
  double seconds = 0;  ///< that the steps took, and what came between them

  /// For checkpoints, as in eigan::save_checkpoint.
  template <class Visit>
  void visit_state(Visit&& visit) {
    visit("log", log), visit("epoch", epoch), visit("last_epoch", last_epoch), visit("scores", scores);
    visit("seconds", seconds);
  }
};

}  // namespace mnist_gan
