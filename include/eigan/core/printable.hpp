// Text from outside (a name in a file, a path) made fit for an error message: one line, nothing a terminal obeys,
// nothing that hides or reorders what the reader sees.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace eigan {

namespace detail {

/// How many bytes the visible UTF-8 character takes that `text`, which is not empty, begins with. 0 if it begins with
/// anything else: a control character, a mark without width or one that turns the direction of writing, no UTF-8.
inline std::size_t visible_character(std::string_view text) {
  const auto byte = [&](std::size_t i) -> char32_t { return static_cast<unsigned char>(text[i]); };
  char32_t c = byte(0);
  if (c < 0x80) return c >= 0x20 && c != 0x7F ? 1 : 0;
  const std::size_t length = c >= 0xF0 ? 4 : c >= 0xE0 ? 3 : 2;
  if (c < 0xC2 || c > 0xF4 || text.size() < length) return 0;
  c &= 0x7Fu >> length;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
    c = c << 6 | (byte(i) & 0x3F);
  }
  const bool hides = (c >= 0x200B && c <= 0x200F) || (c >= 0x2028 && c <= 0x202E) || (c >= 0x2060 && c <= 0x206F) ||
                     c == 0x061C || c == 0xFEFF;
  return c < 0xA0 || hides ? 0 : length;
}

}  // namespace detail

/// `text` with every byte that is not part of a visible character written as `\xNN`, cut with "..." after at most
/// `limit` bytes of it.
inline std::string printable(std::string_view text, std::size_t limit = 256) {
  std::string result;
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t length = detail::visible_character(text.substr(at));
    const std::size_t taken = length == 0 ? 1 : length;
    if (at + taken > limit) return result + "...";
    if (length == 0) {
      const auto byte = static_cast<unsigned char>(text[at]);
      result += {'\\', 'x', "0123456789abcdef"[byte >> 4], "0123456789abcdef"[byte & 15]};
    } else {
      result += text.substr(at, length);
    }
    at += taken;
  }
  return result;
}

}  // namespace eigan
