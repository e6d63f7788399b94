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

/// Says how many features there are, and nothing else.
struct Five : Tanh {
  static constexpr bool elementwise = false;
  static constexpr Index input = 5, output = 5;
};
inline CppExpression cpp_expression(const Five&) {
  return {"::networks::Five()", "io/cpp_source/networks.hpp"};
}
inline auto without_parameters() {
  return Model<Sequential<Five>>(Rng(4));
}

}  // namespace networks
