// save_onnx: a model's inference as an ONNX file (https://onnx.ai), which other run times execute: input "input",
// batch x features, output "output", float32 or float64 as the model's. Operators of version 13, so that runtimes of
// 2020 and later read it. Tensors have the names of the safetensors file: "0.weight" is [out, in].
//
//   Linear        Gemm(x, weight, bias), transB = 1
//   ReLU          Relu           LeakyReLU   LeakyRelu(alpha = negative_slope)
//   Tanh          Tanh           Sigmoid     Sigmoid
//   BatchNorm1d   BatchNormalization(x, weight, bias, running_mean, running_var; epsilon)
//   Dropout       nothing: inference drops nothing
//
// A layer of your own takes part through a function that argument-dependent lookup finds:
//   template <class T> void add_onnx_nodes(eigan::OnnxGraph<T>& graph, const MyLayer& layer, std::span<const T>
//   params);
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include <eigan/core/error.hpp>
#include <eigan/core/view.hpp>
#include <eigan/io/atomic_file.hpp>
#include <eigan/io/protobuf_writer.hpp>
#include <eigan/layers/batch_norm.hpp>
#include <eigan/layers/dropout.hpp>
#include <eigan/layers/leaky_relu.hpp>
#include <eigan/layers/linear.hpp>
#include <eigan/layers/relu.hpp>
#include <eigan/layers/sigmoid.hpp>
#include <eigan/layers/tanh.hpp>
#include <eigan/net/model.hpp>
#include <eigan/version.hpp>

namespace eigan {

/// The nodes of a network in the making, one behind the other.
template <class T>
class OnnxGraph {
  static_assert(std::is_same_v<T, float> || std::is_same_v<T, double>, "eigan::OnnxGraph: float or double");

 public:
  /// An attribute of a node: its name and value.
  struct Attribute {
    std::string_view name;                    ///< as ONNX has it
    std::variant<float, std::int64_t> value;  ///< FLOAT or INT
  };

  /// Layer number `layer` is the next to add nodes; its tensors are named "<layer>.<name>".
  void begin_layer(std::size_t layer) { layer_ = layer; }

  /// The node `op_type` takes what the node before gave, then the tensors named.
  void add_node(std::string_view op_type, std::initializer_list<std::string_view> tensors = {},
                std::initializer_list<Attribute> attributes = {}) {
    const std::string output = detail::concat("value.", ++values_);
    ProtobufWriter node;
    node.text(1, last_);
    for (const std::string_view tensor : tensors) node.text(1, tensor_name(tensor));
    node.text(2, output).text(3, detail::concat(layer_, '.', op_type)).text(4, op_type);
    for (const Attribute& attribute : attributes) {
      ProtobufWriter written;
      written.text(1, attribute.name);
      if (const float* const real = std::get_if<float>(&attribute.value))
        written.real(2, *real).number(20, 1);  // type FLOAT
      else
        written.number(3, std::get<std::int64_t>(attribute.value)).number(20, 2);  // type INT
      node.message(5, written);
    }
    nodes_.push_back(node);
    last_ = output;
  }

  /// A constant tensor of the layer: `values` row-major.
  void add_tensor(std::string_view name, std::initializer_list<Index> shape, std::span<const T> values) {
    ProtobufWriter tensor;
    for (const Index extent : shape) tensor.number(1, extent);
    tensor.number(2, element_type).text(8, tensor_name(name)).raw(9, std::as_bytes(values));
    tensors_.push_back(tensor);
  }

  /// The whole file. features: of the network's input and output.
  std::string model(Index input_features, Index output_features) const {
    ProtobufWriter graph;
    for (const ProtobufWriter& node : nodes_) graph.message(1, node);
    // The output has a name of its own, also where no layer has anything to compute.
    graph.message(1, ProtobufWriter().text(1, last_).text(2, "output").text(3, "output").text(4, "Identity"));
    graph.text(2, "eigan");
    for (const ProtobufWriter& tensor : tensors_) graph.message(5, tensor);
    graph.message(11, value_info("input", input_features)).message(12, value_info("output", output_features));
    return ProtobufWriter()
        .number(1, 7)  // the version of the format that came with operators 12 and 13
        .text(2, "eigan")
        .text(3, version)
        .message(7, graph)
        .message(8, ProtobufWriter().text(1, "").number(2, 13))
        .bytes();
  }

 private:
  static constexpr std::int64_t element_type = std::is_same_v<T, float> ? 1 : 11;

  std::string tensor_name(std::string_view name) const { return detail::concat(layer_, '.', name); }
  static ProtobufWriter value_info(std::string_view name, Index features) {
    ProtobufWriter shape, tensor, type;
    shape.message(1, ProtobufWriter().text(2, "batch")).message(1, ProtobufWriter().number(1, features));
    tensor.number(1, element_type).message(2, shape);
    type.message(1, tensor);
    return ProtobufWriter().text(1, name).message(2, type);
  }

  std::size_t layer_ = 0, values_ = 0;
  std::string last_ = "input";
  std::vector<ProtobufWriter> nodes_, tensors_;
};

/// The nodes of each layer of eigan's, as the table at the top has them.
template <class T, Index In, Index Out>
void add_onnx_nodes(OnnxGraph<T>& graph, const Linear<In, Out>& layer, std::span<const T> p) {
  const ConstView<T> weight = layer.weight(p);
  const Matrix<T> row_major = weight.transpose();  // its columns are the weight's rows
  graph.add_tensor("weight", {layer.output_size(), layer.input_size()},
                   std::span(row_major.data(), static_cast<std::size_t>(row_major.size())));
  graph.add_tensor("bias", {layer.output_size()}, p.subspan(static_cast<std::size_t>(weight.size())));
  graph.add_node("Gemm", {"weight", "bias"}, {{"transB", std::int64_t{1}}});
}
template <class T, Index Features>
void add_onnx_nodes(OnnxGraph<T>& graph, const BatchNorm1d<Features>& layer, std::span<const T> p) {
  for (const Parameter& parameter : layer.parameters())
    graph.add_tensor(parameter.name, {parameter.rows},
                     p.subspan(static_cast<std::size_t>(parameter.offset), static_cast<std::size_t>(parameter.rows)));
  graph.add_node("BatchNormalization", {"weight", "bias", "running_mean", "running_var"},
                 {{"epsilon", static_cast<float>(layer.eps())}});
}
template <class T>
void add_onnx_nodes(OnnxGraph<T>& graph, const ReLU&, std::span<const T>) {
  graph.add_node("Relu");
}
template <class T>
void add_onnx_nodes(OnnxGraph<T>& graph, const LeakyReLU& layer, std::span<const T>) {
  graph.add_node("LeakyRelu", {}, {{"alpha", static_cast<float>(layer.negative_slope())}});
}
template <class T>
void add_onnx_nodes(OnnxGraph<T>& graph, const Tanh&, std::span<const T>) {
  graph.add_node("Tanh");
}
template <class T>
void add_onnx_nodes(OnnxGraph<T>& graph, const Sigmoid&, std::span<const T>) {
  graph.add_node("Sigmoid");
}
template <class T>
void add_onnx_nodes(OnnxGraph<T>&, const Dropout&, std::span<const T>) {}

/// Writes the file atomically. Error if it cannot be written, or would exceed the 2 GiB that the format allows.
template <class Net, class T>
void save_onnx(const std::filesystem::path& path, const Model<Net, T>& model) {
  OnnxGraph<T> graph;
  model.net().for_each_layer([&](auto i) {
    graph.begin_layer(i);
    add_onnx_nodes(graph, model.net().layer(i), model.net().slice(i, model.params()));
  });
  const std::string bytes = graph.model(model.net().input_size(), model.net().output_size());
  if (bytes.size() >= std::size_t{1} << 31) {
    detail::fail_data(detail::display(path), ": an ONNX file holds at most 2147483647 bytes, this one would have ",
                      bytes.size());
  }
  write_file(path, bytes);
}

}  // namespace eigan
