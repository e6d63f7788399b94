#include "image_to_image/feed.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

#include "image_to_image/schedule.hpp"

using namespace image_to_image;
using eigan::Matrix;

/// Pictures of 2 x 3 pixels; those of number i are 10 i to 10 i + 5.
static PictureSet counted(Index count) {
  PictureSet set{count, 2, 3, 1, {}};
  for (Index i = 0; i < count; ++i)
    for (Index pixel = 0; pixel < 6; ++pixel) set.bytes.push_back(static_cast<std::uint8_t>(10 * i + pixel));
  return set;
}
static std::vector<int> bytes_of(const Matrix<float>& pictures, Index j) {
  std::vector<int> bytes;
  for (Index i = 0; i < pictures.rows(); ++i) bytes.push_back(static_cast<int>((pictures(i, j) + 1) * 127.5F + 0.5F));
  return bytes;
}
static std::vector<int> altered(const Alteration& how) {
  Matrix<float> to(6, 1);
  write_picture(counted(1), 0, how, to.data());
  return bytes_of(to, 0);
}

TEST_CASE("write_picture: moved, mirrored, and what lies beyond an edge is the edge") {
  CHECK(altered({}) == std::vector{0, 1, 2, 3, 4, 5});
  CHECK(altered({.down = 1}) == std::vector{0, 1, 2, 0, 1, 2});
  CHECK(altered({.right = 1}) == std::vector{0, 0, 1, 3, 3, 4});
  CHECK(altered({.right = -2}) == std::vector{2, 2, 2, 5, 5, 5});
  CHECK(altered({.mirrored = true}) == std::vector{2, 1, 0, 5, 4, 3});
}

TEST_CASE("Feed: every picture once in each shuffle, whole batches, the same wherever one begins") {
  const PictureSet set = counted(5);
  const auto chosen = [&](Feed& feed, Index step) {
    Matrix<float> to(6, 3);
    feed.choose(step);
    feed.write(set, to);
    std::vector<int> numbers;
    for (Index j = 0; j < 3; ++j) numbers.push_back(bytes_of(to, j)[0] / 10);
    return numbers;
  };
  Feed feed(5, 3, 0, false, eigan::Rng(1)), later(5, 3, 0, false, eigan::Rng(1));
  std::vector<int> all, fourth;
  for (Index step = 0; step < 5; ++step) {
    fourth = chosen(feed, step);
    all.insert(all.end(), fourth.begin(), fourth.end());
  }
  CHECK(chosen(later, 4) == fourth);
  for (auto shuffle = all.begin(); shuffle != all.end(); shuffle += 5) {
    std::sort(shuffle, shuffle + 5);
    CHECK(std::vector<int>(shuffle, shuffle + 5) == std::vector{0, 1, 2, 3, 4});
  }
}

TEST_CASE("schedule: flat, then evenly down") {
  Recipe recipe;
  recipe.epochs = 4;
  recipe.flat = 0.5;
  CHECK(schedule(recipe, 0, 10) == 1);
  CHECK(schedule(recipe, 19, 10) == 1);
  CHECK(schedule(recipe, 30, 10) == 0.5);
  CHECK(schedule(recipe, 39, 10) == doctest::Approx(0.05));
  recipe.flat = 1;
  CHECK(schedule(recipe, 39, 10) == 1);
}

TEST_CASE("patch_size: that of the papers") {
  CHECK(patch_size(1) == 16);
  CHECK(patch_size(2) == 34);
  CHECK(patch_size(3) == 70);
}
