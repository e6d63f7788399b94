#include <doctest/doctest.h>
#include <cmath>
#include <limits>
#include <numbers>
#include <vector>

#include <eigan/metrics/parzen.hpp>

#include "support.hpp"

using namespace eigan;

namespace {

const double tau = 2 * std::numbers::pi;

Matrix<double> scores_of(const Matrix<float>& samples, const Matrix<float>& images, const std::vector<double>& sigmas,
                         Threads threads = {}) {
  return metrics::parzen_log_likelihoods(samples, images, sigmas, threads);
}

}  // namespace

TEST_CASE("parzen_log_likelihoods: one centre and one image") {
  const auto scores = scores_of(Matrix<float>{{1}, {2}}, Matrix<float>{{4}, {6}}, {1, 2});
  REQUIRE(scores.rows() == 2);
  REQUIRE(scores.cols() == 1);
  CHECK(scores(0, 0) == doctest::Approx(-25.0 / 2 - std::log(tau)).epsilon(1e-14));
  CHECK(scores(1, 0) == doctest::Approx(-25.0 / 8 - std::log(4 * tau)).epsilon(1e-14));
}

TEST_CASE("parzen_log_likelihoods: the mean over the centres") {
  const auto scores = scores_of(Matrix<float>{{0, 2, 2}}, Matrix<float>{{0, 1}}, {0.5});
  CHECK(scores(0, 0) == doctest::Approx(std::log((1 + 2 * std::exp(-8.0)) / 3) - std::log(tau / 4) / 2).epsilon(1e-7));
  CHECK(scores(0, 1) == doctest::Approx(-2 - std::log(tau / 4) / 2).epsilon(1e-7));
}

TEST_CASE("parzen_log_likelihoods: finite where every power underflows") {
  const auto scores = scores_of(Matrix<float>{{0, -1000}}, Matrix<float>{{100}}, {0.1});
  CHECK(scores(0, 0) == doctest::Approx(-500000 - std::log(2.0) - std::log(tau * 0.01) / 2).epsilon(1e-12));
}

TEST_CASE("parzen_log_likelihoods: agrees with double, also beyond one part of the sum") {
  const auto samples = support::random_matrix<float>(30, 600, 1, 0, 1),
             images = support::random_matrix<float>(30, 50, 2, 0, 1);
  const std::vector<double> sigmas{0.1, 0.3, 1};
  const auto actual = scores_of(samples, images, sigmas);
  for (std::size_t s = 0; s < sigmas.size(); ++s) {
    const double variance = sigmas[s] * sigmas[s];
    double worst = 0;
    for (Index j = 0; j < images.cols(); ++j) {
      const Eigen::ArrayXd squares =
          (samples.cast<double>().colwise() - images.col(j).cast<double>()).colwise().squaredNorm().transpose();
      const double expected = std::log((-squares / (2 * variance)).exp().mean()) - 15 * std::log(tau * variance);
      const double error = std::abs(actual(static_cast<Index>(s), j) - expected);
      worst = error <= worst ? worst : error;
    }
    INFO("sigma ", sigmas[s]);
    CHECK(worst < 5e-6 / variance);  // some 1e-7 of two squared norms around 10 each
  }
}

TEST_CASE("parzen_sigmas: ten from 0.1 to 1, evenly in the logarithm") {
  const auto sigmas = metrics::parzen_sigmas();
  REQUIRE(sigmas.size() == 10);
  CHECK(sigmas.front() == doctest::Approx(0.1).epsilon(1e-14));
  CHECK(sigmas.back() == doctest::Approx(1).epsilon(1e-14));
  for (std::size_t i = 1; i < 10; ++i)
    CHECK(sigmas[i] / sigmas[i - 1] == doctest::Approx(std::pow(10.0, 1.0 / 9)).epsilon(1e-13));
}

TEST_CASE("parzen: sigma is chosen on the validation images, the score is the test images'") {
  // Around one centre in four dimensions the likeliest sigma of an image at distance 1 is 1/2; of the test images,
  // at distances 1 and 2, it would be larger.
  const Matrix<float> centre = Matrix<float>::Zero(4, 1), validation{{1}, {0}, {0}, {0}};
  const Matrix<float> test{{0, 0}, {1, 0}, {0, 2}, {0, 0}};
  const std::vector<double> sigmas{0.25, 0.5, 1};
  const auto score = metrics::parzen(centre, validation, test, sigmas);
  CHECK(score.sigma == 0.5);
  const double at_centre = -2 * std::log(tau / 4);
  CHECK(score.log_likelihood.mean == doctest::Approx(at_centre - (2 + 8) / 2.0).epsilon(1e-12));
  CHECK(score.log_likelihood.standard_error == doctest::Approx(3).epsilon(1e-12));

  const auto usual = metrics::parzen(centre, validation, test);
  const auto named = metrics::parzen(centre, validation, test, metrics::parzen_sigmas());
  CHECK(usual.sigma == named.sigma);
  CHECK(usual.log_likelihood.mean == named.log_likelihood.mean);
  CHECK(usual.sigma == metrics::parzen_sigmas()[6]);  // 10^(-1/3): the nearest to 1/2
}

TEST_CASE("parzen_log_likelihoods: the same bits for any number of threads") {
  const auto samples = support::random_matrix<float>(30, 300, 1, 0, 1);
  const auto images = support::random_matrix<float>(30, 200, 2, 0, 1);
  const auto alone = scores_of(samples, images, {0.1, 0.5}, Threads{1});
  for (int threads = 2; threads <= 5; ++threads)
    CHECK(support::same_bits(scores_of(samples, images, {0.1, 0.5}, Threads{threads}), alone));
}

TEST_CASE("parzen: refuses what cannot be scored") {
  const Matrix<float> some = Matrix<float>::Zero(2, 3), none(2, 0), longer = Matrix<float>::Zero(3, 3);
  CHECK_THROWS_WITH_AS(metrics::parzen(some, longer, some),
                       "eigan::metrics::parzen: samples has 2 features, images has 3", std::invalid_argument);
  CHECK_THROWS_AS(metrics::parzen(some, some, longer), std::invalid_argument);
  CHECK_THROWS_AS(metrics::parzen(none, some, some), std::invalid_argument);
  CHECK_THROWS_AS(metrics::parzen(some, none, some), std::invalid_argument);
  CHECK_THROWS_AS(metrics::parzen(some, some, Matrix<float>::Zero(2, 1).eval()), std::invalid_argument);
  CHECK_THROWS_AS(metrics::parzen(some, some, some, std::vector<double>{}), std::invalid_argument);
  for (const double wrong : {0.0, -1.0, 1e-30, std::nan(""), std::numeric_limits<double>::infinity()})
    CHECK_THROWS_AS(metrics::parzen(some, some, some, std::vector<double>{wrong}), std::invalid_argument);
  Matrix<float> nan = some;
  nan(0, 1) = std::numeric_limits<float>::quiet_NaN();
  CHECK_THROWS_AS(metrics::parzen(nan, some, some), Error);
  CHECK_THROWS_AS(metrics::parzen(some, nan, some), Error);
  CHECK_THROWS_AS(metrics::parzen(some, some, nan), Error);
}
