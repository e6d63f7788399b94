#include <doctest/doctest.h>
#include <array>
#include <cmath>
#include <stdexcept>
#include <string>
#include <vector>

#include <eigan/layers/batch_norm.hpp>
#include <eigan/layers/dropout.hpp>
#include <eigan/layers/linear.hpp>
#include <eigan/layers/tanh.hpp>
#include <eigan/net/estimate_statistics.hpp>
#include <eigan/net/input.hpp>
#include <eigan/net/model.hpp>
#include <eigan/net/residual.hpp>
#include <eigan/net/sequential.hpp>

#include "net/gradient_check.hpp"
#include "net/own_images.hpp"
#include "support.hpp"

using namespace eigan;
using gradient_check::check_network;
using own::Pointwise;

static_assert(Input<3>{}.shape() == Shape{3} && std::is_same_v<Input<3>, Input<3, 1, 1>>);
// A height without a width would be 3 x 4 x 4 to one reader and 3 x 4 x 1 to another.
static_assert(!std::is_constructible_v<Input<>, Index, Index> && std::is_constructible_v<Input<>, Index, Index, Index>);
static_assert(Input<3, 4, 6>{}.shape() == Shape{3, 4, 6});
static_assert(!std::is_default_constructible_v<Input<>> && !std::is_default_constructible_v<Input<3, dynamic>>);
template <class L>
constexpr Shape shape_after = detail::ShapeAfter<L, detail::unknown_shape>::value;
static_assert(shape_after<Input<3, 4, 6>> == Shape{3, 4, 6} && shape_after<Input<>> == detail::unknown_shape);
static_assert(shape_after<Input<3, dynamic>> == detail::unknown_shape);
static_assert(shape_after<Inputs<Input<1, 4, 6>, Input<10>>> == Shape{11, 4, 6});
static_assert(shape_after<Inputs<Input<10>, Input<1, 4, 6>, Input<2, 4, 6>>> == Shape{13, 4, 6});
static_assert(shape_after<Inputs<Input<10>, Input<5>>> == Shape{15});
static_assert(shape_after<Inputs<Input<10>, Input<>>> == detail::unknown_shape);
static_assert(shape_after<Inputs<Sequential<Input<1, 4, 6>, Pointwise<1, 3>>, Input<10>>> == Shape{13, 4, 6});
static_assert(shape_after<Inputs<Input<2>, Sequential<Linear<3, 4>, Tanh>>> == Shape{6});
static_assert(Inputs<Input<2>, Sequential<Linear<3, 4>, Dropout>>::stochastic && !Inputs<Input<2>>::stochastic);
// A layer behind a shape that only the program knows is left to the program.
static_assert(shape_after<Sequential<Input<2, dynamic>, Pointwise<2, 3>>> == detail::unknown_shape);

TEST_CASE("Input: states a shape, in the type or at run time") {
  CHECK(Input<>(3, 4, 6).shape() == Shape{3, 4, 6});
  CHECK(Input<>(3).shape() == Shape{3});
  CHECK(Input<3, dynamic>(3, 4, 6).shape() == Shape{3, 4, 6});
  CHECK_THROWS_WITH_AS((Input<3, dynamic>(2, 4, 6)), "eigan::Input: cannot have the shape 2 x 4 x 6",
                       std::invalid_argument);
  CHECK_THROWS_AS(Input<>(0), std::invalid_argument);
  CHECK_THROWS_AS(Input<>(3, -1, 4), std::invalid_argument);
  CHECK_THROWS_AS((Input<3, 4, 4>(3, 4, 5)), std::invalid_argument);
  CHECK(Input<3, 4, 6>{}.spec().text() == "Input(channels=3, height=4, width=6)");
  CHECK(Input<3, 4, 6>{}.spec().type == "::eigan::Input<3, 4, 6>");
  const Model model(Sequential(Input<>(2, 3, 5), Pointwise<2, 1>()), Rng(1));
  CHECK(model.input_shape() == Shape{2, 3, 5});
  CHECK(model.steps().steps().size() == 1);  // it computes nothing
}

TEST_CASE("Inputs: vectors joined are the layer of all of them") {
  const Model<Sequential<Inputs<Input<2>, Input<3>>, Linear<5, 4>, Tanh>, double> model(Rng(1));
  const Model<Sequential<Linear<5, 4>, Tanh>, double> same(Sequential<Linear<5, 4>, Tanh>{}, [&] {
    Buffer<double> params = model.zeros();
    std::copy(model.params().begin(), model.params().end(), params.begin());
    return params;
  }());
  CHECK(model.steps().inputs() == 2);
  CHECK(model.input_size(0) == 2);
  CHECK(model.input_size(1) == 3);
  const auto a = support::random_matrix<double>(2, 7, 2), b = support::random_matrix<double>(3, 7, 3);
  Matrix<double> both(5, 7);
  both << a, b;
  CHECK(model.infer({a, b}) == same.infer(both));
  auto tape = model.tape(7), same_tape = same.tape(7);
  CHECK(model.forward(tape, {a, b}) == same.forward(same_tape, both));
  CHECK(tape.input(0).data() == a.data());  // not copied
  CHECK(tape.input(1).data() == b.data());
  tape.output_gradient().setOnes();
  same_tape.output_gradient().setOnes();
  Matrix<double> da(2, 7), db(3, 7), dboth(5, 7);
  model.backward_inputs(tape, std::array{View<double>(da), View<double>(db)});
  same.backward_input(same_tape, dboth);
  CHECK(da == dboth.topRows(2));
  CHECK(db == dboth.bottomRows(3));
}

TEST_CASE("Inputs: a vector stands beside every pixel of an image") {
  const Model<Sequential<Inputs<Input<1, 2, 2>, Input<2>>, Pointwise<3, 2>>, double> model(Rng(1));
  CHECK(model.steps().levels()[2] == Shape{3, 2, 2});
  const auto image = support::random_matrix<double>(4, 5, 2), label = support::random_matrix<double>(2, 5, 3);
  const Matrix<double> y = model.infer({image, label});
  const ConstView<double> w(model.params().data(), 2, 3);
  for (Index pixel = 0; pixel < 4; ++pixel) {
    Matrix<double> x(3, 5);
    x << image.row(pixel), label;
    CHECK(y.middleRows(2 * pixel, 2).isApprox(w * x));
  }
}

TEST_CASE("Inputs: the gradients of all agree with central differences") {
  check_network(Sequential<Inputs<Input<2>, Input<3>>, Linear<5, 4>, Tanh>{});
  check_network(Sequential<Inputs<Input<1, 2, 2>, Input<2>>, Tanh, Pointwise<3, 2>>{});
  check_network(Sequential<Inputs<Input<2>, Input<1, 2, 3>, Input<2, 2, 3>>, Pointwise<5, 3>, Dropout>{});
}

TEST_CASE("Inputs: layers that one of them goes through alone") {
  using Features = Sequential<Input<1, 2, 2>, Pointwise<1, 2>, Tanh>;
  const Model<Sequential<Inputs<Features, Input<3>>, Pointwise<5, 1>>, double> model(Rng(1));
  const auto image = support::random_matrix<double>(4, 5, 2), label = support::random_matrix<double>(3, 5, 3);
  const Matrix<double> y = model.infer({image, label});
  const ConstView<double> first(model.params().data(), 2, 1), second(model.params().data() + 2, 1, 5);
  for (Index pixel = 0; pixel < 4; ++pixel) {
    Matrix<double> x(5, 5);
    x << (first * image.row(pixel)).array().tanh().matrix(), label;
    CHECK(y.row(pixel).isApprox(second * x));
  }
  CHECK(model.steps().steps()[0].name == "inputs.0.0");
  CHECK(model.steps().steps()[2].name == "inputs");
  CHECK(model.steps().steps()[3].name == "0");
  const auto larger = model.at({{1, 4, 2}, {3}});  // the Input in front of the layers follows
  CHECK(larger.output_shape() == Shape{1, 4, 2});
  CHECK(larger.architecture().starts_with("Inputs(Sequential(Input(channels=1, height=4, width=2), "));
  CHECK_THROWS_WITH_AS(model.at({{2, 2, 2}, {3}}),
                       "eigan::Input of layer inputs.0: expects 1 x 2 x 2 and receives 2 x 2 x 2",
                       std::invalid_argument);
  CHECK_THROWS_WITH_AS(model.at({{1, 2, 2}, {4}}), "eigan::Input of layer inputs.1: expects 3 and receives 4",
                       std::invalid_argument);

  check_network(Sequential<Inputs<Sequential<Input<1, 2, 2>, Pointwise<1, 2>, Tanh, Dropout>, Input<2>>, Tanh,
                           Pointwise<4, 1>>{});
  check_network(Sequential<Inputs<Input<2>, Sequential<Linear<3, 4>, Tanh>>, Linear<6, 2>>{});
  CHECK(Inputs<Features, Input<3>>().part<0>().layer<0>().spec().name == "Pointwise");
}

TEST_CASE("Inputs: statistics of layers that one input goes through") {
  using Net = Sequential<Inputs<Input<2>, Sequential<Linear<3, 4>, BatchNorm1d<4>>>, Linear<6, 1>>;
  Model<Net, double> model(Rng(1));
  const auto a = support::random_matrix<double>(2, 9, 2), b = support::random_matrix<double>(3, 9, 3);
  estimate_statistics(model, {a, b});
  const ConstView<double> w(model.params().data(), 4, 3), bias(model.params().data() + 12, 4, 1);
  const Matrix<double> hidden = (w * b).colwise() + bias.col(0);
  for (Index i = 0; i < 4; ++i)
    CHECK(model.state()[static_cast<std::size_t>(i)] == doctest::Approx(hidden.row(i).mean()));
}

TEST_CASE("Inputs: what is no part") {
  const std::string sentence =
      " must be an Input, a row of layers that begins with one, or layers that state their size";
  const auto refused = [&](const auto& make, int i) {
    CHECK_THROWS_WITH_AS(make(), ("eigan::Inputs: input " + std::to_string(i) + sentence).c_str(),
                         std::invalid_argument);
  };
  refused([] { Inputs(Sequential(Tanh()), Input<2>()); }, 0);
  refused([] { Inputs<Input<2>, Sequential<Inputs<Input<1>, Input<1>>, Tanh>>(); }, 1);
  refused([] { Inputs<Inputs<Input<3>>, Input<2>>(); }, 0);  // of one, but none that could follow another height
  refused([] { Inputs<Input<2>, Residual<Sequential<Input<1, 4, 4>, Pointwise<1, 1>>>>(); }, 1);
}

TEST_CASE("Inputs: names and text") {
  const Model model(Sequential<Inputs<Input<1, 2, 2>, Input<3>>, Tanh>{}, Rng(1));
  CHECK(model.steps().steps()[0].name == "inputs");
  CHECK(model.steps().steps()[1].name == "0");
  CHECK(model.architecture() ==
        "Inputs(Input(channels=1, height=2, width=2), Input(channels=3, height=1, width=1)), Tanh()");
}

TEST_CASE("Inputs: of sizes at run time") {
  const Model model(Sequential(Inputs(Input<>(1, 2, 2), Input<3>()), Tanh()), Rng(1));
  CHECK(model.output_shape() == Shape{4, 2, 2});
  CHECK_THROWS_WITH_AS(Model(Sequential{Inputs{Input<>(1, 2, 2), Input<>(1, 4, 4)}, Tanh{}}, Rng(1)),
                       "eigan: images side by side need one height and width: inputs receives 1 x 2 x 2 and 1 x 4 x 4",
                       std::invalid_argument);
}

TEST_CASE("Inputs: a pass is refused without all of them, or with different numbers of samples") {
  const Model<Sequential<Inputs<Input<2>, Input<3>>, Linear<5, 1>>> model(Rng(1));
  const Matrix<float> a = Matrix<float>::Zero(2, 4), b = Matrix<float>::Zero(3, 4), few = Matrix<float>::Zero(3, 3);
  auto tape = model.tape(4);
  CHECK_THROWS_WITH_AS(model.infer(a), "eigan::Model: this network has 2 inputs, given are 1", std::invalid_argument);
  CHECK_THROWS_WITH_AS(model.forward(tape, {a, b, b}), "eigan::Model: this network has 2 inputs, given are 3",
                       std::invalid_argument);
  CHECK_THROWS_WITH_AS(model.forward(tape, {b, a}), "eigan::Model: a sample of the input must have 2 features, has 3",
                       std::invalid_argument);
  CHECK_THROWS_WITH_AS(model.infer({a, few}), "eigan::Model: all inputs must have 4 samples, input 1 has 3",
                       std::invalid_argument);
  model.forward(tape, {a, b});
  tape.output_gradient().setOnes();
  Matrix<float> da(2, 4), narrow(2, 4);
  CHECK_THROWS_WITH_AS(model.backward_inputs(tape, std::array{View<float>(da), View<float>(narrow)}),
                       "eigan::Model::backward_input: dx must be 3 x 4, is 2 x 4", std::invalid_argument);
  Matrix<float> db(3, 4);
  const std::array<View<float>, 3> many{View<float>(da), View<float>(db), View<float>()};
  CHECK_THROWS_WITH_AS(model.backward_inputs(tape, many),
                       "eigan::Model::backward_inputs: this network has 2 inputs, given are 3 gradients",
                       std::invalid_argument);
  CHECK_NOTHROW(model.backward_input(tape, da));  // of the first alone
}
