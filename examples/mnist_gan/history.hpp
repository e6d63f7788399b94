// History: what a run remembers of its steps beside the networks themselves.
#pragma once

#include <cmath>
#include <cstdint>
#include <string>

#include "losses.hpp"
#include "score_log.hpp"

namespace mnist_gan {

struct History {
  LossLog log;
  MeanLosses epoch{};       ///< of the epoch that has begun
  StepLosses last_epoch{};  ///< means of the last whole one
  ScoreLog scores{};
  double seconds = 0;        ///< that the steps took, and what came between them
  std::int64_t retries = 0;  ///< after divergences

  /// For checkpoints, as in eigan::save_checkpoint.
  template <class Visit>
  void visit_state(Visit&& visit) {
    visit("log", log), visit("epoch", epoch), visit("last_epoch", last_epoch), visit("scores", scores);
    visit("seconds", seconds), visit("retries", retries);
  }

  /// What cannot be the history of so many steps, as a file that somebody has made up may have it; else empty.
  std::string fault(std::int64_t steps, Index steps_per_epoch) const {
    if (epoch.count() != steps % steps_per_epoch)
      return concat("expected an epoch of ", steps % steps_per_epoch, " steps so far, found ", epoch.count());
    if (!(seconds >= 0 && std::isfinite(seconds)) || retries < 0) return "expected a time and retries of 0 and more";
    const std::string in_log = log.fault(steps);
    return in_log.empty() ? scores.fault() : in_log;
  }
};

}  // namespace mnist_gan
