// LeastSquaresLoss: the adversarial losses of Mao et al. 2017 (LSGAN) on the discriminator's outputs D(.), in means
// over all outputs,
//   discriminator   mean (D(real) - real_label)^2 + mean D(fake)^2
//   generator       mean (D(fake) - 1)^2
// as CycleGAN has them, without the halves of the first paper. The gradient does not vanish where D is sure.
#pragma once

#include <cmath>

#include <eigan/core/view.hpp>

namespace eigan {

/// A loss for the steps in gan/steps.hpp.
struct LeastSquaresLoss {
  double real_label = 1;  ///< the target for real samples

  /// What the discriminator wants of its outputs for real samples. Returns the loss and assigns the gradient.
  template <class T>
  T real(ConstView<T> outputs, View<T> gradient) const {
    return from(static_cast<T>(real_label), outputs, gradient);
  }
  /// What the discriminator wants of its outputs for generated samples.
  template <class T>
  T fake(ConstView<T> outputs, View<T> gradient) const {
    return from(T(0), outputs, gradient);
  }
  /// What the generator wants of the outputs for its samples.
  template <class T>
  T generator(ConstView<T> outputs, View<T> gradient) const {
    return from(T(1), outputs, gradient);
  }

 private:
  template <class T>
  static T from(T target, const ConstView<T>& outputs, View<T> gradient) {
    const T scale = T(1) / static_cast<T>(outputs.size());
    double sum = 0;
    for (Index j = 0; j < outputs.cols(); ++j)
      for (Index i = 0; i < outputs.rows(); ++i) {
        const T difference = outputs(i, j) - target;
        sum = std::fma(static_cast<double>(difference), static_cast<double>(difference), sum);
        gradient(i, j) = 2 * scale * difference;
      }
    return static_cast<T>(sum) * scale;
  }
};

}  // namespace eigan
