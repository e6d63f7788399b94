#include <doctest/doctest.h>
#include <stdexcept>

#include <eigan/core/planar.hpp>

using namespace eigan;

TEST_CASE(
    "from_planar and to_planar: a pixel's channels lie side by side in the one, pixels of a channel in the other") {
  const Shape shape{2, 2, 3};
  Matrix<float> planar(12, 2), x(12, 2), back(12, 2);
  for (Index j = 0; j < 2; ++j)
    for (Index c = 0; c < 2; ++c)
      for (Index row = 0; row < 2; ++row)
        for (Index col = 0; col < 3; ++col)
          planar((c * 2 + row) * 3 + col, j) = static_cast<float>(1000 * j + 100 * c + 10 * row + col);
  from_planar<float>(planar, x, shape);
  for (Index j = 0; j < 2; ++j)
    for (Index c = 0; c < 2; ++c)
      for (Index row = 0; row < 2; ++row)
        for (Index col = 0; col < 3; ++col)
          CHECK(x(c + 2 * (row * 3 + col), j) == static_cast<float>(1000 * j + 100 * c + 10 * row + col));
  to_planar<float>(x, back, shape);
  CHECK(back == planar);
}

TEST_CASE("from_planar: other sizes are refused") {
  Matrix<float> planar(12, 2), x(12, 3), wrong(11, 2);
  CHECK_THROWS_AS(from_planar<float>(planar, x, Shape{2, 2, 3}), std::invalid_argument);
  CHECK_THROWS_WITH_AS(to_planar<float>(planar, wrong, Shape{2, 2, 3}),
                       "eigan: images of 2 x 2 x 3 have 12 rows; given are 12 x 2 and 11 x 2", std::invalid_argument);
}
