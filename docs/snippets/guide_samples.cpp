// The code of docs/guide.md that judges samples, which takes longer to compile; tests/docs compares the two.
#include <doctest/doctest.h>

#include <eigan/eigan.hpp>
#include <eigan/metrics.hpp>

using namespace eigan;

TEST_CASE("guide: judging samples") {
  Matrix<float> training(8, 300), test(8, 200), samples(8, 200);
  fill_normal<float>(training, 0, 1, Rng(1));
  fill_normal<float>(test, 0, 1, Rng(2));
  fill_normal<float>(samples, 0.2, 1, Rng(3));
  const Model<Sequential<Linear<8, 4>>> classifier(Rng(4));
  // [judge]
  const double distance = metrics::frechet_distance(test, samples);  // 0 for the same mean and covariance
  const auto [density, coverage] = metrics::density_coverage(test, samples);
  const auto from_training = [&](ConstView<float> x) {
    return metrics::mean_distance(metrics::nearest_neighbours(training, x));
  };
  const double novelty = from_training(samples) / from_training(test);  // much below 1: learnt by heart

  Matrix<float> probabilities = classifier.infer(samples).array().exp();
  probabilities.array().rowwise() /= probabilities.colwise().sum().array().eval();
  const auto [score, splits] = metrics::inception_score(probabilities);  // from 1 to the number of classes
  // [/judge]
  CHECK(distance > 0.1);
  CHECK(distance < 2);
  CHECK(density > 0.5);
  CHECK(coverage > 0.5);
  CHECK(novelty > 0.9);
  CHECK(score > 1);
  CHECK(score < 4);
  CHECK(splits.mean < score);
}
