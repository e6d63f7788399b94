// libtorch: the whole training step of a network of images, with eigan's savings: images are generated once for both
// networks, and the generator's step computes no gradient of the discriminator's weights.
#include <torch/torch.h>

#include <cstdint>
#include <vector>

#include "../image_steps.hpp"
#include "images_libtorch.hpp"
#include "translation_libtorch.hpp"

namespace {

namespace nn = torch::nn;
using bench::adam;
using bench::batch_norm;
using bench::conv;
using bench::fill_weights;
using bench::instance_norm;
using bench::leaky;
using bench::Skip;
using bench::up;

/// Several batches of images of noise.
torch::Tensor noise_images(const bench::ImageStep& step, int pool) {
  torch::Tensor images = torch::empty({step.batch * bench::batches_of_images, step.channels, step.side, step.side});
  for (std::int64_t i = 0; i < images.numel(); ++i)
    images.data_ptr<float>()[i] = bench::noise(bench::image_stream(pool), static_cast<std::uint32_t>(i));
  return images;
}
torch::Tensor batch_of(const torch::Tensor& images, const bench::ImageStep& step, long number) {
  return images.narrow(0, number % bench::batches_of_images * step.batch, step.batch);
}

int serve_dcgan(const bench::ImageStep& step) {
  nn::Sequential discriminator(conv(1, 64), leaky(), conv(64, 128), batch_norm(128), leaky(), nn::Flatten(),
                               nn::Linear(6272, 1));
  nn::Sequential generator(nn::Linear(bench::latent_size, 6272), nn::Unflatten(nn::UnflattenOptions(1, {128, 7, 7})),
                           batch_norm(128), nn::ReLU(), up(128, 64), batch_norm(64), nn::ReLU(), up(64, 1), nn::Tanh());
  fill_weights(*discriminator, 0);
  fill_weights(*generator, 1);
  auto discriminator_adam = adam(discriminator->parameters()), generator_adam = adam(generator->parameters());
  const torch::Tensor images = noise_images(step, 0), ones = torch::ones({step.batch, 1}),
                      zeros = torch::zeros({step.batch, 1});
  const auto bce = [](const torch::Tensor& logits, const torch::Tensor& targets) {
    return torch::binary_cross_entropy_with_logits(logits, targets);
  };
  torch::Tensor z = torch::empty({step.batch, bench::latent_size});
  long number = 0;
  return bench::serve_libtorch([&](std::vector<double>* losses) {
    for (std::int64_t i = 0; i < z.numel(); ++i)
      z.data_ptr<float>()[i] = bench::noise(bench::latent_stream(number), static_cast<std::uint32_t>(i));
    const torch::Tensor fake = generator->forward(z);
    discriminator_adam.zero_grad();
    const torch::Tensor on_real = bce(discriminator->forward(batch_of(images, step, number++)), ones);
    on_real.backward();
    const torch::Tensor on_fake = bce(discriminator->forward(fake.detach()), zeros);
    on_fake.backward();
    discriminator_adam.step();

    generator_adam.zero_grad();
    const bench::Frozen frozen(discriminator->parameters());
    const torch::Tensor loss = bce(discriminator->forward(fake), ones);
    loss.backward();
    generator_adam.step();
    if (losses != nullptr) {
      losses->push_back(on_real.item<double>() + on_fake.item<double>());
      losses->push_back(loss.item<double>());
    }
  });
}

/// From so many channels to twice as many at half the size, through `inner` if there is one, and back from `out`.
Skip level(int channels, int out, Skip inner = nullptr) {
  nn::Sequential body(leaky(), conv(channels, 2 * channels), instance_norm(2 * channels));
  if (!inner.is_empty()) body->push_back(inner);
  body->push_back(nn::ReLU());
  body->push_back(up(out, channels));
  body->push_back(instance_norm(channels));
  return Skip(body);
}

int serve_unet(const bench::ImageStep& step) {
  nn::Sequential net(conv(3, 32), level(32, 128, level(64, 256, level(128, 256))), nn::ReLU(), up(64, 3), nn::Tanh());
  fill_weights(*net, 0);
  auto optimizer = adam(net->parameters());
  const torch::Tensor images = noise_images(step, 0), targets = noise_images(step, 1);
  long number = 0;
  return bench::serve_libtorch([&](std::vector<double>* losses) {
    optimizer.zero_grad();
    const torch::Tensor y = net->forward(batch_of(images, step, number));
    const torch::Tensor loss = torch::l1_loss(y, batch_of(targets, step, number++));
    loss.backward();
    optimizer.step();
    if (losses != nullptr) losses->push_back(loss.item<double>());
  });
}

}  // namespace

int main(int argc, char** argv) {
  return bench::image_contender_main(argc, argv, [](const bench::ImageStep& step, int threads) {
    torch::set_num_threads(threads);
    if (step.translates()) return bench::serve_translation(step);
    return step.name == "dcgan" ? serve_dcgan(step) : serve_unet(step);
  });
}
