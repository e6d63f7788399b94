// Recipe: the hyper-parameters of a training. Every one of them has a flag that changes it.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

#include <eigan/core/types.hpp>

#include "kit/text.hpp"

namespace image_to_image {

using namespace kit;
using eigan::Index;

/// Pix2Pix learns from pairs (Isola et al. 2017), CycleGAN from two heaps of pictures (Zhu et al. 2017).
enum class Method { pix2pix, cycle_gan };
inline const std::vector<std::string> methods{"pix2pix", "cyclegan"};

/// An encoder and a decoder, with or without skip connections between their levels, or residual blocks in the middle.
/// A full U-Net begins and ends with a level of the pictures' own size; the others' first level has half of it.
enum class Architecture { unet, encoder_decoder, residual, full_unet };
inline const std::vector<std::string> architectures{"unet", "encoder-decoder", "residual", "full-unet"};

/// What stands behind convolutions. `image` is what trained batch normalisations become where each picture is to be
/// normalised by its own statistics: instance normalisations with their gamma and beta.
enum class Norm { none, instance, batch, image };
inline const std::vector<std::string> norms{"none", "instance", "batch"};

/// What batch normalisation knows when pictures are translated: the training pictures' statistics, or the picture's
/// own.
inline const std::vector<std::string> statistics{"training", "image"};

/// What a generator's last layer makes: the picture, or what is added to its input.
inline const std::vector<std::string> outputs{"picture", "change"};

/// What Pix2Pix's generator minimises.
enum class Losses { l1, gan, both };
inline const std::vector<std::string> losses{"l1", "gan", "l1+gan"};

struct Recipe {
  Method method = Method::pix2pix;
  Index epochs = 20;
  Index batch = 16;
  Architecture architecture = Architecture::unet;
  /// Of the generator, level by level; the last number is that of all deeper levels.
  std::vector<Index> g_channels{32, 64, 128, 128, 128};
  Index blocks = 2;  ///< residual ones, in the middle, where that is larger than a pixel
  Norm norm = Norm::instance;
  bool image_statistics = false;  ///< of batch normalisation, when pictures are translated
  double dropout = 0;             ///< in the inner half of the decoder: the generator's only noise
  bool change = false;            ///< the generator adds to its input, which has as many channels as its output
  Index d_channels = 32;          ///< of the discriminator's first level; the others have more
  Index d_levels = 2;             ///< that halve: 1, 2 and 3 judge patches of 16, 34 and 70 pixels
  Losses loss = Losses::both;
  double l1_weight = 100;
  double cycle_weight = 10;
  double identity_weight = 0.5;  ///< times the cycle weight
  double semantic_weight = 0;    ///< of CycleGAN's translations meaning what their sources mean (semantic_loss.hpp)
  Index pool = 50;               ///< translated pictures that CycleGAN's discriminators are shown again
  double lr = 2e-4;
  double beta1 = 0.5;
  double average = 0;  ///< how much of the generator's average stays, each step; 0: no average is taken
  double flat = 0.5;   ///< the part of the training before the learning rate falls to 0
  Index jitter = 2;    ///< pixels that a picture is moved by at most
  bool mirror = true;
  bool collage = false;  ///< half of what a step sees is a part of one picture beside a part of another

  Index channels(std::size_t level) const { return g_channels[std::min(level, g_channels.size() - 1)]; }
};

/// Pixels that an output of a discriminator with so many halving levels sees, along a side.
inline Index patch_size(Index levels) {
  Index size = 4 + 3;  // the last convolution and the one before it, from the back
  for (Index i = 0; i < levels; ++i) size = 2 * size + 2;
  return size;
}

/// CycleGAN's own where a recipe for pairs is given.
Recipe unpaired(Recipe recipe);

/// What a task is learnt by, unless options say otherwise.
Recipe task_recipe(const std::string& task);

/// Streams of random numbers that a seed is split into.
namespace stream {
inline constexpr std::uint64_t generator_init = 0, discriminator_init = 1, batches = 2, steps = 3, statistics = 4;
}

}  // namespace image_to_image
