// Functions of a batch's rows, which are features or an image's channels: moments, products with a gradient, scaling.
// For normalisations.
//
// Whatever is subtracted from x is a number near it and comes first: 1e4 + 0.1 keeps 3 digits of its 0.1, the
// difference from 1e4 loses none of them. So a mean is two numbers, a `center`, which is subtracted, and what is left,
// `rest`. A row's result depends on that row alone, not on how many rows a call has.
#pragma once

#include <eigan/kernels/dispatch.hpp>

namespace eigan::detail {

/// Rows of pixels of samples: element (i, pixel j, sample s) is data[i + j * pixel + s * sample].
template <class T>
struct Pixels {
  T* data;
  Index pixel;
  Index sample;
};

template <class T>
struct RowKernels {
  /// For each of m rows over n pixels of `samples` samples: center + rest is the mean, variance the mean squared
  /// distance from it.
  void (*row_moments)(Index m, Index n, Index samples, Pixels<const T> x, T* center, T* rest, T* variance);
  /// sums[i] += sum of dy(i, .) and products[i] += sum of dy(i, .) (x(i, .) - center[i]).
  void (*add_row_products)(Index m, Index n, Index samples, Pixels<const T> x, const T* center, Pixels<const T> dy,
                           T* sums, T* products);
  /// y(i, .) = a[i] (x(i, .) - center[i]) + c[i].
  void (*scale_rows)(Index m, Index n, Index samples, Pixels<const T> x, const T* center, const T* a, const T* c,
                     Pixels<T> y);
  /// z(i, .) = a[i] x(i, .) + b[i] (y(i, .) - center[i]) + c[i]; z may be x or y.
  void (*combine_rows)(Index m, Index n, Index samples, Pixels<const T> x, const T* a, Pixels<const T> y,
                       const T* center, const T* b, const T* c, Pixels<T> z);
};

template <class T>
const RowKernels<T>& row_kernels() {
  return kernels<RowKernels<T>>();
}

}  // namespace eigan::detail

#define EIGAN_KERNELS <eigan/kernels/rows.inc>
#include <eigan/kernels/for_each_isa.inc>
EIGAN_SHARE_KERNELS(RowKernels)
