// AdamW (Loshchilov and Hutter 2019), with the semantics of torch.optim.AdamW: Adam whose weights decay by themselves
// instead of through their gradients, so that the decay of a weight does not depend on the size of its gradients.
//   m, v as Adam has them, of the gradient alone
//   p = (1 - lr weight_decay) p - lr / (1 - beta1^t) m / ( sqrt(v) / sqrt(1 - beta2^t) + eps )
#pragma once

#include <eigan/optim/adam.hpp>

namespace eigan {

/// Names and values as in torch.optim.AdamW.
struct AdamWOptions {
  double lr = 1e-3;            ///< the learning rate, >= 0 and finite, as all that follow
  double beta1 = 0.9;          ///< how much of m stays, in [0, 1)
  double beta2 = 0.999;        ///< how much of v stays, in [0, 1)
  double eps = 1e-8;           ///< added to the root
  double weight_decay = 1e-2;  ///< times lr, the share that p loses in a step
};

/// Adam with weight decay apart from the gradient.
template <class T = float>
class AdamW : public Adam<T> {
 public:
  /// For `size` parameters. Throws std::invalid_argument for an option outside its range.
  explicit AdamW(Index size, AdamWOptions options = {})
      : Adam<T>(size, {options.lr, options.beta1, options.beta2, options.eps, options.weight_decay}, "eigan::AdamW",
                true) {}
};

}  // namespace eigan
