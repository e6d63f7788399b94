// What a training begins with: everything that one wants to know later about a log file.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "options.hpp"

namespace mnist_gan {

struct RunFacts {
  Index images;    ///< that training sees
  Index held_out;  ///< that it does not
  Index steps_per_epoch;
  Index generator_parameters;
  Index discriminator_parameters;
  int threads;
};

/// What a reader of the results wants to know of the run: names and values.
std::vector<std::pair<std::string, std::string>> described(const TrainOptions& options, const RunFacts& facts);

/// The same as several lines, without the last line's end.
std::string banner(const TrainOptions& options, const RunFacts& facts);

}  // namespace mnist_gan
