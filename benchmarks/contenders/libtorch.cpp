// libtorch: the whole step, as a careful programmer writes it: real and fake as one batch, no gradient through the
// generator in the discriminator's step, none into the discriminator's weights in the generator's.
// VARIANT plain: as tutorials write it, real and fake one after the other and all gradients computed.
#include <torch/torch.h>

#include <string>

#include "../paired/serve.hpp"
#include "noise.hpp"
#include "options.hpp"

namespace {

namespace nn = torch::nn;

nn::Sequential stack(const std::vector<int>& sizes, double slope, double dropout) {
  nn::Sequential net;
  for (std::size_t i = 0; i + 1 < sizes.size(); ++i) {
    net->push_back(nn::Linear(sizes[i], sizes[i + 1]));
    if (i + 2 == sizes.size()) break;
    if (slope > 0)
      net->push_back(nn::LeakyReLU(nn::LeakyReLUOptions().negative_slope(slope)));
    else
      net->push_back(nn::ReLU());
    if (dropout > 0) net->push_back(nn::Dropout(dropout));
  }
  return net;
}

void require_gradients(const nn::Sequential& net, bool required) {
  for (auto& p : net->parameters()) p.requires_grad_(required);
}

torch::optim::Adam adam(const nn::Sequential& net, double lr) {
  return torch::optim::Adam(net->parameters(), torch::optim::AdamOptions(lr));
}

/// Shuffled batches of noise without end.
class Stream {
 public:
  explicit Stream(int batch)
      : images_(torch::from_blob(noise_.data(), {bench::noise_count, bench::noise_features}, torch::kUInt8)),
        labels_(torch::arange(bench::noise_count) * 7 % 10),
        batch_(batch) {}

  struct Batch {
    torch::Tensor images, labels;
  };
  Batch next() {
    if (next_ + batch_ > bench::noise_count) next_ = 0;
    if (next_ == 0) order_ = torch::randperm(bench::noise_count);
    const torch::Tensor which = order_.slice(0, next_, next_ + batch_);
    next_ += batch_;
    return {images_.index_select(0, which).to(torch::kFloat32).div_(127.5).sub_(1), labels_.index_select(0, which)};
  }

 private:
  std::vector<std::uint8_t> noise_ = bench::noise_pixels();
  torch::Tensor images_, labels_, order_;
  std::int64_t batch_, next_ = 0;
};

std::string about(const std::string& what) {
  return R"({"name": "libtorch )" TORCH_VERSION ", " + what + R"("})";
}

int serve_gan(const bench::ContenderOptions& options) {
  const bool plain = options.variant == "plain";
  const std::int64_t batch = options.workload.batch, latent = options.workload.generator.front();
  nn::Sequential generator = stack(options.workload.generator, 0.2, 0.3);
  generator->push_back(nn::Tanh());
  nn::Sequential discriminator = stack(options.workload.network, 0.2, 0.3);
  torch::optim::Adam generator_adam = adam(generator, 0.002), discriminator_adam = adam(discriminator, 0.002);
  Stream stream(options.workload.batch);
  const torch::Tensor smooth = torch::full({batch, 1}, 0.9f), zeros = torch::zeros({batch, 1}),
                      ones = torch::ones({batch, 1}), both = torch::cat({smooth, zeros});
  const auto bce = [](const torch::Tensor& logits, const torch::Tensor& targets) {
    return torch::binary_cross_entropy_with_logits(logits, targets);
  };
  const auto latents = [&] { return torch::empty({batch, latent}).uniform_(-1, 1); };

  return bench::serve(about(plain ? "plain step" : "whole step"), [&] {
    const torch::Tensor real = stream.next().images;
    discriminator_adam.zero_grad();
    torch::Tensor loss;
    if (plain) {
      loss = bce(discriminator->forward(real), smooth) +
             bce(discriminator->forward(generator->forward(latents()).detach()), zeros);
    } else {
      torch::Tensor fake;
      {
        const torch::NoGradGuard guard;
        fake = generator->forward(latents());
      }
      loss = bce(discriminator->forward(torch::cat({real, fake})), both) * 2;
    }
    loss.backward();
    discriminator_adam.step();

    generator_adam.zero_grad();
    if (!plain) require_gradients(discriminator, false);
    bce(discriminator->forward(generator->forward(latents())), ones).backward();
    if (!plain) require_gradients(discriminator, true);
    generator_adam.step();
  });
}

int serve_classifier(const bench::ContenderOptions& options) {
  const bool recogniser = options.workload.network.back() > 1;
  const std::int64_t batch = options.workload.batch;
  nn::Sequential net = stack(options.workload.network, recogniser ? 0 : 0.2, 0);
  torch::optim::Adam optimizer = adam(net, 0.001);
  Stream stream(options.workload.batch);
  const torch::Tensor targets = torch::cat({torch::ones({batch / 2, 1}), torch::zeros({batch - batch / 2, 1})});

  return bench::serve(about("whole step"), [&] {
    const Stream::Batch data = stream.next();
    optimizer.zero_grad();
    const torch::Tensor logits = net->forward(data.images);
    const torch::Tensor loss = recogniser ? torch::cross_entropy_loss(logits, data.labels)
                                          : torch::binary_cross_entropy_with_logits(logits, targets);
    loss.backward();
    optimizer.step();
  });
}

}  // namespace

int main(int argc, char** argv) {
  return bench::contender_main(argc, argv, [](const bench::ContenderOptions& options) {
    torch::manual_seed(1);
    torch::set_num_threads(options.threads);
    return options.workload.is_gan() ? serve_gan(options) : serve_classifier(options);
  });
}
