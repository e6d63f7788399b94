#include "image_to_image/edges.hpp"

#include <doctest/doctest.h>

using Bytes = std::vector<std::uint8_t>;

TEST_CASE("edges: a step becomes a line of two pixels") {
  const kit::Picture step{3, 6, 1, {0, 0, 0, 255, 255, 255, 0, 0, 0, 255, 255, 255, 0, 0, 0, 255, 255, 255}};
  const kit::Picture lines = image_to_image::edges(step, 3.9);  // the gradient's length is 4
  CHECK(lines.channels == 1);
  const Bytes row{255, 255, 0, 0, 255, 255};
  for (eigan::Index r = 0; r < 3; ++r)
    for (eigan::Index c = 0; c < 6; ++c) CHECK(lines.at(r, c) == row[static_cast<std::size_t>(c)]);
  CHECK(image_to_image::edges(step, 4).bytes == Bytes(18, 255));
}

TEST_CASE("edges: the channel that changes most decides, and a plain picture has none, at its border neither") {
  kit::Picture picture{4, 4, 3, Bytes(48, 90)};
  CHECK(image_to_image::edges(picture, 0).bytes == Bytes(16, 255));
  for (std::size_t pixel = 0; pixel < 8; ++pixel) picture.bytes[3 * pixel + 1] = 190;  // two green rows
  CHECK(image_to_image::edges(picture, 1).bytes ==
        Bytes{255, 255, 255, 255, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 255, 255});
}
