#include <doctest/doctest.h>
#include <string>

#include <eigan/net/layer_registry.hpp>

#include "io/support.hpp"
#include "net/own_layers.hpp"

using namespace eigan;

namespace {

AnyLayer made(std::string_view text, const LayerRegistry& layers = {}) {
  return layers.make(parse_layers(text, "here").at(0));
}

}  // namespace

TEST_CASE("LayerRegistry: every layer of the library from its own text") {
  for (const char* const text :
       {"Linear(in_features=3, out_features=2)", "ReLU()", "LeakyReLU(negative_slope=0.3333333333333333)", "Tanh()",
        "Sigmoid()", "Dropout(p=0.3)", "BatchNorm1d(num_features=7, eps=0.001)"}) {
    CHECK(made(text).describe() == text);
  }
  CHECK(made("LeakyReLU()").describe() == LeakyReLU().describe());
  CHECK(made("Dropout()").describe() == Dropout().describe());
  CHECK(made("BatchNorm1d(num_features=7)").describe() == BatchNorm1d<7>().describe());
}

TEST_CASE("LayerRegistry: wrong settings are errors, also those that only the layer refuses") {
  const auto error = [](std::string_view text) { return test::error_text([&] { made(text); }); };
  CHECK(error("Linear(in_features=3)") == "here: layer 0, Linear: expected the setting 'out_features', found none");
  CHECK(error("ReLU(inplace=1)") == "here: layer 0, ReLU: expected only settings that this layer has, found 'inplace'");
  CHECK(error("Dropout(p=1)") == "here: layer 0, Dropout: eigan::Dropout: p must be in [0, 1), is 1");
  CHECK(error("Conv2d()") ==
        "here: layer 0, Conv2d: expected one of BatchNorm1d, Dropout, LeakyReLU, Linear, ReLU, Sigmoid, Tanh, found no "
        "layer of this name");
}

TEST_CASE("LayerRegistry: layers of one's own, which may take another's name") {
  LayerRegistry layers;
  layers.add("Square", [](const LayerText& text) { return own::Square{text.number("scale")}; });
  CHECK(made("Square(scale=0.75)", layers).describe() == "Square(scale=0.75)");
  CHECK_THROWS_AS(made("Square(scale=0.75)"), Error);
  layers.add("Tanh", [](const LayerText&) { return own::Square{1}; });
  CHECK(made("Tanh()", layers).describe() == "Square(scale=1)");
}
