// NonSaturatingLoss: the adversarial losses of Goodfellow et al. 2014 on the discriminator's logits D(.),
//   discriminator   bce(D(real), real_label) + bce(D(fake), 0)
//   generator       bce(D(fake), 1)      "flipped labels": maximise log D(G(z)) instead of minimising log(1 - D(G(z)))
// real_label below 1 is one-sided label smoothing (Salimans et al. 2016); the generator's target is not smoothed.
// Any type with these three functions is a loss for the steps in gan/steps.hpp.
#pragma once

#include <eigan/losses/bce_with_logits.hpp>

namespace eigan {

/// The losses of the original paper.
struct NonSaturatingLoss {
  double real_label = 1;  ///< the target for real samples

  /// What the discriminator wants of the logits of real samples. Returns the loss and assigns the gradient.
  template <class T>
  T real(ConstView<T> logits, View<T> gradient) const {
    return bce_with_logits<T>(logits, static_cast<T>(real_label), gradient);
  }
  /// What the discriminator wants of the logits of generated samples.
  template <class T>
  T fake(ConstView<T> logits, View<T> gradient) const {
    return bce_with_logits<T>(logits, T(0), gradient);
  }
  /// What the generator wants of the logits of its samples.
  template <class T>
  T generator(ConstView<T> logits, View<T> gradient) const {
    return bce_with_logits<T>(logits, T(1), gradient);
  }
};

}  // namespace eigan
