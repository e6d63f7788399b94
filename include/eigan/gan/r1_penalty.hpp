// R1Penalty: keeps the discriminator's logit flat at the real images (Mescheder, Geiger, Nowozin 2018):
//   R = gamma / 2 mean_j |g_j|^2,      g_j = dD/dx at the j-th real image        x: features x batch
// Its gradient is a second derivative. For layers that are linear piece by piece it is written by hand: with the
// direction u_j = gamma / batch g_j held fixed, dR = d<g, u> = d(the derivative of D in the direction u), so sending
// u forward through the linearised network gives a tangent t at each layer, and dW += delta t^T, where delta is what
// backward_input left there. Costs about as much as half a discriminator step; every few steps is enough, with gamma
// that much larger (Karras et al. 2020, "lazy regularisation").
#pragma once

#include <cstddef>
#include <span>
#include <type_traits>

#include <eigan/core/buffer.hpp>
#include <eigan/core/parallel.hpp>
#include <eigan/net/model.hpp>

namespace eigan {

/// The memory of the penalty. `Net` may have any layers that satisfy PiecewiseLinearLayer.
template <class Net, class T = float>
class R1Penalty {
 public:
  /// For batches of up to `capacity` samples. `features`: how many of the input's first rows are the image and count;
  /// 0 for all (a condition may follow the image).
  R1Penalty(const Model<Net, T>& discriminator, Index capacity, Index features = 0)
      : tape_(discriminator.tape(capacity)),
        tangent_(discriminator.tape(capacity)),
        slope_(discriminator.net().input_size(), capacity),
        features_(features == 0 ? discriminator.net().input_size() : features) {
    discriminator.net().for_each_layer([&](auto i) {
      static_assert(PiecewiseLinearLayer<std::remove_cvref_t<decltype(discriminator.net().layer(i))>, T>,
                    "eigan::R1Penalty: every layer of the discriminator must satisfy PiecewiseLinearLayer");
    });
    if (features_ < 0 || features_ > slope_.rows())
      detail::fail_contract("eigan::R1Penalty: ", features_, " features of an input of ", slope_.rows());
    if (discriminator.net().output_size() != 1)
      detail::fail_contract("eigan::R1Penalty: the discriminator must give 1 logit, gives ",
                            discriminator.net().output_size());
  }

  /// Adds the penalty's gradient to `grad`, as a discriminator_step that follows expects it in its workspace, and
  /// returns the penalty. real: input_size x batch. Dropout masks come from `rng`.
  T add_gradient(const Model<Net, T>& discriminator, std::type_identity_t<ConstView<T>> real, T gamma,
                 std::span<T> grad, Rng rng, Threads threads = {}) {
    const Index batch = real.cols();
    discriminator.forward(tape_, real, rng, threads);
    discriminator.check_backward(tape_, grad);
    tape_.output_gradient().setOnes();
    View<T> slope = slope_.view().columns(0, batch);
    discriminator.backward_input(tape_, slope, threads);
    slope.bottomRows(slope.rows() - features_).setZero();

    double squares = 0;
    for (Index j = 0; j < batch; ++j) squares += static_cast<double>(slope.col(j).squaredNorm());
    const T share = gamma / static_cast<T>(batch);
    slope *= share;
    tangent_.begin(slope, rng);

    const double work = 2.0 * static_cast<double>(discriminator.net().param_size()) * static_cast<double>(batch);
    constexpr Index tile = 32;
    detail::parallel_for((batch + tile - 1) / tile, work, threads,
                         [&](Index i) { send_tangent(discriminator, i * tile, std::min(tile, batch - i * tile)); });
    discriminator.net().for_each_layer([&](auto i) {
      const auto& layer = discriminator.net().layer(i);
      if constexpr (!ElementwiseLayer<std::remove_cvref_t<decltype(layer)>>) {
        const auto dp = discriminator.net().slice(i, grad);
        detail::parallel_ranges(layer.block_count(),
                                2.0 * static_cast<double>(layer.param_size()) * static_cast<double>(batch), threads,
                                [&](Index first, Index last) {
                                  layer.backward_tangent_blocks(tangent_.activation(i),
                                                                ConstView<T>(tape_.gradient(i + 1)), dp, first, last);
                                });
      }
    });
    return static_cast<T>(squares / 2) * share;
  }
  T add_gradient(const Model<Net, T>& discriminator, std::type_identity_t<ConstView<T>> real, T gamma, Buffer<T>& grad,
                 Rng rng, Threads threads = {}) {
    return add_gradient(discriminator, real, gamma, std::span<T>(grad), rng, threads);
  }

 private:
  /// The tangents of some samples, through all layers.
  void send_tangent(const Model<Net, T>& discriminator, Index first, Index count) {
    discriminator.net().for_each_layer([&](auto i) {
      const auto& layer = discriminator.net().layer(i);
      using L = std::remove_cvref_t<decltype(layer)>;
      const auto p = discriminator.net().slice(i, discriminator.params());
      const ConstView<T> x = tape_.activation(i).columns(first, count);
      const ConstView<T> y = tape_.activation(i + 1).columns(first, count);
      const ConstView<T> tx = tangent_.activation(i).columns(first, count);
      const View<T> ty = tangent_.writable_activation(i + 1).columns(first, count);
      if constexpr (!ElementwiseLayer<L>)
        layer.forward_tangent(p, tx, ty);
      else if constexpr (StochasticLayer<L, T>)  // a diagonal Jacobian is its own transpose
        layer.backward_input_train(p, x, y, tx, ty, Draw{tape_.rng().fold_in(i), first});
      else
        layer.backward_input(p, x, y, tx, ty);
    });
  }

  Tape<Net, T> tape_;
  Tape<Net, T> tangent_;
  BufferMatrix<T> slope_;
  Index features_;
};

}  // namespace eigan
