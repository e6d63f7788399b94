#include <doctest/doctest.h>
#include <cmath>
#include <limits>
#include <span>

#include <eigan/metrics/frechet_distance.hpp>

#include "support.hpp"

using namespace eigan;
using metrics::frechet_distance;
using metrics::gaussian_statistics;
using metrics::GaussianStatistics;

TEST_CASE("gaussian_statistics: worked by hand") {
  const auto s = gaussian_statistics(Matrix<float>{{1, 2, 6}, {0, 4, 2}});
  CHECK(s.mean == Eigen::Vector2d(3, 2));
  // Differences (-2, -2), (-1, 2), (3, 0); divided by n - 1 = 2.
  CHECK(s.covariance.isApprox(Eigen::Matrix2d{{7, 1}, {1, 4}}, 1e-15));
}

TEST_CASE("gaussian_statistics: agrees with the plain expression, for more features than a strip") {
  const auto x = support::random_matrix<float>(70, 300, 1, 5, 6);  // far from 0: centred before it is squared
  const auto s = gaussian_statistics(x);
  const Eigen::MatrixXd wide = x.cast<double>(), centred = wide.colwise() - wide.rowwise().mean();
  CHECK(s.mean.isApprox(wide.rowwise().mean(), 1e-14));
  CHECK(s.covariance.isApprox(centred * centred.transpose() / 299, 1e-13));
}

TEST_CASE("frechet_distance: Gaussians with diagonal covariances") {
  // Along an axis of its own, each feature adds the squared differences of means and of standard deviations.
  const GaussianStatistics a{Eigen::Vector2d(0, 1), Eigen::Vector2d(1, 4).asDiagonal()};
  const GaussianStatistics b{Eigen::Vector2d(3, 5), Eigen::Vector2d(9, 16).asDiagonal()};
  CHECK(frechet_distance(a, b) == doctest::Approx(9 + 16 + 4 + 4).epsilon(1e-14));
  CHECK(frechet_distance(b, a) == doctest::Approx(9 + 16 + 4 + 4).epsilon(1e-14));
}

TEST_CASE("frechet_distance: covariances that do not commute") {
  // For 2 x 2, (tr sqrt(M))^2 = tr M + 2 sqrt(det M). M = A B has the trace 10 and the determinant 3 * 4.
  const GaussianStatistics a{Eigen::Vector2d::Zero(), Eigen::Matrix2d{{2, 1}, {1, 2}}};
  const GaussianStatistics b{Eigen::Vector2d::Zero(), Eigen::Matrix2d{{1, 0}, {0, 4}}};
  CHECK(frechet_distance(a, b) == doctest::Approx(4 + 5 - 2 * std::sqrt(10 + 2 * std::sqrt(12.0))).epsilon(1e-13));
}

TEST_CASE("frechet_distance: equal sets are 0 apart, shifted ones the square of the shift") {
  const auto x = support::random_matrix<float>(40, 200, 1);
  CHECK(frechet_distance(x, x) == doctest::Approx(0).epsilon(1e-10));
  const Matrix<float> shifted = x.array() + 0.5f;
  CHECK(frechet_distance(x, shifted) == doctest::Approx(40 * 0.25).epsilon(1e-5));  // the sum is rounded to float
}

TEST_CASE("frechet_distance: singular covariances") {
  const auto image = support::random_matrix<float>(40, 1, 1), other = support::random_matrix<float>(40, 1, 2);
  const Matrix<float> same = image.replicate(1, 9), others = other.replicate(1, 9);
  const double apart = (image - other).cast<double>().squaredNorm();
  CHECK(frechet_distance(same, others) == doctest::Approx(apart).epsilon(1e-6));
  CHECK(frechet_distance(same, same) < 1e-9);

  // Against one point, the distance is that of the means plus the spread. Fewer samples than features are singular,
  // too.
  const auto few = support::random_matrix<float>(40, 10, 3);
  const auto s = gaussian_statistics(few);
  CHECK(frechet_distance(few, same) ==
        doctest::Approx((s.mean - image.cast<double>()).squaredNorm() + s.covariance.trace()).epsilon(1e-6));
  CHECK(frechet_distance(few, few) < 1e-5 * s.covariance.trace());
}

TEST_CASE("frechet_distance: the same bits for any number of threads, the caller's or Eigen's") {
  const auto a = support::random_matrix<float>(150, 160, 1), b = support::random_matrix<float>(150, 170, 2);
  const double alone = frechet_distance(a, b, Threads{1});
  const auto statistics = gaussian_statistics(a, Threads{1});
  for (int threads = 2; threads <= 5; ++threads) {
    Eigen::setNbThreads(threads);
    CHECK(frechet_distance(a, b, Threads{threads}) == alone);
    CHECK(support::same_bits<double>(gaussian_statistics(a, Threads{threads}).covariance, statistics.covariance));
  }
  Eigen::setNbThreads(0);
}

TEST_CASE("frechet_distance: sets that do not fit, one sample, numbers that are not finite") {
  const Matrix<float> some = Matrix<float>::Zero(2, 3);
  CHECK_THROWS_WITH_AS(frechet_distance(some, Matrix<float>::Zero(3, 3).eval()),
                       "eigan::metrics::frechet_distance: a has 2 features, b has 3", std::invalid_argument);
  CHECK_THROWS_WITH_AS(gaussian_statistics(Matrix<float>::Zero(2, 1).eval()),
                       "eigan::metrics::gaussian_statistics: features: expected at least 2 samples, got 1",
                       std::invalid_argument);
  const GaussianStatistics good{Eigen::Vector2d(0, 1), Eigen::Matrix2d::Identity()};
  CHECK_THROWS_WITH_AS(
      frechet_distance(good, {Eigen::Vector2d(0, 1), Eigen::Matrix3d::Identity()}),
      "eigan::metrics::frechet_distance: expected means of 2 features and their covariances, got 2 and "
      "3 x 3",
      std::invalid_argument);
  CHECK_THROWS_AS(frechet_distance({Eigen::Vector3d(0, 1, 2), Eigen::Matrix3d::Identity()}, good),
                  std::invalid_argument);
  Matrix<float> nan = some;
  nan(1, 1) = std::numeric_limits<float>::quiet_NaN();
  CHECK_THROWS_AS(frechet_distance(some, nan), Error);
  CHECK_THROWS_AS(frechet_distance(nan, some), Error);
  CHECK_THROWS_AS(frechet_distance(good, {Eigen::Vector2d(0, std::nan("")), Eigen::Matrix2d::Identity()}), Error);
  CHECK_THROWS_AS(frechet_distance({Eigen::Vector2d(0, 1), Eigen::Matrix2d::Constant(std::nan(""))}, good), Error);
}
