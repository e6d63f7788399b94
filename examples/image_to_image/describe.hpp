// What a training was told, in words and as the conditions of its continuation.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "kit/run.hpp"

#include "networks.hpp"
#include "options.hpp"
#include "picture_set.hpp"

namespace image_to_image {

/// For people.
std::vector<std::pair<std::string, std::string>> described(const TrainOptions& options, const TaskData& data,
                                                           const Generator& generator, const AnyModel& discriminator,
                                                           Index steps_per_epoch);
kit::Settings settings(const TrainOptions& options, const TaskData& data,
                       const std::vector<std::pair<std::string, std::string>>& described);

}  // namespace image_to_image
