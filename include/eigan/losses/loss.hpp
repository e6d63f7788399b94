// What the losses share. A loss is a function: it returns the mean over the batch and assigns the gradient with
// respect to its first argument, usually straight into Tape::output_gradient(). Sums run in double, and what is
// multiplied and added is written as std::fma: otherwise the compiler's flags would decide on one rounding or two.
#pragma once

#include <eigan/core/error.hpp>
#include <eigan/core/view.hpp>

namespace eigan {

/// Over what a loss is averaged that leaves the choice, as in PyTorch.
enum class Reduction {
  mean,      ///< over all elements
  batchmean  ///< over the samples, whose elements are summed up
};

namespace detail {

template <class A, class B>
void check_loss_shapes(const char* loss, const A& a, const B& b) {
  if (a.rows() != b.rows() || a.cols() != b.cols() || a.size() == 0)
    fail_contract("eigan::", loss, ": shapes must be equal and not empty, are ", a.rows(), " x ", a.cols(), " and ",
                  b.rows(), " x ", b.cols());
}

}  // namespace detail
}  // namespace eigan
