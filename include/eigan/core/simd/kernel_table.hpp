// The list of kernels: everything in eigan whose speed depends on the processor's vector instructions.
//
// Each is a plain loop over arrays; simd/kernels.inc implements all of them once, and simd/kernels.hpp compiles that
// text for every instruction set. Inline code elsewhere never depends on -march, so two translation units with
// different flags agree on what they link.
#pragma once

#include <cstdint>

#include <eigan/core/types.hpp>

namespace eigan::detail {

/// A matrix product's operand or result: element (i, j) is data[i * row + j * col].
template <class T>
struct Strided {
  T* data;
  Index row;
  Index col;
};

/// What one Adam update needs besides the arrays; see optim/adam.hpp for the formula. rest1 is 1 - beta1, rounded once:
/// in float 1 - 0.999f is already wrong in the fifth digit.
template <class T>
struct AdamCoefficients {
  T beta1, rest1, beta2, rest2, step_size, inv_sqrt_correction2, eps, weight_decay;
};

template <class T>
struct KernelTable {
  /// c = init + a b over k terms.  a: m x k, columns contiguous (a.row == 1).  b: k x n, any strides.
  /// init: m x n with contiguous columns; init.col == 0 repeats one column (a bias).  c: m x n, c.row == 1.
  void (*multiply)(Index m, Index n, Index k, Strided<const T> a, Strided<const T> b, Strided<const T> init,
                   Strided<T> c);
  /// c = a^T b.  a: k x m, b: k x n, c: m x n, all with contiguous columns.
  void (*multiply_transposed)(Index m, Index n, Index k, Strided<const T> a, Strided<const T> b, Strided<T> c);
  /// sums[i] += sum over columns of a(i, j).  a: m x n, columns contiguous.
  void (*add_row_sums)(Index m, Index n, Strided<const T> a, T* sums);
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

  void (*relu)(Index n, const T* x, T* y);
  void (*leaky_relu)(Index n, T slope, const T* x, T* y);
  void (*leaky_relu_backward)(Index n, T slope, const T* y, const T* dy, T* dx);
  void (*tanh)(Index n, const T* x, T* y);
  void (*tanh_backward)(Index n, const T* y, const T* dy, T* dx);
  void (*sigmoid)(Index n, const T* x, T* y);
  void (*sigmoid_backward)(Index n, const T* y, const T* dy, T* dx);
  /// y[i] = x[i] * scale where the i-th 16-bit number of the sample's stream is >= threshold, else 0.
  void (*dropout)(Index n, std::uint64_t key, std::uint64_t sample, std::uint32_t threshold, T scale, const T* x, T* y);
  /// y[i] = low + width * u, u uniform in [0, 1) from the sample's stream.
  void (*uniform)(Index n, std::uint64_t key, std::uint64_t sample, T low, T width, T* y);
  /// y[i] = pixels[i] / 127.5 - 1.
  void (*pixels)(Index n, const std::uint8_t* pixels, T* y);
  void (*adam)(Index n, const AdamCoefficients<T>& c, const T* grad, T* moment1, T* moment2, T* params);
};

}  // namespace eigan::detail
