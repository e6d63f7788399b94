// OnnxLayer: one layer of a network on its way into an ONNX file: its settings, shapes and tensors, and the nodes that
// it adds. What writes a layer's operators is called with it and returns the value that the layer gives.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <eigan/core/error.hpp>
#include <eigan/core/parameter.hpp>
#include <eigan/core/shape.hpp>
#include <eigan/core/spec.hpp>
#include <eigan/io/onnx_graph.hpp>

namespace eigan {

/// A layer, the value that it receives, and the graph to which it adds.
class OnnxLayer {
 public:
  /// A tensor of the layer as files have it.
  struct Tensor {
    std::vector<Index> shape;    ///< "weight" of a Linear is [out, in]
    std::vector<double> values;  ///< row by row
  };

  /// tensors: parameters and state by their names in the layer.
  OnnxLayer(OnnxGraph& graph, std::string name, Spec spec, OnnxValue input, Shape in, Shape out,
            std::map<std::string, Tensor, std::less<>> tensors)
      : graph_(graph),
        name_(std::move(name)),
        spec_(std::move(spec)),
        input_(std::move(input)),
        in_(in),
        out_(out),
        tensors_(std::move(tensors)) {}

  /// The layer's own description.
  const Spec& spec() const { return spec_; }
  /// A setting, or what it is where the layer has none of that name.
  double setting(std::string_view name, double otherwise) const {
    for (const Setting& setting : spec_.settings)
      if (setting.name == name) return setting.value;
    return otherwise;
  }
  /// A setting that is a whole number.
  std::int64_t size(std::string_view name, std::int64_t otherwise) const {
    return static_cast<std::int64_t>(setting(name, static_cast<double>(otherwise)));
  }
  /// What goes in.
  Shape in() const { return in_; }
  /// What comes out.
  Shape out() const { return out_; }

  /// What the layer receives: [batch, features], or [batch, channels, height, width] of an image.
  const OnnxValue& input() const { return input_; }
  /// What the layer receives, with the axes that an image of its shape has.
  OnnxValue image() { return graph_.reshaped(input_, in_, true); }
  /// What the layer receives, as a vector.
  OnnxValue vector() { return graph_.reshaped(input_, in_, false); }

  /// Whether the layer has a parameter or statistic of that name.
  bool has(std::string_view name) const { return tensors_.contains(name); }
  /// A parameter's numbers as they stand in files. std::invalid_argument if there is none of that name.
  const Tensor& values(std::string_view name) const {
    const auto found = tensors_.find(name);
    if (found == tensors_.end())
      detail::fail_contract("eigan::save_onnx: layer ", name_, ", ", spec_.text(), ", has no tensor '", name, "'");
    return found->second;
  }
  /// A parameter as a tensor of the graph.
  OnnxValue tensor(std::string_view name) { return constant(name, values(name).shape, values(name).values); }

  /// The layer that this one holds, with a tensor that is made here.
  OnnxLayer inner(std::string tensor, Tensor value) const {
    OnnxLayer held = *this;
    held.spec_ = spec_.children.at(0);
    held.tensors_.insert_or_assign(std::move(tensor), std::move(value));
    return held;
  }

  /// A constant of any shape, `values` row by row. The layer's constants each want a name.
  OnnxValue constant(std::string_view name, const std::vector<Index>& shape, const std::vector<double>& values) {
    std::string full = detail::concat(name_, '.', name);
    if (graph_.has(full)) return {std::move(full)};
    return graph_.add_tensor(std::move(full), shape, values);
  }
  /// A constant number.
  OnnxValue number(std::string_view name, double value) { return constant(name, {}, {value}); }
  /// A constant list of whole numbers.
  OnnxValue integers(std::string_view name, const std::vector<std::int64_t>& values) {
    return graph_.add_integers(detail::concat(name_, '.', name), values);
  }
  /// What an operator makes of values; its axes are those of the first.
  OnnxValue node(std::string_view op_type, const std::vector<OnnxValue>& inputs,
                 const std::vector<OnnxAttribute>& attributes = {}) {
    return graph_.add_node(detail::concat(name_, '.', op_type), op_type, inputs, attributes);
  }

 private:
  OnnxGraph& graph_;
  std::string name_;
  Spec spec_;
  OnnxValue input_;
  Shape in_, out_;
  std::map<std::string, Tensor, std::less<>> tensors_;
};

}  // namespace eigan
