#include <doctest/doctest.h>
#include <string>
#include <vector>

#include <eigan/layers/dropout.hpp>
#include <eigan/layers/leaky_relu.hpp>
#include <eigan/layers/linear.hpp>
#include <eigan/layers/tanh.hpp>
#include <eigan/net/model.hpp>
#include <eigan/net/sequential.hpp>

#include "net/own_images.hpp"
#include "support.hpp"

using namespace eigan;

using Small = Sequential<Linear<2, 4>, LeakyReLU, Linear<4, 3>, Tanh>;
static_assert(Small::depth() == 4 && !Small::stochastic);
static_assert(Sequential<Linear<2, 3>, Dropout>::stochastic);
static_assert(Sequential<Linear<2, 3>, Sequential<Sequential<Dropout>>>::stochastic);
static_assert(std::is_same_v<Small::LayerType<2>, Linear<4, 3>>);
// An Input has no number.
static_assert(Sequential<Input<2>, Linear<2, 3>, Tanh>::depth() == 2);
static_assert(std::is_same_v<Sequential<Input<2>, Linear<2, 3>>::LayerType<0>, Linear<2, 3>>);
// Without a default for a layer there is none for the network.
static_assert(std::is_default_constructible_v<Small> && !std::is_default_constructible_v<Sequential<Linear<>>>);
// What the compiler knows of shapes.
template <class Net>
constexpr Shape shape_after = detail::ShapeAfter<Net, detail::unknown_shape>::value;
static_assert(shape_after<Small> == Shape{3});
static_assert(shape_after<Sequential<Tanh, LeakyReLU>> == detail::unknown_shape);
static_assert(shape_after<Sequential<Linear<>, Tanh>> == detail::unknown_shape);
static_assert(shape_after<Sequential<Linear<>, Linear<3, 2>, Tanh>> == Shape{2});
static_assert(shape_after<Sequential<Input<2, 4, 6>, own::Pointwise<2, 5>, own::Halve>> == Shape{5, 2, 3});

TEST_CASE("Sequential: levels and offsets, layer by layer") {
  const Model<Small> model(Rng(1));
  CHECK(model.input_size() == 2);
  CHECK(model.output_size() == 3);
  CHECK(model.param_size() == 2 * 4 + 4 + 4 * 3 + 3);
  CHECK(model.steps().levels() == std::vector<Shape>{{2}, {4}, {4}, {3}, {3}});
  const std::vector<Index> offsets{0, 12, 12, 27}, sizes{12, 0, 15, 0};
  for (std::size_t i = 0; i < 4; ++i) {
    const Step<float>& step = model.steps().steps()[i];
    CHECK(step.reads == std::vector<std::size_t>{i});
    CHECK(step.writes == i + 1);
    CHECK(step.offset == offsets[i]);
    CHECK(step.size == sizes[i]);
    CHECK(step.name == std::to_string(i));
  }
}

TEST_CASE("Sequential: tensors are named as torch.nn.Sequential names them") {
  const auto check_names = [](const auto& model, const std::vector<std::string>& names) {
    const auto all = model.parameters();
    REQUIRE(all.size() == names.size());
    for (std::size_t i = 0; i < all.size(); ++i) CHECK(all[i].name == names[i]);
  };
  check_names(Model<Small>(Rng(1)), {"0.weight", "0.bias", "2.weight", "2.bias"});
  using Nested = Sequential<Input<2>, Sequential<Tanh, Linear<2, 4>>, Sequential<Sequential<Linear<4, 1>>>>;
  check_names(Model<Nested>(Rng(1)), {"0.1.weight", "0.1.bias", "1.0.0.weight", "1.0.0.bias"});
  const auto all = Model<Small>(Rng(1)).parameters();
  const auto check = [&](std::size_t i, Index offset, Index rows, Index cols, int rank) {
    CAPTURE(i);
    CHECK(all[i].offset == offset);
    CHECK(all[i].rows == rows);
    CHECK(all[i].cols == cols);
    CHECK(all[i].rank == rank);
  };
  check(0, 0, 4, 2, 2);
  check(1, 8, 4, 1, 1);
  check(2, 12, 3, 4, 2);
  check(3, 24, 3, 1, 1);
}

TEST_CASE("Sequential: its text, and that of a model, which is what it holds") {
  CHECK(Small(Linear<2, 4>{}, LeakyReLU(0.2), Linear<4, 3>{}, Tanh{}).spec().text() ==
        "Sequential(Linear(in_features=2, out_features=4), LeakyReLU(negative_slope=0.2), "
        "Linear(in_features=4, out_features=3), Tanh())");
  CHECK(Model<Sequential<Linear<2, 1>>>(Rng(1)).architecture() == "Linear(in_features=2, out_features=1)");
  CHECK(Model<Sequential<Input<2>, Sequential<Tanh>>>(Rng(1)).architecture() ==
        "Input(channels=2, height=1, width=1), Sequential(Tanh())");
}

TEST_CASE("Sequential: sizes at run time that do not fit are refused, with the place and both numbers") {
  const auto error = [](auto... layers) -> std::string {
    try {
      Model(Sequential(layers...), Rng(1));
    } catch (const std::invalid_argument& wrong) {
      return wrong.what();
    }
    return "";
  };
  CHECK(error(Linear<>(2, 4), Tanh(), Linear<>(5, 3)) ==
        "eigan: this layer does not take what the layer before gives: layer 2, Linear(in_features=5, out_features=3), "
        "expects 5 features and receives 4");
  CHECK(error(Linear<>(2, 5), Tanh(), Linear<>(5, 3)).empty());
  // One size in the type, the other at run time.
  CHECK(error(Linear<2, 4>(), Linear<>(5, 3)).find("layer 1, ") != std::string::npos);
  CHECK(error(Linear<2, 4>(), Linear<>(4, 3)).empty());
  // Inside another.
  CHECK(error(Linear<>(2, 4), Sequential(Tanh(), Linear<>(5, 3))).find("layer 1.1, Linear(in") != std::string::npos);
}

TEST_CASE("Sequential: layers in front of the first sized one share its input size") {
  const Model<Sequential<Dropout, Tanh, Linear<7, 3>>> model(Rng(1));
  CHECK(model.steps().levels() == std::vector<Shape>{{7}, {7}, {7}, {3}});
}

TEST_CASE("Sequential: more parameters than an Index can count are refused") {
  constexpr Index most = Index{1} << 31;  // two layers of its square reach 2^63
  CHECK_THROWS_WITH_AS(Model(Sequential(Linear<>(most, most), Linear<>(most, most)), Rng(1)),
                       "eigan: more parameters than any memory holds, with layer 0, "
                       "Linear(in_features=2147483648, out_features=2147483648)",
                       std::invalid_argument);
}

TEST_CASE("Sequential: holds its layers") {
  const Sequential net(Input<>(2), Linear<>(2, 4), LeakyReLU(0.3));
  CHECK(net.layer<0>().output_size() == 4);
  CHECK(net.layer<1>().negative_slope() == 0.3);
  CHECK(net.input_shapes() == std::vector<Shape>{{2}});
}
