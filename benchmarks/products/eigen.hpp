// A product by Eigen: the plain expression on maps. Eigen itself turns to its matrix-vector code for vectors.
#pragma once

#include <eigan/core/eigen.hpp>

#include "product.hpp"

namespace bench {

inline void eigen_multiply(const Product& p) {
  using Map = Eigen::Map<Eigen::MatrixXf, Eigen::Unaligned, Eigen::OuterStride<>>;
  using ConstMap = Eigen::Map<const Eigen::MatrixXf, Eigen::Unaligned, Eigen::OuterStride<>>;
  const ConstMap a(p.a, p.transpose_a ? p.k : p.m, p.transpose_a ? p.m : p.k, Eigen::OuterStride<>(p.lda));
  const ConstMap b(p.b, p.transpose_b ? p.n : p.k, p.transpose_b ? p.k : p.n, Eigen::OuterStride<>(p.ldb));
  Map c(p.c, p.m, p.n, Eigen::OuterStride<>(p.ldc));
  const auto assign = [&](const auto& product) {
    if (p.add)
      c.noalias() += product;
    else
      c.noalias() = product;
  };
  if (p.transpose_a)
    assign(a.transpose() * b);
  else if (p.transpose_b)
    assign(a * b.transpose());
  else
    assign(a * b);
}

}  // namespace bench
