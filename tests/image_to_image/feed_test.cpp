#include "image_to_image/feed.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
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
/// The recipe of a feed that alters nothing.
static Recipe plain(Index batch) {
  Recipe recipe;
  recipe.batch = batch;
  recipe.jitter = 0;
  recipe.mirror = false;
  return recipe;
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
  CHECK(altered({.right = 1, .mirrored = true}) == std::vector{1, 0, 0, 4, 3, 3});  // first moved, then mirrored
}

TEST_CASE("write_picture: from a place on") {
  Matrix<float> to(6, 1);
  write_picture(counted(2), 0, {}, to.data());
  write_picture(counted(2), 1, {.right = 1}, to.data(), {0, 2});
  CHECK(bytes_of(to, 0) == std::vector{0, 1, 11, 3, 4, 14});
  write_picture(counted(3), 2, {}, to.data(), {1, 0});
  CHECK(bytes_of(to, 0) == std::vector{0, 1, 11, 23, 24, 25});
}

/// `count` pictures whose values are their numbers, or what is left to 255 of them.
static PictureSet numbered(Index count, bool negative) {
  PictureSet set{count, 8, 8, 1, {}};
  for (Index i = 0; i < count * set.size(); ++i) {
    const Index number = i / set.size();
    set.bytes.push_back(static_cast<std::uint8_t>(negative ? 255 - number : number));
  }
  return set;
}

TEST_CASE("Feed: half are collages, of two pictures in one piece each, and a picture's partner is cut alike") {
  constexpr Index batch = 8, steps = 50;
  const PictureSet a = numbered(100, false), b = numbered(100, true);
  Recipe recipe = plain(batch);
  const Feed plain_feed(a.count, recipe, eigan::Rng(1));
  recipe.collage = true;
  Feed feed(a.count, recipe, eigan::Rng(1)), whole = plain_feed;
  Matrix<float> x(a.size(), batch), y(b.size(), batch), uncut(a.size(), batch);
  Index collages = 0, across = 0;
  for (Index step = 0; step < steps; ++step) {
    feed.choose(step), whole.choose(step);
    feed.write(a, x), feed.write(b, y), whole.write(a, uncut);
    CHECK((x + y).cwiseAbs().maxCoeff() < 1e-5F);
    for (Index j = 0; j < batch; ++j) {
      const std::vector<int> bytes = bytes_of(x, j);
      const int own = bytes_of(uncut, j)[0], next = bytes_of(uncut, (j + 1) % batch)[0];
      CHECK(bytes.front() == own);
      if (bytes.back() == own) continue;
      ++collages;
      const bool is_across = bytes[7] == own;
      across += is_across;
      const Index place = std::ranges::find(bytes, next) - bytes.begin(), first = is_across ? place / 8 : place;
      CHECK(first >= 2);
      CHECK(first <= 5);
      for (Index i = 0; i < 64; ++i)
        CHECK(bytes[static_cast<std::size_t>(i)] == ((is_across ? i / 8 : i % 8) < first ? own : next));
    }
  }
  CHECK(std::abs(collages - steps * batch / 2) < steps * batch / 10);
  CHECK(std::abs(across - collages / 2) < collages / 5);
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
  Feed feed(5, plain(3), eigan::Rng(1)), later(5, plain(3), eigan::Rng(1));
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
