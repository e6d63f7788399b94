// Recipe: the hyper-parameters of a training, under a name. Every one of them has a flag that changes it.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <eigan/core/types.hpp>

#include "kit/text.hpp"

#include "latent.hpp"

namespace mnist_gan {

using namespace kit;
using eigan::Index;

/// Of a dense network, between input and output.
inline constexpr std::size_t hidden_layers = 3;

inline constexpr Index image_side = 28;
inline constexpr Index image_size = image_side * image_side;
inline constexpr Index digit_count = 10;
/// What the learning rates do: stay, fall evenly to 0, or stay for half of the training and fall then.
enum class Schedule { constant, linear, late };
inline const std::vector<std::string> schedules{"constant", "linear", "late"};

/// Steps from wrong digits to wrong digits, each that much stronger.
inline constexpr Index mismatch_every = 8;

/// Dropout rounds to a 2^16th and refuses what would round to 1; this bound leaves room.
inline constexpr double dropout_below = 0.999;

struct Recipe {
  std::string name;
  Index epochs;
  Index batch = 64;
  Index holdout = 5000;  ///< the last images, which training never sees; at most a tenth of all
  Index latent;
  bool normal_latent;     ///< z normal; else uniform in [-1, 1)
  Index components = 0;   ///< of a mixture that z is drawn from, as a one-hot code behind it; 0: none
  double truncation = 1;  ///< factor of z when digits are drawn, not in training
  bool conditional = false;
  std::vector<Index> g_hidden{};  ///< dense layers: in the generator in front of its convolutions, if it has any
  std::vector<Index> d_hidden{};  ///< in the discriminator behind them
  /// Of convolutional networks, at 14x14 and 7x7 pixels; empty: dense ones. A third number of the discriminator's is
  /// that of one more convolution at 7x7.
  std::vector<Index> g_channels{};
  std::vector<Index> d_channels{};
  bool latent_skip = false;  ///< convolutions get the generator's input as well, beside what dense layers make of it
  bool batch_norm;           ///< in the generator, in place of dropout
  double g_negative_slope = 0.2;
  double d_negative_slope = 0.2;
  double dropout = 0;  ///< behind hidden dense layers
  double g_lr;
  double d_lr;
  Schedule schedule;
  double beta1;
  double beta2;
  double eps = 1e-8;
  double real_label = 1;        ///< what the discriminator is told a real image is
  double r1 = 0;                ///< gamma of the penalty on its slope at real images
  Index r1_every = 4;           ///< steps from penalty to penalty, each that much stronger
  double mismatch = 0;          ///< weight of real images beside wrong digits, which the discriminator refuses
  bool shared_samples = false;  ///< the generator learns from those that the discriminator has just seen
  double average = 0;           ///< decay of the moving average of the generator that is kept; 0: the generator itself

  bool convolutional() const { return !g_channels.empty(); }
  /// Of dense networks, from input to output.
  std::vector<Index> generator_sizes() const { return around(latent_space().input_size(), g_hidden, image_size); }
  std::vector<Index> discriminator_sizes() const { return around(image_size + latent_space().classes, d_hidden, 1); }
  Latent latent_space() const { return {latent, normal_latent, components, conditional ? digit_count : 0}; }

  static std::vector<Index> around(Index first, std::vector<Index> hidden, Index last) {
    hidden.insert(hidden.begin(), first);
    hidden.push_back(last);
    return hidden;
  }
};

/// How many images of so many are held out.
inline Index held_out(Index holdout, Index images) {
  return std::min(holdout, images / 10);
}

/// The recipe that training takes unless told otherwise, convolutional networks that are told the digit:
/// docs/quality.md says how good its digits are.
inline Recipe default_recipe() {
  return {.name = "default",
          .epochs = 4,
          .latent = 256,
          .normal_latent = true,
          .conditional = true,
          .g_hidden = {256, 256, 512},
          .d_hidden = {512},
          .g_channels = {32, 64},
          .d_channels = {32, 64},
          .latent_skip = true,
          .batch_norm = true,
          .g_negative_slope = 0,
          .g_lr = 0.002,
          .d_lr = 0.002,
          .schedule = Schedule::late,
          .beta1 = 0,
          .beta2 = 0.99,
          .r1 = 1,
          .r1_every = 4,
          .shared_samples = true,
          .average = 0.998};
}

/// The same for longer.
inline Recipe dcgan_recipe() {
  Recipe recipe = default_recipe();
  recipe.name = "dcgan";
  recipe.epochs = 21;
  recipe.average = 0.999;
  return recipe;
}

/// The same, shown wrong digits, so that more are read as the one asked for.
inline Recipe dcgan_conditional_recipe() {
  Recipe recipe = dcgan_recipe();
  recipe.name = "dcgan-conditional";
  recipe.mismatch = 0.03;
  return recipe;
}

/// Dense networks.
inline Recipe dense_recipe() {
  return {.name = "dense",
          .epochs = 14,
          .latent = 64,
          .normal_latent = true,
          .components = 10,
          .g_hidden = {256, 512, 512},
          .d_hidden = {512, 512, 256},
          .batch_norm = true,
          .g_negative_slope = 0,
          .g_lr = 0.001,
          .d_lr = 0.001,
          .schedule = Schedule::linear,
          .beta1 = 0,
          .beta2 = 0.99,
          .r1 = 1,
          .r1_every = 8,
          .shared_samples = true,
          .average = 0.998};
}

/// The same, told which digit to draw. Truncated, because a digit is then more often read as the one asked for.
inline Recipe conditional_recipe() {
  Recipe recipe = dense_recipe();
  recipe.name = "conditional";
  recipe.components = 0;
  recipe.truncation = 0.9;
  recipe.conditional = true;
  return recipe;
}

/// Smaller dense networks and batches, for digits within seconds.
inline Recipe quick_recipe() {
  Recipe recipe = dense_recipe();
  recipe.name = "quick";
  recipe.epochs = 2;
  recipe.batch = 32;
  recipe.g_hidden = {128, 256, 256};
  recipe.d_hidden = {256, 256, 128};
  return recipe;
}

/// The networks and the training that Goodfellow et al. and many a tutorial began with.
inline Recipe seed_recipe() {
  return {.name = "seed",
          .epochs = 100,
          .holdout = 0,
          .latent = 100,
          .normal_latent = false,
          .g_hidden = {32, 64, 128},
          .d_hidden = {128, 64, 32},
          .batch_norm = false,
          .dropout = 0.3,
          .g_lr = 0.002,
          .d_lr = 0.002,
          .schedule = Schedule::constant,
          .beta1 = 0.9,
          .beta2 = 0.999,
          .real_label = 0.9};
}

/// All recipes; the first is the default.
inline const std::vector<Recipe>& recipes() {
  static const std::vector<Recipe> all{default_recipe(), dcgan_recipe(),       dcgan_conditional_recipe(),
                                       dense_recipe(),   conditional_recipe(), quick_recipe(),
                                       seed_recipe()};
  return all;
}

/// The recipe of that name, or nullptr.
inline const Recipe* find_recipe(std::string_view name) {
  const auto found = std::find_if(recipes().begin(), recipes().end(), [&](const Recipe& r) { return r.name == name; });
  return found == recipes().end() ? nullptr : &*found;
}

/// "default, conditional, ...".
inline std::string recipe_names() {
  std::string names;
  for (const Recipe& recipe : recipes()) names += concat(names.empty() ? "" : ", ", recipe.name);
  return names;
}

}  // namespace mnist_gan
