// The independent random streams that a seed is split into.
#pragma once

#include <cstdint>

namespace mnist_gan {

/// `Rng(seed).fold_in(stream::...)`. Saved runs depend on these numbers: add to them, never reorder.
namespace stream {
inline constexpr std::uint64_t generator_init = 0;
inline constexpr std::uint64_t discriminator_init = 1;
inline constexpr std::uint64_t batches = 2;
inline constexpr std::uint64_t steps = 3;
inline constexpr std::uint64_t samples = 4;
inline constexpr std::uint64_t statistics = 5;
inline constexpr std::uint64_t digits = 6;
inline constexpr std::uint64_t noise = 7;
}  // namespace stream

}  // namespace mnist_gan
