// Evaluation: a generator's scores beside those of images that one knows what to think of.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "generator.hpp"
#include "judge.hpp"

namespace mnist_gan {

struct Evaluation {
  struct Row {
    std::string name;
    Scores scores;
  };
  std::vector<Row> rows;                ///< the generator first
  std::optional<double> read_as_asked;  ///< of a conditional generator: the part of digits drawn as asked for
  std::string recogniser;               ///< scores compare only under the same one
  double recogniser_accuracy = 0;       ///< on the images that samples are judged beside
  Index held_out = 0;                   ///< the last training images, which it was judged beside; 0: the test images
  double truncation = 1;
  std::uint64_t seed = 1;
  std::string note;  ///< what to know about the numbers
  std::vector<std::string> header() const;
  std::vector<std::vector<std::string>> cells() const;
};

/// Images of the generator, of digits as frequent as among the training images.
eigan::Matrix<float> drawn(const DigitGenerator& generator, double truncation, const eigan::LabelledImages& train,
                           Index count, std::uint64_t seed, eigan::Threads threads);

/// Draws `count` samples of the generator and judges them, and as many of each reference. The judge judges beside the
/// test images, or beside the last `beside_last` of the training images and knows the others alone.
Evaluation evaluate_generator(const DigitGenerator& generator, double truncation, Judge& judge,
                              const eigan::LabelledImages& train, Index count, std::uint64_t seed,
                              eigan::Threads threads, Index beside_last = 0);
/// How many training images serve to choose Parzen's sigma: those held out, or as many as would have been.
Index validation_count(Index holdout, Index images);

/// For people, and for machines.
std::string evaluation_table(const Evaluation& evaluation);
std::string evaluation_json(const Evaluation& evaluation);

}  // namespace mnist_gan
