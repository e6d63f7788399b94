#include <doctest/doctest.h>
#include <array>
#include <bit>
#include <cstddef>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include <eigan/io/onnx.hpp>
#include <eigan/net/sequential.hpp>

#include "support.hpp"

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

template <class Net, class T>
std::string onnx_of(const Model<Net, T>& model) {
  const auto path = std::filesystem::temp_directory_path() / detail::concat("eigan_onnx_", &model, ".onnx");
  save_onnx(path, model);
  std::ifstream file(path, std::ios::binary);
  std::string bytes{std::istreambuf_iterator<char>(file), {}};
  std::filesystem::remove(path);
  return bytes;
}

struct Doubler {
  static constexpr bool elementwise = true;
  std::string describe() const { return "Doubler()"; }
  template <class T>
  void forward(std::span<const T>, ConstView<T> x, View<T> y) const {
    y = x * T(2);
  }
  template <class T>
  void backward_input(std::span<const T>, ConstView<T>, ConstView<T>, ConstView<T> dy, View<T> dx) const {
    dx = dy * T(2);
  }
};
template <class T>
void add_onnx_nodes(OnnxGraph<T>& graph, const Doubler&, std::span<const T>) {
  const std::array<T, 1> two{2};
  graph.add_tensor("two", {1}, std::span<const T>(two));
  graph.add_node("Mul", {"two"});
}

}  // namespace

TEST_CASE("save_onnx: nodes, tensors and shapes of every layer, chained from input to output") {
  using Net = Sequential<Linear<3, 2>, BatchNorm1d<2>, LeakyReLU, Dropout, Linear<2, 2>, ReLU, Tanh, Sigmoid>;
  const Model<Net> model(Net{Linear<3, 2>{}, BatchNorm1d<2>(2, 0.5), LeakyReLU(0.25), Dropout(0.5), {}, {}, {}, {}},
                         Rng(1));
  const std::string file = onnx_of(model);
  CHECK(only(file, 1).value == 7);
  CHECK(only(file, 2).bytes == "eigan");
  CHECK(only(only(file, 8).bytes, 2).value == 13);
  const std::string_view graph = only(file, 7).bytes;

  std::vector<std::string> operators;
  std::string_view value = "input";
  for (const Field& node : fields(graph, 1)) {
    CHECK(fields(node.bytes, 1).front().bytes == value);
    value = only(node.bytes, 2).bytes;
    operators.emplace_back(only(node.bytes, 4).bytes);
  }
  CHECK(value == "output");
  CHECK(operators == std::vector<std::string>{"Gemm", "BatchNormalization", "LeakyRelu", "Gemm", "Relu", "Tanh",
                                              "Sigmoid", "Identity"});
  const auto nodes = fields(graph, 1);
  const std::string_view transposed = only(nodes[0].bytes, 5).bytes;
  CHECK(only(transposed, 1).bytes == "transB");
  CHECK(only(transposed, 3).value == 1);
  CHECK(only(transposed, 20).value == 2);
  CHECK(std::bit_cast<float>(static_cast<std::uint32_t>(only(only(nodes[1].bytes, 5).bytes, 2).value)) == 0.5f);
  CHECK(std::bit_cast<float>(static_cast<std::uint32_t>(only(only(nodes[2].bytes, 5).bytes, 2).value)) == 0.25f);

  std::map<std::string, std::string_view, std::less<>> tensors;
  for (const Field& tensor : fields(graph, 5)) {
    CHECK(only(tensor.bytes, 2).value == 1);
    tensors.emplace(only(tensor.bytes, 8).bytes, tensor.bytes);
  }
  CHECK(tensors.size() == 8);
  for (const Parameter& p : model.parameters()) {
    REQUIRE(tensors.contains(p.name));
    const auto dims = fields(tensors.find(p.name)->second, 1);
    REQUIRE(static_cast<int>(dims.size()) == p.rank);
    CHECK(static_cast<Index>(dims[0].value) == p.rows);
    const std::string_view raw = only(tensors.find(p.name)->second, 9).bytes;
    REQUIRE(static_cast<Index>(raw.size()) == p.size() * Index{sizeof(float)});
    for (Index row = 0; row < p.rows; ++row)
      for (Index col = 0; col < p.cols; ++col) {
        float element = 0;
        std::memcpy(&element, raw.data() + static_cast<std::size_t>(row * p.cols + col) * sizeof element,
                    sizeof element);
        CHECK(element == model.params()[static_cast<std::size_t>(p.offset + col * p.rows + row)]);
      }
  }
  for (const auto& [number, name, size] : {std::tuple(11, "input", 3u), std::tuple(12, "output", 2u)}) {
    const std::string_view info = only(graph, number).bytes;
    CHECK(only(info, 1).bytes == name);
    const std::string_view tensor = only(only(info, 2).bytes, 1).bytes;
    CHECK(only(tensor, 1).value == 1);
    const auto dims = fields(only(tensor, 2).bytes, 1);
    REQUIRE(dims.size() == 2);
    CHECK(only(dims[0].bytes, 2).bytes == "batch");
    CHECK(only(dims[1].bytes, 1).value == size);
  }
}

TEST_CASE("save_onnx: double, sizes at run time, a layer of one's own, nothing but dropout") {
  const Model<Sequential<Linear<>, Doubler>, double> model(Sequential(Linear<>(4, 5), Doubler{}), Rng(1));
  const std::string file = onnx_of(model);
  const std::string_view graph = only(file, 7).bytes;
  CHECK(fields(graph, 1).size() == 3);
  CHECK(only(fields(graph, 1)[1].bytes, 4).bytes == "Mul");
  for (const Field& tensor : fields(graph, 5)) CHECK(only(tensor.bytes, 2).value == 11);
  CHECK(only(fields(graph, 5)[2].bytes, 8).bytes == "1.two");
  CHECK(only(only(only(graph, 12).bytes, 2).bytes, 1).number == 1);
}

TEST_CASE("save_onnx: a file that cannot be written is an error") {
  const Model<Sequential<Linear<1, 1>>> model(Rng(1));
  CHECK_THROWS_AS(save_onnx("/nowhere/at/all.onnx", model), Error);
}
