// The network of torch_network.py: convolutions, branches, statistics, a dense end.
#pragma once

#include <eigan/eigan.hpp>

namespace test {

using namespace eigan;

using TorchNetwork =
    Sequential<Input<3, 8, 12>, Conv2d<3, 6, 3, 1, 1>, BatchNorm2d<6>, LeakyReLU,
               SkipConnection<Conv2d<6, 8, 4, 2, 1>, InstanceNorm2d<8>, SiLU,
                              Residual<Conv2d<8, 8, 3, 1, 1>, BatchNorm2d<8>, GELU>, ConvTranspose2d<8, 5, 3, 2, 1, 1>>,
               PReLU, MaxPool2d<2>, LayerNorm<11, 4, 6>, Flatten, Linear<11 * 4 * 6, 7>, BatchNorm1d<7>, Tanh>;

inline Model<TorchNetwork> torch_network() {
  const Residual inner(Conv2d<8, 8, 3, 1, 1>({.bias = false}), BatchNorm2d<8>(8, 1e-3), GELU());
  const SkipConnection skip(Conv2d<6, 8, 4, 2, 1>(), InstanceNorm2d<8>(8, 1e-5, true), SiLU(), inner,
                            ConvTranspose2d<8, 5, 3, 2, 1, 1>());
  return {TorchNetwork({}, {}, {}, LeakyReLU(0.2), skip, PReLU(11), {}, {}, {}, {}, {}, {}), Rng(1)};
}

}  // namespace test
