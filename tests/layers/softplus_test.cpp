#include <doctest/doctest.h>
#include <cmath>

#include <eigan/layers/softplus.hpp>
#include <eigan/testing/check_gradients.hpp>

using namespace eigan;

TEST_CASE("Softplus: worked by hand") {
  // beta x = ln 3, -ln 3, 0: log(1 + 3) / 2, log(1 + 1/3) / 2, log(2) / 2.
  const Softplus layer(2, 5);
  const double l = std::log(3.0) / 2;
  const Matrix<double> x{{l, -l}, {0, 3}};
  Matrix<double> y(2, 2), dx(2, 2);
  layer.forward<double>({}, x, y);
  CHECK(y.isApprox(Matrix<double>{{std::log(4.0) / 2, std::log(4.0 / 3) / 2}, {std::log(2.0) / 2, 3}}, 1e-15));
  const Matrix<double> dy{{16, 16}, {16, 16}};
  layer.backward_input<double>({}, x, y, dy, dx);
  CHECK(dx.isApprox(Matrix<double>{{12, 4}, {8, 16}}, 1e-14));  // 6 is above the threshold
  // beta s (1 - s): 3/8 at both, 1/2 at 0.
  layer.add_curvature<double>({}, x, y, dy, Matrix<double>::Ones(2, 2).eval(), dx);
  CHECK(dx.isApprox(Matrix<double>{{18, 10}, {16, 16}}, 1e-14));
}

TEST_CASE("Softplus: gradients and tangents, on both sides of the threshold") {
  for (const auto& layer : {Softplus(), Softplus(0.5), Softplus(3, 2), Softplus(1, 1)})
    for (const Index features : {1, 5, 33}) {
      const auto report = testing::check_gradients(layer, {.features = features});
      INFO("beta ", layer.beta(), ", threshold ", layer.threshold(), ", ", features, " features\n", report.text());
      CHECK(report.ok());
    }
}

TEST_CASE("Softplus: PyTorch's settings unless others are given; those out of range are refused") {
  CHECK(Softplus().spec().text() == "Softplus(beta=1, threshold=20)");
  CHECK(Softplus(0.5).spec().text() == "Softplus(beta=0.5, threshold=20)");
  CHECK_THROWS_WITH_AS(Softplus(0), "eigan::Softplus: beta must be at least 1e-30 and at most 1e30, is 0",
                       std::invalid_argument);
  CHECK_THROWS_WITH_AS(Softplus(1, -1), "eigan::Softplus: threshold must be at least 0 and at most 1e30, is -1",
                       std::invalid_argument);
  CHECK_THROWS_AS(Softplus(std::nan("")), std::invalid_argument);
}

// The error over all floats is in tests/kernels/activations_test.cpp.
TEST_CASE("Softplus: in float, small values keep their digits") {
  const Matrix<float> x{{-30}}, one{{1}};
  Matrix<float> y(1, 1), dx(1, 1);
  Softplus().forward<float>({}, x, y);
  CHECK(static_cast<double>(y(0)) == doctest::Approx(std::exp(-30.0)).scale(0).epsilon(1e-6));
  Softplus().backward_input<float>({}, x, y, one, dx);
  CHECK(static_cast<double>(dx(0)) == doctest::Approx(std::exp(-30.0)).scale(0).epsilon(1e-6));
}
