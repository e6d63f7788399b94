// exact_text: a number as the shortest text of the usual form ("0.2", "1e-05") that reads back as the same number, and
// the way back. Neither depends on the locale.
#pragma once

#include <locale>
#include <sstream>
#include <string>
#include <string_view>

namespace eigan {

/// `number` with as many digits as it needs, 6 to 17 significant ones at most: what %g prints where that is exact.
inline std::string exact_text(double number) {
  std::string result;
  for (int digits = 6; digits <= 17; ++digits) {
    std::ostringstream text;
    text.imbue(std::locale::classic());
    text.precision(digits);
    text << number;
    result = text.str();
    std::istringstream back(result);
    back.imbue(std::locale::classic());
    double read = 0;
    if (back >> read && read == number) break;
  }
  return result;
}

/// number = what `text` says; false, with `number` untouched, unless the whole of it is one finite decimal number.
inline bool parse_number(std::string_view text, double& number) {
  if (text.empty() || text.find_first_not_of("+-.0123456789eE") != std::string_view::npos) return false;
  std::istringstream stream{std::string(text)};
  stream.imbue(std::locale::classic());
  double read = 0;
  if (!(stream >> read) || stream.peek() != std::istringstream::traits_type::eof()) return false;
  number = read;
  return true;
}

}  // namespace eigan
