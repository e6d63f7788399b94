// small_u_net: an untrained network of the kind that image_to_image trains.
#pragma once

#include <cstddef>
#include <vector>

#include <eigan/io/model_file.hpp>

#include "page/any_model.hpp"

namespace test {

/// The file of a U-Net from grey pictures of that side, a multiple of 4, to pictures of so many channels.
inline std::vector<std::byte> small_u_net(eigan::Index side, eigan::Index channels) {
  using namespace eigan;
  Network inner, outer;
  inner.add(Conv2d<>(8, 16, 4, 2, 1)).add(InstanceNorm2d<>(16)).add(ReLU());
  inner.add(ConvTranspose2d<>(16, 8, 4, 2, 1)).add(InstanceNorm2d<>(8));
  outer.add(Input<>(1, side, side)).add(Conv2d<>(1, 8, 4, 2, 1)).add(LeakyReLU(0.2));
  outer.add(SkipConnection<Network>(inner)).add(ReLU());
  outer.add(ConvTranspose2d<>(16, channels, 4, 2, 1)).add(Tanh());
  return model_bytes(page::AnyModel(outer, Rng(1)), {{"task", "test"}});
}

}  // namespace test
