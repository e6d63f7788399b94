// Filling matrices with random numbers from Rng. Element (i, j) depends on the generator's key, i and
// first_sample + j alone: a batch can be filled in parts, by anybody, with the same result. The distributions are
// our own, because the standard library's differ between vendors.
#pragma once

#include <cstdint>

#include <eigan/core/rng.hpp>
#include <eigan/core/view.hpp>
#include <eigan/kernels/normal.hpp>
#include <eigan/kernels/random.hpp>

namespace eigan {

/// Uniform in [low, high), on a grid of (high - low) 2^-24. Where T cannot tell the last grid points from high, as
/// float cannot in [1, 2), rounding may give high itself.
template <class T>
void fill_uniform(View<T> out, double low, double high, Rng rng, Index first_sample = 0) {
  for (Index j = 0; j < out.cols(); ++j)
    detail::kernels<detail::UniformKernels<T>>().uniform(
        out.rows(), rng.key(), static_cast<std::uint64_t>(first_sample + j), static_cast<T>(low),
        static_cast<T>(high - low), out.data() + j * out.outerStride());
}

/// Normal with the given mean and standard deviation, by Box and Muller's transformation.
///
/// Words i and 16 + i of a group of 32, w and a, give elements i and 16 + i of the same 32: sqrt(-2 log u) times the
/// cosine and the sine of an angle, with u = ((w >> 1) + 1/2) 2^-31; the angle is, from a's highest bit down, a sign of
/// the cosine, one of the sine, whether the two change places, and a place in an eighth of the circle. So numbers reach
/// to 6.66 deviations. In float every operation is exactly rounded: all machines and instruction sets give the same
/// bits, within 4e-7 of the exact value for mean 0, relatively.
template <class T>
void fill_normal(View<T> out, double mean, double deviation, Rng rng, Index first_sample = 0) {
  for (Index j = 0; j < out.cols(); ++j)
    detail::kernels<detail::NormalKernels<T>>().normal(
        out.rows(), rng.key(), static_cast<std::uint64_t>(first_sample + j), static_cast<T>(mean),
        static_cast<T>(deviation), out.data() + j * out.outerStride());
}

}  // namespace eigan
