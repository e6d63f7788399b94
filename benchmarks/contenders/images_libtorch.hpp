// What libtorch's steps of networks of images share: layers, weights as every contender has them, and how steps are
// served.
#pragma once

#include <dlfcn.h>
#include <torch/torch.h>

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "../image_steps.hpp"
#include "../paired/serve.hpp"

namespace bench {

namespace nn = torch::nn;

/// x and f(x), channels side by side.
struct SkipImpl : nn::Module {
  explicit SkipImpl(nn::Sequential f) : body(register_module("body", std::move(f))) {}
  torch::Tensor forward(const torch::Tensor& x) { return torch::cat({x, body->forward(x)}, 1); }
  nn::Sequential body;
};
TORCH_MODULE(Skip);

inline nn::Conv2d conv(int in, int out, int size = 4, int stride = 2, int padding = 1) {
  return nn::Conv2d(nn::Conv2dOptions(in, out, size).stride(stride).padding(padding));
}
inline nn::ConvTranspose2d up(int in, int out) {
  return nn::ConvTranspose2d(nn::ConvTranspose2dOptions(in, out, 4).stride(2).padding(1));
}
inline nn::BatchNorm2d batch_norm(int channels) {
  return nn::BatchNorm2d(nn::BatchNorm2dOptions(channels).track_running_stats(false));
}
inline nn::InstanceNorm2d instance_norm(int channels) {
  return nn::InstanceNorm2d(nn::InstanceNorm2dOptions(channels));
}
/// in_place: for what nobody else reads.
inline nn::LeakyReLU leaky(bool in_place = false) {
  return nn::LeakyReLU(nn::LeakyReLUOptions().negative_slope(leaky_slope).inplace(in_place));
}

inline void fill_weights(nn::Module& net, int network) {
  const torch::NoGradGuard guard;
  int number = 0;
  for (auto& named : net.named_parameters()) {
    torch::Tensor p = named.value();
    const std::string& name = named.key();
    if (p.dim() > 1) {
      auto* const data = p.data_ptr<float>();
      for (std::size_t i = 0; i < static_cast<std::size_t>(p.numel()); ++i)
        data[i] = initial_weight(network, number, i);
    } else {
      p.fill_(name.size() >= 6 && name.compare(name.size() - 6, 6, "weight") == 0 ? 1 : 0);
    }
    ++number;
  }
}

inline torch::optim::Adam adam(std::vector<torch::Tensor> parameters, double lr = adam_lr) {
  return torch::optim::Adam(std::move(parameters), torch::optim::AdamOptions(lr).betas({adam_beta1, 0.999}));
}

/// While it lives, nobody computes gradients of these parameters.
class Frozen {
 public:
  explicit Frozen(std::vector<torch::Tensor> parameters) : parameters_(std::move(parameters)) { set(false); }
  Frozen(const Frozen&) = delete;
  Frozen& operator=(const Frozen&) = delete;
  ~Frozen() { set(true); }

 private:
  void set(bool required) {
    for (torch::Tensor& p : parameters_) p.requires_grad_(required);
  }
  std::vector<torch::Tensor> parameters_;
};

/// Transposed convolutions are products by the system's BLAS, and the reference one's are many times slower.
inline bool multiplies_by_openblas() {
  return dlsym(RTLD_DEFAULT, "openblas_get_config") != nullptr;
}

/// run(losses) takes a step and writes its losses where they are wanted.
template <class Step>
int serve_libtorch(Step run) {
  std::vector<double> losses;
  for (int i = 0; i < checked_steps; ++i) run(&losses);
  const std::string name = "libtorch " TORCH_VERSION ", whole step";
  return serve(about_image_step(multiplies_by_openblas() ? name : name + ", without OpenBLAS", losses),
               [&] { run(nullptr); });
}

}  // namespace bench
