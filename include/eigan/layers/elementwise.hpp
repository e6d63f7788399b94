// for_each_column: hands element-wise kernels the columns of matrices, which may be padded apart.
#pragma once

#include <eigan/core/layer.hpp>
#include <eigan/kernels/elementwise.hpp>

namespace eigan::detail {

/// f(n, out column, in column) for every column of `out`.
template <class T, class F>
void for_each_column(View<T> out, const ConstView<T>& in, const F& f) {
  for (Index j = 0; j < out.cols(); ++j)
    f(out.rows(), out.data() + j * out.outerStride(), in.data() + j * in.outerStride());
}
/// The same with two inputs.
template <class T, class F>
void for_each_column(View<T> out, const ConstView<T>& in1, const ConstView<T>& in2, const F& f) {
  for (Index j = 0; j < out.cols(); ++j)
    f(out.rows(), out.data() + j * out.outerStride(), in1.data() + j * in1.outerStride(),
      in2.data() + j * in2.outerStride());
}

}  // namespace eigan::detail
