#include <doctest/doctest.h>
#include <cmath>

#include <eigan/layers/silu.hpp>
#include <eigan/testing/check_gradients.hpp>

using namespace eigan;

TEST_CASE("SiLU: worked by hand") {
  // sigmoid(ln 3) = 3/4, sigmoid(-ln 3) = 1/4.
  const SiLU layer;
  const double l = std::log(3.0);
  const Matrix<double> x{{l, -l}, {0, 50}};
  Matrix<double> y(2, 2), dx(2, 2);
  layer.forward<double>({}, x, y);
  CHECK(y.isApprox(Matrix<double>{{l * 3 / 4, -l / 4}, {0, 50}}, 1e-15));
  const Matrix<double> dy{{16, 16}, {16, 16}};
  layer.backward_input<double>({}, x, y, dy, dx);
  CHECK(dx.isApprox(Matrix<double>{{12 + 3 * l, 4 - 3 * l}, {8, 16}}, 1e-14));
  // s (1 - s) (2 + x (1 - 2 s)) = 3/16 (2 - l/2) at both, 1/2 at 0.
  layer.add_curvature<double>({}, x, y, dy, Matrix<double>::Ones(2, 2).eval(), dx);
  CHECK(dx.isApprox(Matrix<double>{{18 + 1.5 * l, 10 - 4.5 * l}, {16, 16}}, 1e-14));
}

TEST_CASE("SiLU: gradients and tangents") {
  for (const Index features : {1, 5, 33}) {
    const auto report = testing::check_gradients(SiLU(), {.features = features, .low = -6, .high = 6});
    INFO(features, " features\n", report.text());
    CHECK(report.ok());
  }
  CHECK(SiLU().spec().text() == "SiLU()");
}

// The error over all floats is in tests/kernels/activations_test.cpp.
TEST_CASE("SiLU: in float, small values keep their digits") {
  const Matrix<float> x{{-30}}, one{{1}};
  Matrix<float> y(1, 1), dx(1, 1);
  SiLU().forward<float>({}, x, y);
  CHECK(static_cast<double>(y(0)) == doctest::Approx(-30 * std::exp(-30.0)).scale(0).epsilon(1e-6));
  SiLU().backward_input<float>({}, x, y, one, dx);
  CHECK(static_cast<double>(dx(0)) == doctest::Approx(-29 * std::exp(-30.0)).scale(0).epsilon(1e-6));
}
