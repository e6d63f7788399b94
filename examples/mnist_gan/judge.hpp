// Judge: what generated digits are worth, by the metrics of eigan/metrics in the eyes of a recogniser.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <eigan/core/parallel.hpp>
#include <eigan/core/view.hpp>

namespace eigan {
struct LabelledImages;
}

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
  double parzen = 0, parzen_error = 0, parzen_sigma = 0;  ///< log-likelihood of a test image, standard error
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
  ~Judge();

  /// What the scores are in terms of: "yardstick 2".
  std::string recogniser() const;
  /// The share of the test images that the recogniser knows.
  double accuracy() const;
  QuickScores quick(eigan::ConstView<float> images) const;
  Scores full(eigan::ConstView<float> images);
  /// How many of the images the recogniser reads as the digit of the same place.
  Index read_as(eigan::ConstView<float> images, const std::vector<std::uint8_t>& digits) const;

 private:
  class Impl;  // its headers take long to compile
  std::unique_ptr<Impl> impl_;
};

}  // namespace mnist_gan
