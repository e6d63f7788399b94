// One step of RMSprop over a range of parameters; optim/rmsprop.hpp has the formula.
#pragma once

#include <eigan/core/types.hpp>
#include <eigan/kernels/denormals.hpp>

namespace eigan::detail {

/// What one update needs besides the arrays. rest is 1 - alpha, rounded once.
template <class T>
struct RmspropCoefficients {
  T lr, alpha, rest, eps, weight_decay, momentum;
};

template <class T>
struct RmspropKernels {
  void (*rmsprop)(Index n, const RmspropCoefficients<T>& c, const T* grad, T* square, T* velocity, T* params);
};

template <class T>
const RmspropKernels<T>& rmsprop_kernels() {
  return kernels<RmspropKernels<T>>();
}

}  // namespace eigan::detail

#define EIGAN_KERNELS <eigan/kernels/rmsprop.inc>
#include <eigan/kernels/for_each_isa.inc>
EIGAN_SHARE_KERNELS(RmspropKernels)
