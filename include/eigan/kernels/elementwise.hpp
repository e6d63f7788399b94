// Element-wise functions of n numbers, and gradients through them: a table each, so that a program compiles those that
// it uses. Any input may be the output itself.
#pragma once

#include <cstdint>

#include <eigan/core/types.hpp>
#include <eigan/kernels/map.hpp>

namespace eigan::detail {

template <class T>
struct ReluKernels {
  void (*forward)(Index n, const T* x, T* y);
};

template <class T>
struct LeakyReluKernels {
  void (*forward)(Index n, T slope, const T* x, T* y);
  void (*backward)(Index n, T slope, const T* y, const T* dy, T* dx);
};

template <class T>
struct TanhKernels {
  void (*forward)(Index n, const T* x, T* y);
  void (*backward)(Index n, const T* y, const T* dy, T* dx);
};

template <class T>
struct SigmoidKernels {
  void (*forward)(Index n, const T* x, T* y);
  void (*backward)(Index n, const T* y, const T* dy, T* dx);
};

template <class T>
struct PixelKernels {
  /// y[i] = pixels[i] / 127.5 - 1.
  void (*convert)(Index n, const std::uint8_t* pixels, T* y);
};

}  // namespace eigan::detail

#define EIGAN_KERNELS <eigan/kernels/elementwise.inc>
#include <eigan/kernels/for_each_isa.inc>
EIGAN_SHARE_KERNELS(ReluKernels)
EIGAN_SHARE_KERNELS(LeakyReluKernels)
EIGAN_SHARE_KERNELS(TanhKernels)
EIGAN_SHARE_KERNELS(SigmoidKernels)
EIGAN_SHARE_KERNELS(PixelKernels)
