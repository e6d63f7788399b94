// The metrics against NumPy: make_metric_fixtures.py wrote samples and what the definitions give in double.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <string>
#include <vector>

#include <eigan/metrics.hpp>

#include "golden/support.hpp"

using namespace eigan;

namespace {

const test::Fixture<float>& fixture() {
  static const test::Fixture<float> file("metrics");
  return file;
}

/// Every number must be that of the fixture, relative to itself. Scores that only count must be equal.
void check(const std::string& name, const std::vector<double>& actual, double tolerance) {
  const auto expected = fixture().values<double>(name);
  REQUIRE(actual.size() == expected.size());
  double worst = 0;
  for (std::size_t i = 0; i < actual.size(); ++i) {
    const double error = std::abs(actual[i] - expected[i]) / std::abs(expected[i]);
    worst = std::isnan(error) ? std::numeric_limits<double>::infinity() : std::max(worst, error);
  }
  MESSAGE(name, ": worst relative error ", worst);
  CHECK(worst <= tolerance);
}

}  // namespace

TEST_CASE("inception_score: as NumPy") {
  const auto score = metrics::inception_score(fixture().matrix("probabilities"));
  check("inception_score", {score.score, score.splits.mean, score.splits.standard_error}, 1e-12);
}

TEST_CASE("class_shares: as NumPy") {
  check("class_shares", metrics::class_shares(fixture().matrix("probabilities")), 0);
}

TEST_CASE("frechet_distance: as NumPy, also with fewer samples than features") {
  const auto real = fixture().matrix("real"), fake = fixture().matrix("fake");
  const auto statistics = metrics::gaussian_statistics(real);
  const auto few = metrics::gaussian_statistics(ConstView<float>(fake).columns(0, 15));
  check("frechet_distance", {metrics::frechet_distance(real, fake), metrics::frechet_distance(statistics, few)}, 1e-6);
}

TEST_CASE("squared_neighbour_radii, precision_recall, density_coverage: as NumPy") {
  const auto real = fixture().matrix("real"), fake = fixture().matrix("fake");
  const Eigen::ArrayXd radii = metrics::squared_neighbour_radii(real, 3).cast<double>();
  check("squared_radii", {radii.begin(), radii.end()}, 1e-5);
  const auto pr = metrics::precision_recall(real, fake);
  check("precision_recall", {pr.precision, pr.recall}, 1e-15);
  const auto dc = metrics::density_coverage(real, fake);
  check("density_coverage", {dc.density, dc.coverage}, 1e-15);
}

TEST_CASE("nearest_neighbours: as NumPy") {
  std::vector<double> indices, distances;
  for (const auto& neighbour : metrics::nearest_neighbours(fixture().matrix("real"), fixture().matrix("fake"))) {
    indices.push_back(static_cast<double>(neighbour.index));
    distances.push_back(neighbour.distance);
  }
  CHECK(indices == fixture().values<double>("nearest.index"));
  check("nearest.distance", distances, 1e-14);
}

TEST_CASE("parzen: as NumPy") {
  const auto samples = fixture().matrix("samples"), validation = fixture().matrix("validation");
  const auto sigmas = metrics::parzen_sigmas();
  const Eigen::ArrayXd means = metrics::parzen_log_likelihoods(samples, validation, sigmas).rowwise().mean();
  // Under the smallest sigma, 0.1, the rounding error of a squared distance counts fifty times.
  check("parzen.validation", {means.begin(), means.end()}, 3e-5);
  const auto score = metrics::parzen(samples, validation, fixture().matrix("test"));
  check("parzen", {score.sigma, score.log_likelihood.mean, score.log_likelihood.standard_error}, 1e-5);
}
