// A convolution by eigan's kernels, on one thread, in eigan's own buffers.
#pragma once

#include <algorithm>
#include <vector>

#include <eigan/core/buffer.hpp>
#include <eigan/kernels/convolve.hpp>

#include "convolution_case.hpp"

namespace bench {

class EiganConvolution {
  using Matrix = eigan::BufferMatrix<float>;

 public:
  explicit EiganConvolution(const ConvolutionCase& c)
      : shape_(c.shape),
        x(shape_.in_size(), c.samples),
        dx(shape_.in_size(), c.samples),
        y(shape_.out_size(), c.samples),
        dy(shape_.out_size(), c.samples),
        w(shape_.weights()),
        dw(shape_.weights()),
        wt(shape_.weights()),
        b(shape_.out),
        db(shape_.out),
        workspace_(std::max(eigan::detail::gradient_workspace(shape_), eigan::detail::transposed_workspace(shape_))) {
    fill_with_noise(x.view());
    fill_with_noise(dy.view());
    fill_with_noise({w.data(), w.size(), 1});
    fill_with_noise({b.data(), b.size(), 1});
    eigan::convolution::transpose_weights(shape_, w.data(), wt.data());
  }

  void forward() {
    kernels_.forward(shape_, {0, shape_.out_height()}, x.cols(), w.data(), b.data(), operand(x), result(y));
  }
  void backward_input() {
    kernels_.transposed(shape_, {0, shape_.height}, x.cols(), wt.data(), nullptr, operand(dy), result(dx),
                        workspace_.data());
  }
  /// Adds to dw and db.
  void backward_params() {
    kernels_.add_gradients(shape_, 0, eigan::detail::gradient_parts(shape_), x.cols(), operand(dy), operand(x),
                           dw.data(), db.data(), workspace_.data());
  }

 private:
  static eigan::detail::Strided<const float> operand(const Matrix& m) {
    return {m.view().data(), 1, m.view().outerStride()};
  }
  static eigan::detail::Strided<float> result(Matrix& m) { return {m.view().data(), 1, m.view().outerStride()}; }

  eigan::ConvolutionShape shape_;
  const eigan::detail::ConvolutionKernels<float>& kernels_ = eigan::detail::convolution_kernels<float>();

 public:
  Matrix x, dx, y, dy;
  eigan::Buffer<float> w, dw, wt, b, db;

 private:
  eigan::Buffer<float> workspace_;
};

}  // namespace bench
