#include <doctest/doctest.h>
#include <stdexcept>
#include <string>
#include <vector>

#include <eigan/layers/batch_norm.hpp>
#include <eigan/layers/dropout.hpp>
#include <eigan/layers/linear.hpp>
#include <eigan/layers/tanh.hpp>
#include <eigan/net/model.hpp>
#include <eigan/net/skip_connection.hpp>

#include "net/gradient_check.hpp"
#include "net/own_images.hpp"

using namespace eigan;
using gradient_check::check_network;
using own::Halve;
using own::Pointwise;
using own::Twice;

static_assert(Composition<SkipConnection<Tanh>> && SkipConnection<Sequential<Dropout>>::stochastic);
static_assert(detail::ShapeAfter<SkipConnection<Linear<3, 5>>, Shape{3}>::value == Shape{8});
static_assert(detail::ShapeAfter<SkipConnection<Halve, Pointwise<2, 5>, Twice>, Shape{2, 4, 6}>::value ==
              Shape{7, 4, 6});
static_assert(detail::ShapeAfter<SkipConnection<Linear<>>, Shape{3}>::value == detail::unknown_shape);

TEST_CASE("SkipConnection: a hand-worked case") {
  Model<Sequential<SkipConnection<Linear<1, 2>>>, double> model(Rng(1));
  for (std::size_t i = 0; i < 4; ++i) model.params()[i] = static_cast<double>(i + 1);  // (x, x + 3, 2 x + 4)
  const Matrix<double> x{{5}};
  CHECK(model.infer(x) == Matrix<double>{{5}, {8}, {14}});
  auto tape = model.tape(1);
  CHECK(model.forward(tape, x) == Matrix<double>{{5}, {8}, {14}});
  tape.output_gradient() = Matrix<double>{{100}, {10}, {1}};
  Matrix<double> dx(1, 1);
  Buffer<double> grad = model.zeros();
  model.backward(tape, grad, dx);
  CHECK(dx(0, 0) == 100 + 10 + 2);
  CHECK(std::vector<double>(grad.begin(), grad.end()) == std::vector<double>{50, 5, 10, 1});
}

TEST_CASE("SkipConnection: the gradients agree with central differences; nested it is a U-Net") {
  check_network(Sequential<SkipConnection<Linear<4, 6>, Tanh>, Linear<10, 2>>{});
  check_network(Sequential<Input<3>, SkipConnection<SkipConnection<SkipConnection<Tanh>>>>{});
  using UNet = Sequential<Input<1, 4, 4>, Pointwise<1, 3>, Tanh,
                          SkipConnection<Halve, Pointwise<3, 4>, Dropout,
                                         SkipConnection<Halve, Pointwise<4, 5>, Tanh, Twice>, Pointwise<9, 4>, Twice>,
                          Pointwise<7, 2>>;
  check_network(UNet{});
  check_network(Sequential<Input<2, 2, 4>, SkipConnection<BatchNorm2d<2>, Pointwise<2, 3>>, BatchNorm2d<5>>{},
                {.batches = {2, 3}});
}

TEST_CASE("SkipConnection: names, text and shapes") {
  const Model model(Sequential<Input<2, 4, 4>, SkipConnection<Halve, SkipConnection<Tanh>, Twice>>{}, Rng(1));
  std::vector<std::string> names;
  for (const auto& step : model.steps().steps()) names.push_back(step.name);
  CHECK(names == std::vector<std::string>{"0.body.0", "0.body.1.body.0", "0.body.1.concatenation", "0.body.2",
                                          "0.concatenation"});
  CHECK(model.output_shape() == Shape{6, 4, 4});
  CHECK(model.architecture() ==
        "Input(channels=2, height=4, width=4), SkipConnection(Halve(), SkipConnection(Tanh()), Twice())");
}

TEST_CASE("SkipConnection: of shapes at run time, with the words of the compiler where they do not fit") {
  CHECK_NOTHROW(Model(Sequential(SkipConnection(Linear<>(3, 5))), Rng(1)));
  CHECK_THROWS_WITH_AS(
      Model(Sequential{Tanh{}, SkipConnection{Tanh{}, Halve{}}}, Shape{3, 4, 6}, Rng(1)),
      "eigan: the layers of a SkipConnection must keep height and width: 1.concatenation receives 3 x 4 "
      "x 6 and 3 x 2 x 3",
      std::invalid_argument);
  // One pixel is not repeated: an Upsample was forgotten.
  CHECK_THROWS_WITH_AS(
      Model(Sequential{SkipConnection{Halve{}}}, Shape{3, 2, 2}, Rng(1)),
      "eigan: the layers of a SkipConnection must keep height and width: 0.concatenation receives 3 x 2 "
      "x 2 and 3",
      std::invalid_argument);
  CHECK_THROWS_AS(Model(Sequential{SkipConnection{Twice{}}}, Shape{3}, Rng(1)), std::invalid_argument);
  CHECK_THROWS_WITH_AS(Model(Sequential{SkipConnection{Halve{}, SkipConnection{Halve{}}}}, Shape{3, 4, 6}, Rng(1)),
                       "eigan: this layer does not take what the layer before gives: layer 0.body.1.body.0, Halve(), "
                       "expects an even height and width and receives 3 x 2 x 3",
                       std::invalid_argument);
}
