#include <doctest/doctest.h>
#include <cmath>

#include <eigan/layers/gelu.hpp>
#include <eigan/testing/check_gradients.hpp>

using namespace eigan;

TEST_CASE("GELU: worked by hand") {
  // Phi(1) = 0.841344746068542949, phi(1) = 0.241970724519143349; Phi(-1) = 1 - Phi(1).
  const GELU layer;
  const Matrix<double> x{{1, -1}, {0, 40}};
  Matrix<double> y(2, 2), dx(2, 2);
  layer.forward<double>({}, x, y);
  CHECK(y.isApprox(Matrix<double>{{0.841344746068542949, -0.158655253931457051}, {0, 40}}, 1e-15));
  const Matrix<double> dy{{1, 1}, {1, 1}};
  layer.backward_input<double>({}, x, y, dy, dx);
  CHECK(dx.isApprox(Matrix<double>{{1.083315470587686298, -0.083315470587686298}, {0.5, 1}}, 1e-14));
  // (2 - x^2) phi(x): phi(1) at 1 and -1, 2 phi(0) at 0.
  layer.add_curvature<double>({}, x, y, dy, dy, dx);
  CHECK(dx.isApprox(Matrix<double>{{1.325286195106829647, 0.158655253931457051}, {1.297884560802865356, 1}}, 1e-14));
}

TEST_CASE("GELU: gradients and tangents") {
  for (const Index features : {1, 5, 33}) {
    const auto report = testing::check_gradients(GELU(), {.features = features, .low = -4, .high = 4});
    INFO(features, " features\n", report.text());
    CHECK(report.ok());
  }
}

TEST_CASE("GELU: its approximation by tanh is refused by name") {
  CHECK(GELU("none").spec().text() == "GELU()");
  CHECK_THROWS_WITH_AS(GELU("tanh"), "eigan::GELU: approximate must be none, is tanh, which is not built",
                       std::invalid_argument);
}

// The error over all floats is in tests/kernels/activations_test.cpp.
TEST_CASE("GELU: in float, small values keep their digits") {
  // -5 Phi(-5), which 1 + erf would leave with two of its digits.
  const Matrix<float> x{{-5}}, one{{1}};
  Matrix<float> y(1, 1), dx(1, 1);
  GELU().forward<float>({}, x, y);
  CHECK(static_cast<double>(y(0)) == doctest::Approx(-2.5 * std::erfc(5 / std::sqrt(2.0))).scale(0).epsilon(1e-6));
  GELU().backward_input<float>({}, x, y, one, dx);
  const double slope = std::erfc(5 / std::sqrt(2.0)) / 2 - 5 * std::exp(-12.5) / std::sqrt(8 * std::atan(1.0));
  CHECK(static_cast<double>(dx(0)) == doctest::Approx(slope).scale(0).epsilon(1e-6));
}
