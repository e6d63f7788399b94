// The trained networks as files: safetensors, with what it takes to build the network again in the metadata.
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include <eigan/gan/networks.hpp>
#include <eigan/net/model.hpp>

#include "recipe.hpp"

namespace mnist_gan {

using eigan::dynamic;
using GeneratorModel = eigan::Model<eigan::Generator<dynamic, dynamic, dynamic, dynamic, dynamic>>;
using DiscriminatorModel = eigan::Model<eigan::Discriminator<dynamic, dynamic, dynamic, dynamic, dynamic>>;

/// Where in a training a network was saved.
struct Progressed {
  std::uint64_t seed;
  Index epoch;  ///< epochs completed
  Index step;
};

/// eigan::Error if the file cannot be written.
void save_generator(const std::filesystem::path& path, const GeneratorModel& model, const Recipe& recipe,
                    const Progressed& progressed);
void save_discriminator(const std::filesystem::path& path, const DiscriminatorModel& model, const Recipe& recipe,
                        const Progressed& progressed);

/// The generator in a file that save_generator wrote, with the sizes that its tensors have. BadInput if it is anything
/// else.
GeneratorModel load_generator(const std::filesystem::path& path);

}  // namespace mnist_gan
