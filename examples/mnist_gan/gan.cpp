#include "gan.hpp"

#include <algorithm>
#include <utility>

#include <eigan/gan/losses.hpp>
#include <eigan/gan/steps.hpp>
#include <eigan/layers/batch_norm.hpp>
#include <eigan/layers/conv2d.hpp>
#include <eigan/layers/conv_transpose2d.hpp>
#include <eigan/layers/dropout.hpp>
#include <eigan/layers/flatten.hpp>
#include <eigan/layers/leaky_relu.hpp>
#include <eigan/layers/linear.hpp>
#include <eigan/layers/tanh.hpp>
#include <eigan/layers/unflatten.hpp>
#include <eigan/net/estimate_statistics.hpp>
#include <eigan/net/input.hpp>
#include <eigan/net/model.hpp>
#include <eigan/net/runtime/network.hpp>
#include <eigan/net/skip_connection.hpp>
#include <eigan/optim/schedules.hpp>

namespace mnist_gan {

using namespace eigan;

// The networks.

AnyModel make_generator(const Recipe& r, Rng rng) {
  Network net;
  const auto activate = [&](auto norm) {
    if (r.batch_norm) net.add(norm);
    net.add(LeakyReLU(r.g_negative_slope));
  };
  Index size = r.latent_space().input_size();
  for (const Index hidden : r.g_hidden) {
    net.add(Linear<>(size, hidden));
    activate(BatchNorm1d<>(hidden));
    if (!r.batch_norm) net.add(Dropout(r.dropout));
    size = hidden;
  }
  if (r.convolutional()) {
    if (r.latent_skip) {
      net = Network().add(SkipConnection<Network>(net));
      size += r.latent_space().input_size();
    }
    const Index fine = r.g_channels[0], coarse = r.g_channels[1];
    net.add(Linear<>(size, 7 * 7 * coarse)).add(Unflatten<>(coarse, 7, 7));
    activate(BatchNorm2d<>(coarse));
    net.add(ConvTranspose2d<>(coarse, fine, 4, 2, 1));
    activate(BatchNorm2d<>(fine));
    net.add(ConvTranspose2d<>(fine, 1, 4, 2, 1));
  } else {
    net.add(Linear<>(size, image_size));
  }
  return Model(net.add(Tanh()), rng);
}

AnyModel make_discriminator(const Recipe& r, Rng rng) {
  Network net;
  Index size = image_size;
  const Input<> digit(digit_count);
  if (r.convolutional()) {
    Index channels = 1;
    net.add(Input<>(channels, image_side, image_side));
    const auto convolve = [&](Index to, Index kernel, Index stride) {
      net.add(Conv2d<>(channels, to, kernel, stride, 1)).add(LeakyReLU(r.d_negative_slope));
      channels = to;
    };
    convolve(r.d_channels[0], 4, 2);
    convolve(r.d_channels[1], 4, 2);
    if (r.d_channels.size() > 2) convolve(r.d_channels[2], 3, 1);
    net.add(Flatten());
    size = 7 * 7 * channels;
    if (r.conditional) net = Network().add(Inputs(net, digit));  // the digit beside what convolutions see
  } else if (r.conditional) {
    net.add(Inputs(Input<>(size), digit));
  }
  if (r.conditional) size += digit_count;
  for (const Index hidden : r.d_hidden) {
    net.add(Linear<>(size, hidden)).add(LeakyReLU(r.d_negative_slope)).add(Dropout(r.dropout));
    size = hidden;
  }
  return Model(net.add(Linear<>(size, 1)), rng);
}

Gan::Gan(const Recipe& recipe, const LabelledImages& images, std::uint64_t seed, Threads threads)
    : recipe_(recipe),
      latent_(recipe.latent_space()),
      images_(images),
      rng_(seed),
      threads_(threads),
      generator_(make_generator(recipe, rng_.fold_in(stream::generator_init))),
      discriminator_(make_discriminator(recipe, rng_.fold_in(stream::discriminator_init))),
      g_adam_(generator_.param_size(),
              {.lr = recipe.g_lr, .beta1 = recipe.beta1, .beta2 = recipe.beta2, .eps = recipe.eps}),
      d_adam_(discriminator_.param_size(),
              {.lr = recipe.d_lr, .beta1 = recipe.beta1, .beta2 = recipe.beta2, .eps = recipe.eps}),
      average_(std::as_const(generator_).params(), recipe.average),
      drawn_(generator_.clone()),
      batches_(image_count(), recipe.batch, rng_.fold_in(stream::batches)),
      workspace_(generator_, discriminator_, std::min(recipe.batch, image_count())),
      input_(latent_.input_size(), workspace_.capacity()),
      digits_(static_cast<std::size_t>(workspace_.capacity())),
      wrong_digits_(digits_.size()) {
  if (recipe.r1 > 0) penalty_.emplace(discriminator_, workspace_.capacity());
}

// A step.

double Gan::scheduled(Index step) const {
  const Index all = recipe_.epochs * batches_.size(), fall = recipe_.schedule == Schedule::late ? all / 2 : 0;
  return recipe_.schedule == Schedule::constant || step < fall ? 1 : linear_decay(step - fall, all - fall);
}

/// A generator's inputs. The digits asked for are those of the batch: as frequent as among the images.
View<float> Gan::draw_input(Index count, Rng rng) {
  const View<float> input = View<float>(input_).columns(0, count);
  draw_latent(latent_, digits_, input, rng);
  return input;
}

/// Real images beside wrong digits are as bad as generated ones (Reed et al. 2016, "matching-aware"): a digit then has
/// to be the one that was asked for.
void Gan::add_mismatch(Index count, Rng rng) {
  for (std::size_t j = 0; j < static_cast<std::size_t>(count); ++j)
    wrong_digits_[j] =
        static_cast<std::uint8_t>((digits_[j] + 1 + uniform_below(rng, j, digit_count - 1)) % digit_count);
  write_code(wrong_digits_, 1, workspace_.real_condition(count));
  const auto logits =
      discriminator_.forward(workspace_.d_tape, workspace_.real_inputs(count), {rng.fold_in(1), 0}, threads_);
  View<float> gradient = workspace_.d_tape.output_gradient();
  NonSaturatingLoss().fake(logits, gradient);
  gradient *= static_cast<float>(recipe_.mismatch * static_cast<double>(mismatch_every));
  discriminator_.backward_params(workspace_.d_tape, workspace_.d_grad, threads_);
}

std::vector<double> Gan::step(Index number, double rate) {
  if (const Index epoch = number / batches_.size(); epoch != epoch_) batches_.start_epoch(epoch_ = epoch);
  const auto indices = batches_.indices(number % batches_.size());
  const auto count = static_cast<Index>(indices.size());
  const Rng rng = rng_.fold_in(stream::steps).fold_in(static_cast<std::uint64_t>(number));
  const NonSaturatingLoss loss{.real_label = recipe_.real_label};
  rate *= scheduled(number);
  g_adam_.options().lr = rate * recipe_.g_lr;
  d_adam_.options().lr = rate * recipe_.d_lr;
  drawn_is_old_ = true;

  const View<float> real = workspace_.real(count);
  pixels_to_unit(images_, indices, real, threads_);
  if (latent_.classes > 0) {
    for (std::size_t j = 0; j < indices.size(); ++j) digits_[j] = images_.labels[indices[j]];
    if (recipe_.mismatch > 0 && number % mismatch_every == 0) add_mismatch(count, rng.fold_in(5));
    write_code(digits_, 1, workspace_.real_condition(count));
    write_code(digits_, 1, workspace_.fake_condition(count));
  }
  if (penalty_ && number % recipe_.r1_every == 0) {
    const auto gamma = static_cast<float>(recipe_.r1 * static_cast<double>(recipe_.r1_every));
    penalty_->add_r1(discriminator_, workspace_.real_inputs(count), gamma, workspace_.d_grad, rng.fold_in(4), threads_);
  }
  const auto d = discriminator_step(generator_, discriminator_, d_adam_, workspace_, real,
                                    draw_input(count, rng.fold_in(0)), rng.fold_in(1), loss, threads_);
  const auto g = recipe_.shared_samples
                     ? generator_step(generator_, discriminator_, g_adam_, workspace_, rng.fold_in(3), loss, threads_)
                     : generator_step(generator_, discriminator_, g_adam_, workspace_,
                                      draw_input(count, rng.fold_in(2)), rng.fold_in(3), loss, threads_);
  if (recipe_.average > 0) average_.update(std::as_const(generator_).params(), threads_);
  const auto wide = [](float value) { return static_cast<double>(value); };
  return {wide(d.loss), wide(g.loss), wide(d.d_real), wide(d.d_fake)};
}

// Samples.

const AnyModel& Gan::generator() {
  if (!std::exchange(drawn_is_old_, false)) return drawn_;
  const auto params = recipe_.average > 0 ? average_.params() : std::as_const(generator_).params();
  std::copy(params.begin(), params.end(), drawn_.params().begin());
  if (recipe_.batch_norm) {
    constexpr Index samples = 4096;
    std::vector<std::uint8_t> digits(latent_.classes > 0 ? samples : 0);
    const Rng rng = rng_.fold_in(stream::statistics);
    draw_digits(digits, latent_.classes, rng.fold_in(0));
    Matrix<float> input(latent_.input_size(), samples);
    draw_latent(latent_, digits, input, rng.fold_in(1));
    estimate_statistics(drawn_, input, threads_);
  }
  return drawn_;
}

}  // namespace mnist_gan
