// A convolution by eigan's kernels, on one thread.
#pragma once

#include <vector>

#include <eigan/kernels/convolution.hpp>

#include "convolution_case.hpp"

namespace bench {

class EiganConvolution {
 public:
  explicit EiganConvolution(const ConvolutionCase& c)
      : samples_(c.samples),
        shape_(c.shape),
        x(length(samples_ * shape_.in_size())),
        w(length(shape_.weights())),
        b(length(shape_.out)),
        dy(length(samples_ * shape_.out_size())),
        y(dy.size()),
        dx(x.size()),
        dw(w.size()),
        db(b.size()),
        wt_(w.size()),
        workspace_(length(std::max(eigan::detail::gradient_workspace(shape_), eigan::detail::transposed_workspace(shape_)))) {
    for (auto* operand : {&x, &w, &b, &dy}) fill_with_noise(*operand);
    kernels_.transpose_weights(shape_, w.data(), wt_.data());
  }

  void forward() {
    kernels_.forward(shape_, {0, shape_.out_height()}, samples_, w.data(), b.data(), {x.data(), 1, shape_.in_size()},
                     {y.data(), 1, shape_.out_size()});
  }
  void backward_input() {
    kernels_.transposed(shape_, {0, shape_.height}, samples_, wt_.data(), nullptr, {dy.data(), 1, shape_.out_size()},
                        {dx.data(), 1, shape_.in_size()}, workspace_.data());
  }
  /// Adds to dw and db.
  void backward_params() {
    kernels_.add_gradients(shape_, 0, eigan::detail::gradient_parts(shape_), samples_,
                           {dy.data(), 1, shape_.out_size()}, {x.data(), 1, shape_.in_size()}, dw.data(), db.data(),
                           workspace_.data());
  }

 private:
  static std::size_t length(eigan::Index n) { return static_cast<std::size_t>(n); }

  eigan::Index samples_;
  eigan::ConvolutionShape shape_;
  const eigan::detail::ConvolutionKernels<float>& kernels_ = eigan::detail::convolution_kernels<float>();

 public:
  std::vector<float> x, w, b, dy, y, dx, dw, db;

 private:
  std::vector<float> wt_, workspace_;
};

}  // namespace bench
