// DigitGenerator: a trained generator of any of the recipes' architectures, and what one needs to draw with it.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <utility>

#include <eigan/core/parallel.hpp>
#include <eigan/core/view.hpp>
#include <eigan/io/safetensors.hpp>
#include <eigan/net/basic_model.hpp>

#include "latent.hpp"
#include "recipe.hpp"

namespace mnist_gan {

using Metadata = std::map<std::string, std::string>;
using AnyModel = eigan::BasicModel<float>;

/// What one needs to know of a generator besides its network, to draw with it and to judge it.
struct Drawing {
  Latent latent;
  double truncation;  ///< that its recipe draws digits with
  Index holdout;      ///< how many training images it was kept from, as its recipe has it
};

struct DigitGenerator {
  AnyModel model;
  Drawing drawing;

  const Latent& latent() const { return drawing.latent; }
  /// Images in [-1, 1], 784 x samples, from inputs as draw_latent makes them.
  eigan::Matrix<float> images(eigan::ConstView<float> input, eigan::Threads threads) const {
    return model.infer(input, threads);
  }
  /// The same network before any training.
  DigitGenerator untrained() const { return {model.fresh(eigan::Rng(0)), drawing}; }
};

/// The generator of a recipe, and its discriminator, whose second input is the digit where that can be asked for.
AnyModel make_generator_model(const Sizes& sizes, bool batch_norm, double negative_slope, double dropout,
                              eigan::Rng rng);
AnyModel make_discriminator_model(const Recipe& recipe, eigan::Rng rng);

/// The generator in a file that mnist_gan trained, with the sizes that its tensors have. BadInput if it is anything
/// else.
DigitGenerator load_generator(const std::filesystem::path& path);
/// The same from a file in memory; eigan::Error if it is anything else.
DigitGenerator load_generator(const eigan::SafetensorsFile& file);

}  // namespace mnist_gan
