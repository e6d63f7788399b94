#include "kit/resized.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>

using kit::Picture;
using Bytes = std::vector<std::uint8_t>;

namespace {

Picture ramp(eigan::Index height, eigan::Index width, eigan::Index channels) {
  Picture picture{height, width, channels, {}};
  for (eigan::Index i = 0; i < height * width * channels; ++i)
    picture.bytes.push_back(static_cast<std::uint8_t>((37 * i + i * i) % 256));
  return picture;
}

/// The mean of an area, pixel by pixel.
double area_mean(const Picture& picture, double top, double left, double bottom, double right, eigan::Index channel) {
  double sum = 0;
  for (eigan::Index row = 0; row < picture.height; ++row)
    for (eigan::Index col = 0; col < picture.width; ++col) {
      const auto r = static_cast<double>(row), c = static_cast<double>(col);
      const double h = std::max(0.0, std::min(r + 1, bottom) - std::max(r, top));
      const double w = std::max(0.0, std::min(c + 1, right) - std::max(c, left));
      sum += h * w * picture.at(row, col, channel);
    }
  return sum / (bottom - top) / (right - left);
}

}  // namespace

TEST_CASE("resized: smaller by a whole number is the mean of squares") {
  const Picture picture{2, 4, 1, {0, 10, 100, 200, 20, 30, 200, 101}};
  CHECK(kit::resized(picture, 1, 2).bytes == Bytes{15, 150});
}

TEST_CASE("resized: smaller by any number is the mean of an area") {
  const Picture picture = ramp(7, 11, 3);
  const Picture small = kit::resized(picture, 3, 4);
  for (eigan::Index row = 0; row < 3; ++row)
    for (eigan::Index col = 0; col < 4; ++col)
      for (eigan::Index channel = 0; channel < 3; ++channel) {
        const auto r = static_cast<double>(row), c = static_cast<double>(col);
        const double expected = area_mean(picture, r * 7 / 3, c * 11 / 4, (r + 1) * 7 / 3, (c + 1) * 11 / 4, channel);
        CHECK(std::abs(small.at(row, col, channel) - expected) < 0.51);
      }
}

TEST_CASE("resized: larger is linear between centres") {
  const Picture picture{1, 2, 1, {0, 100}};
  CHECK(kit::resized(picture, 2, 4).bytes == Bytes{0, 25, 75, 100, 0, 25, 75, 100});
}

TEST_CASE("resized: one direction may grow while the other shrinks; a plain picture stays plain") {
  const Picture plain{5, 9, 3, Bytes(135, 201)};
  for (const auto& [height, width] : {std::pair<eigan::Index, eigan::Index>{2, 31}, {13, 4}, {5, 9}, {1, 1}}) {
    const Picture other = kit::resized(plain, height, width);
    CHECK(other.height == height);
    CHECK(other.width == width);
    CHECK(std::ssize(other.bytes) == height * width * 3);
    CHECK(std::ranges::all_of(other.bytes, [](int byte) { return byte == 201; }));
  }
}

TEST_CASE("cropped: a part, and the middle of a shape") {
  const Picture picture = ramp(4, 6, 2);
  const Picture part = kit::cropped(picture, 1, 2, 2, 3);
  CHECK(part.at(0, 0, 1) == picture.at(1, 2, 1));
  CHECK(part.at(1, 2, 0) == picture.at(2, 4, 0));
  const Picture square = kit::cropped_to_shape(picture, 10, 10);
  CHECK(square.bytes == kit::cropped(picture, 0, 1, 4, 4).bytes);
  CHECK(kit::cropped_to_shape(picture, 10, 30).bytes == kit::cropped(picture, 1, 0, 2, 6).bytes);
  CHECK_THROWS_AS(kit::cropped(picture, 3, 0, 2, 2), std::invalid_argument);
  CHECK_THROWS_AS(kit::resized(picture, 0, 2), std::invalid_argument);
}
