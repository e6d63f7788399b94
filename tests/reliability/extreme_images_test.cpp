// Layers for images, normalisations and activations at the edge of what float can hold: outputs and gradients stay
// those of double, and what is no number shows in its own sample and in no other.
#include <doctest/doctest.h>
#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <type_traits>

#include <eigan/eigan.hpp>

#include "reliability/extremes.hpp"
#include "support.hpp"

using namespace eigan;
using namespace extremes;

namespace {

using In = Input<3, 4, 6>;
constexpr Index features = 72;

/// f(name, layer) for each that maps a sample by itself.
template <class F>
void for_each_layer(const F& f) {
  f("Conv2d", Conv2d<3, 5, 3, 2, 1>());
  f("Conv2d of a pixel", Conv2d<3, 20, 1>());
  f("ConvTranspose2d", ConvTranspose2d<3, 5, 4, 2, 1>());
  f("MaxPool2d", MaxPool2d<2>());
  f("AvgPool2d", AvgPool2d<3, 2, 1>());
  f("GlobalAvgPool2d", GlobalAvgPool2d());
  f("Upsample, nearest", Upsample<2>());
  f("Upsample, bilinear", Upsample<>(2, Interpolation::bilinear));
  f("ReflectionPad2d", ReflectionPad2d<2>());
  f("Flatten", Flatten());
  f("PReLU", PReLU(3));
  f("ELU", ELU());
  f("GELU", GELU());
  f("SiLU", SiLU());
  f("Softplus", Softplus());
  f("InstanceNorm2d", InstanceNorm2d<3>(3, 1e-5, true));
  f("LayerNorm", LayerNorm<3, 4, 6>());
  f("SpectralNorm", SpectralNorm<Conv2d<3, 5, 3, 1, 1>>());
}
template <class L>
auto network(const L& layer) {
  return Sequential<In, L>(In(), layer);
}

}  // namespace

TEST_CASE("extreme numbers: layers for images at 0, denormal numbers and 1e4, in batches of one and more") {
  for_each_layer([](const std::string& name, const auto& layer) {
    // What is left where large numbers cancel has the rounding of the large ones.
    const bool cancels = name == "InstanceNorm2d" || name == "LayerNorm" || name == "GlobalAvgPool2d";
    check_network(name, features, cancels ? 1e-3 : 1e-5, network(layer));
  });
  check_network("BatchNorm2d", features, 1e-3, network(BatchNorm2d<3>()), false);
}

TEST_CASE("extreme numbers: what overflows nothing at 1e30 stays finite, and double's") {
  const Matrix<float> x = 1e30f * support::random_matrix<float>(features, 3, 1);
  for_each_layer([&](const std::string& name, const auto& layer) {
    if (name == "InstanceNorm2d" || name == "LayerNorm") return;  // a square of 1e30 is no float
    CAPTURE(name);
    const auto net = network(layer);
    const Model<std::decay_t<decltype(net)>, float> narrow(net, Rng(1));
    Model<std::decay_t<decltype(net)>, double> wide(net, Rng(1));
    copy_into(narrow, wide);
    const auto found = train<float>(narrow, x);
    const auto expected = train<double>(wide, x.cast<double>());
    check_near(found.y, expected.y);
    check_near(found.dx, expected.dx);
    if (found.grad.size() > 0) check_near(found.grad, expected.grad);
  });
}

TEST_CASE("extreme numbers: an infinity or a NaN shows in its own sample, and in no other's output or gradient") {
  const Matrix<float> plain = support::random_matrix<float>(features, 3, 1);
  for (const float value : {std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN()}) {
    CAPTURE(value);
    Matrix<float> x = plain;
    x(0, 1) = value;
    for_each_layer([&](const std::string& name, const auto& layer) {
      CAPTURE(name);
      const auto net = network(layer);
      const Model<std::decay_t<decltype(net)>, float> model(net, Rng(1));
      const auto expected = train<float>(model, plain), found = train<float>(model, x);
      CHECK(expected.y.allFinite());
      CHECK_FALSE(found.y.col(1).allFinite());
      CHECK_FALSE(Matrix<float>(model.infer(x).col(1)).allFinite());
      for (const Index other : {0, 2}) {
        CHECK(support::same_bits<float>(Matrix<float>(found.y.col(other)), Matrix<float>(expected.y.col(other))));
        CHECK(support::same_bits<float>(Matrix<float>(found.dx.col(other)), Matrix<float>(expected.dx.col(other))));
      }
    });
  }
}

TEST_CASE("extreme numbers: BatchNorm2d over equal, tiny and huge samples is finite, and a NaN is not hidden") {
  const auto net = network(BatchNorm2d<3>());
  const Model<std::decay_t<decltype(net)>, float> model(net, Rng(1));
  for (const float factor : {0.0f, denormal, 1e-20f, 1.0f, 1e4f}) {
    CAPTURE(factor);
    for (const Index batch : {1, 2, 33}) {
      const auto found = train<float>(model, Matrix<float>(factor * support::random_matrix<float>(features, batch, 3)));
      CHECK(found.y.allFinite());
      CHECK(found.dx.allFinite());
      CHECK(found.grad.allFinite());
    }
  }
  Matrix<float> x = support::random_matrix<float>(features, 3, 1);
  x(0, 1) = std::numeric_limits<float>::quiet_NaN();
  const auto found = train<float>(model, x);
  for (Index j = 0; j < 3; ++j)
    for (Index i = 0; i < features; ++i) CHECK(std::isnan(found.y(i, j)) == (i % 3 == 0));  // its channel's pixels
}
