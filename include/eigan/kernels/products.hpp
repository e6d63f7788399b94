// The matrix products of a dense layer on plain arrays; kernels/gemm.hpp has them on views.
#pragma once

#include <eigan/kernels/dispatch.hpp>
#include <eigan/kernels/strided.hpp>
#include <eigan/kernels/thread_memory.hpp>

namespace eigan::detail {

// A product packs its own operands, and all dense layers ask product_kernels() alone. So kernels that round operands
// to bf16 while they pack them (AVX512-BF16, AMX) would be one more table of this type, picked there.
template <class T>
struct ProductKernels {
  /// c = init + a b over k terms.  a: m x k, columns contiguous (a.row == 1).  b: k x n, any strides.
  /// init: m x n with contiguous columns; init.col == 0 repeats one column (a bias).  c: m x n, c.row == 1.
  void (*multiply)(Index m, Index n, Index k, Strided<const T> a, Strided<const T> b, Strided<const T> init,
                   Strided<T> c);
  /// c = a^T b.  a: k x m, b: k x n, c: m x n, all with contiguous columns.
  void (*multiply_transposed)(Index m, Index n, Index k, Strided<const T> a, Strided<const T> b, Strided<T> c);
  /// sums[i] += sum over columns of a(i, j).  a: m x n, columns contiguous.
  void (*add_row_sums)(Index m, Index n, Strided<const T> a, T* sums);
};

template <class T>
const ProductKernels<T>& product_kernels() {
  return kernels<ProductKernels<T>>();
}

}  // namespace eigan::detail

#define EIGAN_KERNELS <eigan/kernels/products.inc>
#include <eigan/kernels/for_each_isa.inc>
EIGAN_SHARE_KERNELS(ProductKernels)
