// What a training says of itself: to people when it begins and on its page, to machines in config.json.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "kit/run.hpp"

#include "gan.hpp"
#include "options.hpp"

namespace mnist_gan {

/// What a reader of the results wants to know of the run: names and values.
std::vector<std::pair<std::string, std::string>> described(const TrainOptions& options, const Gan& gan, Index held_out);

/// Everything that the run depends on, and what it ran on.
kit::Settings settings(const TrainOptions& options, const Gan& gan, Index held_out);

}  // namespace mnist_gan
