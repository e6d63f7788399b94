// What element-wise layers share. Views may be padded apart, so kernels are handed their columns.
#pragma once

#include <cmath>

#include <eigan/core/layer.hpp>
#include <eigan/kernels/elementwise.hpp>

namespace eigan::detail {

/// f(n, out column, in column) for every column of `out`.
template <class T, class F>
void for_each_column(View<T> out, const ConstView<T>& in, const F& f) {
  for (Index j = 0; j < out.cols(); ++j)
    f(out.rows(), out.data() + j * out.outerStride(), in.data() + j * in.outerStride());
}
/// f(n, out column, in1 column, in2 column) for every column of `out`.
template <class T, class F>
void for_each_column(View<T> out, const ConstView<T>& in1, const ConstView<T>& in2, const F& f) {
  for (Index j = 0; j < out.cols(); ++j)
    f(out.rows(), out.data() + j * out.outerStride(), in1.data() + j * in1.outerStride(),
      in2.data() + j * in2.outerStride());
}

/// dx += f''(v) tx dty, where second(v) is f'' as a function of what the layer keeps, x or y. A loop and no kernel:
/// only penalties come here. std::fma, so that the result does not depend on the compiler's flags.
template <class T, class F>
void add_curvature(const ConstView<T>& v, const ConstView<T>& tx, const ConstView<T>& dty, View<T> dx,
                   const F& second) {
  for (Index j = 0; j < dx.cols(); ++j)
    for (Index i = 0; i < dx.rows(); ++i) dx(i, j) = std::fma(second(v(i, j)) * tx(i, j), dty(i, j), dx(i, j));
}

}  // namespace eigan::detail
