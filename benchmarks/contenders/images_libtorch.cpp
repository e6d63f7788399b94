// libtorch: the whole training step of a network of images, with eigan's savings: images are generated once for both
// networks, and the generator's step computes no gradient of the discriminator's weights.
#include <torch/torch.h>

#include <cstddef>
#include <string>
#include <vector>

#include "../image_steps.hpp"
#include "../paired/serve.hpp"

namespace {

namespace nn = torch::nn;

/// x and f(x), channels side by side.
struct SkipImpl : nn::Module {
  explicit SkipImpl(nn::Sequential f) : body(register_module("body", std::move(f))) {}
  torch::Tensor forward(const torch::Tensor& x) { return torch::cat({x, body->forward(x)}, 1); }
  nn::Sequential body;
};
TORCH_MODULE(Skip);

nn::Conv2d conv(int in, int out) {
  return nn::Conv2d(nn::Conv2dOptions(in, out, 4).stride(2).padding(1));
}
nn::ConvTranspose2d up(int in, int out) {
  return nn::ConvTranspose2d(nn::ConvTranspose2dOptions(in, out, 4).stride(2).padding(1));
}
nn::BatchNorm2d batch_norm(int channels) {
  return nn::BatchNorm2d(nn::BatchNorm2dOptions(channels).track_running_stats(false));
}
nn::LeakyReLU leaky() {
  return nn::LeakyReLU(nn::LeakyReLUOptions().negative_slope(bench::leaky_slope));
}

/// Weights as every contender has them.
void fill_weights(nn::Module& net, int network) {
  const torch::NoGradGuard guard;
  int number = 0;
  for (auto& named : net.named_parameters()) {
    torch::Tensor p = named.value();
    const std::string& name = named.key();
    if (p.dim() > 1) {
      auto* const data = p.data_ptr<float>();
      for (std::size_t i = 0; i < static_cast<std::size_t>(p.numel()); ++i)
        data[i] = bench::initial_weight(network, number, i);
    } else {
      p.fill_(name.size() >= 6 && name.compare(name.size() - 6, 6, "weight") == 0 ? 1 : 0);
    }
    ++number;
  }
}

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

torch::optim::Adam adam(nn::Module& net) {
  return torch::optim::Adam(net.parameters(),
                            torch::optim::AdamOptions(bench::adam_lr).betas({bench::adam_beta1, 0.999}));
}

/// run(losses) takes a step and writes its losses where they are wanted.
template <class Step>
int serve(Step run) {
  std::vector<double> losses;
  for (int i = 0; i < bench::checked_steps; ++i) run(&losses);
  return bench::serve(bench::about_image_step("libtorch " TORCH_VERSION ", whole step", losses), [&] { run(nullptr); });
}

int serve_dcgan(const bench::ImageStep& step) {
  nn::Sequential discriminator(conv(1, 64), leaky(), conv(64, 128), batch_norm(128), leaky(), nn::Flatten(),
                               nn::Linear(6272, 1));
  nn::Sequential generator(nn::Linear(bench::latent_size, 6272), nn::Unflatten(nn::UnflattenOptions(1, {128, 7, 7})),
                           batch_norm(128), nn::ReLU(), up(128, 64), batch_norm(64), nn::ReLU(), up(64, 1), nn::Tanh());
  fill_weights(*discriminator, 0);
  fill_weights(*generator, 1);
  auto discriminator_adam = adam(*discriminator), generator_adam = adam(*generator);
  const torch::Tensor images = noise_images(step, 0), ones = torch::ones({step.batch, 1}),
                      zeros = torch::zeros({step.batch, 1});
  const auto bce = [](const torch::Tensor& logits, const torch::Tensor& targets) {
    return torch::binary_cross_entropy_with_logits(logits, targets);
  };
  torch::Tensor z = torch::empty({step.batch, bench::latent_size});
  long number = 0;
  return serve([&](std::vector<double>* losses) {
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
    for (auto& p : discriminator->parameters()) p.requires_grad_(false);
    const torch::Tensor loss = bce(discriminator->forward(fake), ones);
    loss.backward();
    for (auto& p : discriminator->parameters()) p.requires_grad_(true);
    generator_adam.step();
    if (losses != nullptr) {
      losses->push_back(on_real.item<double>() + on_fake.item<double>());
      losses->push_back(loss.item<double>());
    }
  });
}

nn::InstanceNorm2d instance_norm(int channels) {
  return nn::InstanceNorm2d(nn::InstanceNorm2dOptions(channels));
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
  auto optimizer = adam(*net);
  const torch::Tensor images = noise_images(step, 0), targets = noise_images(step, 1);
  long number = 0;
  return serve([&](std::vector<double>* losses) {
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
    return step.name == "dcgan" ? serve_dcgan(step) : serve_unet(step);
  });
}
