// How each layer of eigan is written in operators of ONNX: functions of a layer that add its nodes and return what they
// give (io/onnx_operators.hpp has their table). What version 13 has no operator for is put together from others.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <string_view>
#include <utility>
#include <vector>

#include <eigan/core/error.hpp>
#include <eigan/core/shape.hpp>
#include <eigan/io/onnx_layer.hpp>

namespace eigan::detail::onnx {

using Pads = std::vector<std::int64_t>;

inline std::vector<std::int64_t> pair(std::int64_t size) {
  return {size, size};
}
/// Above, left, below, right.
inline Pads around(std::int64_t size) {
  return {size, size, size, size};
}

/// An operator that takes the input alone.
inline auto plain(std::string_view op_type) {
  return [op_type](OnnxLayer& layer) { return layer.node(op_type, {layer.input()}); };
}
/// An operator that takes the input alone and has one setting as a real attribute.
inline auto with(std::string_view op_type, std::string_view attribute, std::string_view setting, double otherwise) {
  return [=](OnnxLayer& layer) {
    const auto value = static_cast<float>(layer.setting(setting, otherwise));
    return layer.node(op_type, {layer.input()}, {{attribute, value}});
  };
}

inline OnnxValue linear(OnnxLayer& layer) {
  std::vector<OnnxValue> inputs{layer.vector(), layer.tensor("weight")};
  if (layer.has("bias")) inputs.push_back(layer.tensor("bias"));
  return layer.node("Gemm", inputs, {{"transB", std::int64_t{1}}});
}

/// [out, in, kh, kw], and [in, out, kh, kw] where transposed.
inline std::vector<std::int64_t> kernel_shape(const OnnxLayer& layer) {
  const auto& shape = layer.values("weight").shape;
  return {shape[2], shape[3]};
}
inline std::vector<OnnxValue> image_weight_bias(OnnxLayer& layer) {
  std::vector<OnnxValue> inputs{layer.image(), layer.tensor("weight")};
  if (layer.has("bias")) inputs.push_back(layer.tensor("bias"));
  return inputs;
}
inline OnnxValue write_convolution(OnnxLayer& layer) {
  return layer.node("Conv", image_weight_bias(layer),
                    {{"kernel_shape", kernel_shape(layer)},
                     {"strides", pair(layer.size("stride", 1))},
                     {"pads", around(layer.size("padding", 0))}});
}
inline OnnxValue write_transposed_convolution(OnnxLayer& layer) {
  return layer.node("ConvTranspose", image_weight_bias(layer),
                    {{"kernel_shape", kernel_shape(layer)},
                     {"strides", pair(layer.size("stride", 1))},
                     {"pads", around(layer.size("padding", 0))},
                     {"output_padding", pair(layer.size("output_padding", 0))}});
}

/// u^T W v, the largest singular value, u and v being those of the layer's state.
inline double spectral_norm_of(const std::vector<double>& w, std::vector<double> u, std::vector<double> v) {
  const auto product = [&](const std::vector<double>& x, std::vector<double> y, bool transposed) {  // y = W x, W^T x
    std::fill(y.begin(), y.end(), 0.0);
    for (std::size_t i = 0, at = 0; i < u.size(); ++i)
      for (std::size_t j = 0; j < v.size(); ++j, ++at) y[transposed ? j : i] += w[at] * x[transposed ? i : j];
    return y;
  };
  const auto dot = [](const auto& a, const auto& b) { return std::inner_product(a.begin(), a.end(), b.begin(), 0.0); };
  const auto normalised = [&](std::vector<double> x) {
    const double length = std::sqrt(dot(x, x));
    for (double& element : x) element /= std::max(length, 1e-12);
    return x;
  };
  if (dot(v, v) == 0) {  // not trained yet: as the layer itself begins
    v = normalised(product(u, v, true));
    for (int step = 0; step < 15; ++step) {
      u = normalised(product(v, u, false));
      v = normalised(product(u, v, true));
    }
  }
  return dot(u, product(v, u, false));
}
inline OnnxValue spectral_norm(OnnxLayer& layer) {
  OnnxLayer::Tensor weight = layer.values("parametrizations.weight.original");
  const double sigma = spectral_norm_of(weight.values, layer.values("parametrizations.weight.0._u").values,
                                        layer.values("parametrizations.weight.0._v").values);
  for (double& element : weight.values) element /= sigma;
  OnnxLayer inner = layer.inner("weight", std::move(weight));
  return inner.spec().name == "Linear" ? linear(inner) : write_convolution(inner);
}

inline OnnxValue reflection_pad(OnnxLayer& layer) {
  const std::int64_t p = layer.size("padding", 0);
  return layer.node("Pad", {layer.image(), layer.integers("pads", {0, 0, p, p, 0, 0, p, p})},
                    {{"mode", std::string_view("reflect")}});
}
inline OnnxValue max_pool(OnnxLayer& layer) {
  const std::int64_t kernel = layer.size("kernel_size", 1);
  return layer.node("MaxPool", {layer.image()},
                    {{"kernel_shape", pair(kernel)},
                     {"strides", pair(layer.size("stride", kernel))},
                     {"pads", around(layer.size("padding", 0))}});
}
inline OnnxValue average_pool(OnnxLayer& layer) {
  const std::int64_t kernel = layer.size("kernel_size", 1);
  return layer.node("AveragePool", {layer.image()},
                    {{"kernel_shape", pair(kernel)},
                     {"strides", pair(layer.size("stride", kernel))},
                     {"pads", around(layer.size("padding", 0))},
                     {"count_include_pad", std::int64_t{1}}});
}
inline OnnxValue global_average(OnnxLayer& layer) {
  return layer.node("GlobalAveragePool", {layer.image()});
}

/// Of a Resize that repeats pixels.
inline std::vector<OnnxAttribute> repeating() {
  return {{"mode", std::string_view("nearest")},
          {"coordinate_transformation_mode", std::string_view("asymmetric")},
          {"nearest_mode", std::string_view("floor")}};
}
inline OnnxValue upsample(OnnxLayer& layer) {
  const double scale = layer.setting("scale_factor", 1);
  const std::vector<OnnxValue> inputs{layer.image(), {}, layer.constant("scales", {4}, {1, 1, scale, scale})};
  if (layer.setting("bilinear", 0) == 0) return layer.node("Resize", inputs, repeating());
  return layer.node(
      "Resize", inputs,
      {{"mode", std::string_view("linear")}, {"coordinate_transformation_mode", std::string_view("half_pixel")}});
}

/// gamma or beta, or what stands for it in a layer without.
inline OnnxValue affine(OnnxLayer& layer, std::string_view name, double otherwise) {
  if (layer.has(name)) return layer.tensor(name);
  return layer.constant(name, {layer.in().channels},
                        std::vector<double>(static_cast<std::size_t>(layer.in().channels), otherwise));
}
inline float epsilon(const OnnxLayer& layer) {
  return static_cast<float>(layer.setting("eps", 1e-5));
}

inline OnnxValue batch_norm(OnnxLayer& layer) {
  return layer.node("BatchNormalization",
                    {layer.input(), affine(layer, "weight", 1), affine(layer, "bias", 0), layer.tensor("running_mean"),
                     layer.tensor("running_var")},
                    {{"epsilon", epsilon(layer)}});
}
inline OnnxValue instance_norm(OnnxLayer& layer) {
  return layer.node("InstanceNormalization", {layer.image(), affine(layer, "weight", 1), affine(layer, "bias", 0)},
                    {{"epsilon", epsilon(layer)}});
}
/// An instance normalisation of the whole sample as one channel; LayerNormalization itself came with operators 17.
inline OnnxValue layer_norm(OnnxLayer& layer) {
  const Shape in = layer.in();
  const OnnxValue row = layer.node("Reshape", {layer.input(), layer.integers("row", {0, 1, in.size()})});
  const OnnxValue normalised =
      layer.node("InstanceNormalization", {row, layer.constant("one", {1}, {1}), layer.constant("zero", {1}, {0})},
                 {{"epsilon", epsilon(layer)}});
  std::vector<std::int64_t> extents{0, in.channels};
  if (layer.input().image) extents.insert(extents.end(), {in.height, in.width});
  OnnxValue y{layer.node("Reshape", {normalised, layer.integers("shape", extents)}).name, layer.input().image};
  if (layer.has("weight")) y = layer.node("Mul", {y, layer.tensor("weight")});
  return layer.has("bias") ? layer.node("Add", {y, layer.tensor("bias")}) : y;
}

inline OnnxValue flatten(OnnxLayer& layer) {
  return {layer.node("Flatten", {layer.input()}).name, false};
}
inline OnnxValue unflatten(OnnxLayer& layer) {
  const Shape out = layer.out();
  const OnnxValue shape = layer.integers("shape", {0, out.channels, out.height, out.width});
  return {layer.node("Reshape", {layer.input(), shape}).name, true};
}

inline OnnxValue prelu(OnnxLayer& layer) {
  const auto& slope = layer.values("weight");
  std::vector<Index> shape = slope.shape;
  if (layer.input().image) shape.insert(shape.end(), {1, 1});  // beside [channels, height, width]
  return layer.node("PRelu", {layer.input(), layer.constant("weight", shape, slope.values)});
}
/// x Phi(x), by the error function.
inline OnnxValue gelu(OnnxLayer& layer) {
  const OnnxValue& x = layer.input();
  const OnnxValue erf = layer.node("Erf", {layer.node("Mul", {x, layer.number("inv_sqrt2", 0.70710678118654752440)})});
  const OnnxValue twice = layer.node("Mul", {x, layer.node("Add", {erf, layer.number("one", 1)})});
  return layer.node("Mul", {twice, layer.number("half", 0.5)});
}
inline OnnxValue softplus(OnnxLayer& layer) {
  const double beta = layer.setting("beta", 1);
  if (layer.setting("threshold", 20) < 15)  // above it the layer is linear, the operator 3e-7 more at 15
    fail_contract("eigan::save_onnx: ", layer.spec().text(), ": expected a threshold of at least 15");
  if (beta == 1) return layer.node("Softplus", {layer.input()});
  const OnnxValue factor = layer.number("beta", beta);
  return layer.node("Div", {layer.node("Softplus", {layer.node("Mul", {layer.input(), factor})}), factor});
}
inline OnnxValue silu(OnnxLayer& layer) {
  return layer.node("Mul", {layer.input(), layer.node("Sigmoid", {layer.input()})});
}

}  // namespace eigan::detail::onnx
