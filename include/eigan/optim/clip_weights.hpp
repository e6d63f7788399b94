// clip_weights: p = min(max(p, -c), c) for every parameter, between two steps. It bounds a critic's slope as the first
// Wasserstein networks did (Arjovsky et al. 2017); in PyTorch, p.data.clamp_(-c, c). A NaN stays one.
#pragma once

#include <algorithm>
#include <span>

#include <eigan/core/error.hpp>
#include <eigan/core/finite.hpp>

namespace eigan {

/// Of a flat parameter buffer, such as model.params(). Throws std::invalid_argument unless c is more than 0.
template <class T>
void clip_weights(std::span<T> params, double c) {
  const T bound = static_cast<T>(c);
  if (detail::is_nan(c) || !(bound > 0)) detail::fail_contract("eigan::clip_weights: c must be more than 0, is ", c);
  for (T& p : params) p = std::clamp(p, -bound, bound);
}

}  // namespace eigan
