// Random numbers of a sample's stream (see core/rng.hpp), many at a time.
#pragma once

#include <cstdint>

#include <eigan/core/types.hpp>
#include <eigan/kernels/dispatch.hpp>

namespace eigan::detail {

template <class T>
struct DropoutKernels {
  /// y[i] = x[i] * scale where the i-th 16-bit number of the sample's stream is >= threshold, else 0.
  void (*dropout)(Index n, std::uint64_t key, std::uint64_t sample, std::uint32_t threshold, T scale, const T* x, T* y);
};

template <class T>
struct UniformKernels {
  /// y[i] = low + width * u, u uniform in [0, 1) from the sample's stream.
  void (*uniform)(Index n, std::uint64_t key, std::uint64_t sample, T low, T width, T* y);
};

}  // namespace eigan::detail

#define EIGAN_KERNELS <eigan/kernels/random.inc>
#include <eigan/kernels/for_each_isa.inc>
EIGAN_SHARE_KERNELS(DropoutKernels)
EIGAN_SHARE_KERNELS(UniformKernels)
