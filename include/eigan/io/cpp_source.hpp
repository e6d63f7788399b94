// save_cpp_source: a model as a C++ header. A program that includes it has the trained network compiled in: at run
// time it reads no file. Namespace `digits` then has
//
//   const Model& model()      the model, made once and shared by all threads:  digits::model().infer(x)
//   Model make_model()        another of your own, to train on
//
// where Model is the type that was saved and its parameters have the same bits. The header needs <eigan/eigan.hpp>.
// A layer of your own takes part through a function that argument-dependent lookup finds:
//   eigan::CppExpression cpp_expression(const MyLayer& layer);
#pragma once

#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

#include <eigan/core/error.hpp>
#include <eigan/core/exact_text.hpp>
#include <eigan/core/finite.hpp>
#include <eigan/core/printable.hpp>
#include <eigan/io/atomic_file.hpp>
#include <eigan/io/cpp_namespace.hpp>
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

/// How a layer is written in C++, say `Swish(1.5)` behind its namespaces, two colons first; and its header, say
/// `mine/swish.hpp`.
struct CppExpression {
  std::string text;         ///< makes the layer
  std::string header = {};  ///< empty for a layer of eigan's
};

/// A finite number as a literal of type double that has the same bits.
inline std::string cpp_literal(double number) {
  if (!detail::is_finite(number)) detail::fail_contract("eigan::cpp_literal: expected a finite number, is ", number);
  std::string text = exact_text(number);
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  return text;
}

/// How each layer of eigan is written.
template <Index In, Index Out>
CppExpression cpp_expression(const Linear<In, Out>& layer) {
  const std::string sizes = detail::concat('(', layer.input_size(), ", ", layer.output_size(), ')');
  if constexpr (In == dynamic && Out == dynamic)
    return {"::eigan::Linear<>" + sizes};
  else
    return {detail::concat("::eigan::Linear<", In, ", ", Out, '>', sizes)};
}
template <Index Features>
CppExpression cpp_expression(const BatchNorm1d<Features>& layer) {
  return {
      detail::concat("::eigan::BatchNorm1d<", Features, ">(", layer.input_size(), ", ", cpp_literal(layer.eps()), ')')};
}
inline CppExpression cpp_expression(const ReLU&) {
  return {"::eigan::ReLU()"};
}
inline CppExpression cpp_expression(const LeakyReLU& layer) {
  return {"::eigan::LeakyReLU(" + cpp_literal(layer.negative_slope()) + ")"};
}
inline CppExpression cpp_expression(const Tanh&) {
  return {"::eigan::Tanh()"};
}
inline CppExpression cpp_expression(const Sigmoid&) {
  return {"::eigan::Sigmoid()"};
}
inline CppExpression cpp_expression(const Dropout& layer) {
  return {"::eigan::Dropout(" + cpp_literal(layer.p()) + ")"};
}

namespace detail {

/// The numbers' bits as integers, which compilers read fast, and which a NaN survives.
template <class T>
void append_words(std::string& source, std::span<const T> values) {
  using Word = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;
  constexpr std::size_t a_line = 40 / sizeof(T);
  std::array<char, 16> digits{};  // room for every word
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto end =
        std::to_chars(digits.data(), digits.data() + digits.size(), std::bit_cast<Word>(values[i]), 16).ptr;
    source.append(i % a_line == 0 ? "\n    0x" : " 0x").append(digits.data(), end).append(",");
  }
}

inline constexpr std::string_view cpp_source_text =
    R"(// A trained network: $inputs$ features in, $outputs$ out. Written by eigan $version$.
//     const eigan::Matrix<$scalar$> y = $name$::model().infer(x);
#pragma once

#include <bit>
#include <cstdint>
#include <utility>

$includes$
namespace $name$ {

inline auto make_network() {
  return ::eigan::Sequential($layers$);
}
using Network = decltype(make_network());
using Model = ::eigan::Model<Network, $scalar$>;

/// The parameters, in the order of Model::params().
inline constexpr std::$word$ parameter_bits[] = {$bits$};

/// A model of your own.
inline Model make_model() {
  ::eigan::Buffer<$scalar$> parameters($size$);
  for (::eigan::Index i = 0; i < parameters.size(); ++i) parameters[i] = ::std::bit_cast<$scalar$>(parameter_bits[i]);
  return Model(make_network(), ::std::move(parameters));
}

/// The model, for all threads.
inline const Model& model() {
  static const Model shared = make_model();
  return shared;
}

}  // namespace $name$
)";

/// `text` with what `values` has for each $key$.
inline std::string fill_in(std::string_view text, const std::map<std::string_view, std::string>& values) {
  std::string filled;
  for (std::size_t begin = text.find('$'); begin != std::string_view::npos; begin = text.find('$')) {
    const std::size_t end = text.find('$', begin + 1);
    filled.append(text.substr(0, begin)).append(values.at(text.substr(begin + 1, end - begin - 1)));
    text.remove_prefix(end + 1);
  }
  return filled.append(text);
}

}  // namespace detail

/// Writes the header atomically. `name`: its namespace, which may have `::` inside. std::invalid_argument if a program
/// cannot have a namespace of that name (is_cpp_namespace), Error if the file cannot be written.
template <class Net, class T>
void save_cpp_source(const std::filesystem::path& path, const Model<Net, T>& model, std::string_view name) {
  static_assert(std::is_same_v<T, float> || std::is_same_v<T, double>, "eigan::save_cpp_source: float or double");
  const std::string_view outermost = name.substr(0, name.find("::"));
  if (!is_cpp_namespace(name) || outermost == "eigan" || outermost == "Eigen")
    detail::fail_contract("eigan::save_cpp_source: expected a name for a namespace of your own, found '",
                          printable(name), "'");
  const auto& net = model.net();
  std::set<std::string> headers{"eigan/eigan.hpp"};
  std::string includes, layers, bits;
  net.for_each_layer([&](auto i) {
    const CppExpression layer = cpp_expression(net.layer(i));
    if (!layer.header.empty()) headers.insert(layer.header);
    layers += (i == 0 ? "" : ",\n                             ") + layer.text;
  });
  for (const std::string& header : headers) includes += "#include <" + header + ">\n";
  detail::append_words(bits, model.params());
  if (bits.empty()) bits = "0";  // C++ has no empty arrays

  write_file(path, detail::fill_in(detail::cpp_source_text, {{"inputs", std::to_string(net.input_size())},
                                                             {"outputs", std::to_string(net.output_size())},
                                                             {"size", std::to_string(net.param_size())},
                                                             {"version", version},
                                                             {"scalar", sizeof(T) == 4 ? "float" : "double"},
                                                             {"word", sizeof(T) == 4 ? "uint32_t" : "uint64_t"},
                                                             {"name", std::string(name)},
                                                             {"includes", includes},
                                                             {"layers", layers},
                                                             {"bits", bits}}));
}

}  // namespace eigan
