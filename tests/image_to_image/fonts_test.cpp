#include "image_to_image/fonts.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <string_view>

#include <eigan/io/read_file.hpp>

using image_to_image::digits_of_font;

TEST_CASE("digits_of_font: what is no font has no digits") {
  const std::string_view text = "These are words, and no font, however many there may be of them.";
  CHECK(digits_of_font(std::as_bytes(std::span(text.data(), text.size()))).empty());
  CHECK(digits_of_font({}).empty());
}

TEST_CASE("digits_of_font: ten digits of MNIST's size, in the middle") {
  const std::filesystem::path path = "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf";
  if (!std::filesystem::exists(path)) {
    MESSAGE("skipped: ", path.string(), " is not here");
    return;
  }
  const auto digits = digits_of_font(eigan::read_file(path));
  REQUIRE(digits.size() == 10);
  for (const kit::Picture& digit : digits) {
    eigan::Index top = 28, bottom = 0, left = 28, right = 0;
    double mass = 0, rows = 0, cols = 0;
    for (eigan::Index row = 0; row < 28; ++row)
      for (eigan::Index col = 0; col < 28; ++col) {
        const int ink = digit.at(row, col);
        mass += ink, rows += ink * static_cast<double>(row), cols += ink * static_cast<double>(col);
        if (ink == 0) continue;
        top = std::min(top, row), bottom = std::max(bottom, row);
        left = std::min(left, col), right = std::max(right, col);
      }
    CHECK(std::max(bottom - top, right - left) >= 19);
    CHECK(std::max(bottom - top, right - left) <= 21);
    CHECK(rows / mass == doctest::Approx(13.5).epsilon(0.04));
    CHECK(cols / mass == doctest::Approx(13.5).epsilon(0.04));
  }
  CHECK(digits[3].bytes != digits[8].bytes);
}
