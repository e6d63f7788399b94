// Normal numbers of a sample's stream (see core/rng.hpp), many at a time.
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>

#include <eigan/core/types.hpp>
#include <eigan/kernels/dispatch.hpp>
#include <eigan/kernels/random.hpp>

namespace eigan::detail {

template <class T>
struct NormalKernels {
  /// y[i] = mean + deviation * z[i], z normal, by the pairs of words that core/random.hpp describes. In float the same
  /// bits from every set of kernels; z is within 4e-7 of its value, relatively.
  void (*normal)(Index n, std::uint64_t key, std::uint64_t sample, T mean, T deviation, T* y);
};

}  // namespace eigan::detail

#define EIGAN_KERNELS <eigan/kernels/normal.inc>
#include <eigan/kernels/for_each_isa.inc>
EIGAN_SHARE_KERNELS(NormalKernels)
