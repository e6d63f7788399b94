#include <doctest/doctest.h>
#include <type_traits>
#include <utility>

#include <eigan/layers/batch_norm.hpp>
#include <eigan/layers/dropout.hpp>
#include <eigan/layers/leaky_relu.hpp>
#include <eigan/layers/linear.hpp>
#include <eigan/layers/tanh.hpp>
#include <eigan/net/model.hpp>
#include <eigan/net/residual.hpp>
#include <eigan/net/sequential.hpp>
#include <eigan/net/skip_connection.hpp>

#include "net/by_hand.hpp"
#include "net/own_images.hpp"
#include "support.hpp"

using namespace eigan;

using Net = Sequential<Linear<90, 300>, LeakyReLU, Dropout, Linear<300, 70>, Tanh, Dropout, Linear<70, 1>>;

TEST_CASE("Model: starts from its seed, and knows its parameters") {
  const Model<Net> a(Rng(1)), b(Net{}, Rng(1)), other(Rng(2));
  CHECK(support::same_bits<float>(a.params(), b.params()));
  CHECK_FALSE(support::same_bits<float>(a.params(), other.params()));
  CHECK(a.params().size() == 90 * 300 + 300 + 300 * 70 + 70 + 70 + 1);
  CHECK(a.zeros().size() == std::ssize(a.params()));
  CHECK(a.parameters().size() == 6);
  CHECK(a.parameters()[2].name == "3.weight");
  CHECK(a.architecture() ==
        "Linear(in_features=90, out_features=300), LeakyReLU(negative_slope=0.01), Dropout(p=0.5), "
        "Linear(in_features=300, out_features=70), Tanh(), Dropout(p=0.5), Linear(in_features=70, out_features=1)");
  Model<Net> c(Rng(1));
  CHECK(c.params<0>().data() == c.params().data());
  CHECK(c.params<1>().empty());
  CHECK(c.params<3>().data() == c.params().data() + 90 * 300 + 300);
  CHECK_THROWS_WITH_AS(c.params(17), "eigan::Model::params: the network has no layer 17", std::invalid_argument);
  CHECK(c.params<3>().size() == 300 * 70 + 70);
}

TEST_CASE("Model: parameters may be handed over") {
  using Small = Sequential<Linear<3, 4>, Tanh>;
  const Model<Small> model(Rng(1));
  Buffer<float> params = model.zeros();
  std::ranges::copy(model.params(), params.begin());
  const float* const memory = params.data();
  const Model<Small> other(Small{}, std::move(params));
  CHECK(other.params().data() == memory);  // not copied
  const Matrix<float> x = support::random_matrix<float>(3, 5, 2);
  CHECK(support::same_bits<float>(model.infer(x), other.infer(x)));
  CHECK_THROWS_WITH_AS((Model<Small>(Small{}, Buffer<float>(15))),
                       "eigan::Model: the network has 16 parameters, given are 15", std::invalid_argument);
}
namespace {
/// y = x / 2, for one scalar type alone: the concepts ask for no templates.
struct Half {
  static constexpr bool elementwise = true;
  void forward(std::span<const float>, ConstView<float> x, View<float> y) const { y = x / 2; }
  void backward_input(std::span<const float>, ConstView<float>, ConstView<float>, ConstView<float> dy,
                      View<float> dx) const {
    dx = dy / 2;
  }
};
static_assert(Layer<Half, float> && !Layer<Half, double>);
}  // namespace

TEST_CASE("Model: a layer's functions need not be templates") {
  const Model<Sequential<Half, Linear<2, 1>>> model(Rng(1));
  auto tape = model.tape(1);
  const auto p = model.params();
  const Matrix<float> x{{2}, {4}};
  Matrix<float> dx(2, 1);
  CHECK(model.forward(tape, x)(0, 0) == doctest::Approx(static_cast<double>(p[0] + 2 * p[1] + p[2])));
  tape.output_gradient().setOnes();
  model.backward_input(tape, dx);
  CHECK(dx == Matrix<float>{{p[0] / 2}, {p[1] / 2}});
  CHECK(model.infer(x) == tape.output());
}

TEST_CASE("Model: each layer starts from a stream of its own") {
  const Model<Sequential<Linear<3, 3>, Linear<3, 3>>> model(Rng(5));
  std::vector<float> second(12);
  Linear<3, 3>{}.init<float>(second, Rng(5).fold_in(1));
  CHECK(support::same_bits<float>(model.params().subspan(12), second));
  CHECK_FALSE(support::same_bits<float>(model.params().first(12), second));
}

TEST_CASE("Model: a composition's parameters are those of its layers") {
  Model<
      Sequential<Linear<3, 4>, Residual<Linear<4, 5>, Tanh, SkipConnection<Linear<5, 2>>, Linear<7, 4>>, Linear<4, 1>>>
      model(Rng(1));
  CHECK(model.params(0).size() == 16);
  CHECK(model.params(1).size() == 25 + 12 + 32);
  CHECK(model.params(1).data() == model.params().data() + 16);
  CHECK(model.params<2>().data() == model.params().data() + 16 + 69);
  CHECK_THROWS_AS(model.params(3), std::invalid_argument);
  CHECK(std::as_const(model).params().size() == 16 + 69 + 5);
  using L = Linear<1, 1>;
  Model<Sequential<L, L, L, L, L, L, L, L, L, L, L, Residual<L>>> long_one(Rng(1));
  CHECK(long_one.params(1).size() == 2);
  CHECK(long_one.params<11>().size() == 2);
  CHECK(long_one.params<11>().data() == long_one.params().data() + 22);
}

TEST_CASE("Model: a shape in the type, at run time, or both") {
  using own::Pointwise;
  const Model stated(Sequential<Input<2, 4, 6>, Pointwise<2, 3>>{}, Rng(1));
  CHECK(stated.input_shape() == Shape{2, 4, 6});
  CHECK(stated.output_shape() == Shape{3, 4, 6});
  CHECK(stated.output_size() == 72);
  const Model given(Sequential<Pointwise<2, 3>>{}, Shape{2, 4, 6}, Rng(1));
  CHECK(given.output_shape() == Shape{3, 4, 6});
  CHECK(given.architecture() == stated.architecture());
  CHECK_THROWS_WITH_AS(Model(Sequential<Pointwise<2, 3>>{}, Shape{3, 4, 6}, Rng(1)),
                       "eigan: this layer does not take what the layer before gives: layer 0, Pointwise(in_channels=2, "
                       "out_channels=3), expects 2 channels and receives 3 x 4 x 6",
                       std::invalid_argument);
  CHECK_THROWS_WITH_AS(Model(Sequential<Pointwise<2, 3>>{}, Shape{2, 0, 6}, Rng(1)),
                       "eigan: an input cannot have the shape 2 x 0 x 6", std::invalid_argument);
}

TEST_CASE("Model: a shape too many is refused") {
  CHECK_THROWS_WITH_AS(Model(Sequential(Tanh()), {Shape{3}, Shape{3}}, Rng(1)),
                       "eigan::Model: given are the shapes of 2 inputs, the network does not read number 1",
                       std::invalid_argument);
}

TEST_CASE("Model: a network in which nothing states a size wants a shape") {
  const char* const message =
      "eigan::Model: no layer states the shape of a sample; begin with an Input, or give the shape";
  CHECK_THROWS_WITH_AS((Model(Sequential<Tanh, LeakyReLU>{}, Rng(1))), message, std::invalid_argument);
  CHECK_THROWS_WITH_AS((Model(Sequential<own::Pointwise<2, 3>>{}, Rng(1))), message, std::invalid_argument);
  CHECK_NOTHROW((Model(Sequential<Tanh, LeakyReLU>{}, Shape{7}, Rng(1))));
  // The size of a layer behind one that changes the shape is not the sample's.
  using own::Halve, own::Pointwise;
  CHECK_THROWS_WITH_AS((Model(Sequential<Pointwise<2, 3>, Tanh, Linear<3, 2>>{}, Rng(1))), message,
                       std::invalid_argument);
  CHECK_THROWS_WITH_AS((Model(Sequential<BatchNorm2d<16>, Linear<16, 10>>{}, Rng(1))), message, std::invalid_argument);
  CHECK_THROWS_WITH_AS((Model(Sequential<Sequential<Halve>, Linear<16, 10>>{}, Rng(1))), message,
                       std::invalid_argument);
  CHECK_THROWS_WITH_AS((Model(Sequential<SkipConnection<Tanh>, Linear<4, 2>>{}, Rng(1))), message,
                       std::invalid_argument);
  CHECK(Model(Sequential<Residual<Tanh>, Linear<4, 2>>{}, Rng(1)).input_shape() == Shape{4});
}

TEST_CASE("Model: at another height and width the weights are the same") {
  using UNet = Sequential<Input<2, 4, 4>, own::Pointwise<2, 3>, BatchNorm2d<3>,
                          SkipConnection<own::Halve, own::Pointwise<3, 2>, own::Twice>, own::Pointwise<5, 1>>;
  Model<UNet> small(Rng(1));
  for (float& s : small.state()) s = 2;
  const Model<UNet> large = small.at({2, 8, 6});
  CHECK(large.input_shape() == Shape{2, 8, 6});
  CHECK(large.output_shape() == Shape{1, 8, 6});
  CHECK(support::same_bits<float>(large.params(), std::as_const(small).params()));
  CHECK(support::same_bits<float>(large.state(), std::as_const(small).state()));
  CHECK(large.params().data() != small.params().data());
  CHECK(large.architecture().starts_with("Input(channels=2, height=8, width=6), "));
  // The upper left quarter of what the large one sees, whose layers work pixel by pixel or in blocks of 2 x 2.
  const Matrix<float> x = support::random_matrix<float>(2 * 48, 1, 3);
  Matrix<float> corner(2 * 16, 1);
  for (Index row = 0; row < 4; ++row) corner.middleRows(8 * row, 8) = x.middleRows(12 * row, 8);
  const Matrix<float> y = large.infer(x), part = small.infer(corner);
  for (Index row = 0; row < 4; ++row) CHECK(y.middleRows(6 * row, 4) == part.middleRows(4 * row, 4));

  CHECK_THROWS_AS(small.at({2, 3, 4}), std::invalid_argument);  // an odd height
  CHECK_THROWS_WITH_AS(small.at({3, 4, 4}), "eigan::Input: expects 2 x 4 x 4 and receives 3 x 4 x 4",
                       std::invalid_argument);
}

TEST_CASE("Model: several inputs at other heights and widths") {
  using Joined = Sequential<Inputs<Input<1, 4, 4>, Input<3>>, own::Pointwise<4, 2>>;
  const Model<Joined> small(Rng(1));
  const auto large = small.at({{1, 6, 8}, {3}});
  CHECK(large.input_shape(0) == Shape{1, 6, 8});
  CHECK(large.output_shape() == Shape{2, 6, 8});
  CHECK(support::same_bits<float>(large.params(), small.params()));
  const std::vector<Shape> shapes{{1, 6, 8}, {3}};
  CHECK(Model(Joined{}, shapes, Rng(1)).architecture() == large.architecture());
  CHECK(Model(Joined{}, {{1, 6, 8}, {3}}, Rng(1)).architecture() == large.architecture());
  CHECK_THROWS_WITH_AS(small.at({{3}, {1, 6, 8}}), "eigan::Input of layer inputs.0: expects 1 x 4 x 4 and receives 3",
                       std::invalid_argument);
  CHECK_THROWS_WITH_AS(small.at({1, 6, 8}), "eigan::Inputs: a network of 2 inputs was given 1", std::invalid_argument);
  for (const auto& many : {std::vector<Shape>{{1, 4, 4}, {3}, {3}}, std::vector<Shape>{{1, 4, 4}}})
    CHECK_THROWS_AS(Model(Joined{}, many, Rng(1)), std::invalid_argument);
}

TEST_CASE("Model: a clone has the same numbers in memory of its own") {
  Model<Sequential<Linear<3, 4>, BatchNorm1d<4>>> model(Rng(1));
  model.state()[0] = 5;
  auto copy = model.clone();
  static_assert(std::is_same_v<decltype(copy), decltype(model)> && !std::is_copy_constructible_v<decltype(model)>);
  CHECK(support::same_bits<float>(copy.params(), model.params()));
  CHECK(support::same_bits<float>(copy.state(), model.state()));
  copy.params()[0] = 7;
  copy.state()[0] = 7;
  CHECK(model.params()[0] != 7);
  CHECK(model.state()[0] == 5);
}

TEST_CASE("Model: a state may be handed over, else it is as at the beginning") {
  using Norm = Sequential<BatchNorm1d<2>>;
  const Model<Norm> fresh(Norm{}, Buffer<float>(4));
  CHECK(support::copy_of(fresh.state()) == std::vector<float>{0, 0, 1, 1, 0});
  Buffer<float> state(5);
  const float* const memory = state.data();
  const Model<Norm> other(Norm{}, Buffer<float>(4), std::move(state));
  CHECK(other.state().data() == memory);
  CHECK(other.states().size() == 3);
  CHECK(other.states()[2].name == "0.num_batches_tracked");
  CHECK(other.states()[2].offset == 4);
  CHECK_THROWS_WITH_AS((Model<Norm>(Norm{}, Buffer<float>(4), Buffer<float>(4))),
                       "eigan::Model: the network's state has 5 numbers, given are 4", std::invalid_argument);
}
