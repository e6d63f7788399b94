// Text and files as parts of an HTML page.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include <eigan/core/printable.hpp>

#include "text.hpp"

namespace kit {

using namespace kit;

/// `text` as it reads, whatever it holds, in an element or a quoted attribute.
inline std::string html_text(std::string_view text) {
  std::string result;
  for (const char c : eigan::printable(text, std::string_view::npos)) {
    const bool is_markup = std::string_view("&<>\"'").find(c) != std::string_view::npos;
    result += is_markup ? concat("&#", static_cast<int>(c), ';') : std::string(1, c);
  }
  return result;
}

/// Base64 as in RFC 4648, section 4: three bytes become four characters of six bits each, padded with '='.
inline std::string base64(std::span<const std::byte> bytes) {
  constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    const auto byte = [&](std::size_t i) { return i < bytes.size() ? std::to_integer<std::size_t>(bytes[i]) : 0; };
    const std::size_t group = byte(at) << 16 | byte(at + 1) << 8 | byte(at + 2);
    for (std::size_t i = 0; i < 4; ++i) text += at + i <= bytes.size() ? digits[group >> (18 - 6 * i) & 63] : '=';
  }
  return text;
}

}  // namespace kit
