// Blobs: the pieces of ink in a picture that hang together, at sides or corners.
#pragma once

#include <algorithm>
#include <vector>

#include <eigan/core/view.hpp>

#include "ink.hpp"

namespace mnist_recogniser {

/// Rows or columns [first, last).
struct Range {
  Index first = 0, last = 0;
  Index size() const { return last - first; }
  void include(Index i) { include(Range{i, i + 1}); }
  void include(const Range& other) {
    if (size() == 0) {
      *this = other;
    } else {
      first = std::min(first, other.first), last = std::max(last, other.last);
    }
  }
  bool lies_in(const Range& other) const { return first >= other.first && last <= other.last; }
};

struct Box {
  Range rows, cols;
  void include(const Box& other) { rows.include(other.rows), cols.include(other.cols); }
  Index longest() const { return std::max(rows.size(), cols.size()); }
};

struct Blob {
  Box box;
  int number = 0;
  Index pixels = 0;
};

struct Blobs {
  std::vector<Blob> all;
  eigan::Matrix<int> owner;  ///< of each pixel: a blob's number, -1 for the ground
};

Blobs find_blobs(const Ink& ink);

}  // namespace mnist_recogniser
