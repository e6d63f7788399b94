// DigitGenerator: a trained generator, dense or convolutional, and what one needs to know of it to draw with it.
#pragma once

#include <cstdint>
#include <filesystem>

#include <eigan/core/parallel.hpp>
#include <eigan/core/view.hpp>
#include <eigan/io/safetensors.hpp>

#include "gan.hpp"
#include "generator_metadata.hpp"
#include "latent.hpp"
#include "recipe.hpp"

namespace mnist_gan {

struct DigitGenerator {
  AnyModel model;
  Recipe recipe;  ///< what a generator's file says of it; more only during its training

  Latent latent() const { return recipe.latent_space(); }
  /// Images in [-1, 1], 784 x samples, from inputs as draw_latent makes them.
  eigan::Matrix<float> images(eigan::ConstView<float> input, eigan::Threads threads) const {
    return model.infer(input, threads);
  }
  /// The same network before any training, with statistics of its own.
  DigitGenerator untrained() const;
};

/// The generator in a file that mnist_gan trained, with the sizes that its tensors have. BadInput if it is anything
/// else.
DigitGenerator load_generator(const std::filesystem::path& path);
/// The same from a file in memory; eigan::Error if it is anything else.
DigitGenerator load_generator(const eigan::SafetensorsFile& file);

}  // namespace mnist_gan
