// PReLU, a leaky ReLU with a slope for each number, and gradients through it. Any input may be the output itself.
#pragma once

#include <eigan/core/types.hpp>
#include <eigan/kernels/map.hpp>

namespace eigan::detail {

template <class T>
struct PreluKernels {
  void (*forward)(Index n, const T* slope, const T* x, T* y);
  void (*backward)(Index n, const T* slope, const T* x, const T* dy, T* dx);
  /// sums[i] += v[i] dy[i] where x[i] is not above 0.
  void (*add_below)(Index n, const T* x, const T* v, const T* dy, T* sums);
  /// The sum of v[i] dy[i] over those i.
  T (*sum_below)(Index n, const T* x, const T* v, const T* dy);
};

template <class T>
const PreluKernels<T>& prelu_kernels() {
  return kernels<PreluKernels<T>>();
}

}  // namespace eigan::detail

#define EIGAN_KERNELS <eigan/kernels/prelu.inc>
#include <eigan/kernels/for_each_isa.inc>
EIGAN_SHARE_KERNELS(PreluKernels)
