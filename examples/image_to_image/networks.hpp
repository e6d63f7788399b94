// The networks that translate pictures and judge translations. Sizes follow from the recipe and a picture's side.
#pragma once

#include <eigan/core/shape.hpp>
#include <eigan/net/basic_model.hpp>
#include <eigan/net/model.hpp>
#include <eigan/net/runtime/network.hpp>

#include "recipe.hpp"

namespace image_to_image {

using AnyModel = eigan::BasicModel<float>;
using Generator = eigan::Model<eigan::Network>;
using eigan::Shape;

/// How often a generator halves pictures of that shape on the way in; their sides must be multiples of 2 to that power.
Index halvings(const Recipe& recipe, Shape picture);

/// From pictures of shape `from` to as large ones of `to_channels`, both in [-1, 1]. Started as the recipe's papers
/// say.
Generator make_generator(const Recipe& recipe, Shape from, Index to_channels, eigan::Rng rng);

/// A logit for each patch of a picture. Its second input is the picture that this one was made from, where that has
/// channels.
AnyModel make_discriminator(const Recipe& recipe, Shape picture, Index from_channels, eigan::Rng rng);

/// The same weights for pictures that are normalised by their own statistics, in place of a batch's.
Generator with_image_statistics(const Recipe& recipe, const Generator& generator);

}  // namespace image_to_image
