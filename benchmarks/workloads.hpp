// The training steps that are measured, by name, and how many floating-point operations their matrix products need.
//
// gan-*: one discriminator step and one generator step. The others: one step of a classifier. Hidden layers are leaky
// ReLU 0.2 (the recogniser: ReLU); in the GAN with dropout 0.3; losses are binary cross entropy on logits (the
// recogniser: cross entropy of 10 classes); Adam throughout.
#pragma once

#include <array>
#include <cstddef>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace bench {

struct Workload {
  std::string_view name;
  std::vector<int> generator;  ///< sizes from the latent vector to the image; empty without a generator
  std::vector<int> network;    ///< discriminator or classifier, from the image to the logits
  int batch;

  bool is_gan() const { return !generator.empty(); }
};

inline const std::array<Workload, 7>& workloads() {
  static const std::array<Workload, 7> all{{
      {"gan-seed", {100, 32, 64, 128, 784}, {784, 128, 64, 32, 1}, 64},
      {"gan-wide", {100, 256, 512, 1024, 784}, {784, 1024, 512, 256, 1}, 128},
      {"discriminator", {}, {784, 128, 64, 32, 1}, 64},
      {"discriminator-wide", {}, {784, 1024, 512, 256, 1}, 128},
      {"recogniser", {}, {784, 256, 128, 10}, 100},
      {"small", {}, {4, 64, 64, 2}, 64},  // ReLU, squared error
      {"tiny", {}, {2, 8, 1}, 1},         // tanh, squared error
  }};
  return all;
}

inline const Workload& workload(std::string_view name) {
  for (const Workload& w : workloads())
    if (w.name == name) return w;
  throw std::invalid_argument("there is no workload '" + std::string(name) + "'");
}

/// Operations of one product with every weight matrix of a network, leaving out the first `skip` layers.
inline double product_flop(const std::vector<int>& sizes, int batch, std::size_t skip = 0) {
  double weights = 0;
  for (std::size_t i = skip; i + 1 < sizes.size(); ++i) weights += 1.0 * sizes[i] * sizes[i + 1];
  return 2 * weights * batch;
}

/// Operations of a step's products, none of which the step could do without: 0.1454e9 for gan-seed.
inline double step_flop(const Workload& w) {
  // Forward, backward to the inputs of all layers but the first, backward to the weights.
  const auto train = [](const std::vector<int>& sizes, int batch) {
    return 2 * product_flop(sizes, batch) + product_flop(sizes, batch, 1);
  };
  if (!w.is_gan()) return train(w.network, w.batch);
  const double discriminator_step = product_flop(w.generator, w.batch) + train(w.network, 2 * w.batch);
  const double generator_step = train(w.generator, w.batch) + 2 * product_flop(w.network, w.batch);
  return discriminator_step + generator_step;
}

}  // namespace bench
