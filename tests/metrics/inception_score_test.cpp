#include <doctest/doctest.h>
#include <cmath>
#include <limits>

#include <eigan/metrics/inception_score.hpp>

using namespace eigan;

namespace {

/// Sure of class j % classes for sample j.
Matrix<float> one_hot(Index classes, Index n) {
  Matrix<float> p = Matrix<float>::Zero(classes, n);
  for (Index j = 0; j < n; ++j) p(j % classes, j) = 1;
  return p;
}

}  // namespace

TEST_CASE("inception_score: 1 where all samples look alike") {
  const auto uniform = metrics::inception_score(Matrix<float>::Constant(10, 20, 0.1f).eval());
  CHECK(uniform.score == doctest::Approx(1).epsilon(1e-7));
  CHECK(uniform.splits.mean == doctest::Approx(1).epsilon(1e-7));
  CHECK(uniform.splits.standard_error == doctest::Approx(0));

  Matrix<float> same = Matrix<float>::Zero(10, 20);  // a mode that swallowed all: sure, but not spread
  same.row(3).setOnes();
  CHECK(metrics::inception_score(same).score == 1);
}

TEST_CASE("inception_score: the number of classes where each is met for sure, with zero probabilities") {
  CHECK(metrics::inception_score(one_hot(10, 20), 2).score == doctest::Approx(10).epsilon(1e-14));
  const auto s = metrics::inception_score(one_hot(10, 20));
  CHECK(s.score == doctest::Approx(10).epsilon(1e-14));
  CHECK(s.splits.mean == doctest::Approx(2).epsilon(1e-14));  // each split has two samples, so two classes
  CHECK(s.splits.standard_error == doctest::Approx(0));
}

TEST_CASE("inception_score: worked by hand") {
  // q = (3/4, 1/4): half of log(4/3), and half of (log(2/3) + log 2) / 2.
  const Matrix<float> p{{1, 0.5f}, {0, 0.5f}};
  CHECK(metrics::inception_score(p, 2).score == doctest::Approx(std::pow(4.0 / 3, 0.75)).epsilon(1e-14));
}

TEST_CASE("inception_score: the splits are consecutive parts") {
  // Two classes, then one class three times: scores 2 and 1. All: q = (4/5, 1/5), whose entropy is the score's
  // logarithm.
  const Matrix<float> p{{1, 0, 1, 1, 1}, {0, 1, 0, 0, 0}};
  const auto s = metrics::inception_score(p, 2);
  CHECK(s.score == doctest::Approx(std::pow(0.8, -0.8) * std::pow(0.2, -0.2)).epsilon(1e-14));
  CHECK(s.splits.mean == doctest::Approx(1.5).epsilon(1e-14));
  CHECK(s.splits.standard_error == doctest::Approx(0.5).epsilon(1e-14));
}

TEST_CASE("inception_score: refuses what is no probability, and splits without samples") {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  for (const Matrix<float>& wrong : {Matrix<float>{{0.5f, nan}, {0.5f, 1}}, Matrix<float>{{0.5f, 2}, {0.5f, -1}},
                                     Matrix<float>{{0.5f, 0.5f}, {0.5f, 0.4f}}}) {
    CHECK_THROWS_AS(metrics::inception_score(wrong, 2), Error);
  }
  CHECK_THROWS_WITH_AS(
      metrics::inception_score(Matrix<float>{{0.5f, 2}, {0.5f, -1.5f}}, 2),
      "eigan::metrics::inception_score: sample 1: expected probabilities whose sum is 1, found -1.5 as "
      "the smallest and 0.5 as the sum",
      Error);
  CHECK_THROWS_WITH_AS(metrics::inception_score(one_hot(10, 9)),
                       "eigan::metrics::inception_score: expected 2 to 9 splits of 9 samples, got 10",
                       std::invalid_argument);
  CHECK_THROWS_AS(metrics::inception_score(one_hot(10, 9), 1), std::invalid_argument);
}
