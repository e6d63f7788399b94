#include <doctest/doctest.h>
#include <cmath>

#include <eigan/layers/relu.hpp>
#include <eigan/testing/check_gradients.hpp>

using namespace eigan;

TEST_CASE("ReLU: worked by hand") {
  const ReLU layer;
  const Matrix<float> x{{2, -4}, {-1, 0}, {0.5f, 8}};
  Matrix<float> y(3, 2), dx(3, 2);
  layer.forward<float>({}, x, y);
  CHECK(y == Matrix<float>{{2, 0}, {0, 0}, {0.5f, 8}});
  const Matrix<float> dy{{10, 20}, {30, 40}, {50, 60}};
  layer.backward_input<float>({}, x, y, dy, dx);
  CHECK(dx == Matrix<float>{{10, 0}, {0, 0}, {50, 60}});
  CHECK(layer.spec().text() == "ReLU()");
}

TEST_CASE("ReLU: gradients") {
  for (const Index features : {1, 5, 33}) {
    const auto report = testing::check_gradients(ReLU(), {.features = features});
    INFO(features, " features\n", report.text());
    CHECK(report.ok());
  }
}

TEST_CASE("ReLU: a NaN passes through") {
  const Matrix<float> x = Matrix<float>::Constant(9, 1, std::nanf(""));
  Matrix<float> y(9, 1);
  ReLU().forward<float>({}, x, y);
  CHECK(y.array().isNaN().all());
}
