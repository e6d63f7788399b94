#include <doctest/doctest.h>
#include <stdexcept>
#include <string>
#include <vector>

#include <eigan/layers/batch_norm.hpp>
#include <eigan/layers/dropout.hpp>
#include <eigan/layers/linear.hpp>
#include <eigan/layers/tanh.hpp>
#include <eigan/net/model.hpp>
#include <eigan/net/residual.hpp>

#include "net/gradient_check.hpp"
#include "net/own_images.hpp"
#include "support.hpp"

using namespace eigan;
using gradient_check::check_network;

static_assert(Composition<Residual<Tanh>> && !Residual<Tanh>::stochastic && Residual<Tanh, Dropout>::stochastic);
static_assert(std::is_default_constructible_v<Residual<Linear<3, 3>>> &&
              !std::is_default_constructible_v<Residual<Linear<>>>);
// One Sequential is the row of layers, not a layer of it.
static_assert(std::is_same_v<Residual<Sequential<Tanh, Tanh>>::Body, Residual<Tanh, Tanh>::Body>);
static_assert(detail::ShapeAfter<Residual<Linear<3, 5>, Linear<5, 3>>, Shape{3}>::value == Shape{3});
static_assert(detail::ShapeAfter<Residual<own::Pointwise<2, 2>>, Shape{2, 4, 4}>::value == Shape{2, 4, 4});

TEST_CASE("Residual: a hand-worked case") {
  Model<Sequential<Residual<Linear<1, 1>>>, double> model(Rng(1));
  model.params()[0] = 3;  // y = x + 3 x + 0.5
  model.params()[1] = 0.5;
  const Matrix<double> x{{2, -1}};
  CHECK(model.infer(x) == Matrix<double>{{8.5, -3.5}});
  auto tape = model.tape(2);
  CHECK(model.forward(tape, x) == Matrix<double>{{8.5, -3.5}});
  tape.output_gradient() = Matrix<double>{{1, 10}};
  Matrix<double> dx(1, 2);
  Buffer<double> grad = model.zeros();
  model.backward(tape, grad, dx);
  CHECK(dx == Matrix<double>{{4, 40}});
  CHECK(grad[0] == 2 * 1 - 1 * 10);
  CHECK(grad[1] == 11);
}

TEST_CASE("Residual: the gradients agree with central differences, nested as well") {
  check_network(Sequential<Residual<Linear<4, 6>, Tanh, Linear<6, 4>>>{});
  check_network(
      Sequential<Linear<3, 4>, Residual<Tanh>, Residual<Dropout, Residual<Linear<4, 4>>, Tanh>, Linear<4, 2>>{});
  check_network(Sequential<Residual<Residual<Residual<Linear<3, 3>, Tanh>>, Linear<3, 3>>>{});
  check_network(Sequential<Input<2, 4, 4>, Residual<own::Pointwise<2, 3>, Tanh, own::Pointwise<3, 2>>>{});
  check_network(Sequential<Residual<Linear<4, 4>, BatchNorm1d<4>, Tanh>>{}, {.batches = {3, 5}});
}

TEST_CASE("Residual: names and text") {
  const Model model(Sequential<Linear<2, 3>, Residual<Tanh, Linear<3, 3>>>{}, Rng(1));
  std::vector<std::string> names;
  for (const auto& step : model.steps().steps()) names.push_back(step.name);
  CHECK(names == std::vector<std::string>{"0", "1.body.0", "1.body.1", "1.sum"});
  CHECK(model.parameters()[2].name == "1.body.1.weight");
  CHECK(model.architecture() ==
        "Linear(in_features=2, out_features=3), Residual(Tanh(), Linear(in_features=3, out_features=3))");
  CHECK(Residual<Tanh>{}.spec().type == "::eigan::Residual");
}

TEST_CASE("Residual: of sizes at run time, with the words of the compiler where they do not fit") {
  CHECK_NOTHROW(Model(Sequential(Residual(Linear<>(3, 5), Linear<>(5, 3))), Rng(1)));
  CHECK_THROWS_WITH_AS(Model(Sequential(Tanh(), Residual(Linear<>(3, 5), Linear<>(5, 4))), Rng(1)),
                       "eigan: a sum needs equal shapes: 1.sum receives 3 and 4", std::invalid_argument);
  CHECK_THROWS_WITH_AS(Model(Sequential(Linear<>(2, 3), Residual(Tanh(), Residual(Tanh(), Linear<>(4, 3)))), Rng(1)),
                       "eigan: this layer does not take what the layer before gives: layer 1.body.1.body.1, "
                       "Linear(in_features=4, out_features=3), expects 4 features and receives 3",
                       std::invalid_argument);
}
