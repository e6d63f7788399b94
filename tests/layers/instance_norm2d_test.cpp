#include <doctest/doctest.h>
#include <cmath>
#include <string>
#include <vector>

#include <eigan/layers/instance_norm2d.hpp>
#include <eigan/testing/check_gradients.hpp>

#include "support.hpp"

using namespace eigan;

TEST_CASE("InstanceNorm2d: gradients and tangents, with and without gamma and beta") {
  for (const Shape shape : {Shape{1, 4, 3}, Shape{3, 2, 5}, Shape{17, 1, 3}, Shape{70, 2, 2}})
    for (const bool affine : {false, true}) {
      const auto report =
          testing::check_gradients(InstanceNorm2d<>(shape.channels, 0.1, affine), {.shape = shape, .batches = {1, 3}});
      INFO(shape.channels, " x ", shape.height, " x ", shape.width, ", affine ", affine, "\n", report.text());
      CHECK(report.ok());
    }
}

TEST_CASE("InstanceNorm2d: hand-worked images") {
  // Channel 0 of sample 0: 1, 3, mean 2, variance 1; of sample 1: 5, 5. eps makes the variances 4 and 3.
  const auto layer = InstanceNorm2d<1>(1, 3, true).at({1, 1, 2});
  const std::vector<double> p{2, 10};
  const Matrix<double> x{{1, 5}, {3, 5}};
  Matrix<double> y(2, 2);
  layer.forward<double>(p, x, y);
  CHECK(y.isApprox(Matrix<double>{{9, 10}, {11, 10}}, 1e-12));

  // dx = gamma r (dy - mean(dy) - x^ mean(x^ dy)): sample 0 with x^ = -+1/2, mean(x^ dy) = -1/4.
  const Matrix<double> dy{{1, 1}, {0, 0}};
  Matrix<double> dx(2, 2);
  layer.backward_input<double>(p, x, y, dy, dx);
  const double r = 1 / std::sqrt(3.0);
  CHECK(dx.isApprox(Matrix<double>{{0.5 - 0.125, r}, {-0.5 + 0.125, -r}}, 1e-12));
  std::vector<double> dp{100, 200};
  layer.backward_params<double>(p, x, y, dy, dp);
  CHECK(dp[0] == doctest::Approx(100 - 0.5));
  CHECK(dp[1] == doctest::Approx(202));
}

TEST_CASE("InstanceNorm2d: a mean of 1e4 costs no digits, forward and back") {
  const Shape shape{5, 7, 6};
  const auto layer = InstanceNorm2d<5>().at(shape);
  Matrix<float> x = support::random_matrix<float>(shape.size(), 4, 1, 0, 1);
  x = (x.array() * 256).floor() / 256;  // so that 1e4 + x is exact
  const Matrix<float> far = x.array() + 1e4f, dy = support::random_matrix<float>(shape.size(), 4, 2);
  Matrix<float> y(shape.size(), 4), y_far = y, dx = y, dx_far = y;
  layer.forward<float>({}, x, y);
  layer.forward<float>({}, far, y_far);
  layer.backward_input<float>({}, x, y, dy, dx);
  layer.backward_input<float>({}, far, y, dy, dx_far);
  CHECK((y_far - y).cwiseAbs().maxCoeff() < 4e-6f);
  CHECK((dx_far - dx).cwiseAbs().maxCoeff() < 4e-5f);
}

TEST_CASE("InstanceNorm2d: starts as torch.nn.InstanceNorm2d does") {
  CHECK(InstanceNorm2d<3>().at({3, 2, 2}).param_size() == 0);
  CHECK(InstanceNorm2d<3>().at({3, 2, 2}).parameters().empty());
  const auto layer = InstanceNorm2d<>(3, 1e-5, true).at({3, 2, 2});
  std::vector<float> p(6);
  layer.init<float>(p, Rng(1));
  CHECK(p == std::vector<float>{1, 1, 1, 0, 0, 0});
  CHECK(layer.parameters()[1].name == "bias");
  CHECK(layer.parameters()[1].offset == 3);
}

TEST_CASE("InstanceNorm2d: what it says of itself, what it takes, what it refuses") {
  CHECK(InstanceNorm2d<8>().spec().text() == "InstanceNorm2d(num_features=8, eps=1e-05, affine=0)");
  CHECK(InstanceNorm2d<>(8, 0.5, true).spec().text() == "InstanceNorm2d(num_features=8, eps=0.5, affine=1)");
  CHECK(InstanceNorm2d<8>().spec().type == "::eigan::InstanceNorm2d<8>");
  static_assert(InstanceNorm2d<3>{}.output_shape({3, 1, 2}) == Shape{3, 1, 2});
  static_assert(!InstanceNorm2d<3>{}.output_shape({4, 2, 2}) && !InstanceNorm2d<3>{}.output_shape({3, 1, 1}));
  CHECK(InstanceNorm2d<3>().expects() == "3 channels, more than 1 pixel");
  CHECK_THROWS_WITH_AS(
      (InstanceNorm2d<4>(5)),
      "eigan::InstanceNorm2d<4>: cannot have 5 channels, expected 1 to 2^31 - 1 and what the type states",
      std::invalid_argument);
  CHECK_THROWS_AS(InstanceNorm2d<>(3, -1), std::invalid_argument);
}
