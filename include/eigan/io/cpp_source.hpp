// save_cpp_source: a model as a C++ header. A program that includes it has the trained network compiled in: at run
// time it reads no file. Namespace `digits` then has
//
//   const Model& model()      the model, made once and shared by all threads:  digits::model().infer(x)
//   Model make_model()        another of your own, to train on
//
// where Model has the layers that were saved, and parameters and state of the same bits. The header needs
// <eigan/eigan.hpp>. A layer of your own takes part if its spec() states its type in C++ and the header that has it.
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
#include <vector>

#include <eigan/core/error.hpp>
#include <eigan/core/exact_text.hpp>
#include <eigan/core/finite.hpp>
#include <eigan/core/printable.hpp>
#include <eigan/core/shape.hpp>
#include <eigan/core/spec.hpp>
#include <eigan/io/atomic_file.hpp>
#include <eigan/io/cpp_namespace.hpp>
#include <eigan/net/input.hpp>
#include <eigan/net/model.hpp>
#include <eigan/net/steps.hpp>
#include <eigan/version.hpp>

namespace eigan {

/// A finite number as a literal of type double that has the same bits.
inline std::string cpp_literal(double number) {
  if (!detail::is_finite(number)) detail::fail_contract("eigan::cpp_literal: expected a finite number, is ", number);
  std::string text = exact_text(number);
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  return text;
}

namespace detail {

/// C++ that makes a layer, or a composition with all that it holds; the headers that this needs are added to `headers`.
inline std::string cpp_expression(const Spec& spec, std::set<std::string>& headers, std::string_view comma = ", ") {
  if (spec.type.empty())
    fail_contract("eigan::save_cpp_source: expected a layer whose spec() has its type in C++, found ", spec.text());
  if (!spec.header.empty()) headers.insert(spec.header);
  std::string list;
  const auto add = [&](const std::string& argument) { list.append(list.empty() ? "" : comma).append(argument); };
  for (const Setting& setting : spec.settings) add(setting.whole ? setting.text() : cpp_literal(setting.value));
  if (spec.children.empty()) return spec.type + '{' + list + '}';  // braces, so that a struct needs no constructor

  for (const Spec& child : spec.children) add(cpp_expression(child, headers));
  // A composition of one of its own kind would be taken for a copy.
  const bool alike = spec.children.size() == 1 && spec.children[0].type == spec.type;
  return spec.type + (alike ? "<decltype(" + list + ")>(" : "(") + list + ')';
}

/// A model's network. The types of its inputs say their shapes, so they need no arguments.
template <class Net, class T>
Spec cpp_network(const Model<Net, T>& model) {
  Spec net = model.spec();
  Spec& first = net.children.front();
  if (first.name == "Input") first.settings.clear();
  if (first.name == "Inputs")
    for (Spec& part : first.children)
      if (Spec* const input = input_in_front(part)) input->settings.clear();
  return net;
}

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
    R"(// A trained network: $inputs$ in, $outputs$ out. Written by eigan $version$.
//     const eigan::Matrix<$scalar$> y = $name$::model().infer($arguments$);
#pragma once

#include <bit>
#include <cstdint>
#include <utility>

$includes$
namespace $name$ {

inline auto make_network() {
  return $network$;
}
using Network = decltype(make_network());
using Model = ::eigan::Model<Network, $scalar$>;

/// The parameters, in the order of Model::params().
inline constexpr std::$word$ parameter_bits[] = {$bits$};
$state$
/// A model of your own.
inline Model make_model() {
  ::eigan::Buffer<$scalar$> parameters($size$);
  for (::eigan::Index i = 0; i < parameters.size(); ++i) parameters[i] = ::std::bit_cast<$scalar$>(parameter_bits[i]);
$set_state$}

/// The model, for all threads.
inline const Model& model() {
  static const Model shared = make_model();
  return shared;
}

}  // namespace $name$
)";
inline constexpr std::string_view cpp_without_state = "  return Model(make_network(), ::std::move(parameters));\n";
inline constexpr std::string_view cpp_with_state =
    R"(  ::eigan::Buffer<$scalar$> state($size$);
  for (::eigan::Index i = 0; i < state.size(); ++i) state[i] = ::std::bit_cast<$scalar$>(state_bits[i]);
  return Model(make_network(), ::std::move(parameters), ::std::move(state));
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
/// cannot have a namespace of that name (is_cpp_namespace) or if a layer does not say its type, Error if the file
/// cannot be written.
template <class Net, class T>
void save_cpp_source(const std::filesystem::path& path, const Model<Net, T>& model, std::string_view name) {
  static_assert(std::is_same_v<T, float> || std::is_same_v<T, double>, "eigan::save_cpp_source: float or double");
  const std::string_view outermost = name.substr(0, name.find("::"));
  if (!is_cpp_namespace(name) || outermost == "eigan" || outermost == "Eigen")
    detail::fail_contract("eigan::save_cpp_source: expected a name for a namespace of your own, found '",
                          printable(name), "'");
  std::set<std::string> headers{"eigan/eigan.hpp"};
  const std::string network =
      detail::cpp_expression(detail::cpp_network(model), headers, ",\n                             ");
  std::string includes, inputs, arguments, bits, state;
  for (const std::string& header : headers) includes += "#include <" + header + ">\n";
  for (std::size_t i = 0; i < model.steps().inputs(); ++i) {
    inputs += (i == 0 ? "" : " and ") + shape_text(model.input_shape(i));
    arguments += i == 0 ? "x" : detail::concat(", x", i);
  }
  if (model.steps().inputs() > 1) arguments = '{' + arguments + '}';
  detail::append_words(bits, model.params());
  if (bits.empty()) bits = "0";  // C++ has no empty arrays

  const std::string scalar = sizeof(T) == 4 ? "float" : "double", word = sizeof(T) == 4 ? "uint32_t" : "uint64_t";
  std::string set_state(detail::cpp_without_state);
  if (model.state_size() > 0) {
    state = "/// The state, in the order of Model::state().\ninline constexpr std::" + word + " state_bits[] = {";
    detail::append_words(state, model.state());
    state += "};\n";
    set_state =
        detail::fill_in(detail::cpp_with_state, {{"scalar", scalar}, {"size", std::to_string(model.state_size())}});
  }
  write_file(path, detail::fill_in(detail::cpp_source_text, {{"inputs", inputs},
                                                             {"outputs", shape_text(model.output_shape())},
                                                             {"arguments", arguments},
                                                             {"size", std::to_string(model.param_size())},
                                                             {"version", version},
                                                             {"scalar", scalar},
                                                             {"word", word},
                                                             {"name", std::string(name)},
                                                             {"includes", includes},
                                                             {"network", network},
                                                             {"bits", bits},
                                                             {"state", state},
                                                             {"set_state", set_state}}));
}

}  // namespace eigan
