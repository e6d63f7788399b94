#include <doctest/doctest.h>
#include <cmath>
#include <limits>
#include <vector>

#include <eigan/layers/prelu.hpp>
#include <eigan/testing/check_gradients.hpp>

#include "support.hpp"

using namespace eigan;

TEST_CASE("PReLU: worked by hand") {
  const PReLU layer;
  const std::vector<float> p{0.25f};
  const Matrix<float> x{{2, -4}, {-1, 0}, {0.5f, 8}}, dy{{10, 20}, {30, 40}, {50, 60}};
  Matrix<float> y(3, 2), dx(3, 2);
  layer.forward<float>(p, x, y);
  CHECK(y == Matrix<float>{{2, -1}, {-0.25f, 0}, {0.5f, 8}});
  layer.backward_input<float>(p, x, y, dy, dx);
  CHECK(dx == Matrix<float>{{10, 5}, {7.5f, 10}, {50, 60}});  // the gradient at 0 is the slope's
  std::vector<float> dp{100};
  layer.backward_params<float>(p, x, y, dy, dp);
  CHECK(dp == std::vector<float>{100 - 80 - 30});
}

TEST_CASE("PReLU: a slope a channel, which runs fastest") {
  // Two pixels of two channels.
  const PReLU layer(2);
  const std::vector<float> p{0.5f, 2};
  const Matrix<float> x{{-2}, {-4}, {-6}, {8}}, dy{{1}, {10}, {100}, {1000}};
  Matrix<float> y(4, 1), dx(4, 1);
  layer.forward<float>(p, x, y);
  CHECK(y == Matrix<float>{{-1}, {-8}, {-3}, {8}});
  layer.backward_input<float>(p, x, y, dy, dx);
  CHECK(dx == Matrix<float>{{0.5f}, {20}, {50}, {1000}});
  std::vector<float> dp{0, 0};
  layer.backward_params<float>(p, x, y, dy, dp);
  CHECK(dp == std::vector<float>{-602, -40});
}

TEST_CASE("PReLU: gradients and tangents, on vectors and images") {
  for (const Shape shape : {Shape{1}, Shape{7}, Shape{33}, Shape{3, 4, 5}, Shape{70, 2, 3}})
    for (const Index slopes : {Index{1}, shape.channels}) {
      const auto report = testing::check_gradients(PReLU(slopes), {.shape = shape});
      INFO(slopes, " slopes, ", shape.channels, " channels\n", report.text());
      CHECK(report.ok());
    }
}

TEST_CASE("PReLU: describes itself as torch.nn.PReLU, starts where it starts") {
  const PReLU layer(3, 0.1);
  std::vector<float> p(3);
  layer.init<float>(p, Rng(1));
  CHECK(p == std::vector<float>{0.1f, 0.1f, 0.1f});
  PReLU().init<float>(p, Rng(1));
  CHECK(p[0] == 0.25f);
  CHECK(layer.spec().text() == "PReLU(num_parameters=3, init=0.1)");
  CHECK(PReLU(3).spec().text() == "PReLU(num_parameters=3)");
  CHECK(layer.parameters()[0].name == "weight");
  CHECK(layer.parameters()[0].file_shape() == std::vector<Index>{3});
}

TEST_CASE("PReLU: takes any shape, or its channels") {
  CHECK(PReLU().output_shape({5, 2, 2}) == Shape{5, 2, 2});
  CHECK(PReLU(5).output_shape({5, 2, 2}) == Shape{5, 2, 2});
  CHECK_FALSE(PReLU(5).output_shape({20}));
  CHECK(PReLU(5).expects() == "5 channels");
  CHECK_THROWS_WITH_AS(
      testing::check_gradients(PReLU(3)),
      "eigan::testing::check_gradients: the layer takes no sample of 5 x 1 x 1, it expects 3 channels; "
      "choose the option shape",
      std::invalid_argument);
  const std::vector<float> p(3);
  Matrix<float> x(5, 1), y(5, 1);
  CHECK_THROWS_WITH_AS(PReLU(3).forward<float>(p, x, y), "eigan::PReLU: 5 numbers are not whole pixels of 3",
                       std::invalid_argument);
}

TEST_CASE("PReLU: no slopes, or one that is no number, are refused") {
  CHECK_THROWS_WITH_AS(PReLU(0), "eigan::PReLU: num_parameters must be in 1 to 2^31 - 1, is 0", std::invalid_argument);
  CHECK_THROWS_AS(PReLU(-1), std::invalid_argument);
  CHECK_THROWS_AS(PReLU(Index{1} << 32), std::invalid_argument);
  CHECK_THROWS_AS(PReLU(1, std::nan("")), std::invalid_argument);
}

TEST_CASE("PReLU: in float, the slope's gradient keeps its digits over a large image") {
  // 2^20 equal terms: one sum of them in float would be off by some 10^-3.
  const Matrix<float> x = Matrix<float>::Constant(1 << 14, 64, -0.1f), dy = Matrix<float>::Constant(1 << 14, 64, 1);
  for (const Index slopes : {1, 4}) {
    std::vector<float> dp(static_cast<std::size_t>(slopes)), p(dp);
    PReLU(slopes).backward_params<float>(p, x, x, dy, dp);
    CHECK(static_cast<double>(dp[0]) ==
          doctest::Approx(-static_cast<double>(0.1f) * (1 << 20) / static_cast<double>(slopes)).epsilon(1e-4));
  }
}
