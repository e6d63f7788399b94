// OnnxOperators: which operators of ONNX compute a layer, by the name in its spec(). It knows the library's layers; one
// of your own is added with a function that adds its nodes and returns what they give:
//
//   OnnxOperators operators;
//   operators.add("Swish", [](OnnxLayer& swish) {
//     const OnnxValue scaled = swish.node("Mul", {swish.input(), swish.number("beta", swish.spec()["beta"])});
//     return swish.node("Mul", {swish.input(), swish.node("Sigmoid", {scaled})});
//   });
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include <eigan/io/onnx_layer.hpp>
#include <eigan/io/onnx_writers.hpp>

namespace eigan {

/// A table from layers' names to what writes them, as a value.
class OnnxOperators {
 public:
  /// Adds the nodes of a layer and returns what they give.
  using Writer = std::function<OnnxValue(OnnxLayer&)>;

  /// Knows the library's layers.
  OnnxOperators() {
    using namespace detail::onnx;
    add("SpectralNorm", spectral_norm)
        .add("Linear", linear)
        .add("Conv2d", write_convolution)
        .add("ConvTranspose2d", write_transposed_convolution);
    add("ReLU", plain("Relu")).add("Tanh", plain("Tanh")).add("Sigmoid", plain("Sigmoid"));
    add("LeakyReLU", with("LeakyRelu", "alpha", "negative_slope", 0.01)).add("ELU", with("Elu", "alpha", "alpha", 1));
    add("PReLU", prelu).add("GELU", gelu).add("SiLU", silu).add("Softplus", softplus);
    add("BatchNorm1d", batch_norm).add("BatchNorm2d", batch_norm);
    add("InstanceNorm2d", instance_norm).add("LayerNorm", layer_norm);
    add("MaxPool2d", max_pool).add("AvgPool2d", average_pool).add("GlobalAvgPool2d", global_average);
    add("Upsample", upsample)
        .add("ReflectionPad2d", reflection_pad)
        .add("Flatten", flatten)
        .add("Unflatten", unflatten);
    add("Dropout", [](OnnxLayer& layer) { return layer.input(); });  // inference drops nothing
  }

  /// A later writer takes the place of an earlier one of the same name.
  OnnxOperators& add(std::string name, Writer writer) {
    writers_.insert_or_assign(std::move(name), std::move(writer));
    return *this;
  }
  /// The writer of that name, or nullptr.
  const Writer* find(std::string_view name) const {
    const auto found = writers_.find(name);
    return found == writers_.end() ? nullptr : &found->second;
  }

 private:
  std::map<std::string, Writer, std::less<>> writers_;
};

}  // namespace eigan
