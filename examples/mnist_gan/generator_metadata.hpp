// What the file of a trained network says of itself.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>

#include "recipe.hpp"

namespace mnist_gan {

/// Words of the metadata.
inline constexpr std::array normalisations{"none", "batch"};
inline constexpr std::array distributions{"uniform", "normal"};
inline constexpr std::array yes_or_no{"no", "yes"};

/// How it was made, and where in its training it was saved.
/// network: "generator" or "discriminator".
std::map<std::string, std::string> metadata(const char* network, const Recipe& recipe, std::uint64_t seed, Index epoch,
                                            Index step);

}  // namespace mnist_gan
