// Layers for images against PyTorch: each as a network of one layer, forward and both halves of backward, and its
// state.
#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <utility>

#include <eigan/eigan.hpp>

#include "golden/support.hpp"

using namespace eigan;
using test::Agreement;
using test::Fixture;

namespace {

template <class T>
void set_state(BasicModel<T>& model, const Fixture<T>& fixture, const std::string& prefix) {
  std::ranges::copy(fixture.parameters(model.states(), prefix), model.state().begin());
}

/// A training pass, then what update_statistics makes of the state. Returns the model as PyTorch left its own.
template <class T, class L>
auto check_layer(const std::string& name, Shape in, const L& layer) {
  const Fixture<T> fixture("images");
  Agreement<T> agreement(name);
  using Net = Sequential<Input<>, L>;
  Model<Net, T> model(Net(Input<>(in.channels, in.height, in.width), layer), Rng(1));
  std::ranges::copy(fixture.parameters(model.parameters(), name + "."), model.params().begin());
  set_state(model, fixture, name + ".before.");
  // Running statistics follow the pass; PyTorch takes the power method's step in front of it.
  const bool follows = model.steps().steps()[0].traits().statistics;
  const auto x = fixture.matrix(name + ".x");
  auto tape = model.tape(x.cols());
  if (!follows) model.forward(tape, x), update_statistics(model, tape);
  agreement.check("y", model.forward(tape, x), fixture.matrix(name + ".y"));
  if (follows) update_statistics(model, tape);
  agreement.check("state", std::as_const(model).state(), fixture.parameters(model.states(), name + ".after."));

  tape.output_gradient() = fixture.matrix(name + ".dy");
  auto gradient = model.zeros();
  Matrix<T> dx(x.rows(), x.cols());
  model.backward(tape, gradient, dx);
  agreement.check("dx", dx, fixture.matrix(name + ".dx"));
  auto expected = model.parameters();
  for (Parameter& p : expected) p.name.insert(0, "d");
  agreement.check("dp", std::span<const T>(gradient), fixture.parameters(expected, name + "."));
  if (!follows) agreement.check("y of infer", model.infer(x), fixture.matrix(name + ".y"));
  return model;
}

}  // namespace

TEST_CASE_TEMPLATE("Conv2d, ConvTranspose2d: as in torch.nn, of few channels and of many, on rectangles", T, float,
                   double) {
  check_layer<T>("conv", {3, 6, 7}, Conv2d<3, 5, 3, 2, 1>());
  check_layer<T>("conv_wide", {17, 3, 4}, Conv2d<>(17, 4, 2, 1, 0, false));
  check_layer<T>("conv_transpose", {4, 3, 2}, ConvTranspose2d<4, 3, 3, 2, 1, 1>());
  check_layer<T>("conv_transpose_wide", {17, 2, 3}, ConvTranspose2d<>(17, 4, 2, 2, 0, 0, false));
}

TEST_CASE_TEMPLATE("ReflectionPad2d, poolings, Upsample, Flatten, Unflatten: as in torch.nn", T, float, double) {
  check_layer<T>("reflection_pad", {3, 4, 5}, ReflectionPad2d<2>());
  check_layer<T>("max_pool", {3, 5, 6}, MaxPool2d<3, 2, 1>());
  check_layer<T>("avg_pool", {3, 5, 6}, AvgPool2d<3, 2, 1>());
  check_layer<T>("global_avg_pool", {3, 5, 6}, GlobalAvgPool2d());
  check_layer<T>("upsample_nearest", {3, 3, 4}, Upsample<3>());
  check_layer<T>("upsample_bilinear", {3, 3, 4}, Upsample<>(2, Interpolation::bilinear));
  check_layer<T>("flatten", {3, 3, 4}, Flatten());
  check_layer<T>("unflatten", {24}, Unflatten<3, 2, 4>());
}

TEST_CASE_TEMPLATE("BatchNorm2d: as torch.nn.BatchNorm2d, in training, its running statistics, at inference", T, float,
                   double) {
  const auto model = check_layer<T>("batch_norm", {3, 2, 5}, BatchNorm2d<3>(3, 1e-3));
  const Fixture<T> fixture("images");
  Agreement<T> agreement("batch_norm at inference");
  agreement.check("y", model.infer(fixture.matrix("batch_norm.eval.x")), fixture.matrix("batch_norm.eval.y"));
}

TEST_CASE_TEMPLATE("InstanceNorm2d, LayerNorm: as in torch.nn", T, float, double) {
  check_layer<T>("instance_norm", {3, 4, 5}, InstanceNorm2d<3>());
  check_layer<T>("instance_norm_affine", {3, 4, 5}, InstanceNorm2d<3>(3, 1e-3, true));
  check_layer<T>("layer_norm", {3, 2, 5}, LayerNorm<3, 2, 5>());
}

TEST_CASE_TEMPLATE("SpectralNorm: as torch.nn.utils.parametrizations.spectral_norm, the power method's step too", T,
                   float, double) {
  check_layer<T>("spectral_linear", {7}, SpectralNorm<Linear<7, 4>>());
  check_layer<T>("spectral_conv", {3, 3, 4}, SpectralNorm<Conv2d<3, 4, 3, 1, 1>>());
}
