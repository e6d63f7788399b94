// exact_text: a number as the shortest text of the usual form ("0.2", "1e-05") that reads back as the same number, and
// the way back. Neither depends on the locale, and neither needs memory that it could lack.
//
// Both are built on the C library. std::from_chars of a double is missing in libc++ up to 19, std::to_chars of one on
// older systems of Apple's, and <charconv> would cost every user compile time.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

namespace eigan {

/// number = what `text` says; false, with `number` untouched, unless the whole of it is one decimal number that a
/// double can be: finite, and not rounded to zero.
inline bool parse_number(std::string_view text, double& number) {
  // strtod wants the locale's decimal point, so it gets none: "0.25" becomes "25e-2". No digit behind the 768th decides
  // how a number is rounded, except that not all of them are zero.
  constexpr std::size_t most_digits = 800;
  constexpr std::int64_t huge = 1'000'000'000'000'000;  // no text has as many digits
  char plain[most_digits + 32];
  std::size_t length = 0, at = 0;
  std::int64_t exponent = 0;
  bool any = false, point = false, cut = false;
  const auto is_digit = [&] { return at < text.size() && text[at] >= '0' && text[at] <= '9'; };

  const bool negative = text.starts_with('-');
  for (at = negative ? 1 : 0; is_digit() || (at < text.size() && text[at] == '.' && !point); ++at) {
    if (text[at] == '.') {
      point = true;
      continue;
    }
    any = true;
    exponent -= point ? 1 : 0;
    if (length == 0 && text[at] == '0') continue;
    if (length < most_digits) {
      plain[length++] = text[at];
    } else {
      ++exponent;
      cut = cut || text[at] != '0';
    }
  }
  if (!any) return false;
  if (cut) plain[length++] = '1', --exponent;
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    ++at;
    const bool down = at < text.size() && text[at] == '-';
    if (at < text.size() && (down || text[at] == '+')) ++at;
    if (!is_digit()) return false;
    std::int64_t written = 0;
    for (; is_digit(); ++at) written = std::min(10 * written + (text[at] - '0'), huge);
    exponent += down ? -written : written;
  }
  if (at != text.size()) return false;

  double read = 0;
  if (length > 0) {
    const int power = static_cast<int>(std::clamp<std::int64_t>(exponent, -99999, 99999));
    std::snprintf(plain + length, sizeof plain - length, "e%d", power);
    read = std::strtod(plain, nullptr);
    // By its bits: with -ffast-math a compiler takes it that no number is infinite.
    const auto bits = std::bit_cast<std::uint64_t>(read);
    if (bits == 0 || bits >> 52 == 0x7ff) return false;
  }
  number = negative ? -read : read;
  return true;
}

/// `number` with as many digits as it needs, 6 to 17 significant ones at most: what %g prints where that is exact.
inline std::string exact_text(double number) {
  char printed[64], text[64];
  char* end = text;
  for (int digits = 6; digits <= 17; ++digits) {
    const int length = std::snprintf(printed, sizeof printed, "%.*g", digits, number);
    end = text;
    // What is neither digit, sign nor letter is the locale's decimal point, which may take several bytes.
    for (const char c : std::string_view(printed, static_cast<std::size_t>(length))) {
      const bool usual = (c >= '0' && c <= '9') || c == '-' || c == '+' || (c >= 'a' && c <= 'z');
      if (usual || end[-1] != '.') *end++ = usual ? c : '.';
    }
    double read = 0;
    if (parse_number(std::string_view(text, end), read) && read == number) break;
  }
  return std::string(text, end);
}

}  // namespace eigan
