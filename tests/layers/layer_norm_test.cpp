#include <doctest/doctest.h>
#include <cmath>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <vector>

#include <eigan/layers/layer_norm.hpp>
#include <eigan/testing/check_gradients.hpp>

#include "support.hpp"

using namespace eigan;

TEST_CASE("LayerNorm: gradients and tangents of vectors and images") {
  for (const Shape shape :
       {Shape{1}, Shape{2}, Shape{7}, Shape{130}, Shape{1, 4, 3}, Shape{3, 2, 5}, Shape{17, 1, 3}}) {
    const auto report = testing::check_gradients(LayerNorm<>(shape.channels, shape.height, shape.width, 0.1),
                                                 {.shape = shape, .batches = {1, 3}});
    INFO(shape.channels, " x ", shape.height, " x ", shape.width, "\n", report.text());
    CHECK(report.ok());
  }
}

TEST_CASE("LayerNorm: several parts") {
  const auto report = testing::check_gradients(LayerNorm<>(50, 11, 17),
                                               {.batches = {2}, .absolute = 1e-6, .relative = 1e-4, .cap = 20});
  INFO(report.text());
  CHECK(LayerNorm<>(50, 11, 17).part_count() == 3);
  CHECK(report.ok());
}

TEST_CASE("LayerNorm: a hand-worked vector") {
  // Sample 0: 1, 3, mean 2, variance 1; sample 1: 5, 5. eps makes the variances 4 and 3.
  const LayerNorm<> layer(2, 1, 1, 3);
  const std::vector<double> p{2, 4, 10, 20};
  const Matrix<double> x{{1, 5}, {3, 5}};
  Matrix<double> y(2, 2);
  layer.forward<double>(p, x, y);
  CHECK(y.isApprox(Matrix<double>{{9, 10}, {22, 20}}, 1e-12));

  // v = gamma dy = (2, 0): dx = r (v - 1 - x^ mean(x^ v)), in sample 0 with x^ = -+1/2 and mean(x^ v) = -1/2.
  const Matrix<double> dy{{1, 1}, {0, 0}};
  Matrix<double> dx(2, 2);
  layer.backward_input<double>(p, x, y, dy, dx);
  const double r = 1 / std::sqrt(3.0);
  CHECK(dx.isApprox(Matrix<double>{{0.375, r}, {-0.375, -r}}, 1e-12));
  std::vector<double> dp(4, 100);
  layer.backward_params<double>(p, x, y, dy, dp);
  CHECK(dp[0] == doctest::Approx(100 - 0.5));
  CHECK(dp[1] == 100);
  CHECK(dp[2] == doctest::Approx(102));
  CHECK(dp[3] == 100);
}

TEST_CASE("LayerNorm: a mean of 1e4 costs no digits, forward and back") {
  const LayerNorm<5, 7, 6> layer;
  Matrix<float> x = support::random_matrix<float>(layer.input, 4, 1, 0, 1);
  x = (x.array() * 256).floor() / 256;  // so that 1e4 + x is exact
  const Matrix<float> far = x.array() + 1e4f, dy = support::random_matrix<float>(layer.input, 4, 2);
  std::vector<float> p(static_cast<std::size_t>(layer.param_size()));
  layer.init<float>(p, Rng(1));
  Matrix<float> y(layer.input, 4), y_far = y, dx = y, dx_far = y;
  layer.forward<float>(p, x, y);
  layer.forward<float>(p, far, y_far);
  layer.backward_input<float>(p, x, y, dy, dx);
  layer.backward_input<float>(p, far, y, dy, dx_far);
  CHECK((y_far - y).cwiseAbs().maxCoeff() < 4e-6f);
  CHECK((dx_far - dx).cwiseAbs().maxCoeff() < 4e-5f);
}

TEST_CASE("LayerNorm: eps stands behind the shape, and a height is none") {
  CHECK(LayerNorm<>(7, 0.25).spec() == LayerNorm<>(7, 1, 1, 0.25).spec());
  CHECK(LayerNorm<7>(7, 0.25).spec() == LayerNorm<>(7, 0.25).spec());
  CHECK(LayerNorm<>(7).spec() == LayerNorm<>(7, 1e-5).spec());
  static_assert(!std::is_constructible_v<LayerNorm<>, Index, Index> && !std::is_constructible_v<LayerNorm<>, int, int>);
  CHECK_THROWS_WITH_AS(LayerNorm<>(7, 0.0), "eigan::LayerNorm: eps must be > 0, is 0", std::invalid_argument);
}

TEST_CASE("LayerNorm: starts as torch.nn.LayerNorm does, and files have its order") {
  const LayerNorm<2, 3, 4> layer;
  std::vector<float> p(48);
  layer.init<float>(p, Rng(1));
  for (std::size_t i = 0; i < 48; ++i) CHECK(p[i] == (i < 24 ? 1 : 0));
  const auto parameters = layer.parameters();
  REQUIRE(parameters.size() == 2);
  CHECK(parameters[1].name == "bias");
  CHECK(parameters[1].offset == 24);
  CHECK(parameters[0].file_shape() == std::vector<Index>{2, 3, 4});
  std::vector<Index> places;
  parameters[0].for_each_in_file_order([&](Index place) { places.push_back(place); });
  REQUIRE(places.size() == 24);
  CHECK(places[1] == 2);   // the next column of the first channel
  CHECK(places[4] == 8);   // its second row
  CHECK(places[12] == 1);  // the second channel
  CHECK(LayerNorm<5>().parameters()[0].file_shape() == std::vector<Index>{5});
}

TEST_CASE("LayerNorm: what it says of itself, what it takes, what it refuses") {
  CHECK(LayerNorm<8>().spec().text() == "LayerNorm(channels=8, height=1, width=1, eps=1e-05)");
  CHECK(LayerNorm<8>().spec().type == "::eigan::LayerNorm<8>");
  CHECK(LayerNorm<>(8, 2, 3, 0.5).spec().text() == "LayerNorm(channels=8, height=2, width=3, eps=0.5)");
  CHECK(LayerNorm<>(8, 2, 3).spec().type == "::eigan::LayerNorm<8, 2, 3>");
  static_assert(LayerNorm<3, 1, 2>{}.output_shape({3, 1, 2}) == Shape{3, 1, 2} && LayerNorm<3, 1, 2>::input == 6);
  static_assert(!LayerNorm<3, 1, 2>{}.output_shape({3, 2, 1}) && !LayerNorm<3>{}.output_shape({3, 2, 1}));
  static_assert(!std::is_constructible_v<LayerNorm<>, Index, Index>);  // a height and no width
  CHECK(LayerNorm<3>().expects() == "3 features");
  CHECK(LayerNorm<3, 4, 5>().expects() == "3 channels of 4 x 5 pixels");
  CHECK_THROWS_WITH_AS((LayerNorm<4>(5)),
                       "eigan::LayerNorm<4, 1, 1>: cannot have the shape 5 x 1 x 1, expected positive sizes with a "
                       "product below 2^31 and what the type states",
                       std::invalid_argument);
  CHECK_THROWS_AS(LayerNorm<>(0), std::invalid_argument);
  CHECK_THROWS_AS(LayerNorm<>(Index{1} << 30, Index{1} << 30, Index{1} << 30), std::invalid_argument);
  CHECK_THROWS_WITH_AS(LayerNorm<>(3, 1, 1, -1), "eigan::LayerNorm: eps must be > 0, is -1", std::invalid_argument);
}
