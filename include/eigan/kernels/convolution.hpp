// Convolutions on plain arrays; kernels/convolve.hpp has them on views. Samples are columns, `col` apart.
#pragma once

#include <eigan/core/shape.hpp>
#include <eigan/kernels/convolution_sizes.hpp>
#include <eigan/kernels/dispatch.hpp>
#include <eigan/kernels/strided.hpp>

namespace eigan::detail {

template <class T>
struct ConvolutionKernels {
  /// y = bias + w x for `rows` of the output. bias may be null: zeros.
  void (*forward)(const ConvolutionShape& shape, ImageRows rows, Index samples, const T* w, const T* bias,
                  Strided<const T> x, Strided<T> y);
  /// x = bias + w^T y for `rows` of the image: the gradient of the input, and what a transposed convolution computes.
  /// wt: the weights as convolution::transpose_weights writes them.
  void (*transposed)(const ConvolutionShape& shape, ImageRows rows, Index samples, const T* wt, const T* bias,
                     Strided<const T> y, Strided<T> x, T* workspace);
  /// dw += dy x^T for parts [first, last) of the weight, db (may be null) += row sums of dy.
  void (*add_gradients)(const ConvolutionShape& shape, Index first, Index last, Index samples, Strided<const T> dy,
                        Strided<const T> x, T* dw, T* db, T* workspace);
  /// dwt += the same, as convolution::transpose_weights would write it, for parts [first, last) of as many; not for few
  /// channels.
  void (*add_transposed_gradients)(const ConvolutionShape& shape, Index first, Index last, Index samples,
                                   Strided<const T> dy, Strided<const T> x, T* dwt);
};

template <class T>
const ConvolutionKernels<T>& convolution_kernels() {
  return kernels<ConvolutionKernels<T>>();
}

}  // namespace eigan::detail

#define EIGAN_KERNELS <eigan/kernels/convolution.inc>
#include <eigan/kernels/for_each_isa.inc>
EIGAN_SHARE_KERNELS(ConvolutionKernels)
