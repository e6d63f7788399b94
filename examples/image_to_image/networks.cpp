#include "networks.hpp"

#include <algorithm>
#include <utility>

#include <eigan/core/random.hpp>
#include <eigan/layers/batch_norm.hpp>
#include <eigan/layers/conv2d.hpp>
#include <eigan/layers/conv_transpose2d.hpp>
#include <eigan/layers/dropout.hpp>
#include <eigan/layers/instance_norm2d.hpp>
#include <eigan/layers/leaky_relu.hpp>
#include <eigan/layers/reflection_pad2d.hpp>
#include <eigan/layers/relu.hpp>
#include <eigan/layers/tanh.hpp>
#include <eigan/net/input.hpp>
#include <eigan/net/residual.hpp>
#include <eigan/net/skip_connection.hpp>

namespace image_to_image {

using namespace eigan;

namespace {

constexpr double slope = 0.2;

void add_norm(Network& net, Norm norm, Index channels) {
  switch (norm) {
    case Norm::none:
      break;
    case Norm::instance:
      net.add(InstanceNorm2d<>(channels));
      break;
    case Norm::batch:
      net.add(BatchNorm2d<>(channels));
      break;
    case Norm::image:
      net.add(InstanceNorm2d<>(channels, 1e-5, true));
      break;
  }
}

/// x + f(x), f being two convolutions of mirrored pictures.
Residual<Network> residual_block(const Recipe& r, Index channels) {
  Network net;
  net.add(ReflectionPad2d<>(1)).add(Conv2d<>(channels, channels, 3, 1, 0));
  add_norm(net, r.norm, channels);
  net.add(ReLU()).add(ReflectionPad2d<>(1)).add(Conv2d<>(channels, channels, 3, 1, 0));
  add_norm(net, r.norm, channels);
  return Residual<Network>(net);
}

bool has_skips(const Recipe& r) {
  return r.architecture == Architecture::unet || r.architecture == Architecture::full_unet;
}

/// A level of a U-Net and all below it: from its channels to as many, or with a skip connection to twice as many.
/// depth: how often pictures have been halved. side: their smaller one, in pixels.
Network level(const Recipe& r, std::size_t depth, std::size_t depths, Index side) {
  const Index outer = r.channels(depth - 1), inner = r.channels(depth);
  const bool is_last = depth + 1 == depths, is_pixel = side == 2;
  const bool skips = has_skips(r);
  Network net;
  net.add(LeakyReLU(slope)).add(Conv2d<>(outer, inner, 4, 2, 1));
  if (!is_pixel) add_norm(net, r.norm, inner);  // a pixel less its own mean is 0
  if (!is_last) {
    net.add(level(r, depth + 1, depths, side / 2));
  } else if (!is_pixel) {
    for (Index i = 0; i < r.blocks; ++i) net.add(residual_block(r, inner));
  }
  net.add(ReLU()).add(ConvTranspose2d<>(skips && !is_last ? 2 * inner : inner, outer, 4, 2, 1));
  add_norm(net, r.norm, outer);
  if (r.dropout > 0 && 2 * depth >= depths) net.add(Dropout(r.dropout));
  return skips ? Network().add(SkipConnection<Network>(net)) : net;
}

Network unet(const Recipe& r, Shape from, Index to_channels) {
  const auto depths = static_cast<std::size_t>(halvings(r, from));
  const Index channels = r.channels(0);
  const bool skips = has_skips(r) && depths > 1;
  Network net;
  net.add(Conv2d<>(from.channels, channels, 4, 2, 1));
  if (depths > 1) net.add(level(r, 1, depths, std::min(from.height, from.width) / 2));
  return net.add(ReLU()).add(ConvTranspose2d<>(skips ? 2 * channels : channels, to_channels, 4, 2, 1));
}

/// A U-Net whose outermost level has the pictures' size.
Network full_unet(const Recipe& r, Shape from, Index to_channels) {
  const auto depths = static_cast<std::size_t>(halvings(r, from)) + 1;
  const Index channels = r.channels(0);
  Network net;
  net.add(ReflectionPad2d<>(1)).add(Conv2d<>(from.channels, channels, 3, 1, 0));
  if (depths > 1) net.add(level(r, 1, depths, std::min(from.height, from.width)));
  net.add(ReLU()).add(ReflectionPad2d<>(1));
  return net.add(Conv2d<>(depths > 1 ? 2 * channels : channels, to_channels, 3, 1, 0));
}

/// Johnson et al. 2016: to a fraction of the size, residual blocks there, and back.
Network residual_network(const Recipe& r, Shape from, Index to_channels) {
  const auto depths = static_cast<std::size_t>(halvings(r, from));
  Network net;
  const auto activate = [&](Index channels) {
    add_norm(net, r.norm, channels);
    net.add(ReLU());
  };
  net.add(ReflectionPad2d<>(2)).add(Conv2d<>(from.channels, r.channels(0), 5, 1, 0));
  activate(r.channels(0));
  for (std::size_t i = 1; i <= depths; ++i) {
    net.add(Conv2d<>(r.channels(i - 1), r.channels(i), 4, 2, 1));
    activate(r.channels(i));
  }
  for (Index i = 0; i < r.blocks; ++i) net.add(residual_block(r, r.channels(depths)));
  for (std::size_t i = depths; i > 0; --i) {
    net.add(ConvTranspose2d<>(r.channels(i), r.channels(i - 1), 4, 2, 1));
    activate(r.channels(i - 1));
  }
  return net.add(ReflectionPad2d<>(2)).add(Conv2d<>(r.channels(0), to_channels, 5, 1, 0));
}

Network generator_network(const Recipe& r, Shape from, Index to_channels) {
  Network net = r.architecture == Architecture::residual    ? residual_network(r, from, to_channels)
                : r.architecture == Architecture::full_unet ? full_unet(r, from, to_channels)
                                                            : unet(r, from, to_channels);
  return r.change ? Network().add(Residual<Network>(net)) : net.add(Tanh());
}

/// N(0, .02) for weights, N(1, .02) for gammas, 0 for what is added.
template <class Started>
Started started(Started model, Rng rng) {
  for (const Parameter& p : model.parameters()) {
    View<float> values(model.params().data() + p.offset, p.size(), 1, p.size());
    const bool is_gamma = p.rank == 1;
    if (p.name.ends_with(".bias"))
      values.setZero();
    else
      fill_normal<float>(values, is_gamma ? 1 : 0, 0.02, rng.fold_in(static_cast<std::uint64_t>(p.offset)));
  }
  return model;
}

}  // namespace

Index halvings(const Recipe& recipe, Shape picture) {
  const auto most = static_cast<Index>(recipe.g_channels.size());
  const bool begins_full =
      recipe.architecture == Architecture::residual || recipe.architecture == Architecture::full_unet;
  const Index wanted = begins_full ? most - 1 : most;
  Index count = 0;
  for (Index side = std::min(picture.height, picture.width), other = std::max(picture.height, picture.width);
       count < wanted && side % 2 == 0 && other % 2 == 0; side /= 2, other /= 2)
    ++count;
  return count;
}

Generator make_generator(const Recipe& recipe, Shape from, Index to_channels, Rng rng) {
  return started(Generator(generator_network(recipe, from, to_channels), from, rng), rng);
}

AnyModel make_discriminator(const Recipe& r, Shape picture, Index from_channels, Rng rng) {
  Network net;
  Index channels = r.d_channels;
  net.add(Conv2d<>(picture.channels + from_channels, channels, 4, 2, 1)).add(LeakyReLU(slope));
  const auto convolve = [&](Index stride) {
    net.add(Conv2d<>(channels, 2 * channels, 4, stride, 1));
    channels *= 2;
    add_norm(net, r.norm, channels);
    net.add(LeakyReLU(slope));
  };
  for (Index i = 1; i < r.d_levels; ++i) convolve(2);
  convolve(1);
  net.add(Conv2d<>(channels, 1, 4, 1, 1));
  if (from_channels == 0) return started(AnyModel(Generator(net, picture, rng)), rng);
  const Inputs pair(Input<>(picture.channels, picture.height, picture.width),
                    Input<>(from_channels, picture.height, picture.width));
  return started(AnyModel(Generator(Network().add(pair).add(net), rng)), rng);
}

Generator with_image_statistics(const Recipe& recipe, const Generator& generator) {
  Recipe own = recipe;
  own.norm = Norm::image;
  const Shape from = generator.input_shape();
  Generator same(generator_network(own, from, generator.output_shape().channels), from, Rng(0));
  std::copy(generator.params().begin(), generator.params().end(), same.params().begin());
  return same;
}

}  // namespace image_to_image
