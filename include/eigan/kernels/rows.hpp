// Functions of a batch's rows, which are features: moments, products with a gradient, scaling. For normalisations.
#pragma once

#include <eigan/kernels/dispatch.hpp>
#include <eigan/kernels/strided.hpp>

namespace eigan::detail {

template <class T>
struct RowKernels {
  /// Over the columns of x, for each row: the mean and the mean squared distance from it.  x: m x n, columns
  /// contiguous.
  void (*row_moments)(Index m, Index n, Strided<const T> x, T* mean, T* variance);
  /// sums[i] += sum_j dy(i, j) and products[i] += sum_j dy(i, j) (x(i, j) - mean[i]).  All with contiguous columns.
  void (*add_row_products)(Index m, Index n, Strided<const T> x, const T* mean, Strided<const T> dy, T* sums,
                           T* products);
  /// y(i, j) = a[i] x(i, j) + c[i].  x, y: m x n, columns contiguous.
  void (*scale_rows)(Index m, Index n, Strided<const T> x, const T* a, const T* c, Strided<T> y);
  /// z(i, j) = a[i] x(i, j) + b[i] y(i, j) + c[i].  x, y, z: m x n, columns contiguous.
  void (*combine_rows)(Index m, Index n, Strided<const T> x, const T* a, Strided<const T> y, const T* b, const T* c,
                       Strided<T> z);
};

template <class T>
const RowKernels<T>& row_kernels() {
  return kernels<RowKernels<T>>();
}

}  // namespace eigan::detail

#define EIGAN_KERNELS <eigan/kernels/rows.inc>
#include <eigan/kernels/for_each_isa.inc>
EIGAN_SHARE_KERNELS(RowKernels)
