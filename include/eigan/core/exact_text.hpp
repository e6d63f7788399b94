// exact_text: a number as the shortest text of the usual form ("0.2", "1e-05") that reads back as the same number, and
// the way back. Neither depends on the locale, and neither needs memory that it could lack.
#pragma once

#include <charconv>
#include <cmath>
#include <string>
#include <string_view>
#include <system_error>

namespace eigan {

/// number = what `text` says; false, with `number` untouched, unless the whole of it is one finite decimal number.
inline bool parse_number(std::string_view text, double& number) {
  double read = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), read);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(read)) return false;
  number = read;
  return true;
}

/// `number` with as many digits as it needs, 6 to 17 significant ones at most: what %g prints where that is exact.
inline std::string exact_text(double number) {
  char text[32];
  char* end = text;
  for (int digits = 6; digits <= 17; ++digits) {
    end = std::to_chars(text, text + sizeof text, number, std::chars_format::general, digits).ptr;
    double read = 0;
    if (parse_number(std::string_view(text, end), read) && read == number) break;
  }
  return std::string(text, end);
}

}  // namespace eigan
