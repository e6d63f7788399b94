#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include <eigan/core/error.hpp>

#include "mnist_recogniser/ink.hpp"

using namespace mnist_recogniser;

namespace {

constexpr Index side = 40;

GreyImage painted(const std::function<double(Index, Index)>& light) {
  GreyImage image{side, side, {}};
  for (Index row = 0; row < side; ++row)
    for (Index col = 0; col < side; ++col)
      image.pixels.push_back(static_cast<std::uint8_t>(std::lround(std::clamp(light(row, col), 0.0, 255.0))));
  return image;
}

bool on_stroke(Index row, Index col) {
  return row >= 8 && row < 32 && col >= 18 && col < 21;
}

/// The least ink on the stroke and the most beside it, pixels at its edge left out.
void check_stroke(const Ink& ink, float least, float most) {
  REQUIRE(ink.strength.rows() == side);
  REQUIRE(ink.strength.cols() == side);
  float on = 1, off = 0;
  for (Index row = 0; row < side; ++row)
    for (Index col = 0; col < side; ++col) {
      const float strength = ink.strength(row, col);
      CHECK(strength >= 0);
      CHECK(strength <= 1);
      if (on_stroke(row, col)) on = std::min(on, strength);
      if (!on_stroke(row, col) && !on_stroke(row, col + 1) && !on_stroke(row, col - 1)) off = std::max(off, strength);
    }
  CHECK(on >= least);
  CHECK(off <= most);
  CHECK(ink.threshold > most);
  CHECK(ink.threshold < least);
}

}  // namespace

TEST_CASE("find_ink: dark on light and light on dark are the same") {
  check_stroke(find_ink(painted([](Index r, Index c) { return on_stroke(r, c) ? 0 : 255; })), 0.99f, 0.01f);
  check_stroke(find_ink(painted([](Index r, Index c) { return on_stroke(r, c) ? 255 : 0; })), 0.99f, 0.01f);
  check_stroke(find_ink(painted([](Index r, Index c) { return on_stroke(r, c) ? 90 : 130; })), 0.95f, 0.05f);
}

TEST_CASE("find_ink: a stroke is as strong in the shade as in the light") {
  // The paper's light goes from 80 to 240, ink keeps a fifth of it.
  const Ink ink = find_ink(painted([](Index r, Index c) {
    const double paper = 80 + 160.0 * static_cast<double>(r) / (side - 1);
    return on_stroke(r, c) ? 0.2 * paper : paper;
  }));
  check_stroke(ink, 0.93f, 0.05f);
}

TEST_CASE("find_ink: a frame around the picture is left out") {
  const Ink ink = find_ink(painted([](Index r, Index c) {
    const bool frame = r == 0 || c == 0 || r == side - 1 || c == side - 1;
    return frame || on_stroke(r, c) ? 20 : 230;
  }));
  float most = 0;
  for (Index i = 0; i < ink.strength.rows(); ++i)
    most = std::max({most, ink.strength(i, 0), ink.strength(i, ink.strength.cols() - 1)});
  CHECK(most <= 0.05f);
}

TEST_CASE("find_ink: one colour, and noise alone, are no ink") {
  CHECK_THROWS_WITH_AS(find_ink(painted([](Index, Index) { return 200; })),
                       doctest::Contains("an image of nearly one colour"), eigan::Error);
  CHECK_THROWS_AS(
      find_ink(painted([](Index r, Index c) { return 100 + 20.0 * static_cast<double>((r * 7 + c * 13) % 5); })),
      eigan::Error);
}

TEST_CASE("with_rows: means are kept, and as many rows as there are change nothing") {
  eigan::Matrix<float> in(6, 2);
  for (Index i = 0; i < 6; ++i) in(i, 0) = static_cast<float>(i), in(i, 1) = 3;
  CHECK(with_rows(in, 6).isApprox(in));
  for (const Index rows : {2, 3, 11, 12}) {
    const eigan::Matrix<float> out = with_rows(in, rows);
    REQUIRE(out.rows() == rows);
    CHECK(out.col(1).isApproxToConstant(3, 1e-5f));
    CHECK(out.col(0).mean() == doctest::Approx(2.5).epsilon(1e-4));
    for (Index i = 1; i < rows; ++i) CHECK(out(i, 0) >= out(i - 1, 0));
  }
}
