// What the tests of training steps share: noise to learn from, the gradient that a step took, and whether it is one.
#pragma once

#include "io/support.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <eigan/core/rng.hpp>
#include <eigan/data/batches.hpp>
#include <eigan/io/checkpoint.hpp>
#include <eigan/io/safetensors.hpp>

#include "image_to_image/picture_set.hpp"
#include "image_to_image/recipe.hpp"

namespace test {

/// Pictures in which each pixel is drawn by itself.
inline image_to_image::PictureSet noise(eigan::Index count, eigan::Index side, eigan::Index channels,
                                        std::uint64_t seed) {
  image_to_image::PictureSet set{count, side, side, channels, {}};
  for (eigan::Index i = 0; i < count * set.size(); ++i)
    set.bytes.push_back(
        static_cast<std::uint8_t>(eigan::uniform_below(eigan::Rng(seed), static_cast<std::uint64_t>(i), 256)));
  return set;
}

/// Small networks, and steps that see every picture once, as it is.
inline image_to_image::Recipe small_recipe(eigan::Index batch) {
  image_to_image::Recipe recipe;
  recipe.batch = batch;
  recipe.g_channels = {4, 6};
  recipe.blocks = 1;
  recipe.d_channels = 4;
  recipe.d_levels = 1;
  recipe.jitter = 0;
  recipe.mirror = false;
  return recipe;
}

/// A tensor of what a checkpoint of the method holds.
template <class Method>
std::vector<float> kept(Method& method, const std::string& name) {
  const TemporaryFolder folder;
  eigan::save_checkpoint(folder / "x", [&](auto visit) { method.visit_state(visit); });
  const auto file = eigan::SafetensorsFile::read(folder / "x");
  const eigan::TensorInfo* const tensor = file.find(name);
  REQUIRE(tensor != nullptr);
  std::vector<float> values(file.bytes(*tensor).size() / sizeof(float));
  file.copy_to(*tensor, std::span(values));
  return values;
}

/// What a method's first step took for the gradient: Adam keeps 1 - beta1 of it.
template <class Method>
std::vector<float> first_gradient(Method& method, const std::string& adam, const image_to_image::Recipe& recipe) {
  std::vector<float> gradient = kept(method, adam + ".exp_avg");
  for (float& g : gradient) g /= static_cast<float>(1 - recipe.beta1);
  return gradient;
}

/// How steep `loss` of the model is along `gradient`, by central differences, as a part of the gradient's norm: 1 where
/// it is the gradient.
template <class Model, class Loss>
double slope_along(const std::vector<float>& gradient, const Model& model, const Loss& loss) {
  double norm = 0;
  for (const float g : gradient) norm = std::hypot(norm, static_cast<double>(g));
  constexpr double h = 2e-4;
  const auto at = [&](double distance) {
    auto moved = model.clone();
    REQUIRE(moved.params().size() == gradient.size());
    for (std::size_t i = 0; i < gradient.size(); ++i)
      moved.params()[i] += static_cast<float>(distance / norm) * gradient[i];
    return loss(moved);
  };
  return (at(h) - at(-h)) / (2 * h) / norm;
}

/// The largest difference of numbers.
inline double furthest(std::span<const float> x, std::span<const float> y) {
  REQUIRE(x.size() == y.size());
  double most = 0;
  for (std::size_t i = 0; i < x.size(); ++i)
    most = std::max(most, std::abs(static_cast<double>(x[i]) - static_cast<double>(y[i])));
  return most;
}

/// The mean of what `f` makes of each number of a matrix.
template <class Matrix, class Function>
double mean_of(const Matrix& x, const Function& f) {
  double sum = 0;
  for (eigan::Index j = 0; j < x.cols(); ++j)
    for (eigan::Index i = 0; i < x.rows(); ++i) sum += f(static_cast<double>(x(i, j)));
  return sum / static_cast<double>(x.size());
}
inline double mean_distance(const eigan::Matrix<float>& x, const eigan::Matrix<float>& y) {
  return mean_of(eigan::Matrix<float>(x - y), [](double d) { return std::abs(d); });
}

}  // namespace test
