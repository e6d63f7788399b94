#include "mnist_gan/gan.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <vector>

using namespace mnist_gan;
using eigan::Matrix;

/// Digits that are easy to tell apart: each is a bar at a place of its own.
static eigan::LabelledImages bars(std::size_t count) {
  eigan::LabelledImages images{image_side, image_side, static_cast<Index>(count), {}, {}};
  images.pixels.resize(count * image_size);
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t digit = i % digit_count;
    images.labels.push_back(static_cast<std::uint8_t>(digit));
    for (std::size_t row = 4; row < 24; ++row)
      for (std::size_t col = 0; col < 3; ++col)
        images.pixels[(i * image_side + row) * image_side + 2 * digit + 3 + col] =
            static_cast<std::uint8_t>(200 + i % 50);
  }
  return images;
}

static Recipe small() {
  Recipe recipe = dcgan_conditional_recipe();
  recipe.epochs = 150;
  recipe.batch = 20;
  recipe.g_hidden = {16, 16, 16};
  recipe.d_hidden = {64};
  recipe.g_channels = {4, 4};
  recipe.d_channels = {4, 4};
  return recipe;
}

/// What the discriminator makes of digits, each beside the one `shift` further.
static float opinion(const Gan& gan, const eigan::LabelledImages& images, Index shift) {
  Matrix<float> pixels(image_size, images.count), codes(digit_count, images.count);
  std::vector<std::uint32_t> all;
  std::vector<std::uint8_t> digits;
  for (const std::uint8_t label : images.labels) {
    all.push_back(static_cast<std::uint32_t>(all.size()));
    digits.push_back(static_cast<std::uint8_t>((label + shift) % digit_count));
  }
  eigan::pixels_to_unit<float>(images, all, pixels);
  write_code(digits, 1, codes);
  return gan.discriminator().infer({pixels, codes}, {1}).mean();
}

TEST_CASE("Gan: a discriminator that is shown wrong digits refuses each of the nine, and takes the right one") {
  const eigan::LabelledImages images = bars(200);
  for (const bool shown : {true, false}) {
    CAPTURE(shown);
    Recipe recipe = small();
    recipe.mismatch = shown ? 1 : 0;
    Gan gan(recipe, images, 1, {1});
    for (Index step = 0; step < recipe.epochs * gan.steps_per_epoch(); ++step) gan.step(step);
    CHECK(opinion(gan, images, 0) > -1);
    for (Index shift = 1; shift < digit_count; ++shift) CHECK((opinion(gan, images, shift) < -1) == shown);
  }
}

TEST_CASE("Gan: wrong digits change steps only where a recipe wants them, at any number of threads to the same bits") {
  const eigan::LabelledImages images = bars(60);
  const auto losses = [&](double mismatch, int threads) {
    Recipe recipe = small();
    recipe.mismatch = mismatch;
    Gan gan(recipe, images, 1, {threads});
    std::vector<double> all;
    for (Index step = 0; step < mismatch_every + 2; ++step) all.push_back(gan.step(step)[0]);
    return all;
  };
  const auto with = losses(0.5, 1), without = losses(0, 1);
  CHECK(with == losses(0.5, 3));
  CHECK(with[0] == without[0]);  // the loss of a step is that before it
  CHECK(with[1] != without[1]);
}
