// What a run folder says in JSON about its run: how it was started, and how it ended.
#pragma once

#include <string>

#include "common/json_object.hpp"

#include "history.hpp"
#include "options.hpp"

namespace mnist_gan {

/// What decides the result of a run bit for bit, beside the images.
JsonObject decisions(const TrainOptions& options);

/// config.json: everything that the run depends on, and what it ran on.
std::string config_text(const TrainOptions& options, int threads);

/// result.json: the length of the run, the means of its last epoch, and how its digits differ from each other.
std::string result_text(Index epochs, Index steps, const History& history, double variety);

}  // namespace mnist_gan
