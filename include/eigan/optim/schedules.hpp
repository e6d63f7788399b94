// Schedules: the factor of a learning rate at each step, as a pure function of the step. Steps count from 0.
//   linear_decay     1 - step / total, and 0 from there on
//   warmup_cosine    (step + 1) / warmup                                                while step < warmup
//                    1/2 (1 + cos(pi (step - warmup) / (total - warmup)))               then, down to 0 at step = total
//   cosine_decay     warmup_cosine without a rise              (torch.optim.lr_scheduler.CosineAnnealingLR, eta_min 0)
//   step_decay       gamma^floor(step / every)                 (StepLR)
//   one_cycle        a rise by half a cosine from 1 / div_factor to 1, then a fall to 1 / (div_factor final_div_factor)
//                    at the last step                          (OneCycleLR; Smith and Topin 2019)
// (Loshchilov and Hutter 2017, "SGDR", without restarts; the rise before it as in Goyal et al. 2017.)
#pragma once

#include <algorithm>
#include <cmath>
#include <numbers>

#include <eigan/core/error.hpp>
#include <eigan/core/finite.hpp>
#include <eigan/core/types.hpp>

namespace eigan {

/// Falls evenly from 1 to 0 at `total`. Throws std::invalid_argument unless step >= 0 and total > 0.
inline double linear_decay(Index step, Index total) {
  if (step < 0 || total < 1)
    detail::fail_contract("eigan::linear_decay: expected step >= 0 and total >= 1, found ", step, " and ", total);
  return step >= total ? 0 : 1 - static_cast<double>(step) / static_cast<double>(total);
}

/// Rises linearly over `warmup` steps, reaches 1 with the last of them, and falls as half a cosine; 0 from `total` on.
/// Throws std::invalid_argument unless 0 <= warmup <= total and step >= 0.
inline double warmup_cosine(Index step, Index total, Index warmup) {
  if (step < 0 || warmup < 0 || warmup > total)
    detail::fail_contract("eigan::warmup_cosine: expected step >= 0 and 0 <= warmup <= total, found step ", step,
                          ", warmup ", warmup, " and total ", total);
  if (step >= total) return 0;
  if (step < warmup) return static_cast<double>(step + 1) / static_cast<double>(warmup);
  return (1 + std::cos(std::numbers::pi * static_cast<double>(step - warmup) / static_cast<double>(total - warmup))) /
         2;
}

/// Falls from 1 as half a cosine; 0 from `total` on. Throws std::invalid_argument unless step >= 0 and total >= 0.
inline double cosine_decay(Index step, Index total) {
  if (step < 0 || total < 0)
    detail::fail_contract("eigan::cosine_decay: expected step >= 0 and total >= 0, found ", step, " and ", total);
  return warmup_cosine(step, total, 0);
}

/// Falls by the factor gamma each `every` steps. Throws std::invalid_argument unless step >= 0, every > 0 and gamma is
/// in [0, 1].
inline double step_decay(Index step, Index every, double gamma = 0.1) {
  if (step < 0 || every < 1 || !(detail::at_least(gamma, 0) && gamma <= 1))
    detail::fail_contract("eigan::step_decay: expected step >= 0, every >= 1 and gamma in [0, 1], found ", step, ", ",
                          every, " and ", gamma);
  return std::pow(gamma, static_cast<double>(step / every));
}

/// Names and values as in torch.optim.lr_scheduler.OneCycleLR.
struct OneCycleOptions {
  double pct_start = 0.3;         ///< the share of the steps that rise, in (0, 1)
  double div_factor = 25;         ///< the peak over the first rate, at least 1
  double final_div_factor = 1e4;  ///< the first rate over the last, at least 1
};

/// One rise and one fall; 1 is the peak. Behind the last step it stays where that was. Throws std::invalid_argument
/// unless step >= 0, and total leaves a step for the rise and one for the fall.
inline double one_cycle(Index step, Index total, OneCycleOptions options = {}) {
  const double peak = options.pct_start * static_cast<double>(total) - 1, last = static_cast<double>(total - 1);
  const auto is_factor = [](double f) { return detail::is_finite(f) && f >= 1; };
  if (step < 0 || !(detail::at_least(peak, 0) && peak < last) || !is_factor(options.div_factor) ||
      !is_factor(options.final_div_factor))
    detail::fail_contract(
        "eigan::one_cycle: expected step >= 0, 1 <= pct_start * total < total and factors of at least 1, found step ",
        step, ", total ", total, ", pct_start ", options.pct_start, ", div_factor ", options.div_factor,
        ", final_div_factor ", options.final_div_factor);
  const auto anneal = [](double from, double to, double share) {
    return to + (from - to) / 2 * (1 + std::cos(std::numbers::pi * share));
  };
  const double at = std::min(static_cast<double>(step), last), first = 1 / options.div_factor;
  if (at <= peak) return anneal(first, 1, peak == 0 ? 1 : at / peak);
  return anneal(1, first / options.final_div_factor, (at - peak) / (last - peak));
}

}  // namespace eigan
