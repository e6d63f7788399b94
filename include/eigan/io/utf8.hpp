// UTF-8, decoded and encoded: what the strings of a JSON header are made of.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace eigan::detail {

struct CodePoint {
  char32_t value;
  std::size_t length;  ///< bytes taken; 0 if they are no valid UTF-8
};

/// The first code point of a text that is not empty. Overlong forms, surrogates and values past U+10FFFF are invalid.
inline CodePoint decode_utf8(std::string_view text) {
  const auto byte = [&](std::size_t i) -> char32_t { return static_cast<unsigned char>(text[i]); };
  const char32_t first = byte(0);
  if (first < 0x80) return {first, 1};
  const std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || text.size() < length) return {0, 0};
  char32_t value = first & (0x7Fu >> length);
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return {0, 0};
    value = value << 6 | (byte(i) & 0x3F);
  }
  constexpr char32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = value >= 0xD800 && value <= 0xDFFF;
  if (value < smallest[length] || value > 0x10FFFF || surrogate) return {0, 0};
  return {value, length};
}

/// The offset of the first byte that is not part of valid UTF-8, or npos.
inline std::size_t find_invalid_utf8(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = decode_utf8(text.substr(at)).length;
    if (length == 0) return at;
    at += length;
  }
  return std::string_view::npos;
}

/// Appends a code point up to U+10FFFF that is no surrogate.
inline void append_utf8(std::string& text, char32_t value) {
  const auto put = [&](char32_t byte) { text.push_back(static_cast<char>(static_cast<unsigned char>(byte))); };
  const auto continuation = [&](int shift) { put(0x80 | (value >> shift & 0x3F)); };
  if (value < 0x80) {
    put(value);
  } else if (value < 0x800) {
    put(0xC0 | value >> 6), continuation(0);
  } else if (value < 0x10000) {
    put(0xE0 | value >> 12), continuation(6), continuation(0);
  } else {
    put(0xF0 | value >> 18), continuation(12), continuation(6), continuation(0);
  }
}

}  // namespace eigan::detail
