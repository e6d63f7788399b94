#include <doctest/doctest.h>
#include <algorithm>
#include <cstdint>
#include <limits>
#include <new>
#include <type_traits>
#include <utility>

#include <eigan/core/buffer.hpp>

using namespace eigan;

static_assert(!std::is_copy_constructible_v<Buffer<float>> && !std::is_copy_assignable_v<Buffer<float>>);
static_assert(std::is_nothrow_move_constructible_v<Buffer<float>> && std::is_nothrow_move_assignable_v<Buffer<float>>);

static bool on_a_line(const void* p) {
  return reinterpret_cast<std::uintptr_t>(p) % buffer_alignment == 0;
}

TEST_CASE("Buffer: starts on a cache line, zeroed to the end of its last one") {
  for (const Index size : {1, 2, 15, 16, 17, 1000}) {
    CAPTURE(size);
    const Buffer<float> floats(size);
    const Buffer<double> doubles(size);
    CHECK(floats.size() == size);
    CHECK(on_a_line(floats.data()));
    CHECK(on_a_line(doubles.data()));
    const Index padded = (size + 15) / 16 * 16;
    CHECK(std::all_of(floats.data(), floats.data() + padded, [](float x) { return x == 0; }));
    CHECK(std::all_of(doubles.begin(), doubles.end(), [](double x) { return x == 0; }));
  }
}

TEST_CASE("Buffer: nothing is allocated for nothing") {
  CHECK(Buffer<float>().data() == nullptr);
  CHECK(Buffer<float>(0).data() == nullptr);
  CHECK(Buffer<float>(0).begin() == Buffer<float>(0).end());
  CHECK(Buffer<float>().clone().size() == 0);
}

TEST_CASE("Buffer: a size that no memory could have is refused before it wraps around") {
  CHECK_THROWS_AS(Buffer<float>(-1), std::bad_array_new_length);
  CHECK_THROWS_AS(Buffer<double>(std::numeric_limits<Index>::max() / 8), std::bad_array_new_length);
  CHECK_THROWS_AS(BufferMatrix<float>(-1, 2), std::bad_array_new_length);
  CHECK_THROWS_AS(BufferMatrix<float>(2, -1), std::bad_array_new_length);
  CHECK_THROWS_AS(BufferMatrix<float>(Index{1} << 32, Index{1} << 32), std::bad_array_new_length);
  for (const Index rows : {std::numeric_limits<Index>::max(), std::numeric_limits<Index>::max() - 100}) {
    CHECK_THROWS_AS(Buffer<float>{rows}, std::bad_array_new_length);
    CHECK_THROWS_AS(BufferMatrix<float>(rows, 1), std::bad_array_new_length);
    CHECK_THROWS_AS(BufferMatrix<double>(1, rows), std::bad_array_new_length);
  }
}

TEST_CASE("Buffer: moves hand the memory over") {
  Buffer<float> a(5);
  a[3] = 7;
  const float* memory = a.data();
  Buffer<float> b(std::move(a));
  CHECK(b.data() == memory);
  CHECK(b[3] == 7);
  CHECK(a.size() == 0);  // NOLINT(bugprone-use-after-move): what is left behind is empty, as stated
  CHECK(a.data() == nullptr);
  Buffer<float> c(2);
  c = std::move(b);
  CHECK(c.data() == memory);
  CHECK(c.size() == 5);
  CHECK(b.size() == 0);  // NOLINT(bugprone-use-after-move)
}

TEST_CASE("Buffer: a clone is deep") {
  Buffer<double> a(9);
  for (Index i = 0; i < 9; ++i) a[i] = static_cast<double>(i);
  Buffer<double> b = a.clone();
  CHECK(std::equal(a.begin(), a.end(), b.begin(), b.end()));
  b[0] = -1;
  CHECK(a[0] == 0);
}

TEST_CASE("Buffer: zero() and spans reach every element") {
  Buffer<float> a(21);
  const std::span<float> all(a);
  CHECK(all.size() == 21);
  std::fill(all.begin(), all.end(), 3.f);
  CHECK(a[20] == 3);
  const std::span<const float> read(std::as_const(a));
  CHECK(read.data() == a.data());
  CHECK(read.size() == 21);
  a.zero();
  CHECK(std::all_of(a.begin(), a.end(), [](float x) { return x == 0; }));
}

TEST_CASE("padded_stride: an odd number of cache lines that holds a column") {
  CHECK(padded_stride<float>(1) == 16);
  CHECK(padded_stride<float>(16) == 16);
  CHECK(padded_stride<float>(17) == 48);
  CHECK(padded_stride<float>(784) == 784);
  CHECK(padded_stride<float>(128) == 144);
  CHECK(padded_stride<double>(8) == 8);
  CHECK(padded_stride<double>(9) == 24);
}

TEST_CASE("BufferMatrix: zeroed columns, each on a cache line") {
  BufferMatrix<float> m(33, 5);
  CHECK(m.rows() == 33);
  CHECK(m.cols() == 5);
  CHECK(m.view().rows() == 33);
  CHECK(m.view().cols() == 5);
  CHECK(m.view().isZero(0));
  for (Index j = 0; j < 5; ++j) CHECK(on_a_line(&m.view()(0, j)));
  m.view().setOnes();
  CHECK(std::as_const(m).view().sum() == 165);
  CHECK(BufferMatrix<float>().view().size() == 0);
}
