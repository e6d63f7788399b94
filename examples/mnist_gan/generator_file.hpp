// What the files of trained networks say of themselves, and how a generator is built again from it.
#pragma once

#include <cstdint>

#include <eigan/gan/networks.hpp>

#include "digit_generator.hpp"
#include "recipe.hpp"

namespace mnist_gan {

/// Where in a training a network was saved.
struct Progressed {
  std::uint64_t seed;
  Index epoch;  ///< epochs completed
  Index step;
};

inline eigan::HiddenOptions hidden_options(const Recipe& recipe, double negative_slope) {
  return {.negative_slope = negative_slope, .dropout = recipe.dropout};
}
inline Drawing drawing(const Recipe& recipe) {
  return {recipe.latent_space(), recipe.truncation, recipe.holdout};
}

/// network: "generator" or "discriminator".
Metadata metadata(const char* network, const Recipe& recipe, const Progressed& progressed);

}  // namespace mnist_gan
