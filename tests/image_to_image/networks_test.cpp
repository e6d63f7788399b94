#include "image_to_image/networks.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include <eigan/core/random.hpp>

using namespace image_to_image;
using eigan::Matrix;
using eigan::Rng;

static const std::vector all_architectures{Architecture::unet, Architecture::encoder_decoder, Architecture::residual,
                                           Architecture::full_unet};

static Recipe small(Architecture architecture) {
  Recipe recipe;
  recipe.architecture = architecture;
  recipe.g_channels = {4, 6, 8};
  recipe.blocks = 1;
  return recipe;
}

TEST_CASE("make_generator: as large pictures, within [-1, 1]; sides are halved as often as they can be") {
  for (const auto architecture : all_architectures) {
    CAPTURE(static_cast<int>(architecture));
    const Recipe recipe = small(architecture);
    const bool begins_full = architecture == Architecture::residual || architecture == Architecture::full_unet;
    CHECK(halvings(recipe, {1, 16, 24}) == (begins_full ? 2 : 3));
    CHECK(halvings(recipe, {1, 14, 14}) == 1);
    if (begins_full) CHECK(make_generator(recipe, {1, 15, 17}, 3, Rng(1)).output_shape() == Shape{3, 15, 17});
    const Generator generator = make_generator(recipe, {1, 16, 24}, 3, Rng(1));
    CHECK(generator.output_shape() == Shape{3, 16, 24});
    Matrix<float> x(generator.input_shape().size(), 2);
    eigan::fill_normal<float>(x, 0, 100, Rng(2));
    CHECK(generator.infer(x).cwiseAbs().maxCoeff() <= 1);
  }
}

TEST_CASE("make_generator: one of changes adds to its input, and begins close to it") {
  for (const auto architecture : all_architectures) {
    CAPTURE(static_cast<int>(architecture));
    Recipe recipe = small(architecture);
    recipe.change = true;
    Generator generator = make_generator(recipe, {3, 16, 16}, 3, Rng(1));
    Matrix<float> x(generator.input_shape().size(), 2);
    eigan::fill_normal<float>(x, 0, 1, Rng(2));
    const float change = (generator.infer(x) - x).cwiseAbs().mean();
    CHECK(change > 0);
    CHECK(change < 0.2F);
    std::fill(generator.params().begin(), generator.params().end(), 0.F);
    CHECK(generator.infer(x) == x);
  }
}

TEST_CASE("with_image_statistics: a batch normalisation of one picture is an instance normalisation") {
  for (const bool change : {false, true}) {
    Recipe recipe = small(Architecture::unet);
    recipe.norm = Norm::batch;
    recipe.change = change;
    Generator generator = make_generator(recipe, {1, 16, 16}, 1, Rng(1));
    const Generator own = with_image_statistics(recipe, generator);
    CHECK(own.architecture().find("BatchNorm") == std::string::npos);
    Matrix<float> x(generator.input_shape().size(), 1);
    eigan::fill_normal<float>(x, 0, 1, Rng(2));
    eigan::Tape<float> tape = generator.tape(1);
    const Matrix<float> trained = generator.forward(tape, x, Rng(3));
    CHECK((own.infer(x) - trained).cwiseAbs().maxCoeff() < 1e-4F);
  }
}

TEST_CASE("make_discriminator: a logit for each patch of the picture, or of the pair") {
  const Recipe recipe;
  CHECK(patch_size(recipe.d_levels) == 34);
  CHECK(make_discriminator(recipe, {1, 28, 28}, 0, Rng(1)).output_shape() == Shape{1, 5, 5});
  const AnyModel of_pairs = make_discriminator(recipe, {3, 32, 32}, 1, Rng(1));
  CHECK(of_pairs.output_shape() == Shape{1, 6, 6});
  CHECK(of_pairs.input_shape(0).channels == 3);
  CHECK(of_pairs.input_shape(1).channels == 1);
}
