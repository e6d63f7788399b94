// ImagePool: generated samples of the past for a discriminator to be shown again, so that it does not forget what the
// generator did before and the two do not go round in circles (Shrivastava et al. 2017; CycleGAN keeps 50).
#pragma once

#include <algorithm>
#include <cstdint>

#include <eigan/core/buffer.hpp>
#include <eigan/core/error.hpp>
#include <eigan/core/rng.hpp>
#include <eigan/core/view.hpp>
#include <eigan/data/batches.hpp>

namespace eigan {

/// Up to `capacity` samples; with a capacity of 0 it does nothing.
template <class T = float>
class ImagePool {
 public:
  /// For samples of `features` numbers. Throws std::invalid_argument for a negative capacity, or one above 2^30.
  ImagePool(Index features, Index capacity) : features_(features), capacity_(capacity) {
    if (features < 1 || capacity < 0 || capacity > Index{1} << 30)
      detail::fail_contract("eigan::ImagePool: expected a capacity of 0 to 2^30 samples of 1 feature or more, got ",
                            capacity, " of ", features);
    samples_ = Buffer<T>(features * capacity);
  }

  /// How many it holds.
  Index size() const { return static_cast<Index>(size_); }
  /// How many samples it holds at most.
  Index capacity() const { return capacity_; }

  /// One sample after the other: while there is room, a copy stays in the pool; then, with probability 1/2, the sample
  /// goes into the pool and one that was there comes out in its place. samples: features x batch. `rng` must differ
  /// from call to call.
  void exchange(View<T> samples, Rng rng) {
    if (samples.rows() != features_)
      detail::fail_contract("eigan::ImagePool: expected samples of ", features_, " features, got ", samples.rows());
    for (Index j = 0; j < samples.cols() && capacity_ > 0; ++j) {
      T* const sample = samples.data() + j * samples.outerStride();
      if (size_ < capacity_) {
        std::copy_n(sample, features_, place(size_++));
      } else if (const Index chosen = uniform_below(rng, static_cast<std::uint64_t>(j), twice(capacity_));
                 chosen < capacity_) {
        std::swap_ranges(sample, sample + features_, place(chosen));
      }
    }
  }

  /// Names everything that exchanges change: for checkpoints (io/checkpoint.hpp).
  template <class Visit>
  void visit_state(Visit&& visit) {
    visit("size", size_, 0, static_cast<std::int64_t>(capacity_));
    visit("samples", samples_);
  }

 private:
  static std::uint32_t twice(Index n) { return static_cast<std::uint32_t>(2 * n); }
  T* place(Index i) { return samples_.data() + i * features_; }

  Index features_, capacity_;
  std::int64_t size_ = 0;
  Buffer<T> samples_;
};

}  // namespace eigan
