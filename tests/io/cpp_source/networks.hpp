// The networks that are written as C++, compiled and compared.
#pragma once

#include <eigan/eigan.hpp>

#include "io/cpp_source/swish.hpp"

namespace networks {

using namespace eigan;

inline auto every_layer() {
  using Net = Sequential<Linear<5, 70>, BatchNorm1d<70>, LeakyReLU, Dropout, Linear<>, mine::Swish, ReLU, Linear<33, 4>,
                         Tanh, Sigmoid>;
  Model<Net> model(Net{{},
                       BatchNorm1d<70>(70, 1e-3),
                       LeakyReLU(1.0 / 3),
                       Dropout(0.3),
                       Linear<>(70, 33),
                       mine::Swish{0.7},
                       {},
                       {},
                       {},
                       {}},
                   Rng(1));
  Matrix<float> x(5, 100);
  fill_normal<float>(x, 0, 1, Rng(2));
  estimate_statistics(model, x);
  return model;
}

inline auto in_double() {
  return Model<Sequential<Linear<5, 3>, Tanh>, double>(Rng(3));
}

inline auto without_parameters() {
  return Model<Sequential<Input<5>, Tanh>>(Rng(4));
}

/// Images and a vector, branches in branches, statistics, heads.
inline auto branches() {
  using Net = Sequential<Inputs<Sequential<Input<2, 4, 6>, Residual<Conv2d<2, 2, 3, 1, 1>>>, Input<3>>, BatchNorm2d<5>,
                         SkipConnection<AvgPool2d<2>, Residual<Residual<LayerNorm<5, 2, 3>>>,
                                        Upsample<2, Interpolation::bilinear>, ReflectionPad2d<1>, MaxPool2d<3, 1>>,
                         InstanceNorm2d<10>,
                         Parallel<Sequential<GlobalAvgPool2d, Linear<10, 3>>, Sequential<Flatten, Linear<240, 2>>>,
                         Unflatten<5, 1, 1>>;
  Model<Net> model(Rng(5));
  fill_uniform(View<float>(model.state().data(), model.state_size(), 1), 1, 2, Rng(6));
  return model;
}

}  // namespace networks
