#include <doctest/doctest.h>
#include <limits>

#include <eigan/metrics/density_coverage.hpp>

#include "support.hpp"

using namespace eigan;

TEST_CASE("density_coverage: points on a line") {
  const Matrix<float> real{{0, 1, 3, 7}}, fake{{-1, 12, 20, 0.5f, 1}};
  // Balls [-1, 1], [0, 2], [1, 5], [3, 11] hold 3, 2, 1 and 0 of the fake ones; -1 and 1 lie on edges, which counts.
  const auto one = metrics::density_coverage(real, fake, 1);
  CHECK(one.density == 6.0 / 5);
  CHECK(one.coverage == 3.0 / 4);
  // With k = 2, balls [-3, 3], [-1, 3], [0, 6], [1, 13] hold 3, 3, 2, 2.
  const auto two = metrics::density_coverage(real, fake, 2);
  CHECK(two.density == 10.0 / (2 * 5));
  CHECK(two.coverage == 1);
}

TEST_CASE("density_coverage: a set against itself, and against one far away") {
  const auto real = support::random_matrix<float>(10, 60, 1);
  const auto same = metrics::density_coverage(real, real);
  CHECK(same.density == doctest::Approx(6.0 / 5));  // its five neighbours, and itself
  CHECK(same.coverage == 1);
  const auto far = metrics::density_coverage(real, (real.array() + 100.0f).matrix().eval());
  CHECK(far.density == 0);
  CHECK(far.coverage == 0);
}

TEST_CASE("density_coverage: a single generated sample is enough to ask") {
  const auto score = metrics::density_coverage(Matrix<float>{{0, 1, 3, 7}}, Matrix<float>{{1}}, 1);
  CHECK(score.density == 3);
  CHECK(score.coverage == 3.0 / 4);
}

TEST_CASE("density_coverage: k is 5 unless it is given, and threads change nothing") {
  const auto real = support::random_matrix<float>(20, 150, 1), fake = support::random_matrix<float>(20, 140, 2);
  const auto score = metrics::density_coverage(real, fake);
  CHECK(score.coverage > 0);
  CHECK(score.coverage < 1);
  for (int threads = 1; threads <= 5; ++threads) {
    const auto again = metrics::density_coverage(real, fake, 5, Threads{threads});
    CHECK(again.density == score.density);
    CHECK(again.coverage == score.coverage);
  }
}

TEST_CASE("density_coverage: sets that do not fit, too few samples, numbers that are not finite") {
  const Matrix<float> real = Matrix<float>::Zero(2, 6);
  CHECK_THROWS_WITH_AS(metrics::density_coverage(real, Matrix<float>::Zero(3, 6).eval()),
                       "eigan::metrics::density_coverage: real has 2 features, fake has 3", std::invalid_argument);
  CHECK_THROWS_WITH_AS(metrics::density_coverage(Matrix<float>::Zero(2, 5).eval(), real),
                       "eigan::metrics::density_coverage: real: expected at least 6 samples, got 5",
                       std::invalid_argument);
  CHECK_THROWS_AS(metrics::density_coverage(real, Matrix<float>(2, 0)), std::invalid_argument);
  CHECK_THROWS_AS(metrics::density_coverage(real, real, 0), std::invalid_argument);
  Matrix<float> nan = real;
  nan(1, 2) = std::numeric_limits<float>::quiet_NaN();
  CHECK_THROWS_AS(metrics::density_coverage(real, nan), Error);
  CHECK_THROWS_AS(metrics::density_coverage(nan, real), Error);
}
