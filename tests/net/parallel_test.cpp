#include <doctest/doctest.h>
#include <stdexcept>
#include <string>
#include <vector>

#include <eigan/layers/dropout.hpp>
#include <eigan/layers/linear.hpp>
#include <eigan/layers/tanh.hpp>
#include <eigan/net/model.hpp>
#include <eigan/net/parallel.hpp>
#include <eigan/net/residual.hpp>
#include <eigan/net/sequential.hpp>
#include <eigan/net/skip_connection.hpp>

#include "net/gradient_check.hpp"
#include "net/own_images.hpp"

using namespace eigan;
using gradient_check::check_network;
using own::Halve;
using own::Pointwise;

static_assert(Composition<Parallel<Tanh, Tanh>> && Parallel<Tanh, Sequential<Tanh, Dropout>>::stochastic);
static_assert(detail::ShapeAfter<Parallel<Linear<3, 5>, Tanh, Sequential<Tanh, Linear<3, 1>>>, Shape{3}>::value ==
              Shape{9});
static_assert(detail::ShapeAfter<Parallel<Pointwise<2, 5>, Pointwise<2, 1>>, Shape{2, 4, 6}>::value == Shape{6, 4, 6});
static_assert(detail::ShapeAfter<Parallel<Linear<3, 2>, Linear<>>, Shape{3}>::value == detail::unknown_shape);

TEST_CASE("Parallel: a hand-worked case") {
  Model<Sequential<Parallel<Linear<1, 1>, Linear<1, 1>>>, double> model(Rng(1));
  for (std::size_t i = 0; i < 4; ++i) model.params()[i] = static_cast<double>(i + 1);  // (x + 2, 3 x + 4)
  const Matrix<double> x{{5}};
  CHECK(model.infer(x) == Matrix<double>{{7}, {19}});
  auto tape = model.tape(1);
  CHECK(model.forward(tape, x) == Matrix<double>{{7}, {19}});
  tape.output_gradient() = Matrix<double>{{10}, {1}};
  Matrix<double> dx(1, 1);
  Buffer<double> grad = model.zeros();
  model.backward(tape, grad, dx);
  CHECK(dx(0, 0) == 13);
  CHECK(std::vector<double>(grad.begin(), grad.end()) == std::vector<double>{50, 10, 5, 1});
}

TEST_CASE("Parallel: the gradients agree with central differences") {
  check_network(Sequential<Linear<3, 4>, Tanh, Parallel<Linear<4, 2>, Sequential<Dropout, Linear<4, 3>, Tanh>>>{});
  check_network(Sequential<Parallel<Linear<3, 2>, Tanh, Residual<Tanh, Linear<3, 3>>, Parallel<Tanh, Linear<3, 1>>>,
                           Linear<12, 2>>{});
  check_network(Sequential<Input<2, 4, 2>, Parallel<Pointwise<2, 3>, SkipConnection<Tanh>>, Pointwise<7, 1>>{});
}

TEST_CASE("Parallel: names, text, and its heads") {
  const Parallel heads{Linear<>(3, 2), Sequential{Tanh{}, Linear<>(3, 5)}};
  CHECK(heads.head<0>().output_size() == 2);
  CHECK(heads.input_shapes() == std::vector<Shape>{{3}});
  const Model model(Sequential{heads}, Rng(1));
  std::vector<std::string> names;
  for (const auto& step : model.steps().steps()) names.push_back(step.name);
  CHECK(names == std::vector<std::string>{"0.0", "0.1.0", "0.1.1", "0.concatenation"});
  CHECK(model.parameters()[2].name == "0.1.1.weight");
  CHECK(model.architecture() ==
        "Parallel(Linear(in_features=3, out_features=2), Sequential(Tanh(), Linear(in_features=3, out_features=5)))");
}

TEST_CASE("Parallel: of shapes at run time, with the words of the compiler where they do not fit") {
  CHECK_THROWS_WITH_AS(Model(Sequential{Parallel{Tanh{}, Halve{}}}, Shape{3, 4, 6}, Rng(1)),
                       "eigan: the heads of a Parallel must have one height and width: 0.concatenation receives 3 x 4 "
                       "x 6 and 3 x 2 x 3",
                       std::invalid_argument);
  // One pixel is not repeated.
  for (const Index heads : {2, 3}) {
    CAPTURE(heads);
    const auto model = [&] {
      return heads == 2 ? Model(Sequential{Parallel{Halve{}, Tanh{}}}, Shape{3, 2, 2}, Rng(1)).output_size()
                        : Model(Sequential{Parallel{Halve{}, Halve{}, Tanh{}}}, Shape{3, 2, 2}, Rng(1)).output_size();
    };
    CHECK_THROWS_WITH_AS(
        model(),
        "eigan: the heads of a Parallel must have one height and width: 0.concatenation receives 3 and 3 x 2 x 2",
        std::invalid_argument);
  }
  CHECK_THROWS_WITH_AS(Model(Sequential(Parallel(Linear<>(3, 2), Sequential(Linear<>(4, 2)))), Rng(1)),
                       "eigan: this layer does not take what the layer before gives: layer 0.1.0, "
                       "Linear(in_features=4, out_features=2), expects 4 features and receives 3",
                       std::invalid_argument);
}
