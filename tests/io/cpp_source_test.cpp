// What the header says; that it compiles, and computes the same, is tested by io/cpp_source.
#include <doctest/doctest.h>
#include <algorithm>
#include <bit>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <limits>
#include <string>
#include <vector>

#include <eigan/eigan.hpp>
#include <eigan/io/cpp_source.hpp>

#include "support.hpp"

using namespace eigan;

namespace {

template <class Net, class T>
std::string source_of(const Model<Net, T>& model, std::string_view name) {
  const test::TemporaryFolder folder;
  save_cpp_source(folder / "network.hpp", model, name);
  std::ifstream file(folder / "network.hpp", std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// The numbers between the braces of parameter_bits, or of state_bits.
std::vector<std::uint64_t> words_of(const std::string& source, const std::string& name = "parameter_bits") {
  std::vector<std::uint64_t> words;
  const std::size_t begin = source.find(name + "[] = {");
  const std::size_t end = source.find("};", begin);
  REQUIRE(end != std::string::npos);
  for (std::size_t at = source.find("0x", begin); at < end; at = source.find("0x", at + 1))
    words.push_back(std::stoull(source.substr(at, 18), nullptr, 16));
  return words;
}

struct Doubler {
  static constexpr bool elementwise = true;
  Spec spec() const { return {"Doubler", {{"factor", 2.0}, {"times", 1}}, "::mine::Doubler", "mine/doubler.hpp"}; }
  template <class T>
  void forward(std::span<const T>, ConstView<T> x, View<T> y) const {
    y = x * T(2);
  }
  template <class T>
  void backward_input(std::span<const T>, ConstView<T>, ConstView<T>, ConstView<T> dy, View<T> dx) const {
    dx = dy * T(2);
  }
};
/// Does not say its type.
struct Nameless : Doubler {
  Spec spec() const { return {"Nameless"}; }
};

}  // namespace

TEST_CASE("save_cpp_source: every layer, with the type and the settings it has") {
  using Net = Sequential<Linear<3, 2>, BatchNorm1d<2>, LeakyReLU, Dropout, Linear<>, ReLU, Tanh, Sigmoid>;
  const Net net{Linear<3, 2>{}, BatchNorm1d<2>(2, 0.5), LeakyReLU(1.0 / 3), Dropout(0.25), Linear<>(2, 2), {}, {}, {}};
  const std::string source = source_of(Model<Net>(net, Rng(1)), "mine::digits");
  for (const char* const line :
       {"::eigan::Sequential(::eigan::Linear<3, 2>{3, 2},\n", "::eigan::BatchNorm1d<2>{2, 0.5},",
        "::eigan::LeakyReLU{0.3333333333333333},", "::eigan::Dropout{0.25},", "::eigan::Linear<2, 2>{2, 2},",
        "::eigan::ReLU{},", "::eigan::Tanh{},", "::eigan::Sigmoid{});", "namespace mine::digits {", "3 in, 2 out",
        "model().infer(x);", "#pragma once", "#include <eigan/eigan.hpp>"}) {
    CAPTURE(line);
    CHECK(test::contains(source, line));
  }
  CHECK_FALSE(test::contains(source, "$"));
}

TEST_CASE("save_cpp_source: branches and images, with the shape of what goes in") {
  const auto network = [](const auto& model) {
    const std::string source = source_of(model, "digits");
    const std::size_t begin = source.find("  return ") + 9;
    return source.substr(begin, source.find(";\n}", begin) - begin);
  };
  CHECK(network(Model<Sequential<Linear<3, 4>, Residual<Linear<4, 4>, Tanh>, Parallel<Linear<4, 1>, Linear<4, 2>>>>(
            Rng(1))) ==
        "::eigan::Sequential(::eigan::Linear<3, 4>{3, 4},\n"
        "                             ::eigan::Residual(::eigan::Linear<4, 4>{4, 4}, ::eigan::Tanh{}),\n"
        "                             ::eigan::Parallel(::eigan::Linear<4, 1>{4, 1}, ::eigan::Linear<4, 2>{4, 2}))");
  CHECK(network(Model<Sequential<Residual<Residual<Linear<2, 2>>>>>(Rng(1))) ==
        "::eigan::Sequential(::eigan::Residual<decltype(::eigan::Residual(::eigan::Linear<2, 2>{2, 2}))>"
        "(::eigan::Residual(::eigan::Linear<2, 2>{2, 2})))");
  const std::string images =
      "::eigan::Sequential(::eigan::Input<3, 4, 6>{},\n                             ::eigan::GlobalAvgPool2d{})";
  CHECK(network(Model<Sequential<Input<3, 4, 6>, GlobalAvgPool2d>>(Rng(1))) == images);
  CHECK(network(Model(Sequential<GlobalAvgPool2d>(), Shape{3, 4, 6}, Rng(1))) == images);
  CHECK(network(Model<Sequential<Input<3, 9, 9>, GlobalAvgPool2d>>(Rng(1)).at({3, 4, 6})) == images);
  const Model<Sequential<Inputs<Input<1, 4, 6>, Input<2>>, GlobalAvgPool2d>> two(Rng(1));
  CHECK(network(two) ==
        "::eigan::Sequential(::eigan::Inputs(::eigan::Input<1, 4, 6>{}, ::eigan::Input<2, 1, 1>{}),\n"
        "                             ::eigan::GlobalAvgPool2d{})");
  CHECK(network(Model<Sequential<Inputs<Sequential<Input<1, 4, 6>, GlobalAvgPool2d>, Input<2>>, Tanh>>(Rng(1))) ==
        "::eigan::Sequential(::eigan::Inputs(::eigan::Sequential(::eigan::Input<1, 4, 6>{}, "
        "::eigan::GlobalAvgPool2d{}), ::eigan::Input<2, 1, 1>{}),\n"
        "                             ::eigan::Tanh{})");
  CHECK(test::contains(source_of(two, "digits"), "1 x 4 x 6 and 2 in, 3 out"));
  CHECK(test::contains(source_of(two, "digits"), "infer({x, x1})"));
}

TEST_CASE("save_cpp_source: every bit of every parameter, whatever it is") {
  Model<Sequential<Linear<3, 5>>> model(Rng(1));
  model.params()[0] = -0.f;
  model.params()[1] = std::numeric_limits<float>::infinity();
  model.params()[2] = std::bit_cast<float>(0x7fc12345u);  // a NaN with something to say
  model.params()[3] = std::numeric_limits<float>::denorm_min();
  const auto words = words_of(source_of(model, "digits"));
  REQUIRE(words.size() == 20);
  for (std::size_t i = 0; i < words.size(); ++i) CHECK(words[i] == std::bit_cast<std::uint32_t>(model.params()[i]));

  const Model<Sequential<Linear<3, 5>>, double> precise(Rng(2));
  const std::string source = source_of(precise, "digits");
  CHECK(test::contains(source, "std::uint64_t parameter_bits[]"));
  const auto long_words = words_of(source);
  REQUIRE(long_words.size() == 20);
  for (std::size_t i = 0; i < 20; ++i) CHECK(long_words[i] == std::bit_cast<std::uint64_t>(precise.params()[i]));
}

TEST_CASE("save_cpp_source: every bit of the state") {
  Model<Sequential<BatchNorm1d<2>>> model(Rng(1));
  std::ranges::copy(std::vector<float>{0.5f, -1, 2, 3, 7}, model.state().begin());
  const std::string source = source_of(model, "digits");
  const auto words = words_of(source, "state_bits");
  REQUIRE(words.size() == 5);
  for (std::size_t i = 0; i < 5; ++i) CHECK(words[i] == std::bit_cast<std::uint32_t>(model.state()[i]));
  CHECK(test::contains(source, "::eigan::Buffer<float> state(5);"));
  CHECK_FALSE(test::contains(source_of(Model<Sequential<Linear<2, 2>>>(Rng(1)), "digits"), "state"));
}

TEST_CASE("save_cpp_source: a layer that does not say its type is refused by name") {
  const test::TemporaryFolder folder;
  const Model<Sequential<Linear<2, 1>, Residual<Nameless>>> model(Rng(1));
  CHECK(test::error_text<std::invalid_argument>([&] { save_cpp_source(folder / "a.hpp", model, "digits"); }) ==
        "eigan::save_cpp_source: expected a layer whose spec() has its type in C++, found Nameless()");
  CHECK(folder.names().empty());
}

TEST_CASE("save_cpp_source: a layer of one's own brings its header, once") {
  const Model<Sequential<Doubler, Linear<2, 1>, Doubler>> model(Rng(1));
  const std::string source = source_of(model, "digits");
  CHECK(test::contains(source, "::eigan::Sequential(::mine::Doubler{2.0, 1},"));
  const std::size_t include = source.find("#include <mine/doubler.hpp>\n");
  REQUIRE(include != std::string::npos);
  CHECK(source.find("#include <mine/doubler.hpp>", include + 1) == std::string::npos);
}

TEST_CASE("save_cpp_source: refuses names that no program could use, and paths") {
  const test::TemporaryFolder folder;
  const Model<Sequential<Linear<1, 1>>> model(Rng(1));
  for (const char* const name :
       {"", "class", "my digits", "std", "std::digits", "eigan", "eigan::digits", "Eigen", "a; int b", "digits {\n}"}) {
    CAPTURE(name);
    CHECK_THROWS_AS(save_cpp_source(folder / "a.hpp", model, name), std::invalid_argument);
  }
  CHECK(test::error_text<std::invalid_argument>([&] { save_cpp_source(folder / "a.hpp", model, "new\n"); }) ==
        "eigan::save_cpp_source: expected a name for a namespace of your own, found 'new\\x0a'");
  CHECK(folder.names().empty());
  CHECK_THROWS_AS(save_cpp_source("/nowhere/at/all.hpp", model, "digits"), Error);
}

TEST_CASE("cpp_literal: a double that reads back") {
  CHECK(cpp_literal(1) == "1.0");
  CHECK(cpp_literal(0.2) == "0.2");
  CHECK(cpp_literal(1e-5) == "1e-05");
  CHECK(cpp_literal(1.0 / 3) == "0.3333333333333333");
  CHECK_THROWS_AS(cpp_literal(std::numeric_limits<double>::infinity()), std::invalid_argument);
}
