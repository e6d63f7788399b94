#include "judge.hpp"

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <optional>
#include <utility>

#include <eigan/data/labelled_images.hpp>
#include <eigan/metrics/class_histogram.hpp>
#include <eigan/metrics/density_coverage.hpp>
#include <eigan/metrics/frechet_distance.hpp>
#include <eigan/metrics/inception_score.hpp>
#include <eigan/metrics/nearest_neighbour.hpp>
#include <eigan/metrics/parzen.hpp>
#include <eigan/metrics/precision_recall.hpp>

#include "mnist_recogniser/recogniser.hpp"

namespace mnist_gan {
namespace {

using eigan::ConstView;
using eigan::Matrix;

/// So many images are looked up among the training images; each costs as much as the whole of a small metric.
constexpr Index most_queries = 1000;

Matrix<float> to_unit_interval(ConstView<float> images) {
  return (images.array() + 1) / 2;
}

std::vector<double> label_shares(const eigan::LabelledImages& images) {
  std::vector<double> shares(10);
  for (const auto label : images.labels) shares[label] += 1 / static_cast<double>(images.count);
  return shares;
}

}  // namespace

Matrix<float> image_matrix(const eigan::LabelledImages& images, Index first, Index count) {
  std::vector<std::uint32_t> indices(static_cast<std::size_t>(count));
  std::iota(indices.begin(), indices.end(), static_cast<std::uint32_t>(first));
  Matrix<float> pixels(images.features(), count);
  eigan::pixels_to_unit<float>(images, indices, pixels, {1});
  return pixels;
}

class Judge::Impl {
 public:
  Impl(const std::filesystem::path& recogniser, const eigan::LabelledImages& train, const eigan::LabelledImages& test,
       Index validation, eigan::Threads threads);

  std::string recogniser() const { return mnist_recogniser::yardstick_name(recogniser_); }
  double accuracy() const { return accuracy_; }
  QuickScores quick(ConstView<float> images) const;
  Scores full(ConstView<float> images);
  Index read_as(ConstView<float> images, const std::vector<std::uint8_t>& digits) const;

 private:
  /// What only the full scores need: it takes a second to make.
  struct Pixels {
    Matrix<float> train, validation, test;  ///< in [0, 1]
    double test_distance;                   ///< of the test images to the training images
  };

  const Pixels& pixels();
  QuickScores quick_scores(const mnist_recogniser::Recognised& seen) const;
  double distance(const Matrix<float>& train, ConstView<float> images) const;

  const eigan::LabelledImages& train_;
  const eigan::LabelledImages& test_;
  Index validation_;
  eigan::Threads threads_;
  mnist_recogniser::RecogniserModel recogniser_;
  double accuracy_ = 0;
  Matrix<float> features_;  ///< of the test images
  eigan::metrics::GaussianStatistics statistics_;
  std::vector<double> shares_;
  std::optional<Pixels> pixels_;
};

Judge::Impl::Impl(const std::filesystem::path& recogniser, const eigan::LabelledImages& train,
                  const eigan::LabelledImages& test, Index validation, eigan::Threads threads)
    : train_(train),
      test_(test),
      validation_(std::min(validation, train.count)),
      threads_(threads),
      recogniser_(mnist_recogniser::load_recogniser(recogniser)),
      shares_(label_shares(test)) {
  const Matrix<float> images = image_matrix(test, 0, test.count);
  accuracy_ = static_cast<double>(read_as(images, test.labels)) / static_cast<double>(test.count);
  features_ = mnist_recogniser::recognise(recogniser_, images, threads).features;
  statistics_ = eigan::metrics::gaussian_statistics(features_, threads);
}

const Judge::Impl::Pixels& Judge::Impl::pixels() {
  if (!pixels_) {
    Matrix<float> train = to_unit_interval(image_matrix(train_, 0, train_.count));
    Matrix<float> test = to_unit_interval(image_matrix(test_, 0, test_.count));
    Matrix<float> validation = train.rightCols(validation_);
    const double test_distance = distance(train, test);
    pixels_.emplace(Pixels{std::move(train), std::move(validation), std::move(test), test_distance});
  }
  return *pixels_;
}

QuickScores Judge::Impl::quick(ConstView<float> images) const {
  return quick_scores(mnist_recogniser::recognise(recogniser_, images, threads_));
}

Scores Judge::Impl::full(ConstView<float> images) {
  namespace metrics = eigan::metrics;
  const auto seen = mnist_recogniser::recognise(recogniser_, images, threads_);
  const Matrix<float> drawn = to_unit_interval(images);
  const Pixels& real = pixels();
  Scores scores;
  static_cast<QuickScores&>(scores) = quick_scores(seen);
  const auto shares = metrics::class_shares(seen.probabilities);
  std::copy(shares.begin(), shares.end(), scores.shares.begin());
  scores.total_variation = metrics::total_variation(shares, shares_);
  const auto [precision, recall] = metrics::precision_recall(features_, seen.features, 3, threads_);
  const auto [density, coverage] = metrics::density_coverage(features_, seen.features, 5, threads_);
  scores.precision = precision, scores.recall = recall, scores.density = density, scores.coverage = coverage;
  const auto parzen = metrics::parzen(drawn, real.validation, real.test, threads_);
  scores.parzen = parzen.log_likelihood.mean;
  scores.parzen_error = parzen.log_likelihood.standard_error;
  scores.parzen_sigma = parzen.sigma;
  scores.novelty = distance(real.train, drawn) / real.test_distance;
  return scores;
}

Index Judge::Impl::read_as(ConstView<float> images, const std::vector<std::uint8_t>& digits) const {
  const auto seen = mnist_recogniser::recognise(recogniser_, images, threads_);
  Index right = 0;
  for (Index j = 0; j < images.cols(); ++j) {
    Index digit = 0;
    seen.probabilities.col(j).maxCoeff(&digit);
    right += digit == digits[static_cast<std::size_t>(j)];
  }
  return right;
}

QuickScores Judge::Impl::quick_scores(const mnist_recogniser::Recognised& seen) const {
  const auto inception = eigan::metrics::inception_score(seen.probabilities);
  const auto statistics = eigan::metrics::gaussian_statistics(seen.features, threads_);
  return {seen.features.cols(), inception.score, inception.splits.standard_error,
          eigan::metrics::frechet_distance(statistics, statistics_)};
}

double Judge::Impl::distance(const Matrix<float>& train, ConstView<float> images) const {
  return eigan::metrics::mean_distance(
      eigan::metrics::nearest_neighbours(train, images.columns(0, std::min(most_queries, images.cols())), threads_));
}

Judge::Judge(const std::filesystem::path& recogniser, const eigan::LabelledImages& train,
             const eigan::LabelledImages& test, Index validation, eigan::Threads threads)
    : impl_(std::make_unique<Impl>(recogniser, train, test, validation, threads)) {}
Judge::~Judge() = default;

std::string Judge::recogniser() const {
  return impl_->recogniser();
}
double Judge::accuracy() const {
  return impl_->accuracy();
}
QuickScores Judge::quick(ConstView<float> images) const {
  return impl_->quick(images);
}
Scores Judge::full(ConstView<float> images) {
  return impl_->full(images);
}
Index Judge::read_as(ConstView<float> images, const std::vector<std::uint8_t>& digits) const {
  return impl_->read_as(images, digits);
}

}  // namespace mnist_gan
