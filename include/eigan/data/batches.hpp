// Batches: a data set cut into shuffled mini-batches, a new shuffle every epoch.
//
// The order is a pure function of the generator and the epoch, so training can resume at any batch of any epoch by
// asking for it. The shuffle is Fisher and Yates's with integers of our own, the same on every platform.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <utility>
#include <vector>

#include <eigan/core/error.hpp>
#include <eigan/core/rng.hpp>
#include <eigan/core/types.hpp>

namespace eigan {

/// The `i`-th integer of a stream of integers uniform in [0, bound), without bias (Lemire, "Fast random integer
/// generation in an interval", 2019: the upper half of word x bound, a few words refused).
constexpr std::uint32_t uniform_below(const Rng& rng, std::uint64_t i, std::uint32_t bound) {
  const std::uint32_t refused = (0u - bound) % bound;  // 2^32 mod bound
  for (std::uint64_t attempt = 0;; ++attempt) {
    const std::uint64_t product = std::uint64_t{rng.block(i, attempt)[0]} * bound;
    if (static_cast<std::uint32_t>(product) >= refused) return static_cast<std::uint32_t>(product >> 32);
  }
}

/// Which images make which batch.
class Batches {
 public:
  /// Batches of `batch_size` out of images 0 to count - 1; the last one of an epoch holds what remains.
  /// Stands at epoch 0.
  Batches(Index count, Index batch_size, const Rng& rng) : batch_size_(std::min(batch_size, count)), rng_(rng) {
    if (count < 1 || !std::in_range<std::uint32_t>(count) || batch_size < 1) {
      detail::fail_contract("Batches: ", count, " images in batches of ", batch_size,
                            ", expected 1 to 2^32 - 1 images and at least 1 a batch");
    }
    order_.resize(static_cast<std::size_t>(count));
    start_epoch(0);
  }

  /// Shuffles for `epoch`. Allocates nothing.
  void start_epoch(Index epoch) {
    const Rng rng = rng_.fold_in(static_cast<std::uint64_t>(epoch));
    std::iota(order_.begin(), order_.end(), 0u);
    for (auto i = static_cast<std::uint32_t>(order_.size()); i-- > 1;) {
      std::swap(order_[i], order_[uniform_below(rng, i, i + 1)]);
    }
  }

  /// Batches an epoch.
  Index size() const { return (count() + batch_size_ - 1) / batch_size_; }

  /// The image numbers of batch 0 to size() - 1 of this epoch; valid until the next start_epoch.
  std::span<const std::uint32_t> indices(Index batch) const {
    if (batch < 0 || batch >= size()) detail::fail_contract("Batches: batch ", batch, " of ", size());
    const Index first = batch * batch_size_;
    const Index length = first + batch_size_ <= count() ? batch_size_ : count() - first;
    return std::span(order_).subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(length));
  }

 private:
  Index count() const { return static_cast<Index>(order_.size()); }

  Index batch_size_;
  Rng rng_;
  std::vector<std::uint32_t> order_;
};

}  // namespace eigan
