// The three matrix products of a dense layer, on views. One kernel call each; no memory is allocated.
//
//   affine            y  = w x + bias       forward
//   product           y  = w x              its derivative in a direction x
//   transposed        dx = w^T dy           gradient with respect to the input
//   add_outer         dw += dy x^T          gradient with respect to the weight
//
// The kernels read w as it lies (out x in, column-major); none needs a transposed copy. tests/core/gemm_test.cpp
// compares each with its plain Eigen expression.
#pragma once

#include <type_traits>

#include <eigan/core/view.hpp>
#include <eigan/kernels/products.hpp>

namespace eigan::gemm {

namespace detail {
template <class T>
eigan::detail::Strided<const T> strided(const ConstView<T>& m) {
  return {m.data(), 1, m.outerStride()};
}
template <class T>
eigan::detail::Strided<T> strided(View<T> m) {
  return {m.data(), 1, m.outerStride()};
}
}  // namespace detail

/// dx = w^T dy.  w: out x in, dy: out x batch, dx: in x batch.
template <class T>
void transposed(std::type_identity_t<ConstView<T>> w, std::type_identity_t<ConstView<T>> dy, View<T> dx) {
  const auto& k = eigan::detail::product_kernels<T>();
  if (w.rows() == 1 && w.outerStride() == 1) {
    // One output: w^T is a column that lies contiguous, and the product an outer one.
    dx.setZero();
    k.multiply(dx.rows(), dx.cols(), 1, {w.data(), 1, 1}, detail::strided<T>(dy), {dx.data(), 1, dx.outerStride()},
               detail::strided(dx));
    return;
  }
  k.multiply_transposed(dx.rows(), dx.cols(), dy.rows(), detail::strided<T>(w), detail::strided<T>(dy),
                        detail::strided(dx));
}

/// y = w x + bias.  w: out x in, x: in x batch, bias: out, y: out x batch.
template <class T>
void affine(std::type_identity_t<ConstView<T>> w, std::type_identity_t<ConstView<T>> x, const T* bias, View<T> y) {
  const auto& k = eigan::detail::product_kernels<T>();
  if (w.rows() == 1 && w.outerStride() == 1) {
    // One output: its weights lie contiguous, and each result is one dot product.
    k.multiply_transposed(1, y.cols(), x.rows(), {w.data(), 1, w.cols()}, detail::strided<T>(x), detail::strided(y));
    y.array() += *bias;
    return;
  }
  k.multiply(y.rows(), y.cols(), x.rows(), detail::strided<T>(w), detail::strided<T>(x), {bias, 1, 0},
             detail::strided(y));
}

/// y = w x.  w: out x in, x: in x batch, y: out x batch.
template <class T>
void product(std::type_identity_t<ConstView<T>> w, std::type_identity_t<ConstView<T>> x, View<T> y) {
  const T none = 0;
  if (w.rows() == 1) return affine<T>(w, x, &none, y);
  y.setZero();
  eigan::detail::product_kernels<T>().multiply(y.rows(), y.cols(), x.rows(), detail::strided<T>(w),
                                               detail::strided<T>(x), {y.data(), 1, y.outerStride()},
                                               detail::strided(y));
}

/// dw += dy x^T.  dy: out x batch, x: in x batch, dw: out x in.
template <class T>
void add_outer(std::type_identity_t<ConstView<T>> dy, std::type_identity_t<ConstView<T>> x, View<T> dw) {
  const auto& k = eigan::detail::product_kernels<T>();
  if (dw.rows() == 1 && dw.outerStride() == 1) {
    // One output: dw lies contiguous, dw^T += x dy^T.
    k.multiply(dw.cols(), 1, x.cols(), detail::strided<T>(x), {dy.data(), dy.outerStride(), 1},
               {dw.data(), 1, dw.cols()}, {dw.data(), 1, dw.cols()});
    return;
  }
  k.multiply(dw.rows(), dw.cols(), x.cols(), detail::strided<T>(dy), {x.data(), x.outerStride(), 1},
             {dw.data(), 1, dw.outerStride()}, detail::strided(dw));
}

}  // namespace eigan::gemm
