// Ema: an exponential moving average of parameters, which often serves better than the parameters themselves. At update
// t, counted from 0:
//   d = min(decay, (1 + t) / (10 + t))          average += (1 - d) (p - average)
// The average begins at the parameters it is made with; the rising d lets it forget them within a few updates, so that
// it is worth something early on (as TensorFlow's ExponentialMovingAverage has it with num_updates).
// The loop multiplies and adds in one rounding, so its bits do not follow the compiler's flags. Where the flags lack
// FMA that is a call for each element.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>

#include <eigan/core/buffer.hpp>
#include <eigan/core/error.hpp>
#include <eigan/core/finite.hpp>
#include <eigan/core/parallel.hpp>

namespace eigan {

/// The average of a parameter buffer over the steps.
template <class T = float>
class Ema {
 public:
  /// Of a flat parameter buffer. Throws std::invalid_argument unless 0 <= decay < 1.
  explicit Ema(std::span<const T> params, double decay = 0.999) : decay_(decay), average_(std::ssize(params)) {
    if (!(detail::at_least(decay, 0) && decay < 1))
      detail::fail_contract("eigan::Ema: decay must be in [0, 1), is ", decay);
    std::copy(params.begin(), params.end(), average_.data());
  }

  /// Takes in the parameters as they are now.
  void update(std::span<const T> params, Threads threads = {}) {
    if (std::ssize(params) != average_.size())
      detail::fail_contract("eigan::Ema: expected ", average_.size(), " parameters, got ", params.size());
    const auto t = static_cast<double>(updates_++);
    const T rest = static_cast<T>(1 - std::min(decay_, (1 + t) / (10 + t)));
    T* const average = average_.data();
    constexpr Index part = 4096;
    const Index size = std::ssize(params);
    const double work = 3 * detail::memory_access * static_cast<double>(size);
    detail::parallel_for((size + part - 1) / part, work, threads, [&](Index p) {
      for (Index i = p * part; i < std::min(size, (p + 1) * part); ++i)
        average[i] = std::fma(rest, params[static_cast<std::size_t>(i)] - average[i], average[i]);
    });
  }

  /// The average.
  std::span<const T> params() const { return average_; }
  /// Updates made.
  std::int64_t updates() const { return updates_; }

  /// Names everything that updates change: for checkpoints (io/checkpoint.hpp).
  template <class Visit>
  void visit_state(Visit&& visit) {
    visit("updates", updates_, 0, std::int64_t{1} << 53);
    visit("average", average_);
  }

 private:
  double decay_;
  Buffer<T> average_;
  std::int64_t updates_ = 0;
};

}  // namespace eigan
