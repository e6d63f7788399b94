// The training steps of networks of images that are measured, by name, and their numbers, which all contenders share:
// so their losses can be compared before anything is timed. C++17, for libtorch's sake.
//
// dcgan: 28 x 28, batch 64 (Radford et al. 2016). D: Conv2d 1-64 and 64-128 (4 x 4, stride 2, padding 1), BatchNorm2d
// behind the second, LeakyReLU, Linear 6272-1; G mirrors it from a z of 100. A step of D on real and generated images
// apart, because of its batch normalisation, and one of G on the same generated images.
// unet: 64 x 64, 3 channels, batch 8 (Isola et al. 2017). Down to 32, 64, 128 and 256 channels, up again with skips;
// L1. Adam throughout. Running statistics are kept by nobody.
//
// The others are the steps of examples/image_to_image by recipes of its tasks. Nothing is left to chance: no dropout,
// no past translations, and every step has the same batch of 16 pictures, as they are.
// pix2pix: edges2fashion, 28 x 28, grey. G: U-Net of 16, 32 and 64 channels that begins with the pictures' own size,
// two residual blocks. D judges patches of 16 pixels by 32 and 64 channels. Batch normalisation, for which D sees real
// and generated pairs apart; bce and 100 L1.
// pix2pix32: outline2emoji, 32 x 32, from grey to colour. G: U-Net of 32, 64 and three times 128 channels, down to a
// pixel. D judges patches of 34 pixels by 32, 64 and 128 channels. The rest is pix2pix's.
// full-unet: flat2shaded, 32 x 32, colour, L1 alone. U-Net of 16, 32, 64 and three times 128 channels that begins with
// the pictures' own size and adds to its input. Batch normalisation.
// cyclegan: mnist2fonts' networks and the paper's losses, 28 x 28, grey. Two G of 16, 32 and 64 channels with two
// residual blocks, two D of pix2pix32's that see real and generated pictures as one batch. Instance normalisation;
// least squares, the cycle 10 times, the identity 5 times.
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
  std::string task{};     ///< of image_to_image, by whose recipe pictures are translated; empty: it translates none
  int from_channels = 0;  ///< of those pictures

  std::size_t image() const { return static_cast<std::size_t>(channels * side * side); }
  bool translates() const { return !task.empty(); }
};

inline const std::vector<ImageStep>& image_steps() {
  static const std::vector<ImageStep> all{{"dcgan", 64, 1, 28},
                                          {"unet", 8, 3, 64},
                                          {"pix2pix", 16, 1, 28, "edges2fashion", 1},
                                          {"pix2pix32", 16, 3, 32, "outline2emoji", 1},
                                          {"full-unet", 16, 3, 32, "flat2shaded", 3},
                                          {"cyclegan", 16, 1, 28, "mnist2fonts", 1}};
  return all;
}
inline std::vector<std::string> image_step_names() {
  std::vector<std::string> names;
  for (const ImageStep& step : image_steps()) names.push_back(step.name);
  return names;
}

inline ImageStep image_step(const std::string& name) {
  std::string there;
  for (const ImageStep& step : image_steps()) {
    if (step.name == name) return step;
    there += ' ' + step.name;
  }
  throw std::invalid_argument("there is no step '" + name + "'; there are" + there);
}

constexpr int latent_size = 100;
constexpr double adam_lr = 2e-4, adam_beta1 = 0.5, leaky_slope = 0.2;
// Of the steps of image_to_image. It is below the recipes', by which roundings grow to a hundredth of the third losses.
constexpr double translation_lr = 5e-5;
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
/// A byte of the pictures that are translated or of what they become, pools 0 and 1; number i counts them picture by
/// picture, channel by channel, row by row.
inline std::uint8_t picture_byte(int pool, std::size_t i) {
  return static_cast<std::uint8_t>(128 * (1 + noise(image_stream(pool), static_cast<std::uint32_t>(i))));
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
    if (argc != 3) throw std::invalid_argument("usage: " + std::string(argv[0]) + " STEP THREADS");
    return f(image_step(argv[1]), std::stoi(argv[2]));
  } catch (const std::exception& error) {
    std::cerr << argv[0] << ": " << error.what() << '\n';
    return 1;
  }
}

}  // namespace bench
