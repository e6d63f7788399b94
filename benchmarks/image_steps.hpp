// The training steps of networks of images that are measured, by name, and their numbers, which all contenders share:
// so their losses can be compared before anything is timed. C++17, for libtorch's sake.
//
// dcgan: 28 x 28, batch 64 (Radford et al. 2016). D: Conv2d 1-64 and 64-128 (4 x 4, stride 2, padding 1), BatchNorm2d
// behind the second, LeakyReLU, Linear 6272-1; G mirrors it from a z of 100. A step of D on real and generated images
// apart, because of its batch normalisation, and one of G on the same generated images.
// unet: 64 x 64, 3 channels, batch 8 (Isola et al. 2017). Down to 32, 64, 128 and 256 channels, up again with skips;
// L1. Adam throughout. Running statistics are kept by nobody.
#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <iostream>
#include <stdexcept>
#include <string>
#include <vector>

namespace bench {

struct ImageStep {
  std::string name;
  int batch, channels, side;

  std::size_t image() const { return static_cast<std::size_t>(channels * side * side); }
};

inline ImageStep image_step(const std::string& name) {
  if (name == "dcgan") return {name, 64, 1, 28};
  if (name == "unet") return {name, 8, 3, 64};
  throw std::invalid_argument("there is no step '" + name + "'; there are dcgan and unet");
}

constexpr int latent_size = 100;
constexpr double adam_lr = 2e-4, adam_beta1 = 0.5, leaky_slope = 0.2;
constexpr int batches_of_images = 8;  // a step takes the next of them
constexpr int checked_steps = 3;      // whose losses are compared

/// Number i of a stream: in [-1, 1), the same for all.
inline float noise(std::uint32_t stream, std::uint32_t i) {
  std::uint32_t h = i * 0x9e3779b9u ^ (stream + 1) * 0x85ebca6bu;
  h = (h ^ h >> 16) * 0x7feb352du;
  h = (h ^ h >> 15) * 0x846ca68bu;
  return static_cast<float>((h ^ h >> 16) >> 8) * 0x1p-23f - 1;
}
// What streams are of; `more` tells networks, pools of images and steps apart.
inline std::uint32_t weight_stream(int network, int tensor) {
  return static_cast<std::uint32_t>(1000 + 100 * network + tensor);
}
inline std::uint32_t image_stream(int pool) {
  return static_cast<std::uint32_t>(2000 + pool);
}
inline std::uint32_t latent_stream(long step) {
  return static_cast<std::uint32_t>(3000 + step);
}
/// A weight of a product; biases begin at 0, scales at 1.
inline float initial_weight(int network, int tensor, std::size_t i) {
  return 0.05f * noise(weight_stream(network, tensor), static_cast<std::uint32_t>(i));
}

/// What a contender says of itself; losses are those of its first steps.
inline std::string about_image_step(const std::string& name, const std::vector<double>& losses = {}) {
  std::string text = R"({"name": ")" + name + R"(", "losses": [)";
  for (std::size_t i = 0; i < losses.size(); ++i) text += (i > 0 ? ", " : "") + std::to_string(losses[i]);
  return text + "]}";
}

/// A contender is called `NAME STEP THREADS`. Runs f(step, threads); what it throws becomes one line and status 1.
template <class F>
int image_contender_main(int argc, char** argv, const F& f) {
  try {
    if (argc != 3) throw std::invalid_argument("usage: " + std::string(argv[0]) + " dcgan|unet THREADS");
    return f(image_step(argv[1]), std::stoi(argv[2]));
  } catch (const std::exception& error) {
    std::cerr << argv[0] << ": " << error.what() << '\n';
    return 1;
  }
}

}  // namespace bench
