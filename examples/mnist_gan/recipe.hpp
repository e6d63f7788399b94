// Recipe: the hyper-parameters of a training, under a name. Every one of them has a flag that changes it.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <eigan/core/types.hpp>

#include "common/text.hpp"

namespace mnist_gan {

using namespace example;

using eigan::Index;

/// Layers between input and output. The widths are the user's, the number is compiled in.
inline constexpr std::size_t hidden_layers = 3;
using Hidden = std::array<Index, hidden_layers>;
/// All sizes of a network, from input to output.
using Sizes = std::array<Index, hidden_layers + 2>;

inline constexpr Index image_side = 28;
inline constexpr Index image_size = image_side * image_side;
/// Dropout rounds to a 2^16th and refuses what would round to 1; this bound leaves room.
inline constexpr double dropout_below = 0.999;

struct Recipe {
  std::string name = "seed";
  Index epochs = 100;
  Index batch = 64;
  Index latent = 100;
  Hidden g_hidden{32, 64, 128};
  Hidden d_hidden{128, 64, 32};
  double negative_slope = 0.2;
  double dropout = 0.3;
  double g_lr = 0.002;
  double d_lr = 0.002;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double eps = 1e-8;
  double real_label = 0.9;  ///< what the discriminator is told a real image is

  Sizes generator_sizes() const { return {latent, g_hidden[0], g_hidden[1], g_hidden[2], image_size}; }
  Sizes discriminator_sizes() const { return {image_size, d_hidden[0], d_hidden[1], d_hidden[2], 1}; }
};

/// All recipes; the first is the default.
inline const std::vector<Recipe>& recipes() {
  static const std::vector<Recipe> all{Recipe{}};
  return all;
}

/// The recipe of that name, or nullptr.
inline const Recipe* find_recipe(std::string_view name) {
  const auto found = std::find_if(recipes().begin(), recipes().end(), [&](const Recipe& r) { return r.name == name; });
  return found == recipes().end() ? nullptr : &*found;
}

/// "seed, ...".
inline std::string recipe_names() {
  std::string names;
  for (const Recipe& recipe : recipes()) names += concat(names.empty() ? "" : ", ", recipe.name);
  return names;
}

}  // namespace mnist_gan
