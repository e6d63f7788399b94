#include <doctest/doctest.h>
#include <initializer_list>
#include <limits>

#include <eigan/core/shape.hpp>

using eigan::Shape;

TEST_CASE("Shape: what no memory holds") {
  constexpr eigan::Index most = std::numeric_limits<eigan::Index>::max();
  CHECK(eigan::fits_memory({3, 4, 5}));
  CHECK(eigan::fits_memory({1, most / 64, 1}));
  for (const Shape large : {Shape{1, most / 64 + 1, 1}, Shape{1, most, 1}, Shape{most, 1, 2}, Shape{most, most, most}})
    CHECK_FALSE(eigan::fits_memory(large));
}

TEST_CASE("Shape: a vector is one pixel, and nothing is no shape") {
  constexpr Shape image{3, 4, 5}, vector{7}, nothing{};
  static_assert(image.size() == 60 && image.pixels() == 20 && !image.is_vector());
  static_assert(vector.size() == 7 && vector.is_vector() && vector == Shape{7, 1, 1});
  CHECK(image);
  CHECK(vector);
  CHECK_FALSE(nothing);
  CHECK_FALSE(Shape{3, 0, 5});
  CHECK_FALSE(image == vector);
}
