// transpose: a matrix in plain memory, columns as far apart as one likes: to(j, i) = from(i, j).
//
// Tiles of 16 x 16 read and write whole cache lines, for columns a power of two apart share a few places of the cache;
// a tile is made of 4 x 4 numbers, which four vectors hold.
#pragma once

#include <algorithm>
#include <cstring>

#include <eigan/core/types.hpp>

namespace eigan::detail {

template <class T>
void transpose_four_by_four(const T* from, Index from_stride, T* to, Index to_stride) {
  typedef T Four __attribute__((vector_size(4 * sizeof(T))));  // NOLINT(modernize-use-using): an attribute
  Four a, b, c, d;
  std::memcpy(&a, from, sizeof a);
  std::memcpy(&b, from + from_stride, sizeof b);
  std::memcpy(&c, from + 2 * from_stride, sizeof c);
  std::memcpy(&d, from + 3 * from_stride, sizeof d);
  const Four ab = __builtin_shufflevector(a, b, 0, 4, 1, 5), ab_behind = __builtin_shufflevector(a, b, 2, 6, 3, 7);
  const Four cd = __builtin_shufflevector(c, d, 0, 4, 1, 5), cd_behind = __builtin_shufflevector(c, d, 2, 6, 3, 7);
  a = __builtin_shufflevector(ab, cd, 0, 1, 4, 5);
  b = __builtin_shufflevector(ab, cd, 2, 3, 6, 7);
  c = __builtin_shufflevector(ab_behind, cd_behind, 0, 1, 4, 5);
  d = __builtin_shufflevector(ab_behind, cd_behind, 2, 3, 6, 7);
  std::memcpy(to, &a, sizeof a);
  std::memcpy(to + to_stride, &b, sizeof b);
  std::memcpy(to + 2 * to_stride, &c, sizeof c);
  std::memcpy(to + 3 * to_stride, &d, sizeof d);
}

/// from: rows x cols, to: cols x rows, column-major; a column begins `stride` numbers behind the one before. They must
/// not overlap.
template <class T>
void transpose(const T* from, Index from_stride, Index rows, Index cols, T* to, Index to_stride) {
  constexpr Index tile = 16;
  for (Index top = 0; top < rows; top += tile)
    for (Index left = 0; left < cols; left += tile) {
      const Index bottom = std::min(rows, top + tile), right = std::min(cols, left + tile);
      const Index whole_rows = bottom - (bottom - top) % 4, whole_cols = right - (right - left) % 4;
      for (Index i = top; i < whole_rows; i += 4)
        for (Index j = left; j < whole_cols; j += 4)
          transpose_four_by_four(from + i + j * from_stride, from_stride, to + j + i * to_stride, to_stride);
      for (Index j = left; j < right; ++j)
        for (Index i = j < whole_cols ? whole_rows : top; i < bottom; ++i)
          to[j + i * to_stride] = from[i + j * from_stride];
    }
}

}  // namespace eigan::detail
