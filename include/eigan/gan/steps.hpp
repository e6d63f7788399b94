// The two steps of adversarial training, as free functions: the training loop that alternates them stays in the
// program. Each is one forward pass, one backward pass and one step of the optimiser.
//
// The discriminator may give any number of outputs (a logit, one for each patch, a logit beside codes): a loss sees
// all.
#pragma once

#include <algorithm>
#include <cmath>
#include <span>
#include <type_traits>

#include <eigan/gan/losses.hpp>
#include <eigan/gan/workspace.hpp>
#include <eigan/optim/optimizer.hpp>

namespace eigan {

/// What discriminator_step saw, before it changed anything.
template <class T>
struct DiscriminatorResult {
  T loss;    ///< loss on real + loss on fake
  T d_real;  ///< mean of sigmoid(D(real)) over all outputs
  T d_fake;  ///< mean of sigmoid(D(fake)) over all outputs
};

/// What generator_step saw, before it changed anything.
template <class T>
struct GeneratorResult {
  T loss;    ///< of the generator, further losses included
  T d_fake;  ///< mean of sigmoid(D(fake)) over all outputs
};

/// How a discriminator sees its two halves.
enum class Halves {
  together,  ///< as one batch, which is faster
  apart      ///< as two, so that batch normalisation does not mix them (Radford et al. 2016)
};

/// Nothing follows the discriminator's forward passes; see discriminator_step.
struct NothingFollows {
  /// Does nothing.
  void operator()() const {}
};

/// No further loss; see generator_step.
struct NoFurtherLoss {
  /// 0.
  template <class T>
  T operator()(ConstView<T> /*fake*/, View<T> /*gradient*/) const {
    return 0;
  }
};

namespace detail {

/// backward_and_step, which computes the norm only where something is clipped.
template <class T, class O>
void backward_and_clipped_step(BasicModel<T>& model, Tape<T>& tape, O& optimizer, std::span<T> grad,
                               const ClipGrad& clip, Threads threads) {
  if (clips(clip))
    backward_and_step(model, tape, optimizer, grad, clip, threads);
  else
    backward_and_step(model, tape, optimizer, grad, threads);
}

template <class T>
T mean_sigmoid(const ConstView<T>& logits) {
  double sum = 0;
  for (Index j = 0; j < logits.cols(); ++j)
    for (Index i = 0; i < logits.rows(); ++i) sum += 1 / (1 + std::exp(-static_cast<double>(logits(i, j))));
  return static_cast<T>(sum / static_cast<double>(logits.size()));
}

/// G(z) into the right half of the workspace's images.
template <class T>
void generate(const BasicModel<T>& generator, GanWorkspace<T>& ws, ConstView<T> z, Rng rng, Threads threads) {
  ws.set_fresh(0);  // until this has gone well
  ws.g_tape.bind_output(ws.fake(z.cols()));
  generator.forward(ws.g_tape, z, rng, threads);
  ws.set_fresh(z.cols());
}

}  // namespace detail

/// Trains the discriminator on `real` against as many samples of the generator: the loss of both halves, one step. The
/// generator is not changed. real: features x batch, z: latent x batch, which must live until the generator_step that
/// uses the same samples; dropout masks of this step come from `rng`, which must differ from step to step. What
/// ws.d_grad holds, such as a penalty's gradient, joins the gradient of the loss; it is zero afterwards.
/// after_forward() is called behind each forward pass of the discriminator, one or, where halves are apart, two, while
/// ws.d_tape holds that pass: running averages of both halves are `[&] { update_statistics(d, ws.d_tape); }`.
/// `clip` cuts the gradient of both halves, with what joined it, as backward_and_step does.
template <class T, Optimizer<T> O, class Loss = NonSaturatingLoss, class AfterForward = NothingFollows>
DiscriminatorResult<T> discriminator_step(const BasicModel<T>& generator, BasicModel<T>& discriminator, O& optimizer,
                                          GanWorkspace<T>& ws, std::type_identity_t<ConstView<T>> real,
                                          std::type_identity_t<LastingView<T>> z, Rng rng, const Loss& loss = {},
                                          Threads threads = {}, Halves halves = Halves::together,
                                          const AfterForward& after_forward = {}, const ClipGrad& clip = {}) {
  detail::check_clip("eigan::discriminator_step", clip);
  const Index batch = real.cols();
  if (z.cols() != batch)
    detail::fail_contract("eigan::discriminator_step: ", batch, " real samples but ", z.cols(), " z");
  if (real.rows() != discriminator.input_size())
    detail::fail_contract("eigan::discriminator_step: a real sample must have ", discriminator.input_size(),
                          " features, has ", real.rows());
  optimizer.update(discriminator.params(), ws.d_grad, 0, 0);  // what it refuses, it refuses before anything changes
  detail::generate(generator, ws, ConstView<T>(z), rng.fold_in(0), threads);
  if (real.data() != ws.real(batch).data()) ws.real(batch) = real;

  DiscriminatorResult<T> result;
  detail::BegunGradient<T> begun{ws.d_grad};  // a penalty's, for this step and these samples, or a half's
  if (halves == Halves::together) {
    const ConstView<T> logits = discriminator.forward(ws.d_tape, ws.both(batch), {rng.fold_in(1), 0}, threads);
    after_forward();
    const ConstView<T> on_real = logits.columns(0, batch), on_fake = logits.columns(batch, batch);
    const View<T> gradient = ws.d_tape.output_gradient();
    const T real_loss = loss.real(on_real, gradient.columns(0, batch));
    const T fake_loss = loss.fake(on_fake, gradient.columns(batch, batch));
    result = {real_loss + fake_loss, detail::mean_sigmoid(on_real), detail::mean_sigmoid(on_fake)};
  } else {
    const ConstView<T> on_real = discriminator.forward(ws.d_tape, ws.real_inputs(batch), {rng.fold_in(1), 0}, threads);
    after_forward();
    result.loss = loss.real(on_real, ws.d_tape.output_gradient());
    result.d_real = detail::mean_sigmoid(on_real);
    discriminator.backward_params(ws.d_tape, ws.d_grad, threads);
    const ConstView<T> on_fake =
        discriminator.forward(ws.d_tape, ws.fake_inputs(batch), {rng.fold_in(1), batch}, threads);
    after_forward();
    result.loss += loss.fake(on_fake, ws.d_tape.output_gradient());
    result.d_fake = detail::mean_sigmoid(on_fake);
  }
  detail::backward_and_clipped_step<T>(discriminator, ws.d_tape, optimizer, ws.d_grad, clip, threads);
  begun.grad = {};
  return result;
}

/// Trains the generator against the discriminator, which only passes the gradient through: its own weight gradients
/// are not computed and it is not changed. The samples are those of the discriminator_step before; they serve for one
/// step, after which the generator is another. The z that they were made from must still lie where it lay.
/// further(fake, gradient) returns another loss of the generated samples and adds its gradient (L1 to a target, an
/// identity, the distance of features). `clip` cuts the gradient of the generator's parameters, as backward_and_step
/// does.
template <class T, Optimizer<T> O, class Loss = NonSaturatingLoss, class Further = NoFurtherLoss>
GeneratorResult<T> generator_step(BasicModel<T>& generator, const BasicModel<T>& discriminator, O& optimizer,
                                  GanWorkspace<T>& ws, Rng rng, const Loss& loss = {}, Threads threads = {},
                                  const Further& further = {}, const ClipGrad& clip = {}) {
  detail::check_clip("eigan::generator_step", clip);
  optimizer.update(generator.params(), ws.g_grad, 0, 0);  // what it refuses, it refuses before anything changes
  const Index batch = ws.take_fresh();
  if (batch == 0)
    detail::fail_contract(
        "eigan::generator_step: no samples of the generator as it is; a discriminator_step makes them");
  const ConstView<T> logits = discriminator.forward(ws.d_tape, ws.fake_inputs(batch), {rng.fold_in(1), 0}, threads);
  T value = loss.generator(logits, ws.d_tape.output_gradient());
  const T d_fake = detail::mean_sigmoid(logits);

  const View<T> to_images = ws.g_tape.output_gradient();
  discriminator.backward_input(ws.d_tape, to_images, threads);
  value += further(ConstView<T>(ws.fake(batch)), to_images);
  detail::backward_and_clipped_step<T>(generator, ws.g_tape, optimizer, ws.g_grad, clip, threads);
  return {value, d_fake};
}

/// generator_step on samples of its own, at the price of one more forward pass. z: latent x batch.
template <class T, Optimizer<T> O, class Loss = NonSaturatingLoss, class Further = NoFurtherLoss>
GeneratorResult<T> generator_step(BasicModel<T>& generator, const BasicModel<T>& discriminator, O& optimizer,
                                  GanWorkspace<T>& ws, std::type_identity_t<ConstView<T>> z, Rng rng,
                                  const Loss& loss = {}, Threads threads = {}, const Further& further = {},
                                  const ClipGrad& clip = {}) {
  detail::check_clip("eigan::generator_step", clip);
  detail::generate(generator, ws, ConstView<T>(z), rng.fold_in(0), threads);
  return generator_step(generator, discriminator, optimizer, ws, rng, loss, threads, further, clip);
}

}  // namespace eigan
