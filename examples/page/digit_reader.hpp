// DigitReader: which digit a drawing shows, as `mnist_recogniser recognise` has it.
#pragma once

#include <array>

#include "any_model.hpp"
#include "pictures.hpp"

namespace page {

struct Reading {
  std::array<float, 10> probabilities{};
  eigan::Matrix<float> seen;  ///< 28 * 28: what of the drawing the recogniser was shown, in [-1, 1]
};

/// eigan::Error for a model that does not tell ten digits apart, and for a drawing of no digit or of several.
Reading read_digit(const AnyModel& recogniser, const Canvas& drawing);

}  // namespace page
