// Softmax: logits become probabilities.
#pragma once

#include <cmath>

namespace mnist_recogniser {

/// Each column becomes softmax of itself. One number after the other, so that none depends on how its column lies.
template <class Columns>
void softmax(Columns&& z) {
  for (auto column : z.colwise()) {
    const float largest = column.maxCoeff();
    float total = 0;
    for (float& value : column) total += value = std::exp(value - largest);
    for (float& value : column) value /= total;
  }
}

}  // namespace mnist_recogniser
