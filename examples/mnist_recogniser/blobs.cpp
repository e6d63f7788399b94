#include "blobs.hpp"

#include <algorithm>
#include <utility>

namespace mnist_recogniser {

Blobs find_blobs(const Ink& ink) {
  const Index rows = ink.strength.rows(), cols = ink.strength.cols();
  Blobs blobs{{}, eigan::Matrix<int>::Constant(rows, cols, -1)};
  std::vector<std::pair<Index, Index>> waiting;
  const auto take = [&](Index row, Index col) {
    if (row < 0 || row >= rows || col < 0 || col >= cols) return;
    if (blobs.owner(row, col) >= 0 || !(ink.strength(row, col) > ink.threshold)) return;
    blobs.owner(row, col) = static_cast<int>(blobs.all.size()) - 1;
    waiting.emplace_back(row, col);
  };
  for (Index col = 0; col < cols; ++col)
    for (Index row = 0; row < rows; ++row) {
      if (blobs.owner(row, col) >= 0 || !(ink.strength(row, col) > ink.threshold)) continue;
      blobs.all.push_back({{}, static_cast<int>(blobs.all.size()), 0});
      take(row, col);
      Blob& blob = blobs.all.back();
      while (!waiting.empty()) {
        const auto [r, c] = waiting.back();
        waiting.pop_back();
        blob.box.rows.include(r), blob.box.cols.include(c);
        ++blob.pixels;
        for (Index dr = -1; dr <= 1; ++dr)
          for (Index dc = -1; dc <= 1; ++dc) take(r + dr, c + dc);
      }
    }
  return blobs;
}

}  // namespace mnist_recogniser
