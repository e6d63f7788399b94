// Judge: what generated digits are worth, by the metrics of eigan/metrics in the eyes of a recogniser.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <vector>

#include <eigan/core/parallel.hpp>
#include <eigan/core/view.hpp>
#include <eigan/data/labelled_images.hpp>
#include <eigan/metrics/estimate.hpp>
#include <eigan/metrics/frechet_distance.hpp>
#include <eigan/metrics/parzen.hpp>

#include "mnist_recogniser/recogniser.hpp"

namespace mnist_gan {

using eigan::Index;

/// The scores of a few samples, which take a fraction of a second.
struct QuickScores {
  Index samples = 0;
  double inception = 0;
  double inception_error = 0;  ///< standard error
  double frechet = 0;          ///< from the test images
};

struct Scores : QuickScores {
  std::array<double, 10> shares{};  ///< of each digit
  double total_variation = 0;       ///< of the shares from the test images'
  double precision = 0, recall = 0, density = 0, coverage = 0;
  eigan::metrics::ParzenScore parzen;  ///< of the test images
  /// Mean distance of a sample to its nearest training image, over that of a test image: far below 1 is a copy.
  double novelty = 0;
};

/// Images in [-1, 1], one a column, of the data set's images [first, first + count).
eigan::Matrix<float> image_matrix(const eigan::LabelledImages& images, Index first, Index count);

class Judge {
 public:
  /// Judges against `test`; both sets must outlive the judge. Parzen's sigma is chosen on the last `validation`
  /// training images. BadInput for a recogniser that cannot be read.
  Judge(const std::filesystem::path& recogniser, const eigan::LabelledImages& train, const eigan::LabelledImages& test,
        Index validation, eigan::Threads threads);

  QuickScores quick(eigan::ConstView<float> images) const;
  Scores full(eigan::ConstView<float> images);
  /// How many of the images the recogniser reads as the digit of the same place.
  Index read_as(eigan::ConstView<float> images, const std::vector<std::uint8_t>& digits) const;

 private:
  /// What only the full scores need: it takes a second to make.
  struct Pixels {
    eigan::Matrix<float> train, validation, test;  ///< in [0, 1]
    double test_distance;                          ///< of the test images to the training images
  };

  const Pixels& pixels();
  QuickScores quick_scores(const mnist_recogniser::Recognised& seen) const;
  double distance(const eigan::Matrix<float>& train, eigan::ConstView<float> images) const;

  const eigan::LabelledImages& train_;
  const eigan::LabelledImages& test_;
  Index validation_;
  eigan::Threads threads_;
  mnist_recogniser::RecogniserModel recogniser_;
  eigan::Matrix<float> features_;  ///< of the test images
  eigan::metrics::GaussianStatistics statistics_;
  std::vector<double> shares_;
  std::optional<Pixels> pixels_;
};

}  // namespace mnist_gan
