#include "page/pictures.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <vector>

#include <eigan/core/error.hpp>

#include "io/support.hpp"

using eigan::Shape;
using page::Canvas;
using page::Lines;
using test::contains;
using test::error_text;

namespace {

/// White paper with ink in the first columns.
Canvas paper(eigan::Index side, eigan::Index inked) {
  Canvas canvas{side, side, std::vector<std::uint8_t>(static_cast<std::size_t>(4 * side * side), 255)};
  for (eigan::Index row = 0; row < side; ++row)
    std::fill_n(canvas.rgba.begin() + 4 * row * side, 4 * inked, std::uint8_t{0});
  for (std::size_t i = 3; i < canvas.rgba.size(); i += 4) canvas.rgba[i] = 255;
  return canvas;
}

}  // namespace

TEST_CASE("pictures: a pixel of a network is the mean of those that it covers") {
  const eigan::Matrix<float> soft = page::network_input(paper(8, 1), {1, 4, 4}, Lines::soft);
  CHECK(soft(0, 0) == doctest::Approx(0).epsilon(0.01));
  CHECK(soft(1, 0) == 1);
  CHECK(page::network_input(paper(8, 1), {1, 4, 4}, Lines::hard)(0, 0) == 1);
  CHECK(page::network_input(paper(8, 2), {1, 4, 4}, Lines::hard)(0, 0) == -1);
  CHECK(page::network_input(paper(8, 2), {3, 4, 4}, Lines::soft).rows() == 48);
}

TEST_CASE("pictures: what is transparent is paper") {
  Canvas canvas{1, 1, {0, 0, 0, 0}};
  CHECK(page::grey(canvas).at(0, 0) == 255);
  canvas.rgba[3] = 255;
  CHECK(page::grey(canvas).at(0, 0) == 0);
}

TEST_CASE("pictures: a sheet has pictures side by side, grey or in colours") {
  eigan::Matrix<float> two(4, 2);
  two << -1, 1, 0, 1, 1, 1, 0.5f, 1;
  const Canvas sheet = page::canvas(two, {4}, 2);
  CHECK(sheet.rows == 2);
  CHECK(sheet.cols == 4);
  CHECK(sheet.rgba[0] == 0);
  CHECK(sheet.rgba[4 * 1] == 128);
  CHECK(sheet.rgba[4 * 2] == 255);
  CHECK(sheet.rgba[3] == 255);
  eigan::Matrix<float> colours(3, 1);
  colours << -1, 0, 1;
  CHECK(page::canvas(colours, {3, 1, 1}).rgba == std::vector<std::uint8_t>{0, 128, 255, 255});
}

TEST_CASE("pictures: a drawing of another size and a network of other channels are refused") {
  const auto told = [](auto f) { return error_text(f); };
  CHECK(contains(told([] { page::network_input(paper(7, 1), {1, 4, 4}, Lines::soft); }), "4x4, found 7x7"));
  CHECK(contains(told([] { page::network_input(paper(8, 1), {2, 4, 4}, Lines::soft); }), "found one of 2 channels"));
}
