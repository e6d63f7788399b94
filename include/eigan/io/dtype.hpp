// Dtype: the element types that eigan's tensor files may hold, named as safetensors names them, and what follows from
// them: sizes in bytes and conversion to float and double.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <eigan/core/checked.hpp>
#include <eigan/core/error.hpp>

namespace eigan {

/// In the order of safetensors' reference implementation, which sorts tensors by it.
enum class Dtype {
  other,    ///< one that is not here, such as F8_E4M3: carried along, never looked into
  boolean,  ///< one byte
  u8,       ///< unsigned, 8 bits
  i8,       ///< signed, 8 bits
  i16,      ///< signed, 16 bits
  u16,      ///< unsigned, 16 bits
  f16,      ///< IEEE 754, 16 bits
  bf16,     ///< the upper half of an f32
  i32,      ///< signed, 32 bits
  u32,      ///< unsigned, 32 bits
  f32,      ///< IEEE 754, 32 bits
  f64,      ///< IEEE 754, 64 bits
  i64,      ///< signed, 64 bits
  u64       ///< unsigned, 64 bits
};

namespace detail {

struct DtypeInfo {
  Dtype dtype;
  std::string_view name;
  std::size_t size;
};

inline constexpr std::array dtypes{
    DtypeInfo{Dtype::other, "another", 1}, DtypeInfo{Dtype::boolean, "BOOL", 1}, DtypeInfo{Dtype::u8, "U8", 1},
    DtypeInfo{Dtype::i8, "I8", 1},         DtypeInfo{Dtype::i16, "I16", 2},      DtypeInfo{Dtype::u16, "U16", 2},
    DtypeInfo{Dtype::f16, "F16", 2},       DtypeInfo{Dtype::bf16, "BF16", 2},    DtypeInfo{Dtype::i32, "I32", 4},
    DtypeInfo{Dtype::u32, "U32", 4},       DtypeInfo{Dtype::f32, "F32", 4},      DtypeInfo{Dtype::f64, "F64", 8},
    DtypeInfo{Dtype::i64, "I64", 8},       DtypeInfo{Dtype::u64, "U64", 8},
};

/// Whether the elements are floating-point numbers.
constexpr bool is_floating(Dtype dtype) {
  return dtype == Dtype::f64 || dtype == Dtype::f32 || dtype == Dtype::f16 || dtype == Dtype::bf16;
}

/// IEEE 754 half precision. Every value is exact in float.
inline float half_to_float(std::uint16_t bits) {
  const int exponent = bits >> 10 & 31;
  const int fraction = bits & 1023;
  float value = 0;
  if (exponent == 31) {
    value = fraction == 0 ? std::numeric_limits<float>::infinity() : std::numeric_limits<float>::quiet_NaN();
  } else if (exponent == 0) {
    value = std::ldexp(static_cast<float>(fraction), -24);
  } else {
    value = std::ldexp(static_cast<float>(1024 + fraction), exponent - 25);
  }
  return (bits & 0x8000) != 0 ? -value : value;
}

/// The upper half of a float.
inline float bfloat16_to_float(std::uint16_t bits) {
  return std::bit_cast<float>(std::uint32_t{bits} << 16);
}

}  // namespace detail

/// "F32" for Dtype::f32.
constexpr std::string_view dtype_name(Dtype dtype) {
  return detail::dtypes[static_cast<std::size_t>(dtype)].name;
}

/// Bytes of one element; 1 for another dtype, whose elements nobody knows.
constexpr std::size_t dtype_size(Dtype dtype) {
  return detail::dtypes[static_cast<std::size_t>(dtype)].size;
}

/// The dtype in which eigan stores its scalars.
template <class T>
requires(std::same_as<T, float> ||
         std::same_as<T, double>) inline constexpr Dtype dtype_of = std::same_as<T, float> ? Dtype::f32 : Dtype::f64;

namespace detail {
/// f(element), of its type, for each of `count` stored elements (little-endian, unaligned) of a known dtype.
template <class F>
void for_each_element(Dtype dtype, const std::byte* bytes, std::size_t count, const F& f) {
  const auto each = [&]<class Stored>(Stored, auto value_of) {
    for (std::size_t i = 0; i < count; ++i) {
      Stored stored;
      std::memcpy(&stored, bytes + i * sizeof stored, sizeof stored);
      f(i, value_of(stored));
    }
  };
  const auto itself = [](auto stored) { return stored; };
  switch (dtype) {
    case Dtype::f32:
      return each(float(), itself);
    case Dtype::f64:
      return each(double(), itself);
    case Dtype::f16:
      return each(std::uint16_t(), half_to_float);
    case Dtype::bf16:
      return each(std::uint16_t(), bfloat16_to_float);
    case Dtype::boolean:
      return each(std::uint8_t(), [](std::uint8_t stored) { return static_cast<std::uint8_t>(stored != 0); });
    case Dtype::u8:
      return each(std::uint8_t(), itself);
    case Dtype::i8:
      return each(std::int8_t(), itself);
    case Dtype::i16:
      return each(std::int16_t(), itself);
    case Dtype::u16:
      return each(std::uint16_t(), itself);
    case Dtype::i32:
      return each(std::int32_t(), itself);
    case Dtype::u32:
      return each(std::uint32_t(), itself);
    case Dtype::i64:
      return each(std::int64_t(), itself);
    case Dtype::u64:
      return each(std::uint64_t(), itself);
    default:
      fail_contract("convert_elements: expected a dtype that eigan knows, found ", dtype_name(dtype));
  }
}
}  // namespace detail

/// Converts stored elements (little-endian, unaligned) of any dtype but `other` to T; `bytes` holds `count` of them.
template <std::floating_point T>
void convert_elements(Dtype dtype, const std::byte* bytes, std::size_t count, T* values) {
  detail::for_each_element(dtype, bytes, count, [&](std::size_t i, auto value) { values[i] = static_cast<T>(value); });
}

/// Stored integers, or bool, as T. Error if they are no integers, or one does not fit.
template <std::integral T>
void convert_integers(Dtype dtype, const std::byte* bytes, std::size_t count, T* values) {
  if (detail::is_floating(dtype)) detail::fail_data("expected integers, found ", dtype_name(dtype));
  detail::for_each_element(dtype, bytes, count, [&](std::size_t i, auto value) {
    if constexpr (std::integral<decltype(value)>) {
      constexpr auto least = std::numeric_limits<T>::min(), most = std::numeric_limits<T>::max();
      if (std::cmp_less(+value, +least) || std::cmp_greater(+value, +most))
        detail::fail_data("element ", i, ": expected an integer from ", +least, " to ", +most, ", found ", +value);
      values[i] = static_cast<T>(value);
    }
  });
}

namespace detail {

/// "[128, 784]"; of a shape with very many extents only the first ones.
inline std::string shape_text(std::span<const std::uint64_t> shape) {
  constexpr std::size_t shown = 8;
  std::string text = "[";
  for (const std::uint64_t extent : shape.first(std::min(shown, shape.size()))) {
    text.append(text.size() > 1 ? ", " : "").append(std::to_string(extent));
  }
  return text + (shape.size() > shown ? ", ...]" : "]");
}

/// The bytes of a tensor; false if an extent is above 2^48, the limit of the format's schema, or the product overflows.
inline bool checked_byte_size(Dtype dtype, std::span<const std::uint64_t> shape, std::uint64_t& size) {
  size = dtype_size(dtype);
  return std::all_of(shape.begin(), shape.end(), [&](std::uint64_t extent) {
    return extent <= std::uint64_t{1} << 48 && checked_mul(size, extent, size);
  });
}

}  // namespace detail
}  // namespace eigan
