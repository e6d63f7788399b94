// A part of a data set.
#pragma once

#include <eigan/data/labelled_images.hpp>

namespace mnist_recogniser {

/// The images [first, first + count).
inline eigan::LabelledImages part_of(const eigan::LabelledImages& images, eigan::Index first, eigan::Index count) {
  const auto pixel = images.pixels.begin() + first * images.features();
  const auto label = images.labels.begin() + first;
  return {images.rows, images.cols, count, {pixel, pixel + count * images.features()}, {label, label + count}};
}

}  // namespace mnist_recogniser
