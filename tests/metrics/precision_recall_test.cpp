#include <doctest/doctest.h>
#include <limits>

#include <eigan/metrics/precision_recall.hpp>

#include "support.hpp"

using namespace eigan;

TEST_CASE("precision_recall: points on a line") {
  // Balls around the real ones: [-1, 1], [0, 2], [1, 5], [3, 11]. Around the fake: [-4, 2], [-1, 5], [11, 13], [10,
  // 12], [12, 28]. Both -1 and 11 lie on an edge, which counts.
  const Matrix<float> real{{0, 1, 3, 7}}, fake{{-1, 2, 12, 11, 20}};
  const auto one = metrics::precision_recall(real, fake, 1);
  CHECK(one.precision == 3.0 / 5);
  CHECK(one.recall == 3.0 / 4);
  // With k = 2: [-3, 3], [-1, 3], [0, 6], [1, 13]; around the fake ones [-13, 11], and so on: all real ones are inside.
  const auto two = metrics::precision_recall(real, fake, 2);
  CHECK(two.precision == 4.0 / 5);
  CHECK(two.recall == 1);
}

TEST_CASE("precision_recall: a set against itself, and against one far away") {
  const auto real = support::random_matrix<float>(10, 60, 1);
  const auto same = metrics::precision_recall(real, real);
  CHECK(same.precision == 1);
  CHECK(same.recall == 1);
  const auto far = metrics::precision_recall(real, (real.array() + 100.0f).matrix().eval());
  CHECK(far.precision == 0);
  CHECK(far.recall == 0);
}

TEST_CASE("precision_recall: one sample repeated is precise and covers nothing") {
  const auto real = support::random_matrix<float>(10, 60, 1);
  const Matrix<float> copies = real.col(7).replicate(1, 20);
  const auto score = metrics::precision_recall(real, copies);
  CHECK(score.precision == 1);
  CHECK(score.recall == 1.0 / 60);  // the copied one is at distance 0
}

TEST_CASE("precision_recall: k is 3 unless it is given, and threads change nothing") {
  const auto real = support::random_matrix<float>(20, 150, 1), fake = support::random_matrix<float>(20, 140, 2);
  const auto score = metrics::precision_recall(real, fake);
  CHECK(score.precision > 0);
  CHECK(score.precision < 1);
  for (int threads = 1; threads <= 5; ++threads) {
    const auto again = metrics::precision_recall(real, fake, 3, Threads{threads});
    CHECK(again.precision == score.precision);
    CHECK(again.recall == score.recall);
  }
}

TEST_CASE("precision_recall: sets that do not fit, too few samples, numbers that are not finite") {
  const Matrix<float> real = Matrix<float>::Zero(2, 4);
  CHECK_THROWS_WITH_AS(metrics::precision_recall(real, Matrix<float>::Zero(3, 4).eval()),
                       "eigan::metrics::precision_recall: real has 2 features, fake has 3", std::invalid_argument);
  CHECK_THROWS_WITH_AS(metrics::precision_recall(real, Matrix<float>::Zero(2, 3).eval()),
                       "eigan::metrics::precision_recall: fake: expected at least 4 samples, got 3",
                       std::invalid_argument);
  CHECK_THROWS_AS(metrics::precision_recall(Matrix<float>::Zero(2, 3).eval(), real), std::invalid_argument);
  CHECK_THROWS_AS(metrics::precision_recall(real, real, 0), std::invalid_argument);
  Matrix<float> nan = real;
  nan(1, 2) = std::numeric_limits<float>::quiet_NaN();
  CHECK_THROWS_WITH_AS(
      metrics::precision_recall(real, nan),
      "eigan::metrics::precision_recall: fake, sample 2: expected finite numbers, found a squared norm "
      "of nan",
      Error);
  CHECK_THROWS_AS(metrics::precision_recall(nan, real), Error);
}
