// What of a picture is ink: how far each pixel differs from the ground, which may be lit unevenly.
//
// The ground is a quadratic surface, fitted so that what lies far from it counts little (iteratively reweighted least
// squares with the weights of Geman and McClure). Dark ink is measured as a part of the ground's light, so that a
// stroke in the shade is as strong as one in the light.
#pragma once

#include <eigan/core/view.hpp>

#include "grey.hpp"

namespace mnist_recogniser {

struct Ink {
  eigan::Matrix<float> strength;  ///< rows x columns, 0 to 1; a large picture is made smaller
  float threshold = 0;            ///< what is stronger is ink, what is weaker may be noise or an edge
};

/// A frame around the picture is left out. eigan::Error, without a file's name, if nothing differs from the ground.
Ink find_ink(const GreyImage& image);

/// As many rows as asked for, out of many or few. Each is the mean of the rows around its place, weighted by a triangle
/// that reaches as far as the next result's place, or as the next row where those are further apart.
eigan::Matrix<float> with_rows(const eigan::Matrix<float>& in, Index rows);

}  // namespace mnist_recogniser
