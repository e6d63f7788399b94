// Filling matrices with random numbers from Rng. Element (i, j) depends on the generator's key, i and
// first_sample + j alone: a batch can be filled in parts, by anybody, with the same result. The distributions are
// our own, because the standard library's differ between vendors.
#pragma once

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numbers>

#include <eigan/core/rng.hpp>
#include <eigan/core/view.hpp>
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
template <class T>
void fill_normal(View<T> out, double mean, double deviation, Rng rng, Index first_sample = 0) {
  // Uniform numbers come faster many at once; they are whole multiples of 2^-24, exact in float.
  std::array<float, 512> u;
  constexpr auto pairs = static_cast<Index>(u.size() / 2);
  for (Index j = 0; j < out.cols(); ++j) {
    const Index sample = first_sample + j;
    if (out.rows() <= pairs)
      detail::kernels<detail::UniformKernels<float>>().uniform(2 * out.rows(), rng.key(),
                                                               static_cast<std::uint64_t>(sample), 0, 1, u.data());
    const auto uniform = [&](Index i) {
      return out.rows() <= pairs ? static_cast<double>(u[static_cast<std::size_t>(i)]) : rng.uniform(i, sample);
    };
    for (Index i = 0; i < out.rows(); ++i) {
      const double radius = std::sqrt(-2 * std::log(1 - uniform(2 * i)));  // 1 - u is never 0
      const double angle = 2 * std::numbers::pi * uniform(2 * i + 1);
      out(i, j) = static_cast<T>(std::fma(deviation * radius, std::cos(angle), mean));
    }
  }
}

}  // namespace eigan
