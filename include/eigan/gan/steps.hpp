// The two steps of adversarial training, as free functions: the training loop that alternates them stays in the
// program. Each is one forward pass, one backward pass and one step of the optimiser.
#pragma once

#include <cmath>

#include <eigan/gan/losses.hpp>
#include <eigan/gan/workspace.hpp>
#include <eigan/optim/optimizer.hpp>

namespace eigan {

/// What discriminator_step saw, before it changed anything.
template <class T>
struct DiscriminatorResult {
  T loss;    ///< loss on real + loss on fake
  T d_real;  ///< mean of sigmoid(D(real))
  T d_fake;  ///< mean of sigmoid(D(fake))
};

/// What generator_step saw, before it changed anything.
template <class T>
struct GeneratorResult {
  T loss;    ///< of the generator
  T d_fake;  ///< mean of sigmoid(D(fake))
};

namespace detail {

template <class T>
T mean_sigmoid(ConstView<T> logits) {
  double sum = 0;
  for (Index j = 0; j < logits.cols(); ++j) sum += 1 / (1 + std::exp(-static_cast<double>(logits(0, j))));
  return static_cast<T>(sum / static_cast<double>(logits.cols()));
}

/// G(z) into the right half of the workspace's images.
template <class G, class D, class T>
void generate(const Model<G, T>& generator, GanWorkspace<G, D, T>& ws, ConstView<T> z, Rng rng, Threads threads) {
  ws.g_tape.bind_output(ws.fake(z.cols()));
  generator.forward(ws.g_tape, z, rng, threads);
  ws.set_fresh(z.cols());
}

}  // namespace detail

/// Trains the discriminator on `real` against as many samples of the generator: the loss of both halves, one backward
/// pass, one step. The generator is not changed. real: features x batch, z: latent x batch; dropout masks of this
/// step come from `rng`, which must differ from step to step. What ws.d_grad holds, such as a penalty's gradient, joins
/// the gradient of the loss; it is zero afterwards.
template <class G, class D, class T, Optimizer<T> O, class Loss = NonSaturatingLoss>
DiscriminatorResult<T> discriminator_step(const Model<G, T>& generator, Model<D, T>& discriminator, O& optimizer,
                                          GanWorkspace<G, D, T>& ws, std::type_identity_t<ConstView<T>> real,
                                          std::type_identity_t<ConstView<T>> z, Rng rng, const Loss& loss = {},
                                          Threads threads = {}) {
  const Index batch = real.cols();
  if (z.cols() != batch)
    detail::fail_contract("eigan::discriminator_step: ", batch, " real samples but ", z.cols(), " z");
  if (real.rows() != discriminator.net().input_size())
    detail::fail_contract("eigan::discriminator_step: a real sample must have ", discriminator.net().input_size(),
                          " features, has ", real.rows());
  detail::generate(generator, ws, ConstView<T>(z), rng.fold_in(0), threads);
  if (real.data() != ws.real(batch).data()) ws.real(batch) = real;

  const ConstView<T> logits = discriminator.forward(ws.d_tape, ws.both(batch), rng.fold_in(1), threads);
  const ConstView<T> on_real = logits.columns(0, batch), on_fake = logits.columns(batch, batch);
  const View<T> gradient = ws.d_tape.output_gradient();
  const T real_loss = loss.real(on_real, gradient.columns(0, batch));
  const T fake_loss = loss.fake(on_fake, gradient.columns(batch, batch));

  backward_and_step(discriminator, ws.d_tape, optimizer, ws.d_grad, threads);
  return {real_loss + fake_loss, detail::mean_sigmoid(on_real), detail::mean_sigmoid(on_fake)};
}

/// Trains the generator against the discriminator, which only passes the gradient through: its own weight gradients
/// are not computed and it is not changed. The samples are those of the discriminator_step before; they serve for one
/// step, after which the generator is another. The z that they were made from must still lie where it lay.
template <class G, class D, class T, Optimizer<T> O, class Loss = NonSaturatingLoss>
GeneratorResult<T> generator_step(Model<G, T>& generator, const Model<D, T>& discriminator, O& optimizer,
                                  GanWorkspace<G, D, T>& ws, Rng rng, const Loss& loss = {}, Threads threads = {}) {
  const Index batch = ws.take_fresh();
  if (batch == 0)
    detail::fail_contract(
        "eigan::generator_step: no samples of the generator as it is; a discriminator_step makes them");
  const ConstView<T> logits = discriminator.forward(ws.d_tape, ws.fake_input(batch), rng.fold_in(1), threads);
  const T value = loss.generator(logits, ws.d_tape.output_gradient());

  const View<T> to_input = ws.input_gradient(batch);
  View<T> to_image = ws.g_tape.output_gradient();
  discriminator.backward_input(ws.d_tape, to_input, threads);
  if (to_input.data() != to_image.data()) to_image = to_input.topRows(to_image.rows());
  backward_and_step(generator, ws.g_tape, optimizer, ws.g_grad, threads);
  return {value, detail::mean_sigmoid(logits)};
}

/// The same on samples of its own, at the price of one more forward pass. z: latent x batch.
template <class G, class D, class T, Optimizer<T> O, class Loss = NonSaturatingLoss>
GeneratorResult<T> generator_step(Model<G, T>& generator, const Model<D, T>& discriminator, O& optimizer,
                                  GanWorkspace<G, D, T>& ws, std::type_identity_t<ConstView<T>> z, Rng rng,
                                  const Loss& loss = {}, Threads threads = {}) {
  detail::generate(generator, ws, ConstView<T>(z), rng.fold_in(0), threads);
  return generator_step(generator, discriminator, optimizer, ws, rng, loss, threads);
}

}  // namespace eigan
