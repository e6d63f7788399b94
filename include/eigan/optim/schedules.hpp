// Schedules: the factor of a learning rate at each step, as a pure function of the step. Steps count from 0.
//   linear_decay     1 - step / total, and 0 from there on
//   warmup_cosine    (step + 1) / warmup                                                while step < warmup
//                    1/2 (1 + cos(pi (step - warmup) / (total - warmup)))               then, down to 0 at step = total
// (Loshchilov and Hutter 2017, "SGDR", without restarts; the rise before it as in Goyal et al. 2017.)
#pragma once

#include <cmath>
#include <numbers>

#include <eigan/core/error.hpp>
#include <eigan/core/types.hpp>

namespace eigan {

/// Falls evenly from 1 to 0 at `total`. Throws std::invalid_argument unless step >= 0 and total > 0.
inline double linear_decay(Index step, Index total) {
  if (step < 0 || total < 1) detail::fail_contract("linear_decay: step ", step, " of ", total);
  return step >= total ? 0 : 1 - static_cast<double>(step) / static_cast<double>(total);
}

/// Rises linearly over `warmup` steps, reaches 1 with the last of them, and falls as half a cosine; 0 from `total` on.
/// Throws std::invalid_argument unless 0 <= warmup <= total and step >= 0.
inline double warmup_cosine(Index step, Index total, Index warmup) {
  if (step < 0 || warmup < 0 || warmup > total)
    detail::fail_contract("warmup_cosine: step ", step, " of ", total, " with ", warmup, " to warm up");
  if (step >= total) return 0;
  if (step < warmup) return static_cast<double>(step + 1) / static_cast<double>(warmup);
  return (1 + std::cos(std::numbers::pi * static_cast<double>(step - warmup) / static_cast<double>(total - warmup))) /
         2;
}

}  // namespace eigan
