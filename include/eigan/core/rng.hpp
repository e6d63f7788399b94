// Counter-based random numbers: Philox4x32-10 (Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy as
// 1, 2, 3", SC 2011).
//
// A number is a pure function of (key, index, sample): nobody advances a state, so it does not matter which thread
// asks first, and a dropout mask can be made again instead of being stored. Independent streams come from
// `fold_in`, as in JAX: `Rng(seed).fold_in(step).fold_in(layer)`.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include <eigan/core/types.hpp>

namespace eigan {

/// A key. Its numbers are a function of it, the index and the sample: nothing is used up.
class Rng {
 public:
  /// What one counter gives.
  using Words = std::array<std::uint32_t, 4>;

  /// The stream of a seed.
  constexpr explicit Rng(std::uint64_t seed) : key_(seed) {}

  /// The stream's key; two generators with the same key give the same numbers.
  constexpr std::uint64_t key() const { return key_; }

  /// An independent stream for `id`: a step, a layer, a purpose.
  constexpr Rng fold_in(std::uint64_t id) const {
    // The all-ones sample is reserved for derivation; data samples count from zero.
    const Words w = block(id, ~std::uint64_t{0});
    return Rng(std::uint64_t{w[0]} << 32 | w[1]);
  }

  /// Philox4x32-10 of the counter (index, sample) under this key.
  constexpr Words block(std::uint64_t index, std::uint64_t sample) const {
    Words c{lo(index), hi(index), lo(sample), hi(sample)};
    std::uint32_t k0 = lo(key_), k1 = hi(key_);
    for (int round = 0; round < 10; ++round, k0 += 0x9E3779B9u, k1 += 0xBB67AE85u) {
      const std::uint64_t p0 = std::uint64_t{0xD2511F53u} * c[0];
      const std::uint64_t p1 = std::uint64_t{0xCD9E8D57u} * c[2];
      c = {hi(p1) ^ c[1] ^ k0, lo(p1), hi(p0) ^ c[3] ^ k1, lo(p0)};
    }
    return c;
  }

  /// The `i`-th 32-bit word of a sample's stream. Words come in groups of 32, made by eight counters side by side
  /// so that vector registers can compute them together: word i of group g is word (i / 8) of counter 8 g + i % 8.
  constexpr std::uint32_t word(Index i, Index sample) const {
    const auto group = static_cast<std::uint64_t>(i / 32);
    const auto within = static_cast<std::size_t>(i % 32);
    return block(8 * group + within % 8, static_cast<std::uint64_t>(sample))[within / 8];
  }

  /// Uniform in [0, 1), 24 bits: every value is exact in float.
  constexpr double uniform(Index i, Index sample) const { return (word(i, sample) >> 8) * 0x1p-24; }

 private:
  static constexpr std::uint32_t lo(std::uint64_t x) { return static_cast<std::uint32_t>(x); }
  static constexpr std::uint32_t hi(std::uint64_t x) { return static_cast<std::uint32_t>(x >> 32); }

  std::uint64_t key_;
};

}  // namespace eigan
