#include <doctest/doctest.h>

#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include <eigan/io/dtype.hpp>

#include "io/support.hpp"

using eigan::Dtype;
using eigan::detail::bfloat16_to_float;
using eigan::detail::checked_byte_size;
using eigan::detail::half_to_float;
using eigan::detail::shape_text;

TEST_CASE("Dtype: names and sizes belong to the right type") {
  CHECK(eigan::dtype_name(Dtype::boolean) == "BOOL");
  CHECK(eigan::dtype_name(Dtype::f32) == "F32");
  CHECK(eigan::dtype_name(Dtype::bf16) == "BF16");
  CHECK(eigan::dtype_name(Dtype::u64) == "U64");
  for (const auto& info : eigan::detail::dtypes) {
    CHECK(eigan::dtype_name(info.dtype) == info.name);
    CHECK(eigan::dtype_size(info.dtype) == info.size);
    const auto digits = std::min(info.name.find_first_of("123468"), info.name.size());
    const auto bits = info.name.substr(digits);
    if (info.dtype != Dtype::boolean && info.dtype != Dtype::other) CHECK(std::to_string(8 * info.size) == bits);
  }
  CHECK(eigan::dtype_of<float> == Dtype::f32);
  CHECK(eigan::dtype_of<double> == Dtype::f64);
}

TEST_CASE("Dtype: half precision is exact for every bit pattern") {
#if defined(__FLT16_MAX__)
  for (unsigned bits = 0; bits <= 0xFFFF; ++bits) {
    _Float16 half;
    const auto stored = static_cast<std::uint16_t>(bits);
    std::memcpy(&half, &stored, 2);
    const auto expected = static_cast<float>(half);
    const float found = half_to_float(stored);
    const bool same = std::isnan(expected)
                          ? std::isnan(found)
                          : std::bit_cast<std::uint32_t>(expected) == std::bit_cast<std::uint32_t>(found);
    if (!same) FAIL_CHECK("half " << bits << ": expected " << expected << ", found " << found);
  }
#endif
  CHECK(half_to_float(0x3C00) == 1.0f);
  CHECK(half_to_float(0xC000) == -2.0f);
  CHECK(half_to_float(0x7BFF) == 65504.0f);
  CHECK(half_to_float(0x0001) == 0x1p-24f);
  CHECK(half_to_float(0x03FF) == 1023 * 0x1p-24f);
  CHECK(half_to_float(0xFC00) == -std::numeric_limits<float>::infinity());
  CHECK(std::isnan(half_to_float(0x7E00)));
  CHECK(std::signbit(half_to_float(0x8000)));
}

TEST_CASE("Dtype: bfloat16 is the upper half of a float") {
  CHECK(bfloat16_to_float(0x3F80) == 1.0f);
  CHECK(bfloat16_to_float(0xC049) == -3.140625f);
  CHECK(bfloat16_to_float(0x7F80) == std::numeric_limits<float>::infinity());
}

TEST_CASE("Dtype: elements are converted from any alignment") {
  const auto converted = [](Dtype dtype, auto stored) {
    std::vector<std::byte> bytes(sizeof stored + 1);
    std::memcpy(bytes.data() + 1, &stored, sizeof stored);
    std::array<double, 2> values{};
    eigan::convert_elements(dtype, bytes.data() + 1, 2, values.data());
    return values;
  };
  using Pair = std::array<double, 2>;
  CHECK(converted(Dtype::f32, std::array{1.5f, -2.5f}) == Pair{1.5, -2.5});
  CHECK(converted(Dtype::f64, std::array{0.1, -1e300}) == Pair{0.1, -1e300});
  CHECK(converted(Dtype::f16, std::array<std::uint16_t, 2>{0x3C00, 0xC000}) == Pair{1, -2});
  CHECK(converted(Dtype::bf16, std::array<std::uint16_t, 2>{0x3F80, 0xC049}) == Pair{1, -3.140625});
  CHECK(converted(Dtype::u8, std::array<std::uint8_t, 2>{0, 255}) == Pair{0, 255});
  CHECK(converted(Dtype::boolean, std::array<std::uint8_t, 2>{0, 2}) == Pair{0, 1});
  CHECK(converted(Dtype::i8, std::array<std::int8_t, 2>{-128, 127}) == Pair{-128, 127});
  CHECK(converted(Dtype::i64, std::array<std::int64_t, 2>{-5, 1LL << 40}) == Pair{-5, 0x1p40});
  CHECK(converted(Dtype::u32, std::array<std::uint32_t, 2>{0, 0xFFFFFFFF}) == Pair{0, 4294967295.0});
  test::error_text<std::invalid_argument>([&] { converted(Dtype::other, std::array<std::int64_t, 2>{}); });
}

TEST_CASE("Dtype: sizes in bytes are computed without overflow") {
  const auto size = [](Dtype dtype, std::vector<std::uint64_t> shape) {
    std::uint64_t result = 0;
    return checked_byte_size(dtype, shape, result) ? result : UINT64_MAX;
  };
  constexpr std::uint64_t large = std::uint64_t{1} << 48;
  CHECK(size(Dtype::f32, {}) == 4);
  CHECK(size(Dtype::f64, {3, 5}) == 120);
  CHECK(size(Dtype::f32, {3, 0}) == 0);
  CHECK(size(Dtype::u8, {large}) == large);
  CHECK(size(Dtype::u8, {large + 1}) == UINT64_MAX);
  CHECK(size(Dtype::u8, {large, 0x8000}) == large * 0x8000);
  CHECK(size(Dtype::u8, {large, 0x10000}) == UINT64_MAX);
  CHECK(size(Dtype::f64, {large, 0x2000}) == UINT64_MAX);
  CHECK(size(Dtype::u8, {large, large, 0}) == UINT64_MAX);
}

TEST_CASE("Dtype: shapes read like PyTorch's, and long ones stay short") {
  const auto text = [](std::vector<std::uint64_t> shape) { return shape_text(shape); };
  CHECK(text({}) == "[]");
  CHECK(text({128, 784}) == "[128, 784]");
  CHECK(text(std::vector<std::uint64_t>(9, 1)) == "[1, 1, 1, 1, 1, 1, 1, 1, ...]");
}
