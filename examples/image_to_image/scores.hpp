// Scores of translations of held-out pictures, and those of what learns nothing beside them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <eigan/core/parallel.hpp>

#include "picture_set.hpp"
#include "translator.hpp"

namespace image_to_image {

/// What is empty makes no sense for these pictures, or takes what is not there.
struct Score {
  std::string name;                     ///< of the row
  std::optional<double> l1, psnr;       ///< from the partner: mean |difference| in [0, 1]; decibels
  std::optional<double> colourfulness;  ///< in the mean (Hasler and Suesstrunk 2003), of 0 to 255
  std::optional<double> read;           ///< part whose label a recogniser reads
  std::optional<double> retrieved;      ///< part that lies nearest to its own partner
};

struct Evaluation {
  std::vector<Score> rows;
  std::string note;
  PictureSet made;  ///< the translations

  std::vector<std::string> header() const;
  std::vector<std::vector<std::string>> cells() const;
  std::string table() const;  ///< for a terminal
  std::string json() const;
};

/// The mean over pictures in colour of sqrt(var rg + var yb) + 0.3 sqrt(mean rg^2 + mean yb^2),
/// rg = R - G, yb = (R + G) / 2 - B.
double colourfulness(const PictureSet& pictures);

/// The part of x whose nearest picture in y, by the sum of absolute differences, is the one of the same number.
double retrieved(const PictureSet& x, const PictureSet& y);

/// Whether a recogniser takes such pictures.
bool is_readable(const PictureSet& pictures);

/// BadInput where a recogniser in a file is to score translations that it cannot read, or whose labels nobody knows.
/// to: pictures like the translations. labels: of what is translated.
void check_scorer(const std::string& recogniser, const PictureSet& to, const std::vector<std::uint8_t>& labels);

/// Scores on the task's test pictures, or on its validation pictures, of translations from a to b. recogniser: a file
/// that `mnist_recogniser train` wrote, or empty. BadInput where it cannot be read, or where pictures are not what it
/// or the translator takes.
Evaluation evaluated(const Translator& translator, const TaskData& data, bool validation, const std::string& recogniser,
                     eigan::Threads threads);

}  // namespace image_to_image
