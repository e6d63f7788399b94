// OnnxGraph: the nodes and tensors of an ONNX file in the making (https://onnx.ai). Operators are of version 13, which
// runtimes of 2020 and later read. A vector is [batch, features], an image [batch, channels, height, width].
#pragma once

#include <cstddef>
#include <cstdint>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <eigan/core/error.hpp>
#include <eigan/core/shape.hpp>
#include <eigan/io/dtype.hpp>
#include <eigan/io/protobuf_writer.hpp>
#include <eigan/version.hpp>

namespace eigan {

/// What a node gives and takes: its name, none for an input that is left out, and whether it has an image's axes.
struct OnnxValue {
  std::string name;    ///< unique in the graph
  bool image = false;  ///< [batch, channels, height, width], not [batch, features]
};

/// An attribute of a node.
struct OnnxAttribute {
  std::string_view name;                                                                 ///< as ONNX has it
  std::variant<float, std::int64_t, std::string_view, std::vector<std::int64_t>> value;  ///< FLOAT, INT, STRING, INTS
};

/// Nodes in an order in which they can be computed.
class OnnxGraph {
 public:
  /// dtype: of all its numbers, f32 or f64.
  explicit OnnxGraph(Dtype dtype) : dtype_(dtype) {
    if (dtype != Dtype::f32 && dtype != Dtype::f64)
      detail::fail_contract("eigan::OnnxGraph: expected dtype F32 or F64, found ", dtype_name(dtype));
  }

  /// One of the network's inputs.
  OnnxValue add_input(std::string name, Shape shape) {
    inputs_.push_back(value_info(name, shape));
    return {std::move(name), !shape.is_vector()};
  }
  /// What `op_type` makes of the inputs; its axes are those of the first. `name` begins that of the node.
  OnnxValue add_node(std::string name, std::string_view op_type, const std::vector<OnnxValue>& inputs,
                     const std::vector<OnnxAttribute>& attributes = {}) {
    name = unused(std::move(name));
    ProtobufWriter node;
    for (const OnnxValue& input : inputs) node.text(1, input.name);
    node.text(2, name).text(3, name).text(4, op_type);
    for (const OnnxAttribute& attribute : attributes) node.message(5, written(attribute));
    nodes_.push_back(std::move(node));
    return {std::move(name), !inputs.empty() && inputs.front().image};
  }
  /// A constant; `values` row by row.
  OnnxValue add_tensor(std::string name, const std::vector<Index>& shape, std::span<const double> values) {
    if (dtype_ == Dtype::f64) return add_tensor(std::move(name), shape, 11, std::as_bytes(values));
    const std::vector<float> narrow(values.begin(), values.end());
    return add_tensor(std::move(name), shape, 1, std::as_bytes(std::span(narrow)));
  }
  /// A vector of integers, such as a shape.
  OnnxValue add_integers(std::string name, const std::vector<std::int64_t>& values) {
    return add_tensor(std::move(name), {std::ssize(values)}, 7, std::as_bytes(std::span(values)));
  }
  /// Whether a node or tensor has that name.
  bool has(const std::string& name) const { return names_.contains(name); }

  /// The same numbers with the axes of an image, or of a vector, of this shape.
  OnnxValue reshaped(const OnnxValue& value, Shape shape, bool image) {
    if (value.image == image) return value;
    // 0 stands for the batch's size, whatever it is.
    const std::vector<std::int64_t> extents =
        image ? std::vector<std::int64_t>{0, shape.channels, shape.height, shape.width}
              : std::vector<std::int64_t>{0, shape.size()};
    const OnnxValue wanted = add_integers(unused(value.name + ".shape"), extents);
    return {add_node(value.name + (image ? ".image" : ".vector"), "Reshape", {value, wanted}).name, image};
  }

  /// The whole file. `last` becomes the output "output" of this shape.
  std::string bytes(const OnnxValue& last, Shape shape) {
    const OnnxValue result = reshaped(last, shape, !shape.is_vector());
    ProtobufWriter graph;
    for (const ProtobufWriter& node : nodes_) graph.message(1, node);
    // The output has a name of its own, also where no layer has anything to compute.
    graph.message(1, ProtobufWriter().text(1, result.name).text(2, "output").text(3, "output").text(4, "Identity"));
    graph.text(2, "eigan");
    for (const ProtobufWriter& tensor : tensors_) graph.message(5, tensor);
    for (const ProtobufWriter& input : inputs_) graph.message(11, input);
    graph.message(12, value_info("output", shape));
    return ProtobufWriter()
        .number(1, 7)  // the version of the format that came with operators 12 and 13
        .text(2, "eigan")
        .text(3, version)
        .message(7, graph)
        .message(8, ProtobufWriter().text(1, "").number(2, 13))
        .bytes();
  }

 private:
  std::string unused(std::string name) {
    std::string with_number = name;
    for (int i = 2; !names_.insert(with_number).second; ++i) with_number = detail::concat(name, '.', i);
    return with_number;
  }
  OnnxValue add_tensor(std::string name, const std::vector<Index>& shape, std::int64_t type,
                       std::span<const std::byte> bytes) {
    names_.insert(name);
    ProtobufWriter tensor;
    for (const Index extent : shape) tensor.number(1, extent);
    tensor.number(2, type).text(8, name).raw(9, bytes);
    tensors_.push_back(std::move(tensor));
    return {std::move(name)};
  }
  ProtobufWriter value_info(std::string_view name, Shape shape) const {
    ProtobufWriter extents, tensor, type;
    const auto extent = [&](Index size) { extents.message(1, ProtobufWriter().number(1, size)); };
    extents.message(1, ProtobufWriter().text(2, "batch"));
    extent(shape.channels);
    if (!shape.is_vector()) extent(shape.height), extent(shape.width);
    tensor.number(1, dtype_ == Dtype::f64 ? 11 : 1).message(2, extents);
    type.message(1, tensor);
    return ProtobufWriter().text(1, name).message(2, type);
  }
  static ProtobufWriter written(const OnnxAttribute& attribute) {
    ProtobufWriter message;
    message.text(1, attribute.name);
    if (const float* const real = std::get_if<float>(&attribute.value)) {
      message.real(2, *real).number(20, 1);
    } else if (const auto* const whole = std::get_if<std::int64_t>(&attribute.value)) {
      message.number(3, *whole).number(20, 2);
    } else if (const auto* const text = std::get_if<std::string_view>(&attribute.value)) {
      message.text(4, *text).number(20, 3);
    } else {
      for (const std::int64_t value : std::get<std::vector<std::int64_t>>(attribute.value)) message.number(8, value);
      message.number(20, 7);
    }
    return message;
  }

  Dtype dtype_;
  std::set<std::string> names_{"output"};
  std::vector<ProtobufWriter> inputs_, nodes_, tensors_;
};

}  // namespace eigan
