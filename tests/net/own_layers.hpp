// Layers such as a user writes, for tests that want some that the library does not have.
#pragma once

#include <cmath>
#include <span>
#include <string>
#include <vector>

#include <eigan/core/exact_text.hpp>
#include <eigan/core/layer.hpp>
#include <eigan/core/random.hpp>

namespace own {

using namespace eigan;

/// y = x^2 / scale: the way back needs x, so nobody may write over it.
struct Square {
  static constexpr bool elementwise = true;
  static constexpr bool backward_reads_y = false;
  double scale = 2;

  std::string describe() const { return "Square(scale=" + exact_text(scale) + ")"; }
  template <class T>
  void forward(std::span<const T>, ConstView<T> x, View<T> y) const {
    y = x.cwiseProduct(x) / static_cast<T>(scale);
  }
  template <class T>
  void backward_input(std::span<const T>, ConstView<T> x, ConstView<T>, ConstView<T> dy, View<T> dx) const {
    dx = x.cwiseProduct(dy) * static_cast<T>(2 / scale);
  }
};

/// y = gain x, one gain a feature, without blocks.
struct Gain {
  static constexpr Index input = dynamic, output = dynamic;
  Index features;

  Index input_size() const { return features; }
  Index output_size() const { return features; }
  Index param_size() const { return features; }
  std::string describe() const { return "Gain(features=" + std::to_string(features) + ")"; }
  std::vector<Parameter> parameters() const { return {{"gain", 0, features, 1, 1}}; }
  template <class T>
  void init(std::span<T> p, Rng rng) const {
    fill_uniform(View<T>(p.data(), features, 1), 0.5, 1.5, rng);
  }
  template <class T>
  void forward(std::span<const T> p, ConstView<T> x, View<T> y) const {
    y = ConstView<T>(p.data(), features, 1).col(0).asDiagonal() * x;
  }
  template <class T>
  void backward_input(std::span<const T> p, ConstView<T>, ConstView<T>, ConstView<T> dy, View<T> dx) const {
    dx = ConstView<T>(p.data(), features, 1).col(0).asDiagonal() * dy;
  }
  template <class T>
  void backward_params(std::span<const T>, ConstView<T> x, ConstView<T>, ConstView<T> dy, std::span<T> dp) const {
    View<T>(dp.data(), features, 1) += x.cwiseProduct(dy).rowwise().sum();
  }
};
static_assert(Layer<Square> && ParametricLayer<Gain> && !BlockedLayer<Gain>);

}  // namespace own
