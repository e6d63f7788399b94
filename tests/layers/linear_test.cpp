#include <doctest/doctest.h>

#include <eigan/layers/linear.hpp>
#include <eigan/testing/check_gradients.hpp>

using namespace eigan;

TEST_CASE("Linear: a hand-worked product") {
  // w = [1 2; 3 4; 5 6], b = [10 20 30], x = [1 -1; 2 0.5]
  const Linear<2, 3> layer;
  const std::vector<float> p{1, 3, 5, 2, 4, 6, 10, 20, 30};
  const Matrix<float> x{{1, -1}, {2, 0.5f}};
  Matrix<float> y(3, 2);
  layer.forward<float>(p, x, y);
  CHECK(y == Matrix<float>{{15, 10}, {31, 19}, {47, 28}});

  const Matrix<float> dy{{1, 0}, {0, 1}, {1, 1}};
  Matrix<float> dx(2, 2);
  layer.backward_input<float>(p, x, y, dy, dx);
  CHECK(dx == Matrix<float>{{6, 8}, {8, 10}});

  std::vector<float> dp(9, 100);
  layer.backward_params<float>(p, x, y, dy, dp);
  CHECK(dp == std::vector<float>{101, 99, 100, 102, 100.5f, 102.5f, 101, 101, 102});
}

TEST_CASE("Linear: gradients") {
  for (const Index in : {1, 2, 7, 33, 101})
    for (const Index out : {1, 3, 8, 29, 70}) {
      const auto report = testing::check_gradients(Linear<>(in, out));
      INFO(in, " -> ", out, "\n", report.text());
      CHECK(report.ok());
    }
}

TEST_CASE("Linear: many blocks of parameters") {
  const auto report = testing::check_gradients(Linear<1500, 20>{}, {.batches = {2}});
  INFO(report.text());
  CHECK(Linear<1500, 20>{}.block_count() > 3);
  CHECK(report.ok());
}

TEST_CASE("Linear: sizes at run time must be positive and agree with the type") {
  CHECK_THROWS_WITH_AS((Linear<784, dynamic>(100, 10)), "eigan::Linear<784, -1>: cannot have sizes 100 and 10",
                       std::invalid_argument);
  CHECK_THROWS_AS((Linear<>(0, 10)), std::invalid_argument);
  CHECK_THROWS_AS((Linear<>(10, -1)), std::invalid_argument);
  CHECK_THROWS_AS((Linear<>(Index{1} << 32, 10)), std::invalid_argument);  // out x in must not overflow
}

TEST_CASE("Linear: starts as torch.nn.Linear does") {
  const Linear<400, 50> layer;
  std::vector<float> p(static_cast<std::size_t>(layer.param_size()));
  layer.init<float>(p, Rng(3));
  const auto w = layer.weight(std::span<const float>(p));
  const auto b = layer.bias(std::span<const float>(p));
  CHECK(w.maxCoeff() < 0.05f);
  CHECK(w.maxCoeff() > 0.0499f);
  CHECK(w.minCoeff() >= -0.05f);
  CHECK(std::abs(w.mean()) < 0.001f);
  CHECK(w.array().square().mean() == doctest::Approx(0.05 * 0.05 / 3).scale(0).epsilon(0.02));
  CHECK(b.maxCoeff() < 0.05f);
  CHECK(b.array().abs().maxCoeff() > 0.04f);
}
