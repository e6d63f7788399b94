// libtorch: the networks of examples/image_to_image/networks.cpp. Layers stand in that file's order, by which tensors
// get their weights.
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

#include "images_libtorch.hpp"

namespace bench {

/// x + f(x).
struct SumImpl : nn::Module {
  explicit SumImpl(nn::Sequential f) : body(register_module("body", std::move(f))) {}
  torch::Tensor forward(const torch::Tensor& x) { return x + body->forward(x); }
  nn::Sequential body;
};
TORCH_MODULE(Sum);

enum class Norm { instance, batch };
constexpr std::size_t residual_blocks = 2;

inline void add_norm(nn::Sequential& net, Norm norm, int channels) {
  if (norm == Norm::batch)
    net->push_back(batch_norm(channels));
  else
    net->push_back(instance_norm(channels));
}
inline nn::ReLU relu() {
  return nn::ReLU(nn::ReLUOptions(true));
}
/// A convolution of mirrored pictures that keeps their size.
inline void add_mirrored(nn::Sequential& net, int in, int out, int size) {
  net->push_back(nn::ReflectionPad2d(nn::ReflectionPad2dOptions(size / 2)));
  net->push_back(conv(in, out, size, 1, 0));
}

inline void add_residual_blocks(nn::Sequential& net, Norm norm, int channels) {
  for (std::size_t i = 0; i < residual_blocks; ++i) {
    nn::Sequential body;
    add_mirrored(body, channels, channels, 3);
    add_norm(body, norm, channels);
    body->push_back(relu());
    add_mirrored(body, channels, channels, 3);
    add_norm(body, norm, channels);
    net->push_back(Sum(body));
  }
}

/// A level of a U-Net and all below it. side: of its pictures.
inline Skip level(const std::vector<int>& channels, std::size_t depth, Norm norm, int side) {
  const int outer = channels[depth - 1], inner = channels[depth];
  const bool is_last = depth + 1 == channels.size(), is_pixel = side == 2;
  nn::Sequential body(leaky(), conv(outer, inner));
  if (!is_pixel) add_norm(body, norm, inner);
  if (!is_last)
    body->push_back(level(channels, depth + 1, norm, side / 2));
  else if (!is_pixel)
    add_residual_blocks(body, norm, inner);
  body->push_back(relu());
  body->push_back(up(is_last ? inner : 2 * inner, outer));
  add_norm(body, norm, outer);
  return Skip(body);
}

inline nn::Sequential unet(const std::vector<int>& channels, Norm norm, const ImageStep& step) {
  return nn::Sequential(conv(step.from_channels, channels[0]), level(channels, 1, norm, step.side / 2), relu(),
                        up(2 * channels[0], step.channels), nn::Tanh());
}

/// A U-Net that begins with the pictures' own size; nothing follows its last convolution.
inline nn::Sequential full_unet(const std::vector<int>& channels, Norm norm, const ImageStep& step) {
  nn::Sequential net;
  add_mirrored(net, step.from_channels, channels[0], 3);
  net->push_back(level(channels, 1, norm, step.side));
  net->push_back(relu());
  add_mirrored(net, 2 * channels[0], step.channels, 3);
  return net;
}

inline nn::Sequential residual_network(const std::vector<int>& channels, Norm norm, const ImageStep& step) {
  nn::Sequential net;
  const auto activate = [&](int c) {
    add_norm(net, norm, c);
    net->push_back(relu());
  };
  add_mirrored(net, step.from_channels, channels[0], 5);
  activate(channels[0]);
  for (std::size_t i = 1; i < channels.size(); ++i) {
    net->push_back(conv(channels[i - 1], channels[i]));
    activate(channels[i]);
  }
  add_residual_blocks(net, norm, channels.back());
  for (std::size_t i = channels.size() - 1; i > 0; --i) {
    net->push_back(up(channels[i], channels[i - 1]));
    activate(channels[i - 1]);
  }
  add_mirrored(net, channels[0], step.channels, 5);
  net->push_back(nn::Tanh());
  return net;
}

/// A logit for each patch: of 16 pixels with one halving level, of 34 with two.
inline nn::Sequential patch_discriminator(int in, Norm norm, int levels = 2) {
  int channels = 32;
  nn::Sequential net(conv(in, channels), leaky(true));
  const auto convolve = [&](int stride) {
    net->push_back(conv(channels, 2 * channels, 4, stride));
    channels *= 2;
    add_norm(net, norm, channels);
    net->push_back(leaky(true));
  };
  for (int i = 1; i < levels; ++i) convolve(2);
  convolve(1);
  net->push_back(conv(channels, 1, 4, 1));
  return net;
}

}  // namespace bench
