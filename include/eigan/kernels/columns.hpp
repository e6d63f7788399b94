// Functions of one column, n numbers in a row with their own mean and variance: for normalisations of a whole sample.
//
// As in rows.hpp a mean is two numbers, a `center`, which is subtracted before anything is scaled, and a `rest`.
#pragma once

#include <eigan/kernels/dispatch.hpp>

namespace eigan::detail {

/// center + rest is the mean, variance the mean squared distance from it.
template <class T>
struct ColumnMoments {
  T center, rest, variance;
};

/// The sums of w dy and of w dy (x - center).
template <class T>
struct ColumnProducts {
  T sum, product;
};

/// a u + b (x - center) + c.
template <class T>
struct Combination {
  T a;
  const T* u;
  T b;
  const T* x;
  T center, c;
};

template <class T>
struct ColumnKernels {
  ColumnMoments<T> (*column_moments)(Index n, const T* x);
  /// Without w it is 1.
  ColumnProducts<T> (*column_products)(Index n, const T* x, T center, const T* w, const T* dy);
  /// y = w (a u + b (x - center) + c) + add; without `add` it is 0. y may be any of the inputs.
  void (*weigh_column)(Index n, const T* w, const Combination<T>& f, const T* add, T* y);
  /// y = a (w u) + b (x - center) + c + add, likewise.
  void (*combine_column)(Index n, const T* w, const Combination<T>& f, const T* add, T* y);
};

template <class T>
const ColumnKernels<T>& column_kernels() {
  return kernels<ColumnKernels<T>>();
}

}  // namespace eigan::detail

#define EIGAN_KERNELS <eigan/kernels/columns.inc>
#include <eigan/kernels/for_each_isa.inc>
EIGAN_SHARE_KERNELS(ColumnKernels)
