// One step of Adam or AdamW over a range of parameters; optim/adam.hpp and optim/adamw.hpp have the formulas.
#pragma once

#include <eigan/core/types.hpp>
#include <eigan/kernels/denormals.hpp>

namespace eigan::detail {

/// What one update needs besides the arrays. rest1 is 1 - beta1, rounded once: in float 1 - 0.999f is already wrong in
/// the fifth digit. keep is the share of p that stays beside the step: 1, unless weights decay apart from gradients.
template <class T>
struct AdamCoefficients {
  T beta1, rest1, beta2, rest2, step_size, inv_sqrt_correction2, eps, weight_decay, keep;
};

template <class T>
struct AdamKernels {
  void (*adam)(Index n, const AdamCoefficients<T>& c, const T* grad, T* moment1, T* moment2, T* params);
};

template <class T>
const AdamKernels<T>& adam_kernels() {
  return kernels<AdamKernels<T>>();
}

}  // namespace eigan::detail

#define EIGAN_KERNELS <eigan/kernels/adam.inc>
#include <eigan/kernels/for_each_isa.inc>
EIGAN_SHARE_KERNELS(AdamKernels)
