// Filling matrices with random numbers from Rng. Element (i, j) depends on the generator's key, i and
// first_sample + j alone: a batch can be filled in parts, by anybody, with the same result. The distributions are
// our own, because the standard library's differ between vendors.
#pragma once

#include <cmath>
#include <cstdint>
#include <numbers>

#include <eigan/core/rng.hpp>
#include <eigan/core/simd/kernels.hpp>
#include <eigan/core/view.hpp>

namespace eigan {

/// Uniform in [low, high), on a grid of (high - low) 2^-24. Where T cannot tell the last grid points from high, as
/// float cannot in [1, 2), rounding may give high itself.
template <class T>
void fill_uniform(View<T> out, double low, double high, Rng rng, Index first_sample = 0) {
  for (Index j = 0; j < out.cols(); ++j)
    detail::kernels<T>().uniform(out.rows(), rng.key(), static_cast<std::uint64_t>(first_sample + j),
                                 static_cast<T>(low), static_cast<T>(high - low), out.data() + j * out.outerStride());
}

/// Normal with the given mean and standard deviation, by Box and Muller's transformation.
template <class T>
void fill_normal(View<T> out, double mean, double deviation, Rng rng, Index first_sample = 0) {
  for (Index j = 0; j < out.cols(); ++j)
    for (Index i = 0; i < out.rows(); ++i) {
      const Index sample = first_sample + j;
      const double radius = std::sqrt(-2 * std::log(1 - rng.uniform(2 * i, sample)));  // 1 - u is never 0
      const double angle = 2 * std::numbers::pi * rng.uniform(2 * i + 1, sample);
      out(i, j) = static_cast<T>(std::fma(deviation * radius, std::cos(angle), mean));
    }
}

}  // namespace eigan
