#include <doctest/doctest.h>
#include <cstddef>
#include <vector>

#include <eigan/core/transpose.hpp>
#include <eigan/core/types.hpp>

using eigan::Index;

namespace {

/// Element (i, j) of from is 1000 i + j + 1; what lies between columns is -1, and must not be touched in `to`.
template <class T>
void check(Index rows, Index cols, Index gap) {
  const Index from_stride = rows + gap, to_stride = cols + gap;
  std::vector<T> from(static_cast<std::size_t>(from_stride * cols), -1),
      to(static_cast<std::size_t>(to_stride * rows), -1);
  for (Index j = 0; j < cols; ++j)
    for (Index i = 0; i < rows; ++i)
      from[static_cast<std::size_t>(i + j * from_stride)] = static_cast<T>(1000 * i + j + 1);
  eigan::detail::transpose(from.data(), from_stride, rows, cols, to.data(), to_stride);
  INFO(rows, " x ", cols);
  Index wrong = 0;
  for (Index i = 0; i < rows; ++i)
    for (Index j = 0; j < to_stride; ++j)
      wrong += to[static_cast<std::size_t>(j + i * to_stride)] != static_cast<T>(j < cols ? 1000 * i + j + 1 : -1);
  CHECK(wrong == 0);
}

}  // namespace

TEST_CASE("transpose: whole tiles, parts of tiles, parts of vectors; what lies between columns stays") {
  for (const Index rows : {0, 1, 3, 4, 5, 16, 19, 36, 50})
    for (const Index cols : {0, 1, 2, 4, 7, 16, 21, 49})
      for (const Index gap : {0, 3}) {
        check<float>(rows, cols, gap);
        check<double>(rows, cols, gap);
      }
}
