#include <doctest/doctest.h>

#include <eigan/layers/dropout.hpp>
#include <eigan/layers/leaky_relu.hpp>
#include <eigan/layers/linear.hpp>
#include <eigan/layers/tanh.hpp>
#include <eigan/net/model.hpp>
#include <eigan/net/parallel.hpp>
#include <eigan/net/residual.hpp>
#include <eigan/net/sequential.hpp>
#include <eigan/net/summary.hpp>

using namespace eigan;

TEST_CASE("summary: layers, shapes and counts in columns") {
  CHECK(summary(Model<Sequential<Linear<2, 4>, Tanh>>(Rng(1))) == R"(Sequential(
  (0): Linear(in_features=2, out_features=4)   2 -> 4   12 parameters
  (1): Tanh()                                  4 -> 4
)
12 parameters
)");
}

TEST_CASE("summary: positions of two digits keep the columns") {
  using Net = Sequential<Linear<3, 3>, Tanh, Tanh, Tanh, Tanh, Tanh, Tanh, Tanh, Tanh, Tanh, Linear<3, 100>, Dropout>;
  CHECK(summary(Model<Net>(Rng(1))) == R"(Sequential(
  (0): Linear(in_features=3, out_features=3)      3 -> 3   12 parameters
  (1): Tanh()                                     3 -> 3
  (2): Tanh()                                     3 -> 3
  (3): Tanh()                                     3 -> 3
  (4): Tanh()                                     3 -> 3
  (5): Tanh()                                     3 -> 3
  (6): Tanh()                                     3 -> 3
  (7): Tanh()                                     3 -> 3
  (8): Tanh()                                     3 -> 3
  (9): Tanh()                                     3 -> 3
  (10): Linear(in_features=3, out_features=100)   3 -> 100   400 parameters
  (11): Dropout(p=0.5)                            100 -> 100
)
412 parameters
)");
}

TEST_CASE("summary: a join says whose outputs it reads, an image its height and width") {
  using Net = Sequential<Inputs<Input<1, 2, 2>, Input<3>>, Residual<Tanh>, Parallel<Tanh, Dropout>>;
  CHECK(summary(Model<Net>(Rng(1))) == R"(Sequential(
  (inputs): channels of input 0, input 1        1 x 2 x 2, 3 -> 4 x 2 x 2
  (0.body.0): Tanh()                            4 x 2 x 2 -> 4 x 2 x 2
  (0.sum): sum of (inputs), (0.body.0)          4 x 2 x 2 -> 4 x 2 x 2
  (1.0): Tanh()                                 4 x 2 x 2 -> 4 x 2 x 2
  (1.1): Dropout(p=0.5)                         4 x 2 x 2 -> 4 x 2 x 2
  (1.concatenation): channels of (1.0), (1.1)   4 x 2 x 2, 4 x 2 x 2 -> 8 x 2 x 2
)
0 parameters
)");
}
