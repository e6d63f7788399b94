// What the learning rates are at a step, as a part of the recipe's.
#pragma once

#include <eigan/optim/schedules.hpp>

#include "recipe.hpp"

namespace image_to_image {

/// 1 for the recipe's first epochs; then falls evenly to 0.
inline double schedule(const Recipe& recipe, Index step, Index steps_per_epoch) {
  const Index all = recipe.epochs * steps_per_epoch;
  const auto flat = static_cast<Index>(recipe.flat * static_cast<double>(all));
  return step < flat || flat >= all ? 1 : eigan::linear_decay(step - flat, all - flat);
}

}  // namespace image_to_image
