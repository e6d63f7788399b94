#include <doctest/doctest.h>
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <set>
#include <stdexcept>

#include <eigan/gan/image_pool.hpp>
#include <eigan/io/checkpoint.hpp>

using namespace eigan;

/// Samples of two features, numbered from `first` on.
static Matrix<float> numbered(Index first, Index count) {
  Matrix<float> samples(2, count);
  for (Index j = 0; j < count; ++j) samples.col(j).setConstant(static_cast<float>(first + j));
  return samples;
}

TEST_CASE("ImagePool: what comes while there is room comes back, later samples may be old ones") {
  ImagePool<float> pool(2, 3);
  Matrix<float> first = numbered(0, 3);
  pool.exchange(first, Rng(1));
  CHECK(first == numbered(0, 3));
  CHECK(pool.size() == 3);

  // Nothing is lost and nothing is made up: all that went in came out once or is still there.
  std::set<float> seen, out;
  Index swapped = 0;
  const Index rounds = 400;
  for (Index step = 0; step < rounds; ++step) {
    Matrix<float> batch = numbered(3 + 2 * step, 2);
    pool.exchange(batch, Rng(2).fold_in(static_cast<std::uint64_t>(step)));
    for (Index j = 0; j < 2; ++j) {
      CHECK(batch(0, j) == batch(1, j));
      CHECK(out.insert(batch(0, j)).second);
      swapped += batch(0, j) != static_cast<float>(3 + 2 * step + j);
    }
  }
  CHECK(*out.rbegin() < 3 + 2 * rounds);
  // With probability 1/2, less where the sample that the pool gives back came a moment before it: six deviations.
  CHECK(std::abs(static_cast<double>(swapped) - rounds) < 6 * std::sqrt(rounds / 2.0));
}

TEST_CASE("ImagePool: without room it does nothing") {
  ImagePool<float> pool(2, 0);
  Matrix<float> batch = numbered(7, 5);
  pool.exchange(batch, Rng(1));
  CHECK(batch == numbered(7, 5));
  CHECK(pool.size() == 0);
}

TEST_CASE("ImagePool: a checkpoint holds it") {
  const auto path = std::filesystem::temp_directory_path() / "eigan_image_pool_test.safetensors";
  ImagePool<float> pool(2, 3), other(2, 3);
  Matrix<float> batch = numbered(0, 5);
  pool.exchange(batch, Rng(1));
  save_checkpoint(path, [&](auto visit) { visit("pool", pool); });
  load_checkpoint(path, [&](auto visit) { visit("pool", other); });
  std::filesystem::remove(path);
  CHECK(other.size() == 3);
  Matrix<float> a = numbered(5, 8), b = a;
  pool.exchange(a, Rng(2)), other.exchange(b, Rng(2));
  CHECK(a == b);
  CHECK(a != numbered(5, 8));
}

TEST_CASE("ImagePool: sizes must fit") {
  CHECK_THROWS_AS(ImagePool<float>(0, 3), std::invalid_argument);
  CHECK_THROWS_AS(ImagePool<float>(2, -1), std::invalid_argument);
  ImagePool<float> pool(2, 3);
  Matrix<float> wrong(3, 1);
  CHECK_THROWS_AS(pool.exchange(wrong, Rng(1)), std::invalid_argument);
}
