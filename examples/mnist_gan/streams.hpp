// The independent random streams that a seed is split into, and the latent points z.
#pragma once

#include <cstdint>

#include <eigan/core/random.hpp>

namespace mnist_gan {

/// `Rng(seed).fold_in(stream::...)`. Saved runs depend on these numbers: add to them, never reorder.
namespace stream {
inline constexpr std::uint64_t generator_init = 0;
inline constexpr std::uint64_t discriminator_init = 1;
inline constexpr std::uint64_t batches = 2;
inline constexpr std::uint64_t steps = 3;
inline constexpr std::uint64_t samples = 4;
}  // namespace stream

/// z uniform in [-1, 1).
inline void draw_z(eigan::View<float> z, eigan::Rng rng) {
  eigan::fill_uniform(z, -1, 1, rng);
}

/// The z of a seed's sample sheets: latent x count. Training and `sample` agree on them.
inline eigan::Matrix<float> sample_z(eigan::Index latent, eigan::Index count, std::uint64_t seed) {
  eigan::Matrix<float> z(latent, count);
  draw_z(z, eigan::Rng(seed).fold_in(stream::samples));
  return z;
}

}  // namespace mnist_gan
