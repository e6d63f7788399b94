#include <doctest/doctest.h>
#include <cmath>

#include <eigan/layers/tanh.hpp>
#include <eigan/testing/check_gradients.hpp>

using namespace eigan;

TEST_CASE("Tanh: worked by hand") {
  // tanh(ln 2) = (2 - 1/2) / (2 + 1/2) = 3/5, tanh(ln 3) = (3 - 1/3) / (3 + 1/3) = 4/5.
  const Tanh layer;
  const Matrix<double> x{{std::log(2.0), -std::log(3.0)}, {0, 30}};
  Matrix<double> y(2, 2), dx(2, 2);
  layer.forward<double>({}, x, y);
  CHECK(y.isApprox(Matrix<double>{{0.6, -0.8}, {0, 1}}, 1e-15));
  const Matrix<double> dy{{100, 100}, {2, 5}};
  layer.backward_input<double>({}, x, y, dy, dx);
  CHECK(dx.isApprox(Matrix<double>{{64, 36}, {2, 0}}, 1e-14));
  // y'' = -2 y (1 - y^2): -0.768 at 3/5, 0.576 at -4/5.
  layer.add_curvature<double>({}, x, y, dy, Matrix<double>::Ones(2, 2).eval(), dx);
  CHECK(dx.isApprox(Matrix<double>{{64 - 76.8, 36 + 57.6}, {2, 0}}, 1e-14));
  CHECK(layer.spec().text() == "Tanh()");
}

TEST_CASE("Tanh: gradients") {
  for (const Index features : {1, 5, 33}) {
    const auto report = testing::check_gradients(Tanh(), {.features = features});
    INFO(features, " features\n", report.text());
    CHECK(report.ok());
  }
}

// The error over all floats is in tests/kernels/elementwise_test.cpp.
TEST_CASE("Tanh: in float saturates at 1 exactly, and a NaN passes through") {
  Matrix<float> x(3, 1), y(3, 1), dx(3, 1);
  x << 1e4f, -1e4f, std::nanf("");
  Tanh().forward<float>({}, x, y);
  CHECK(y(0) == 1);
  CHECK(y(1) == -1);
  CHECK(std::isnan(y(2)));
  Tanh().backward_input<float>({}, x, y, Matrix<float>::Ones(3, 1).eval(), dx);
  CHECK(dx(0) == 0);
  CHECK(dx(1) == 0);
  CHECK(std::isnan(dx(2)));
}
