// A product by OpenBLAS: gemm, or gemv where one side is a vector, as a careful user would call it.
#pragma once

#include <cblas.h>

#include "product.hpp"

namespace bench {

inline void openblas_multiply(const Product& p) {
  const float beta = p.add ? 1.0f : 0.0f;
  const auto op = [](bool transpose) { return transpose ? CblasTrans : CblasNoTrans; };
  if (p.n == 1) {
    cblas_sgemv(CblasColMajor, op(p.transpose_a), p.transpose_a ? p.k : p.m, p.transpose_a ? p.m : p.k, 1.0f, p.a,
                p.lda, p.b, p.transpose_b ? p.ldb : 1, beta, p.c, 1);
  } else if (p.m == 1) {  // the same, transposed
    cblas_sgemv(CblasColMajor, op(!p.transpose_b), p.transpose_b ? p.n : p.k, p.transpose_b ? p.k : p.n, 1.0f, p.b,
                p.ldb, p.a, p.transpose_a ? 1 : p.lda, beta, p.c, p.ldc);
  } else {
    cblas_sgemm(CblasColMajor, op(p.transpose_a), op(p.transpose_b), p.m, p.n, p.k, 1.0f, p.a, p.lda, p.b, p.ldb, beta,
                p.c, p.ldc);
  }
}

}  // namespace bench
