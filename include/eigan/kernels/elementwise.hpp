// Element-wise functions of n numbers, and gradients through them. Any input may be the output itself.
#pragma once

#include <cstdint>

#include <eigan/core/types.hpp>
#include <eigan/kernels/map.hpp>

namespace eigan::detail {

template <class T>
struct ElementwiseKernels {
  void (*relu)(Index n, const T* x, T* y);
  void (*leaky_relu)(Index n, T slope, const T* x, T* y);
  void (*leaky_relu_backward)(Index n, T slope, const T* y, const T* dy, T* dx);
  void (*tanh)(Index n, const T* x, T* y);
  void (*tanh_backward)(Index n, const T* y, const T* dy, T* dx);
  void (*sigmoid)(Index n, const T* x, T* y);
  void (*sigmoid_backward)(Index n, const T* y, const T* dy, T* dx);
  /// y[i] = pixels[i] / 127.5 - 1.
  void (*pixels)(Index n, const std::uint8_t* pixels, T* y);
};

template <class T>
const ElementwiseKernels<T>& elementwise_kernels() {
  return kernels<ElementwiseKernels<T>>();
}

}  // namespace eigan::detail

#define EIGAN_KERNELS <eigan/kernels/elementwise.inc>
#include <eigan/kernels/for_each_isa.inc>
EIGAN_SHARE_KERNELS(ElementwiseKernels)
