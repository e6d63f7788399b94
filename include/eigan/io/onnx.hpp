// save_onnx: a model's inference as an ONNX file (https://onnx.ai), which other run times execute. Its input "input"
// ("input.0", "input.1", ... of a network of several) and its output "output" have the axes that PyTorch's users
// expect: [batch, features], and [batch, channels, height, width] for images, where a column of eigan has its channels
// last (core/shape.hpp). Numbers are float32 unless float64 is asked for; tensors have the names of the safetensors
// file.
//
// Layers become operators by the table in io/onnx_operators.hpp; sums are Add, channels side by side Concat. Dropout is
// nothing, and batch normalisation has its statistics.
#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <eigan/core/error.hpp>
#include <eigan/io/atomic_file.hpp>
#include <eigan/io/onnx_graph.hpp>
#include <eigan/io/onnx_layer.hpp>
#include <eigan/io/onnx_operators.hpp>
#include <eigan/io/onnx_writers.hpp>
#include <eigan/net/basic_model.hpp>

namespace eigan {

/// How a file is written.
struct OnnxOptions {
  OnnxOperators operators = {};  ///< with those of your own layers
  Dtype dtype = Dtype::f32;      ///< or f64
};

namespace detail::onnx {

/// Puts a step's tensors where its layer finds them, in the file's order.
template <class T>
void collect(std::map<std::string, OnnxLayer::Tensor, std::less<>>& tensors, const std::vector<Parameter>& places,
             std::span<const T> buffer) {
  for (const Parameter& p : places) {
    OnnxLayer::Tensor& tensor = tensors[p.name];
    tensor.shape = p.file_shape();
    tensor.values.reserve(static_cast<std::size_t>(p.size()));
    p.for_each_in_file_order([&](Index place) {
      tensor.values.push_back(static_cast<double>(buffer[static_cast<std::size_t>(p.offset + place)]));
    });
  }
}

template <class T>
OnnxValue layer(OnnxGraph& graph, const BasicModel<T>& model, const Step<T>& step, const OnnxValue& input,
                const OnnxOperators& operators) {
  const Spec spec = step.spec();
  const OnnxOperators::Writer* const write = operators.find(spec.name);
  if (write == nullptr)
    fail_contract("eigan::save_onnx: layer ", step.name, ", ", spec.text(), ": no operators are known for ", spec.name,
                  "; add them to OnnxOptions::operators");
  std::map<std::string, OnnxLayer::Tensor, std::less<>> tensors;
  collect(tensors, step.table->parameters(step.layer.get()), step.slice(model.params()));
  collect(tensors, step.table->states(step.layer.get()), step.state_slice(model.state()));
  const auto& levels = model.steps().levels();
  OnnxLayer written(graph, step.name, spec, input, levels[step.reads[0]], levels[step.writes], std::move(tensors));
  return (*write)(written);
}

/// The sum, or the channels side by side: there a vector is repeated at every pixel.
template <class T>
OnnxValue join(OnnxGraph& graph, const Steps<T>& net, const Step<T>& step, const std::vector<OnnxValue>& values) {
  std::vector<OnnxValue> inputs;
  for (const std::size_t level : step.reads) inputs.push_back(values[level]);
  if (step.kind == StepKind::sum) {
    OnnxValue sum = inputs[0];
    for (std::size_t i = 1; i < inputs.size(); ++i) sum = graph.add_node(step.name, "Add", {sum, inputs[i]});
    return sum;
  }
  const Shape out = net.levels()[step.writes];
  for (std::size_t i = 0; i < inputs.size() && !out.is_vector(); ++i) {
    const Shape in = net.levels()[step.reads[i]];
    if (!in.is_vector()) continue;
    // Not Expand, which OpenCV 4.6 gives a batch of one.
    const std::vector<double> scales{1, 1, static_cast<double>(out.height), static_cast<double>(out.width)};
    inputs[i] = graph.add_node(
        step.name + ".repeated", "Resize",
        {graph.reshaped(inputs[i], in, true), {}, graph.add_tensor(concat(step.name, ".scales.", i), {4}, scales)},
        repeating());
  }
  return graph.add_node(step.name, "Concat", inputs, {{"axis", std::int64_t{1}}});
}

}  // namespace detail::onnx

/// Writes the file atomically. Error if it cannot be written, or would exceed the 2 GiB that the format allows;
/// std::invalid_argument for a layer whose operators nobody has named, and for batch normalisation without statistics.
template <class T>
void save_onnx(const std::filesystem::path& path, const BasicModel<T>& model, const OnnxOptions& options = {}) {
  const Steps<T>& net = model.steps();
  Scratch<T> scratch = model.scratch(1);  // what infer() would refuse is refused here
  detail::prepare_inference(net, model.params(), model.state(), scratch.prepared(), net.steps().size());
  OnnxGraph graph(options.dtype);
  std::vector<OnnxValue> values;  // of all levels, each with its shape's axes
  for (std::size_t i = 0; i < net.inputs(); ++i)
    values.push_back(graph.add_input(net.inputs() == 1 ? "input" : detail::concat("input.", i), net.levels()[i]));
  for (const Step<T>& step : net.steps()) {
    const OnnxValue value = step.kind == StepKind::layer
                                ? detail::onnx::layer(graph, model, step, values[step.reads[0]], options.operators)
                                : detail::onnx::join(graph, net, step, values);
    const Shape shape = net.levels()[step.writes];
    values.push_back(graph.reshaped(value, shape, !shape.is_vector()));
  }
  const std::string bytes = graph.bytes(values.back(), model.output_shape());
  if (bytes.size() >= std::size_t{1} << 31) {
    detail::fail_data(detail::display(path), ": an ONNX file holds at most 2147483647 bytes, this one would have ",
                      bytes.size());
  }
  write_file(path, bytes);
}

}  // namespace eigan
