#include <doctest/doctest.h>
#include <string>

#include <eigan/net/runtime/layer_text.hpp>

#include "io/support.hpp"

using namespace eigan;

namespace {

std::string error_of(std::string_view text) {
  return test::error_text([&] { parse_layers(text, "here"); });
}

}  // namespace

TEST_CASE("parse_layers: names and settings") {
  const auto layers = parse_layers("Linear(in_features=2, out_features=12), Tanh() ,Dropout( p = 0.25 )", "here");
  REQUIRE(layers.size() == 3);
  CHECK(layers[0].name() == "Linear");
  CHECK(layers[0].size("in_features") == 2);
  CHECK(layers[0].size("out_features") == 12);
  CHECK_NOTHROW(layers[0].check_all_taken());
  CHECK(layers[1].name() == "Tanh");
  CHECK(layers[2].number("p") == 0.25);
  CHECK(layers[2].number("eps", 7) == 7);
}

TEST_CASE("parse_layers: layers inside layers, with their places") {
  const auto layers =
      parse_layers("Residual( Linear(in_features=2, out_features=3) ,A(B(), c=4, D(E()))), F()", "here");
  REQUIRE(layers.size() == 2);
  CHECK(layers[0].place() == "here: layer 0");
  REQUIRE(layers[0].children().size() == 2);
  CHECK(layers[0].children()[0].size("out_features") == 3);
  const LayerText& a = layers[0].children()[1];
  CHECK(a.name() == "A");
  CHECK(a.place() == "here: layer 0.1");
  CHECK(a.size("c") == 4);
  REQUIRE(a.children().size() == 2);
  CHECK(a.children()[1].children()[0].place() == "here: layer 0.1.1.0");
  CHECK(a.children()[1].children()[0].name() == "E");
  CHECK(layers[1].children().empty());
}

TEST_CASE("parse_layers: what is not one layer after the other is an error with its place") {
  CHECK(error_of("") == "here: expected a layer's name at character 0, found ''");
  CHECK(error_of("Tanh") == "here: expected '(' at character 4, found ''");
  CHECK(error_of("Tanh(") == "here: expected a setting at character 5, found ''");
  CHECK(error_of("Tanh(a") == "here: expected '=' at character 6, found ''");
  CHECK(error_of("A(B(") == "here: expected a setting at character 4, found ''");
  CHECK(error_of("A(B()") == "here: expected ',' or ')' at character 5, found ''");
  CHECK(error_of("A(B() C())") == "here: expected ',' or ')' at character 6, found 'C())'");
  CHECK(error_of("A(B(a=1, a=2))") == "here: layer 0.0, B: expected 'a' once, found it twice");
  CHECK(error_of("Tanh(a=") == "here: expected a value at character 7, found ''");
  CHECK(error_of("Tanh(a=1") == "here: expected ',' or ')' at character 8, found ''");
  CHECK(error_of("Tanh(a=1,)") == "here: expected a setting at character 9, found ')'");
  CHECK(error_of("Tanh(a=(1))") == "here: expected a value at character 7, found '(1))'");
  CHECK(error_of("Tanh() Tanh()") == "here: expected ',' or the end at character 7, found 'Tanh()'");
  CHECK(error_of("Tanh(),") == "here: expected a layer's name at character 7, found ''");
  CHECK(error_of("Tanh(a=1, a=2)") == "here: layer 0, Tanh: expected 'a' once, found it twice");
  CHECK(error_of("Tanh(\n\x1b[2J") == "here: expected '=' at character 10, found ''");
  CHECK(test::contains(error_of("Ta\x1b[2Jnh(a=1, a=2)"), "Ta\\x1b[2Jnh"));
}

TEST_CASE("parse_layers: there is an end to what a text may ask for") {
  std::string many = "T()";
  for (int i = 1; i < 10000; ++i) many += ",T()";
  CHECK(parse_layers(many, "here").size() == 10000);
  CHECK(test::contains(error_of(many + ",T()"), "expected at most 10000 layers"));
  std::string settings = "T(a0=1";
  for (int i = 1; i < 16; ++i) settings += ",a" + std::to_string(i) + "=1";
  CHECK(parse_layers(settings + ")", "here").size() == 1);
  CHECK(test::contains(error_of(settings + ",b=1)"), "expected at most 16 settings"));
}

TEST_CASE("parse_layers: there is an end to how deep layers lie inside each other") {
  const auto nested = [](int depth) {
    std::string text = "T()";
    for (int i = 1; i < depth; ++i) text = "R(" + text + ')';
    return text;
  };
  CHECK(parse_layers(nested(64), "here").size() == 1);
  CHECK(test::contains(error_of(nested(65)), "expected at most 64 layers inside each other"));
  CHECK(test::contains(error_of(nested(100000)), "expected at most 64 layers inside each other"));
  // All layers count, wherever they lie.
  std::string many = "T()";
  for (int i = 1; i < 9999; ++i) many += ",T()";
  CHECK(parse_layers("R(" + many + ')', "here")[0].children().size() == 9999);
  CHECK(test::contains(error_of("R(" + many + ",T())"), "expected at most 10000 layers"));
}

TEST_CASE("LayerText: counts may be 0, flags are 0 or 1") {
  const auto layer = parse_layers("L(a=0, b=3, c=-1, d=1, e=2)", "here")[0];
  CHECK(layer.count("a", 7) == 0);
  CHECK(layer.count("b", 7) == 3);
  CHECK(layer.count("z", 7) == 7);
  CHECK(test::error_text([&] { layer.count("c", 7); }) ==
        "here: layer 0, L: 'c': expected 1 to 2147483648, found '-1'");
  CHECK_FALSE(layer.flag("a", true));
  CHECK(layer.flag("d", false));
  CHECK(layer.flag("z", true));
  CHECK(test::error_text([&] { layer.flag("e", false); }) == "here: layer 0, L: 'e': expected 0 or 1, found '2'");
}

TEST_CASE("LayerText: layers inside that nobody asks for are an error") {
  const auto layer = parse_layers("L(A(), B())", "here")[0];
  CHECK(test::error_text([&] { layer.check_all_taken(); }) == "here: layer 0, L: expected no layers inside, found 2");
  CHECK(layer.children().size() == 2);
  CHECK_NOTHROW(layer.check_all_taken());
}

TEST_CASE("LayerText: sizes are whole, positive and not absurd; numbers are numbers") {
  const auto layer =
      parse_layers("L(a=0, b=-1, c=1.5, d=2147483648, e=2147483649, f=99999999999999999999, g=x)", "here")[0];
  CHECK(layer.size("d") == Index{1} << 31);
  for (const char* const key : {"a", "b", "c", "e", "f", "g"}) {
    CAPTURE(key);
    CHECK(test::contains(test::error_text([&] { layer.size(key); }), "expected 1 to 2147483648, found '"));
  }
  CHECK(layer.number("c") == 1.5);
  CHECK(test::error_text([&] { layer.number("g", 1); }) == "here: layer 0, L: 'g': expected a number, found 'x'");
  CHECK(test::error_text([&] { layer.size("z"); }) == "here: layer 0, L: expected the setting 'z', found none");
  CHECK_THROWS_AS(layer.number("z"), Error);
}

TEST_CASE("LayerText: a setting that nobody takes is an error") {
  const auto layer = parse_layers("L(a=1, b=2)", "here")[0];
  layer.size("a");
  CHECK(test::error_text([&] { layer.check_all_taken(); }) ==
        "here: layer 0, L: expected only settings that this layer has, found 'b'");
}
