#include <doctest/doctest.h>
#include <string>

#include <eigan/net/runtime/layer_registry.hpp>

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
       {"Linear(in_features=3, out_features=2)",
        "Dropout(p=0.3)",
        "Input(channels=3, height=1, width=1)",
        "Input(channels=3, height=4, width=5)",
        "Flatten()",
        "Unflatten(channels=2, height=3, width=4)",
        "ReLU()",
        "LeakyReLU(negative_slope=0.3333333333333333)",
        "PReLU(num_parameters=4)",
        "PReLU(num_parameters=4, init=0.5)",
        "ELU(alpha=0.5)",
        "GELU()",
        "SiLU()",
        "Softplus(beta=2, threshold=10)",
        "Tanh()",
        "Sigmoid()",
        "Conv2d(in_channels=3, out_channels=8, kernel_size=4, stride=2, padding=1, bias=1)",
        "Conv2d(in_channels=3, out_channels=8, kernel_size=1, stride=1, padding=0, bias=0)",
        "ConvTranspose2d(in_channels=8, out_channels=3, kernel_size=4, stride=2, padding=1, output_padding=1, bias=0)",
        "MaxPool2d(kernel_size=3, stride=2, padding=1)",
        "AvgPool2d(kernel_size=2, stride=2, padding=0)",
        "GlobalAvgPool2d()",
        "Upsample(scale_factor=2, bilinear=1)",
        "ReflectionPad2d(padding=3)",
        "BatchNorm1d(num_features=7, eps=0.001)",
        "BatchNorm2d(num_features=7, eps=0.001)",
        "InstanceNorm2d(num_features=7, eps=0.001, affine=1)",
        "LayerNorm(channels=7, height=2, width=3, eps=0.001)",
        "SpectralNorm(Linear(in_features=3, out_features=2))",
        "SpectralNorm(Conv2d(in_channels=3, out_channels=8, kernel_size=4, stride=2, padding=1, bias=0))"}) {
    CHECK(made(text).spec().text() == text);
  }
  CHECK(made("LeakyReLU()").spec().text() == LeakyReLU().spec().text());
  CHECK(made("Dropout()").spec().text() == Dropout().spec().text());
  CHECK(made("Input(channels=7)").spec().text() == "Input(channels=7, height=1, width=1)");
  CHECK(made("LayerNorm(channels=7)").spec().text() == LayerNorm<7>().spec().text());
  CHECK(made("MaxPool2d(kernel_size=3)").spec().text() == "MaxPool2d(kernel_size=3, stride=3, padding=0)");
  CHECK(made("BatchNorm1d(num_features=7)").spec().text() == BatchNorm1d<7>().spec().text());
}

TEST_CASE("LayerRegistry: wrong settings are errors, also those that only the layer refuses") {
  const auto error = [](std::string_view text) { return test::error_text([&] { made(text); }); };
  CHECK(error("Linear(in_features=3)") == "here: layer 0, Linear: expected the setting 'out_features', found none");
  CHECK(error("Input(channels=3, height=8)") ==
        "here: layer 0, Input: expected height and width together, found one of them");
  CHECK(error("LayerNorm(channels=3, width=8)") ==
        "here: layer 0, LayerNorm: expected height and width together, found one of them");
  CHECK(error("ReLU(inplace=1)") == "here: layer 0, ReLU: expected only settings that this layer has, found 'inplace'");
  CHECK(error("Dropout(p=1)") == "here: layer 0, Dropout: eigan::Dropout: p must be in [0, 1), is 1");
  CHECK(error("Conv3d()").starts_with("here: layer 0, Conv3d: expected one of AvgPool2d, BatchNorm1d, "));
  CHECK(error("Conv3d()").ends_with(", Upsample, found no layer of this name"));
  CHECK(error("Tanh(Tanh())") == "here: layer 0, Tanh: expected no layers inside, found 1");
  CHECK(error("Conv2d(in_channels=3, out_channels=8, kernel_size=1, bias=2)") ==
        "here: layer 0, Conv2d: 'bias': expected 0 or 1, found '2'");
}

TEST_CASE("LayerRegistry: SpectralNorm takes one layer, a Linear or a Conv2d") {
  const auto error = [](std::string_view text) { return test::error_text([&] { made(text); }); };
  CHECK(error("SpectralNorm()") == "here: layer 0, SpectralNorm: expected one layer inside, found 0");
  CHECK(error("SpectralNorm(Linear(in_features=3, out_features=2), ReLU())") ==
        "here: layer 0, SpectralNorm: expected one layer inside, found 2");
  CHECK(error("SpectralNorm(ReLU())") == "here: layer 0, SpectralNorm: takes a Linear or a Conv2d, found ReLU");
  CHECK(error("SpectralNorm(Linear(in_features=3))") ==
        "here: layer 0.0, Linear: expected the setting 'out_features', found none");
  CHECK(error("SpectralNorm(Linear(in_features=3, out_features=2, bias=0))") ==
        "here: layer 0.0, Linear: expected only settings that this layer has, found 'bias'");
  CHECK(error("SpectralNorm(Linear(in_features=3, out_features=2), eps=1)") ==
        "here: layer 0, SpectralNorm: expected only settings that this layer has, found 'eps'");
}

TEST_CASE("LayerRegistry: dilation and groups of convolutions are refused by name") {
  for (const std::string name : {"Conv2d", "ConvTranspose2d"}) {
    const std::string sizes = name + "(in_channels=4, out_channels=8, kernel_size=3";
    const auto error = [&](const std::string& setting) {
      return test::error_text([&] { made(sizes + ", " + setting + ")"); });
    };
    CHECK(made(sizes + ", dilation=1, groups=1)").spec() == made(sizes + ")").spec());
    CHECK(error("dilation=2") ==
          "here: layer 0, " + name + ": eigan::" + name + ": dilation must be 1, is 2; others are not built");
    CHECK(error("groups=4") ==
          "here: layer 0, " + name + ": eigan::" + name + ": groups must be 1, is 4; others are not built");
    CHECK(error("groups=0") ==
          "here: layer 0, " + name + ": eigan::" + name + ": groups must be 1, is 0; others are not built");
  }
  CHECK(test::error_text([] {
          made("SpectralNorm(Conv2d(in_channels=4, out_channels=8, kernel_size=3, groups=2))");
        }) == "here: layer 0, SpectralNorm: eigan::Conv2d: groups must be 1, is 2; others are not built");
}

TEST_CASE("LayerRegistry: layers of one's own, which may take another's name") {
  LayerRegistry layers;
  layers.add("Square", [](const LayerText& text) { return own::Square{text.number("scale")}; });
  CHECK(made("Square(scale=0.75)", layers).spec().text() == "Square(scale=0.75)");
  CHECK_THROWS_AS(made("Square(scale=0.75)"), Error);
  layers.add("Tanh", [](const LayerText&) { return own::Square{1}; });
  CHECK(made("Tanh()", layers).spec().text() == "Square(scale=1)");
}
