// ELU, GELU, SiLU and Softplus of n numbers, and gradients through them: a table each, so that a program
// compiles those that it uses. Any input may be the output itself.
#pragma once

#include <cmath>

#include <eigan/core/types.hpp>
#include <eigan/kernels/map.hpp>

namespace eigan::detail {

template <class T>
struct EluKernels {
  void (*forward)(Index n, T alpha, const T* x, T* y);
  void (*backward)(Index n, T alpha, const T* y, const T* dy, T* dx);
};

template <class T>
struct GeluKernels {
  void (*forward)(Index n, const T* x, T* y);
  void (*backward)(Index n, const T* x, const T* dy, T* dx);
};

template <class T>
struct SiluKernels {
  void (*forward)(Index n, const T* x, T* y);
  void (*backward)(Index n, const T* x, const T* dy, T* dx);
};

template <class T>
struct SoftplusKernels {
  void (*forward)(Index n, T beta, T threshold, const T* x, T* y);
  void (*backward)(Index n, T beta, T threshold, const T* x, const T* dy, T* dx);
};

}  // namespace eigan::detail

#define EIGAN_KERNELS <eigan/kernels/activations.inc>
#include <eigan/kernels/for_each_isa.inc>
EIGAN_SHARE_KERNELS(EluKernels)
EIGAN_SHARE_KERNELS(GeluKernels)
EIGAN_SHARE_KERNELS(SiluKernels)
EIGAN_SHARE_KERNELS(SoftplusKernels)
