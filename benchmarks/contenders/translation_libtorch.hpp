// libtorch: whole steps of Pix2Pix and CycleGAN as examples/image_to_image takes them, with eigan's savings: every
// translation is made once, and generators' steps compute no gradient of discriminators' weights. Pictures are floats
// already. Distances are reported of pixels in [0, 1].
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "translators_libtorch.hpp"

namespace bench {

using torch::Tensor;

/// Pictures of noise, the same bytes as eigan's.
inline Tensor noise_pictures(const ImageStep& step, int channels, int pool) {
  Tensor pictures = torch::empty({step.batch, channels, step.side, step.side});
  for (std::int64_t i = 0; i < pictures.numel(); ++i)
    pictures.data_ptr<float>()[i] = static_cast<float>(picture_byte(pool, static_cast<std::size_t>(i))) / 127.5f - 1;
  return pictures;
}

inline std::vector<Tensor> parameters_of(const nn::Sequential& a, const nn::Sequential& b) {
  std::vector<Tensor> all = a->parameters();
  for (Tensor& p : b->parameters()) all.push_back(std::move(p));
  return all;
}

/// L1 alone, of a full U-Net that adds to its input.
inline int serve_l1(const ImageStep& step) {
  nn::Sequential net(Sum(full_unet({16, 32, 64, 128, 128, 128}, Norm::batch, step)));
  fill_weights(*net, 0);
  auto optimizer = adam(net->parameters(), translation_lr);
  const Tensor from = noise_pictures(step, step.from_channels, 0), to = noise_pictures(step, step.channels, 1);
  return serve_libtorch([&](std::vector<double>* losses) {
    net->zero_grad(true);
    const Tensor distance = torch::l1_loss(net->forward(from), to);
    (100 * distance).backward();
    optimizer.step();
    if (losses != nullptr) losses->push_back(distance.item<double>() / 2);
  });
}

inline int serve_pix2pix(const ImageStep& step) {
  const bool large = step.name == "pix2pix32";
  nn::Sequential generator =
      large ? unet({32, 64, 128, 128, 128}, Norm::batch, step) : full_unet({16, 32, 64}, Norm::batch, step);
  if (!large) generator->push_back(nn::Tanh());
  nn::Sequential discriminator = patch_discriminator(step.channels + step.from_channels, Norm::batch, large ? 2 : 1);
  fill_weights(*generator, 0);
  fill_weights(*discriminator, 1);
  auto g_adam = adam(generator->parameters(), translation_lr),
       d_adam = adam(discriminator->parameters(), translation_lr);
  const Tensor from = noise_pictures(step, step.from_channels, 0), to = noise_pictures(step, step.channels, 1);
  const auto bce = [](const Tensor& logits, bool real) {
    return torch::binary_cross_entropy_with_logits(logits, torch::full_like(logits, real ? 1 : 0));
  };
  return serve_libtorch([&](std::vector<double>* losses) {
    const Tensor made = generator->forward(from);
    const Tensor real_pairs = torch::cat({to, from}, 1), made_pairs = torch::cat({made.detach(), from}, 1);
    discriminator->zero_grad(true);
    // Apart, for the sake of batch normalisation, whose statistics are not to mix them.
    const Tensor d_loss =
        bce(discriminator->forward(real_pairs), true) + bce(discriminator->forward(made_pairs), false);
    d_loss.backward();
    d_adam.step();

    generator->zero_grad(true);
    const Frozen frozen(discriminator->parameters());
    const Tensor g_loss = bce(discriminator->forward(torch::cat({made, from}, 1)), true);
    const Tensor distance = torch::l1_loss(made, to);
    (g_loss + 100 * distance).backward();
    g_adam.step();
    if (losses != nullptr)
      losses->insert(losses->end(), {d_loss.item<double>(), g_loss.item<double>(), distance.item<double>() / 2});
  });
}

/// A domain: its pictures, the generator that makes such of the other's, and who judges them.
struct Domain {
  Domain(const ImageStep& step, int number)
      : pictures(noise_pictures(step, 1, number)),
        generator(residual_network({16, 32, 64}, Norm::instance, step)),
        discriminator(patch_discriminator(1, Norm::instance)) {
    fill_weights(*generator, 2 * number);
    fill_weights(*discriminator, 2 * number + 1);
  }

  Tensor pictures;
  nn::Sequential generator, discriminator;
};

inline int serve_cycle_gan(const ImageStep& step) {
  Domain a(step, 0), b(step, 1);
  auto g_adam = adam(parameters_of(a.generator, b.generator), translation_lr),
       d_adam = adam(parameters_of(a.discriminator, b.discriminator), translation_lr);
  const auto square = [](const Tensor& said, bool real) {
    return torch::mse_loss(said, torch::full_like(said, real ? 1 : 0));
  };
  const auto judged = [&](Domain& domain, const Tensor& made) {
    const std::vector<Tensor> said = domain.discriminator->forward(torch::cat({domain.pictures, made})).chunk(2);
    return square(said[0], true) + square(said[1], false);
  };
  return serve_libtorch([&](std::vector<double>* losses) {
    // Translations, and behind them the identity.
    const std::vector<Tensor> of_a = a.generator->forward(torch::cat({b.pictures, a.pictures})).chunk(2),
                              of_b = b.generator->forward(torch::cat({a.pictures, b.pictures})).chunk(2);
    const Tensor cycle = torch::l1_loss(a.generator->forward(of_b[0]), a.pictures) +
                         torch::l1_loss(b.generator->forward(of_a[0]), b.pictures);
    const Tensor identity = torch::l1_loss(of_a[1], a.pictures) + torch::l1_loss(of_b[1], b.pictures);
    for (Domain* domain : {&a, &b}) domain->generator->zero_grad(true);
    Tensor g_loss;
    {
      const Frozen frozen(parameters_of(a.discriminator, b.discriminator));
      g_loss = square(a.discriminator->forward(of_a[0]), true) + square(b.discriminator->forward(of_b[0]), true);
      (g_loss + 10 * cycle + 5 * identity).backward();
    }
    g_adam.step();

    for (Domain* domain : {&a, &b}) domain->discriminator->zero_grad(true);
    const Tensor a_loss = judged(a, of_a[0].detach()), b_loss = judged(b, of_b[0].detach());
    (a_loss + b_loss).backward();
    d_adam.step();
    if (losses != nullptr)
      losses->insert(losses->end(), {a_loss.item<double>(), b_loss.item<double>(), g_loss.item<double>(),
                                     cycle.item<double>() / 4, identity.item<double>() / 4});
  });
}

inline int serve_translation(const ImageStep& step) {
  if (step.name == "cyclegan") return serve_cycle_gan(step);
  return step.name == "full-unet" ? serve_l1(step) : serve_pix2pix(step);
}

}  // namespace bench
