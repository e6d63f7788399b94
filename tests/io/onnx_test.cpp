#include <doctest/doctest.h>
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstring>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <eigan/eigan.hpp>
#include <eigan/io/onnx.hpp>
#include <eigan/io/read_file.hpp>

#include "io/support.hpp"

using namespace eigan;

namespace {

/// A reader of the encoding, made from its specification alone: every field of a message, in order.
struct Field {
  int number;
  std::uint64_t value;     // of a varint, or the bits of four bytes
  std::string_view bytes;  // of a length and as many bytes
};

std::uint64_t varint(std::string_view& rest) {
  std::uint64_t value = 0;
  for (unsigned shift = 0;; shift += 7) {
    REQUIRE(!rest.empty());
    const auto byte = static_cast<unsigned char>(rest.front());
    rest.remove_prefix(1);
    value |= static_cast<std::uint64_t>(byte & 127) << shift;
    if (byte < 128) return value;
  }
}

std::vector<Field> fields(std::string_view message) {
  std::vector<Field> all;
  while (!message.empty()) {
    const std::uint64_t key = varint(message);
    Field field{static_cast<int>(key >> 3), 0, {}};
    if ((key & 7) == 0) {
      field.value = varint(message);
    } else if ((key & 7) == 5) {
      REQUIRE(message.size() >= 4);
      std::uint32_t bits = 0;
      std::memcpy(&bits, message.data(), 4);
      field.value = bits;
      message.remove_prefix(4);
    } else {
      REQUIRE((key & 7) == 2);
      const std::uint64_t length = varint(message);
      REQUIRE(length <= message.size());
      field.bytes = message.substr(0, length);
      message.remove_prefix(length);
    }
    all.push_back(field);
  }
  return all;
}
std::vector<Field> fields(std::string_view message, int number) {
  std::vector<Field> some;
  for (const Field& field : fields(message))
    if (field.number == number) some.push_back(field);
  return some;
}
/// The only field of that number.
Field only(std::string_view message, int number) {
  const auto found = fields(message, number);
  REQUIRE(found.size() == 1);
  return found.front();
}

/// A file taken apart.
struct Graph {
  struct Node {
    std::string type, output;
    std::vector<std::string> inputs;
    std::map<std::string, std::string_view> attributes;

    double real(const std::string& name) const {
      REQUIRE(attributes.contains(name));
      return static_cast<double>(std::bit_cast<float>(static_cast<std::uint32_t>(only(attributes.at(name), 2).value)));
    }
    std::uint64_t integer(const std::string& name) const {
      REQUIRE(attributes.contains(name));
      return only(attributes.at(name), 3).value;
    }
    std::string_view text(const std::string& name) const {
      REQUIRE(attributes.contains(name));
      return only(attributes.at(name), 4).bytes;
    }
    std::vector<std::uint64_t> integers(const std::string& name) const {
      REQUIRE(attributes.contains(name));
      std::vector<std::uint64_t> values;
      for (const Field& value : fields(attributes.at(name), 8)) values.push_back(value.value);
      return values;
    }
  };
  struct Tensor {
    std::uint64_t type;
    std::vector<Index> shape;
    std::string_view bytes;

    template <class X>
    std::vector<X> values() const {
      std::vector<X> all(bytes.size() / sizeof(X));
      std::memcpy(all.data(), bytes.data(), bytes.size());
      return all;
    }
  };

  std::string file;
  std::vector<Node> nodes;
  std::map<std::string, Tensor> tensors;
  std::map<std::string, std::vector<std::string>> inputs, outputs;  // extents, of the batch its name

  explicit Graph(std::string bytes) : file(std::move(bytes)) {
    const std::string_view graph = only(file, 7).bytes;
    for (const Field& node : fields(graph, 1)) {
      Node& found = nodes.emplace_back();
      for (const Field& input : fields(node.bytes, 1)) found.inputs.emplace_back(input.bytes);
      found.output = only(node.bytes, 2).bytes;
      found.type = only(node.bytes, 4).bytes;
      for (const Field& attribute : fields(node.bytes, 5))
        found.attributes.emplace(only(attribute.bytes, 1).bytes, attribute.bytes);
    }
    for (const Field& tensor : fields(graph, 5)) {
      Tensor found{only(tensor.bytes, 2).value, {}, only(tensor.bytes, 9).bytes};
      for (const Field& extent : fields(tensor.bytes, 1)) found.shape.push_back(static_cast<Index>(extent.value));
      const std::string name(only(tensor.bytes, 8).bytes);
      CAPTURE(name);
      CHECK(tensors.emplace(name, found).second);
    }
    for (const Field& info : fields(graph, 11)) inputs.emplace(only(info.bytes, 1).bytes, extents(info.bytes));
    for (const Field& info : fields(graph, 12)) outputs.emplace(only(info.bytes, 1).bytes, extents(info.bytes));
    check_order();
  }

  std::vector<std::string> types() const {
    std::vector<std::string> all;
    for (const Node& node : nodes) all.push_back(node.type);
    return all;
  }
  /// The only node of that type.
  const Node& node(const std::string& type) const {
    const auto is = [&](const Node& n) { return n.type == type; };
    CAPTURE(type);
    REQUIRE(std::count_if(nodes.begin(), nodes.end(), is) == 1);
    return *std::find_if(nodes.begin(), nodes.end(), is);
  }

 private:
  static std::vector<std::string> extents(std::string_view info) {
    std::vector<std::string> all;
    const std::string_view tensor = only(only(info, 2).bytes, 1).bytes;
    for (const Field& extent : fields(only(tensor, 2).bytes, 1)) {
      const Field one = fields(extent.bytes).front();
      all.push_back(one.number == 2 ? std::string(one.bytes) : std::to_string(one.value));
    }
    return all;
  }
  /// Each value is made once, before it is used.
  void check_order() const {
    std::set<std::string> known{""};
    for (const auto& [name, shape] : inputs) known.insert(name);
    for (const auto& [name, tensor] : tensors) known.insert(name);
    for (const Node& node : nodes) {
      for (const std::string& input : node.inputs) CHECK_MESSAGE(known.contains(input), input);
      CHECK_MESSAGE(known.insert(node.output).second, node.output);
    }
    CHECK(nodes.back().output == "output");
  }
};

template <class T>
Graph onnx_of(const BasicModel<T>& model, const OnnxOptions& options = {}) {
  const test::TemporaryFolder folder;
  save_onnx(folder / "f", model, options);
  return Graph(test::text_of(read_file(folder / "f")));
}

/// A network of one layer that takes an image.
template <class L>
Graph onnx_of_layer(L layer, Shape in) {
  const Model<Sequential<L>> model(Sequential<L>(std::move(layer)), in, Rng(1));
  return onnx_of(model);
}

using Names = std::vector<std::string>;
using Integers = std::vector<std::uint64_t>;

/// Twice its input, for which nobody has named operators.
struct Doubler {
  static constexpr bool elementwise = true;
  Spec spec() const { return {"Doubler", {{"factor", 2.0}}}; }
  template <class T>
  void forward(std::span<const T>, ConstView<T> x, View<T> y) const {
    y = x * T(2);
  }
  template <class T>
  void backward_input(std::span<const T>, ConstView<T>, ConstView<T>, ConstView<T> dy, View<T> dx) const {
    dx = dy * T(2);
  }
};

}  // namespace

TEST_CASE("save_onnx: nodes, tensors and shapes of a dense network, chained from input to output") {
  using Net = Sequential<Linear<3, 2>, BatchNorm1d<2>, LeakyReLU, Dropout, Linear<2, 2>, ReLU, Tanh, Sigmoid>;
  Model<Net> model(Net{Linear<3, 2>{}, BatchNorm1d<2>(2, 0.5), LeakyReLU(0.25), Dropout(0.5), {}, {}, {}, {}}, Rng(1));
  CHECK(test::contains(test::error_text<std::invalid_argument>([&] { onnx_of(model); }), "estimate_statistics"));
  estimate_statistics(model, Matrix<float>{{1, 2, 3, 5}, {3, 1, 2, 1}, {0, 0, 1, 2}});
  const Graph graph = onnx_of(model);
  CHECK(only(graph.file, 1).value == 7);
  CHECK(only(graph.file, 2).bytes == "eigan");
  CHECK(only(only(graph.file, 8).bytes, 2).value == 13);

  CHECK(graph.types() ==
        Names{"Gemm", "BatchNormalization", "LeakyRelu", "Gemm", "Relu", "Tanh", "Sigmoid", "Identity"});
  std::string value = "input";
  for (const Graph::Node& node : graph.nodes) {
    CHECK(node.inputs.front() == value);
    value = node.output;
  }
  CHECK(graph.nodes[0].inputs == Names{"input", "0.weight", "0.bias"});
  CHECK(graph.nodes[0].integer("transB") == 1);
  CHECK(graph.nodes[1].inputs == Names{"0.Gemm", "1.weight", "1.bias", "1.running_mean", "1.running_var"});
  CHECK(graph.nodes[1].real("epsilon") == 0.5);
  CHECK(graph.nodes[2].real("alpha") == 0.25);
  CHECK(graph.inputs == std::map<std::string, Names>{{"input", {"batch", "3"}}});
  CHECK(graph.outputs == std::map<std::string, Names>{{"output", {"batch", "2"}}});

  CHECK(graph.tensors.size() == 8);
  const auto check = [&](const std::vector<Parameter>& places, std::span<const float> buffer) {
    for (const Parameter& p : places) {
      if (p.integer) continue;  // inference does not count
      REQUIRE(graph.tensors.contains(p.name));
      const Graph::Tensor& tensor = graph.tensors.at(p.name);
      CHECK(tensor.type == 1);
      CHECK(tensor.shape == p.file_shape());
      std::vector<float> expected;
      p.for_each_in_file_order(
          [&](Index place) { expected.push_back(buffer[static_cast<std::size_t>(p.offset + place)]); });
      CHECK(tensor.values<float>() == expected);
    }
  };
  check(model.parameters(), std::as_const(model).params());
  check(model.states(), std::as_const(model).state());
}

TEST_CASE("save_onnx: float32 whatever the model's numbers are, float64 if that is asked for") {
  const Model<Sequential<Linear<>>, double> model(Sequential(Linear<>(4, 5)), Rng(1));
  const Graph narrow = onnx_of(model), wide = onnx_of(model, {.dtype = Dtype::f64});
  CHECK(narrow.tensors.at("0.bias").type == 1);
  CHECK(wide.tensors.at("0.bias").type == 11);
  const auto bias = model.params().subspan(20);
  CHECK(std::ranges::equal(wide.tensors.at("0.bias").values<double>(), bias));
  CHECK(narrow.tensors.at("0.bias").values<float>()[3] == static_cast<float>(bias[3]));
  CHECK(only(only(only(only(wide.file, 7).bytes, 12).bytes, 2).bytes, 1).number == 1);
  CHECK_THROWS_AS(onnx_of(model, {.dtype = Dtype::f16}), std::invalid_argument);
}

TEST_CASE("save_onnx: a layer of one's own has the operators that are named for it") {
  const Model<Sequential<Linear<2, 1>, Doubler>> model(Rng(1));
  CHECK(test::error_text<std::invalid_argument>([&] { onnx_of(model); }) ==
        "eigan::save_onnx: layer 1, Doubler(factor=2): no operators are known for Doubler; add them to "
        "OnnxOptions::operators");
  OnnxOptions options;
  options.operators.add("Doubler", [](OnnxLayer& layer) {
    return layer.node("Mul", {layer.input(), layer.number("factor", layer.spec()["factor"])});
  });
  const Graph graph = onnx_of(model, options);
  CHECK(graph.types() == Names{"Gemm", "Mul", "Identity"});
  CHECK(graph.node("Mul").inputs == Names{"0.Gemm", "1.factor"});
  CHECK(graph.tensors.at("1.factor").shape.empty());
  CHECK(graph.tensors.at("1.factor").values<float>() == std::vector<float>{2});
}

TEST_CASE("save_onnx: images have their channels first; a vector becomes one where an operator wants that") {
  const Graph pooled = onnx_of(Model<Sequential<Input<3, 4, 6>, GlobalAvgPool2d, Linear<3, 2>>>(Rng(1)));
  CHECK(pooled.inputs.at("input") == Names{"batch", "3", "4", "6"});
  CHECK(pooled.types() == Names{"GlobalAveragePool", "Reshape", "Gemm", "Identity"});
  CHECK(pooled.tensors.at(pooled.node("Reshape").inputs[1]).values<std::int64_t>() == std::vector<std::int64_t>{0, 3});

  const Graph grown = onnx_of(Model<Sequential<Input<3>, Upsample<4>, ReLU>>(Rng(1)));
  CHECK(grown.inputs.at("input") == Names{"batch", "3"});
  CHECK(grown.outputs.at("output") == Names{"batch", "3", "4", "4"});
  CHECK(grown.types() == Names{"Reshape", "Resize", "Relu", "Identity"});
  CHECK(grown.tensors.at(grown.node("Reshape").inputs[1]).values<std::int64_t>() ==
        std::vector<std::int64_t>{0, 3, 1, 1});
}

TEST_CASE("save_onnx: layers of images") {
  const Shape in{2, 6, 8};
  const Graph max = onnx_of_layer(MaxPool2d<3, 2, 1>(), in), mean = onnx_of_layer(AvgPool2d<2>(), in);
  CHECK(max.node("MaxPool").integers("kernel_shape") == Integers{3, 3});
  CHECK(max.node("MaxPool").integers("strides") == Integers{2, 2});
  CHECK(max.node("MaxPool").integers("pads") == Integers{1, 1, 1, 1});
  CHECK(mean.node("AveragePool").integers("strides") == Integers{2, 2});
  CHECK(mean.node("AveragePool").integer("count_include_pad") == 1);

  const Graph padded = onnx_of_layer(ReflectionPad2d<2>(), in);
  CHECK(padded.node("Pad").text("mode") == "reflect");
  CHECK(padded.tensors.at("0.pads").values<std::int64_t>() == std::vector<std::int64_t>{0, 0, 2, 2, 0, 0, 2, 2});

  const Graph nearest = onnx_of_layer(Upsample<3>(), in),
              linear = onnx_of_layer(Upsample<2, Interpolation::bilinear>(), in);
  CHECK(nearest.node("Resize").text("mode") == "nearest");
  CHECK(nearest.node("Resize").text("coordinate_transformation_mode") == "asymmetric");
  CHECK(nearest.node("Resize").text("nearest_mode") == "floor");
  CHECK(nearest.tensors.at("0.scales").values<float>() == std::vector<float>{1, 1, 3, 3});
  CHECK(linear.node("Resize").inputs == Names{"input", "", "0.scales"});
  CHECK(linear.node("Resize").text("mode") == "linear");
  CHECK(linear.node("Resize").text("coordinate_transformation_mode") == "half_pixel");

  const Graph instance = onnx_of_layer(InstanceNorm2d<2>(2, 0.25), in);
  CHECK(instance.node("InstanceNormalization").real("epsilon") == 0.25);
  CHECK(instance.tensors.at("0.weight").values<float>() == std::vector<float>{1, 1});
  CHECK(instance.tensors.at("0.bias").values<float>() == std::vector<float>{0, 0});

  const Graph layer = onnx_of_layer(LayerNorm<2, 6, 8>(), in);
  CHECK(layer.types() == Names{"Reshape", "InstanceNormalization", "Reshape", "Mul", "Add", "Identity"});
  CHECK(layer.tensors.at("0.row").values<std::int64_t>() == std::vector<std::int64_t>{0, 1, 96});
  CHECK(layer.tensors.at("0.shape").values<std::int64_t>() == std::vector<std::int64_t>{0, 2, 6, 8});
  CHECK(layer.tensors.at("0.weight").shape == std::vector<Index>{2, 6, 8});

  const Graph flat = onnx_of(Model<Sequential<Input<2, 2, 3>, Flatten, Unflatten<3, 2, 2>>>(Rng(1)));
  CHECK(flat.types() == Names{"Flatten", "Reshape", "Identity"});
  CHECK(flat.tensors.at("1.shape").values<std::int64_t>() == std::vector<std::int64_t>{0, 3, 2, 2});
  CHECK(flat.outputs.at("output") == Names{"batch", "3", "2", "2"});
}

TEST_CASE("save_onnx: convolutions") {
  const Shape in{2, 6, 8};
  const Graph conv = onnx_of_layer(Conv2d<2, 5, 3, 2, 1>(), in);
  CHECK(conv.node("Conv").inputs == Names{"input", "0.weight", "0.bias"});
  CHECK(conv.node("Conv").integers("kernel_shape") == Integers{3, 3});
  CHECK(conv.node("Conv").integers("strides") == Integers{2, 2});
  CHECK(conv.node("Conv").integers("pads") == Integers{1, 1, 1, 1});
  CHECK(conv.tensors.at("0.weight").shape == std::vector<Index>{5, 2, 3, 3});
  CHECK(conv.outputs.at("output") == Names{"batch", "5", "3", "4"});
  CHECK(onnx_of_layer(Conv2d<>(2, 5, 3, 1, 0, false), in).node("Conv").inputs == Names{"input", "0.weight"});

  const Graph transposed = onnx_of_layer(ConvTranspose2d<2, 5, 3, 2, 1, 1>(), in);
  CHECK(transposed.node("ConvTranspose").integers("strides") == Integers{2, 2});
  CHECK(transposed.node("ConvTranspose").integers("pads") == Integers{1, 1, 1, 1});
  CHECK(transposed.node("ConvTranspose").integers("output_padding") == Integers{1, 1});
  CHECK(transposed.tensors.at("0.weight").shape == std::vector<Index>{2, 5, 3, 3});
  CHECK(transposed.outputs.at("output") == Names{"batch", "5", "12", "16"});
}

TEST_CASE("save_onnx: a spectrally normalised weight is written as it is used, before training and after it") {
  Model<Sequential<SpectralNorm<Linear<3, 4>>>> model(Rng(1));
  for (const bool trained : {false, true}) {
    CAPTURE(trained);
    if (trained) {
      const auto layer = SpectralNorm<Linear<3, 4>>().at({3});
      for (int i = 0; i < 3; ++i) layer.update_state(std::as_const(model).params(), model.state());
    }
    const Graph graph = onnx_of(model);
    CHECK(graph.types() == Names{"Gemm", "Identity"});
    CHECK(graph.tensors.size() == 2);
    const auto weight = graph.tensors.at("0.weight").values<float>();
    const Matrix<float> x = Matrix<float>::Identity(3, 3), y = model.infer(x);
    const std::span<const float> bias = std::as_const(model).params().subspan(12);
    for (Index i = 0; i < 4; ++i)
      for (Index j = 0; j < 3; ++j)
        CHECK(std::abs(weight[static_cast<std::size_t>(3 * i + j)] + bias[static_cast<std::size_t>(i)] - y(i, j)) <
              1e-5f);
  }
}

TEST_CASE("save_onnx: activations") {
  const auto types = [](auto layer) { return onnx_of(Model(Sequential(Linear<>(2, 3), layer), Rng(1))).types(); };
  CHECK(types(ELU(0.5)) == Names{"Gemm", "Elu", "Identity"});
  CHECK(types(GELU()) == Names{"Gemm", "Mul", "Erf", "Add", "Mul", "Mul", "Identity"});
  CHECK(types(SiLU()) == Names{"Gemm", "Sigmoid", "Mul", "Identity"});
  CHECK(types(Softplus()) == Names{"Gemm", "Softplus", "Identity"});
  CHECK(types(Softplus(2)) == Names{"Gemm", "Mul", "Softplus", "Div", "Identity"});
  CHECK(test::contains(test::error_text<std::invalid_argument>([&] { types(Softplus(1, 2)); }), "threshold"));
  CHECK(types(PReLU()) == Names{"Gemm", "PRelu", "Identity"});
  CHECK(onnx_of_layer(PReLU(2), {2, 3, 3}).tensors.at("0.weight").shape == std::vector<Index>{2, 1, 1});
  CHECK(onnx_of_layer(PReLU(2), {2}).tensors.at("0.weight").shape == std::vector<Index>{2});
}

TEST_CASE("save_onnx: branches: sums, channels side by side, several inputs, a vector among images") {
  const Graph residual = onnx_of(Model<Sequential<Residual<Linear<3, 3>, Tanh>>>(Rng(1)));
  CHECK(residual.types() == Names{"Gemm", "Tanh", "Add", "Identity"});
  CHECK(residual.node("Add").inputs == Names{"input", "0.body.1.Tanh"});
  CHECK(residual.tensors.contains("0.body.0.weight"));

  const Graph heads = onnx_of(Model<Sequential<Parallel<Linear<3, 1>, Linear<3, 2>>>>(Rng(1)));
  CHECK(heads.node("Concat").inputs == Names{"0.0.Gemm", "0.1.Gemm"});
  CHECK(heads.node("Concat").integer("axis") == 1);

  using Both = Sequential<Inputs<Input<1, 4, 6>, Input<5>>, SkipConnection<ReLU>>;
  const Graph both = onnx_of(Model<Both>(Rng(1)));
  CHECK(both.inputs ==
        std::map<std::string, Names>{{"input.0", {"batch", "1", "4", "6"}}, {"input.1", {"batch", "5"}}});
  CHECK(both.outputs.at("output") == Names{"batch", "12", "4", "6"});
  CHECK(both.types() == Names{"Reshape", "Resize", "Concat", "Relu", "Concat", "Identity"});
  CHECK(both.tensors.at(both.node("Resize").inputs[2]).values<float>() == std::vector<float>{1, 1, 4, 6});
  CHECK(both.node("Resize").text("mode") == "nearest");

  using Behind = Sequential<Inputs<Sequential<Input<1, 4, 6>, Conv2d<1, 1, 1>, Flatten>, Input<5>>, Linear<29, 2>>;
  const Graph behind = onnx_of(Model<Behind>(Rng(1)));
  CHECK(behind.inputs == both.inputs);
  CHECK(behind.node("Concat").inputs.at(1) == "input.1");
  CHECK(behind.tensors.contains("inputs.0.0.weight"));
  CHECK(behind.tensors.contains("0.weight"));
}

TEST_CASE("save_onnx: a file that cannot be written is an error") {
  const Model<Sequential<Linear<1, 1>>> model(Rng(1));
  CHECK_THROWS_AS(save_onnx("/nowhere/at/all.onnx", model), Error);
}
