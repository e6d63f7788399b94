// Training: the GAN of mnist_gan, dense networks that a browser trains within minutes.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <eigan/data/labelled_images.hpp>

#include "mnist_gan/gan.hpp"

#include "pictures.hpp"

namespace page {

/// What the page trains: `quick`, at rates that stay as they are, since nobody knows how long one will look on.
mnist_gan::Recipe page_recipe();

class Training {
 public:
  /// idx: a file of images of 28x28 pixels, as MNIST has it. eigan::Error if it is anything else.
  Training(std::span<const std::uint8_t> idx, std::uint64_t seed);

  /// Means over the steps: both losses, and the discriminator's opinion of real and of generated images.
  std::array<double, 4> run(Index steps);
  Index steps() const { return steps_; }
  Index images() const { return images_.count; }
  /// A hundred digits, of the same points of the latent space each time.
  Canvas sheet();
  /// The generator, as mnist_gan reads it.
  std::vector<std::byte> file();

 private:
  std::uint64_t seed_;
  eigan::LabelledImages images_;
  mnist_gan::Gan gan_;
  eigan::Matrix<float> input_;
  Index steps_ = 0;
};

}  // namespace page
