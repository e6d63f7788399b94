#include <doctest/doctest.h>
#include <cmath>

#include <eigan/layers/sigmoid.hpp>
#include <eigan/testing/check_gradients.hpp>

using namespace eigan;

TEST_CASE("Sigmoid: worked by hand") {
  // 1 / (1 + e^-ln 3) = 3/4.
  const Sigmoid layer;
  const Matrix<double> x{{std::log(3.0), -std::log(4.0)}, {0, 40}};
  Matrix<double> y(2, 2), dx(2, 2);
  layer.forward<double>({}, x, y);
  CHECK(y.isApprox(Matrix<double>{{0.75, 0.2}, {0.5, 1}}, 1e-15));
  const Matrix<double> dy{{16, 100}, {-4, 5}};
  layer.backward_input<double>({}, x, y, dy, dx);
  CHECK(dx.isApprox(Matrix<double>{{3, 16}, {-1, 0}}, 1e-14));
  // y'' = y (1 - y) (1 - 2 y): -3/32 at 3/4, 12/125 at 1/5.
  layer.add_curvature<double>({}, x, y, dy, Matrix<double>::Ones(2, 2).eval(), dx);
  CHECK(dx.isApprox(Matrix<double>{{3 - 1.5, 16 + 9.6}, {-1, 0}}, 1e-14));
  CHECK(layer.spec().text() == "Sigmoid()");
}

TEST_CASE("Sigmoid: gradients") {
  for (const Index features : {1, 5, 33}) {
    const auto report = testing::check_gradients(Sigmoid(), {.features = features});
    INFO(features, " features\n", report.text());
    CHECK(report.ok());
  }
}

// The error over all floats is in tests/kernels/elementwise_test.cpp.
template <class T>
static void check_extremes() {
  Matrix<T> x(5, 1), y(5, 1), dx(5, 1);
  x << T(1e4), T(-1e4), T(-80), T(80), std::numeric_limits<T>::quiet_NaN();
  Sigmoid().forward<T>({}, x, y);
  CHECK(y(0) == 1);
  CHECK(y(1) == 0);
  CHECK(static_cast<double>(y(2)) == doctest::Approx(std::exp(-80.0)).scale(0).epsilon(1e-6));  // not rounded to 0
  CHECK(y(3) == 1);
  CHECK(std::isnan(y(4)));
  Sigmoid().backward_input<T>({}, x, y, Matrix<T>::Ones(5, 1).eval(), dx);
  CHECK(dx(0) == 0);
  CHECK(dx(1) == 0);
  CHECK(dx(2) == y(2));
  CHECK(std::isnan(dx(4)));
}

TEST_CASE("Sigmoid: saturates without overflow, and a NaN passes through") {
  check_extremes<float>();
  check_extremes<double>();
}
