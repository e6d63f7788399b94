#include <doctest/doctest.h>
#include <cmath>
#include <limits>

#include <eigan/layers/leaky_relu.hpp>
#include <eigan/testing/check_gradients.hpp>

using namespace eigan;

TEST_CASE("LeakyReLU: worked by hand") {
  const LeakyReLU layer(0.25);
  const Matrix<float> x{{2, -4}, {-1, 0}, {0.5f, 8}};
  Matrix<float> y(3, 2), dx(3, 2);
  layer.forward<float>({}, x, y);
  CHECK(y == Matrix<float>{{2, -1}, {-0.25f, 0}, {0.5f, 8}});
  // The gradient at 0 is the slope's.
  const Matrix<float> dy{{10, 20}, {30, 40}, {50, 60}};
  layer.backward_input<float>({}, x, y, dy, dx);
  CHECK(dx == Matrix<float>{{10, 5}, {7.5f, 10}, {50, 60}});
}

TEST_CASE("LeakyReLU: gradients") {
  for (const double slope : {0.0, 0.01, 0.2, 1.0, 3.0})
    for (const Index features : {1, 5, 33}) {
      const auto report = testing::check_gradients(LeakyReLU(slope), {.features = features});
      INFO("slope ", slope, ", ", features, " features\n", report.text());
      CHECK(report.ok());
    }
}

TEST_CASE("LeakyReLU: PyTorch's slope unless one is given; a negative or huge one is refused") {
  CHECK(LeakyReLU().negative_slope() == 0.01);
  CHECK(LeakyReLU(0.2).negative_slope() == 0.2);
  CHECK(LeakyReLU(0.2).spec().text() == "LeakyReLU(negative_slope=0.2)");
  CHECK_THROWS_WITH_AS(LeakyReLU(-0.1), "eigan::LeakyReLU: negative_slope must be at least 0 and at most 1e30, is -0.1",
                       std::invalid_argument);
  CHECK(LeakyReLU(1e30).negative_slope() == 1e30);
  CHECK_THROWS_AS(LeakyReLU(1e31), std::invalid_argument);
  CHECK_THROWS_AS(LeakyReLU{std::numeric_limits<double>::infinity()}, std::invalid_argument);
  CHECK_THROWS_AS(LeakyReLU(std::nan("")), std::invalid_argument);
}

TEST_CASE("LeakyReLU: a NaN passes through") {
  const Matrix<float> x = Matrix<float>::Constant(9, 1, std::nanf(""));
  Matrix<float> y(9, 1);
  LeakyReLU(0.2).forward<float>({}, x, y);
  CHECK(y.array().isNaN().all());
}

TEST_CASE("LeakyReLU: its text has every digit of the slope") {
  CHECK(LeakyReLU(0.2).spec().text() == "LeakyReLU(negative_slope=0.2)");
  CHECK(LeakyReLU(1.0 / 3).spec().text() == "LeakyReLU(negative_slope=0.3333333333333333)");
}
