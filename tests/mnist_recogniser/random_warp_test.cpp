#include <doctest/doctest.h>
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <stdexcept>
#include <vector>

#include "mnist_recogniser/random_warp.hpp"

#include "../support.hpp"

using namespace eigan;
using namespace mnist_recogniser;
using mnist_recogniser::detail::Warp;

namespace {

constexpr WarpOptions nothing{.degrees = 0, .scale = 0, .shear = 0, .shift = 0, .bend = 0};

/// The image after a warp with these numbers, as pixels 0 to 255.
std::vector<int> warped(const std::vector<std::uint8_t>& image, Index rows, Index cols, const WarpOptions& options,
                        const Warp::Numbers& numbers) {
  std::vector<double> values(image.size());
  Warp(options, numbers, rows, cols).apply(image.data(), values.data());
  std::vector<int> pixels;
  for (const double value : values) pixels.push_back(static_cast<int>(std::lround((value + 1) * 127.5)));
  return pixels;
}

Warp::Numbers numbers_with(std::initializer_list<std::pair<std::size_t, float>> values) {
  Warp::Numbers numbers{};
  for (const auto& [at, value] : values) numbers[at] = value;
  return numbers;
}
constexpr std::size_t angle = 0, stretch_x = 1, stretch_y = 2, shear = 3, shift_x = 4, shift_y = 5, bends = 6,
                      mirror = 56;

LabelledImages some_images(Index count, Index rows, Index cols) {
  LabelledImages images{rows, cols, count, {}, std::vector<std::uint8_t>(static_cast<std::size_t>(count))};
  const Rng rng(5);
  for (Index i = 0; i < count * rows * cols; ++i) images.pixels.push_back(static_cast<std::uint8_t>(rng.word(i, 0)));
  return images;
}
std::vector<std::uint32_t> first_of(Index count) {
  std::vector<std::uint32_t> indices(static_cast<std::size_t>(count));
  std::iota(indices.begin(), indices.end(), 0u);
  return indices;
}

}  // namespace

TEST_CASE("random_warp: by whole pixels moves the image and lets black in") {
  const std::vector<std::uint8_t> image{10, 20, 30,  //
                                        40, 50, 60};
  // The shift is the source's: the result shows what lies right of it, and below.
  CHECK(warped(image, 2, 3, {.degrees = 0, .scale = 0, .shear = 0, .shift = 1, .bend = 0},
               numbers_with({{shift_x, 1}})) == std::vector<int>{20, 30, 0, 50, 60, 0});
  CHECK(warped(image, 2, 3, {.degrees = 0, .scale = 0, .shear = 0, .shift = 2, .bend = 0},
               numbers_with({{shift_x, -1}, {shift_y, 0.5f}})) == std::vector<int>{0, 0, 40, 0, 0, 0});
}

TEST_CASE("random_warp: half a pixel is the mean of two") {
  const std::vector<std::uint8_t> image{8,  16, 24,  //
                                        32, 40, 48};
  const WarpOptions half{.degrees = 0, .scale = 0, .shear = 0, .shift = 0.5, .bend = 0};
  CHECK(warped(image, 2, 3, half, numbers_with({{shift_x, 1}})) == std::vector<int>{12, 20, 12, 36, 44, 24});
  CHECK(warped(image, 2, 3, half, numbers_with({{shift_x, -1}, {shift_y, 1}})) ==
        std::vector<int>{10, 24, 32, 8, 18, 22});
}

TEST_CASE("random_warp: a quarter turn about the middle") {
  const std::vector<std::uint8_t> image{1, 2, 3,  //
                                        4, 5, 6,  //
                                        7, 8, 9};
  const WarpOptions quarter{.degrees = 90, .scale = 0, .shear = 0, .shift = 0, .bend = 0};
  CHECK(warped(image, 3, 3, quarter, numbers_with({{angle, 1}})) == std::vector<int>{7, 4, 1, 8, 5, 2, 9, 6, 3});
  CHECK(warped(image, 3, 3, quarter, numbers_with({{angle, -1}})) == std::vector<int>{3, 6, 9, 2, 5, 8, 1, 4, 7});
}

TEST_CASE("random_warp: stretches each axis by its own factor, about the middle") {
  const std::vector<std::uint8_t> image{8, 16, 24, 32};
  const WarpOptions twice{.degrees = 0, .scale = 1, .shear = 0, .shift = 0, .bend = 0};
  // Twice as wide: the pixels 1.5 and 0.5 from the middle show the source 0.75 and 0.25 from it.
  CHECK(warped(image, 1, 4, twice, numbers_with({{stretch_x, 1}})) == std::vector<int>{14, 18, 22, 26});
  CHECK(warped(image, 4, 1, twice, numbers_with({{stretch_y, 1}})) == std::vector<int>{14, 18, 22, 26});
  CHECK(warped(image, 1, 4, twice, numbers_with({{stretch_y, 1}})) == std::vector<int>{8, 16, 24, 32});
  // Half as wide: source at -1.5, 0.5, 2.5 and 4.5.
  CHECK(warped(image, 1, 4, twice, numbers_with({{stretch_x, -1}})) == std::vector<int>{0, 12, 28, 0});
}

TEST_CASE("random_warp: a shear moves rows against each other") {
  const std::vector<std::uint8_t> image{1, 2, 3,  //
                                        4, 5, 6,  //
                                        7, 8, 9};
  CHECK(warped(image, 3, 3, {.degrees = 0, .scale = 0, .shear = 1, .shift = 0, .bend = 0},
               numbers_with({{shear, 1}})) == std::vector<int>{0, 1, 2, 4, 5, 6, 8, 9, 0});
}

TEST_CASE("random_warp: the grid bends the image between its nodes") {
  // Eight pixels between five nodes: each node at every second one.
  const std::vector<std::uint8_t> image{10, 20, 30, 40, 50, 60, 70, 80};
  const WarpOptions bend{.degrees = 0, .scale = 0, .shear = 0, .shift = 0, .bend = 1};
  Warp::Numbers numbers{};
  numbers[bends + 2] = 1;  // the third node of the first row of nodes, in x
  CHECK(warped(image, 1, 8, bend, numbers) == std::vector<int>{10, 20, 30, 45, 60, 65, 70, 80});
  numbers = {};
  numbers[bends + 25 + 2 * 5] = 1;  // the third of the first column, in y
  CHECK(warped(image, 8, 1, bend, numbers) == std::vector<int>{10, 20, 30, 45, 60, 65, 70, 80});
  // All nodes alike are a shift.
  std::fill(numbers.begin() + bends, numbers.begin() + bends + 25, 1.0f);
  std::fill(numbers.begin() + bends + 25, numbers.begin() + bends + 50, 0.0f);
  CHECK(warped(image, 2, 4, bend, numbers) == std::vector<int>{20, 30, 40, 0, 60, 70, 80, 0});
}

TEST_CASE("random_warp: a mirrored image is the mirror image of the turned and sheared one") {
  const std::vector<std::uint8_t> image{1, 2, 3,  //
                                        4, 5, 6,  //
                                        7, 8, 9};
  WarpOptions options = nothing;
  options.mirror = 0.25;
  CHECK(warped(image, 3, 3, options, numbers_with({{mirror, -0.51f}})) == std::vector<int>{3, 2, 1, 6, 5, 4, 9, 8, 7});
  CHECK(warped(image, 3, 3, options, numbers_with({{mirror, -0.5f}})) == std::vector<int>{1, 2, 3, 4, 5, 6, 7, 8, 9});
  options.degrees = 90;
  CHECK(warped(image, 3, 3, options, numbers_with({{angle, 1}, {mirror, -1}})) ==
        std::vector<int>{1, 4, 7, 2, 5, 8, 3, 6, 9});
  options.degrees = 0, options.shear = 1;
  CHECK(warped(image, 3, 3, options, numbers_with({{shear, 1}, {mirror, -1}})) ==
        std::vector<int>{2, 1, 0, 6, 5, 4, 0, 9, 8});
}

TEST_CASE("random_warp: as many images as was said are mirrored") {
  LabelledImages images = some_images(1, 1, 2);
  images.pixels = {0, 255};
  const std::vector<std::uint32_t> indices(2000);
  Matrix<float> out(2, 2000);
  WarpOptions options = nothing;
  for (const double part : {0.0, 0.25, 1.0}) {
    CAPTURE(part);
    options.mirror = part;
    random_warp<float>(images, indices, options, Rng(1), out);
    const auto mirrored = static_cast<double>((out.row(0).array() == 1).count());
    CHECK(std::abs(mirrored - 2000 * part) <= 4 * std::sqrt(2000 * part * (1 - part)));
  }
}

TEST_CASE("random_warp: without any warp it is pixels_to_unit") {
  const LabelledImages images = some_images(3, 9, 7);
  const std::vector<std::uint32_t> indices{2, 0, 1, 2};
  Matrix<float> warped(63, 4), plain(63, 4);
  random_warp<float>(images, indices, nothing, Rng(1), warped);
  pixels_to_unit<float>(images, indices, plain);
  CHECK((warped - plain).cwiseAbs().maxCoeff() < 1e-6f);
  CHECK(warped.minCoeff() >= -1);
  CHECK(warped.maxCoeff() <= 1);
}

TEST_CASE("random_warp: a column depends on its number and the generator alone, not on the threads") {
  const LabelledImages images = some_images(20, 28, 28);
  const auto indices = first_of(20);
  Matrix<float> one(784, 20), three(784, 20), few(784, 5), other(784, 20);
  random_warp<float>(images, indices, {}, Rng(1), one, Threads{1});
  random_warp<float>(images, indices, {}, Rng(1), three, Threads{3});
  random_warp<float>(images, std::span(indices).first(5), {}, Rng(1), few);
  random_warp<float>(images, indices, {}, Rng(2), other);
  CHECK(support::same_bits(one, three));
  CHECK(support::same_bits<float>(one.leftCols(5), few));
  CHECK_FALSE(support::same_bits(one, other));

  // One image twice is warped in two ways.
  random_warp<float>(images, std::vector<std::uint32_t>{4, 4}, {}, Rng(1), View<float>(few).columns(0, 2));
  CHECK_FALSE(few.col(0) == few.col(1));
}

TEST_CASE("random_warp: the middle stays within the shift, the darkness comes from outside") {
  // A white image: what is not white came from outside, at most shift + bend pixels deep where nothing else is done.
  LabelledImages images = some_images(1, 28, 28);
  std::fill(images.pixels.begin(), images.pixels.end(), std::uint8_t{255});
  const std::vector<std::uint32_t> indices(50);
  Matrix<float> out(784, 50);
  random_warp<float>(images, indices, {.degrees = 0, .scale = 0, .shear = 0, .shift = 2, .bend = 1}, Rng(3), out);
  int dark = 0;
  for (Index j = 0; j < out.cols(); ++j) {
    for (Index i = 0; i < out.rows(); ++i) {
      const Index row = i / 28, col = i % 28, depth = std::min({row, col, 27 - row, 27 - col});
      if (depth >= 3) REQUIRE(out(i, j) == 1);
      dark += out(i, j) < 1;
    }
  }
  CHECK(dark > 50 * 28);  // on average each image lost more than a line
}

TEST_CASE("random_warp: options out of range, images too large and wrong sizes are refused") {
  const LabelledImages images = some_images(2, 3, 3);
  const std::vector<std::uint32_t> indices{0, 1};
  Matrix<float> out(9, 2), narrow(9, 1);
  const auto warp = [&](const WarpOptions& options) { random_warp<float>(images, indices, options, Rng(1), out); };
  CHECK_THROWS_WITH_AS(warp({.degrees = -1}), "random_warp: degrees must be from 0 to 180, is -1",
                       std::invalid_argument);
  CHECK_THROWS_AS(warp({.scale = 1.5}), std::invalid_argument);
  CHECK_THROWS_AS(warp({.shear = std::nan("")}), std::invalid_argument);
  CHECK_THROWS_AS(warp({.shift = 5000}), std::invalid_argument);
  CHECK_THROWS_AS(warp({.bend = 5000}), std::invalid_argument);
  CHECK_THROWS_AS(warp({.mirror = 1.5}), std::invalid_argument);
  CHECK_THROWS_WITH_AS(random_warp<float>(images, indices, {}, Rng(1), narrow),
                       "random_warp: out is 9 x 1, expected 9 x 2", std::invalid_argument);
  CHECK_THROWS_AS(random_warp<float>(images, std::vector<std::uint32_t>{0, 2}, {}, Rng(1), out), std::invalid_argument);
  LabelledImages large = some_images(1, 1, 5000);
  Matrix<float> row(5000, 1);
  CHECK_THROWS_AS(random_warp<float>(large, std::vector<std::uint32_t>{0}, {}, Rng(1), row), std::invalid_argument);
}
