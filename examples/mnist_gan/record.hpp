// What a run folder says in JSON about its run: how it was started, and how it ended.
#pragma once

#include <string>

#include "losses.hpp"
#include "options.hpp"

namespace mnist_gan {

/// config.json: everything that the run depends on, and what it ran on.
std::string config_text(const TrainOptions& options, int threads);

/// result.json: the length of the run and the means of its last epoch.
std::string result_text(Index epochs, Index steps, double seconds, const StepLosses& last_epoch);

}  // namespace mnist_gan
