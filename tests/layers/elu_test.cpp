#include <doctest/doctest.h>
#include <cmath>

#include <eigan/layers/elu.hpp>
#include <eigan/testing/check_gradients.hpp>

using namespace eigan;

TEST_CASE("ELU: worked by hand") {
  // 2 (e^-ln 4 - 1) = -3/2.
  const ELU layer(2);
  const Matrix<double> x{{3, -std::log(4.0)}, {0, -50}};
  Matrix<double> y(2, 2), dx(2, 2);
  layer.forward<double>({}, x, y);
  CHECK(y.isApprox(Matrix<double>{{3, -1.5}, {0, -2}}, 1e-15));
  const Matrix<double> dy{{10, 10}, {10, 10}};
  layer.backward_input<double>({}, x, y, dy, dx);
  CHECK(dx.isApprox(Matrix<double>{{10, 5}, {20, 0}}, 1e-14));  // at 0 as below it
  layer.add_curvature<double>({}, x, y, dy, Matrix<double>::Ones(2, 2).eval(), dx);
  CHECK(dx.isApprox(Matrix<double>{{10, 10}, {40, 0}}, 1e-14));
}

TEST_CASE("ELU: gradients and tangents") {
  for (const double alpha : {0.0, 0.3, 1.0, 2.0})
    for (const Index features : {1, 5, 33}) {
      const auto report = testing::check_gradients(ELU(alpha), {.features = features});
      INFO("alpha ", alpha, ", ", features, " features\n", report.text());
      CHECK(report.ok());
    }
}

TEST_CASE("ELU: PyTorch's alpha unless one is given; a negative or huge one is refused") {
  CHECK(ELU().alpha() == 1);
  CHECK(ELU(0.5).spec().text() == "ELU(alpha=0.5)");
  CHECK_THROWS_WITH_AS(ELU(-0.1), "eigan::ELU: alpha must be at least 0 and at most 1e30, is -0.1",
                       std::invalid_argument);
  CHECK_THROWS_AS(ELU(1e31), std::invalid_argument);
  CHECK_THROWS_AS(ELU(std::nan("")), std::invalid_argument);
}

// The error over all floats is in tests/kernels/activations_test.cpp.
TEST_CASE("ELU: in float, small values keep their digits") {
  const Matrix<float> x{{-1e-6f}};
  Matrix<float> y(1, 1);
  ELU().forward<float>({}, x, y);
  CHECK(static_cast<double>(y(0)) == doctest::Approx(std::expm1(-1e-6)).scale(0).epsilon(1e-6));
}
