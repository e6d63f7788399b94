// Product: one matrix product, for any BLAS to compute.
#pragma once

namespace bench {

/// c = op(a) op(b), or c += where `add` says so; all column-major, op transposes where the flag says so.
/// c: m x n, over k terms.
struct Product {
  bool transpose_a, transpose_b;
  int m, n, k;
  const float* a;
  int lda;
  const float* b;
  int ldb;
  float* c;
  int ldc;
  bool add = false;

  double flop() const { return 2.0 * m * n * k; }
};

}  // namespace bench
