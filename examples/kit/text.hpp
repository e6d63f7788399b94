// Numbers as people read them, the same under every locale.
#pragma once

#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <sstream>
#include <string>
#include <system_error>

namespace kit {

/// Words, integers and single characters in a row.
template <class... Parts>
std::string concat(const Parts&... parts) {
  std::ostringstream text;
  text.exceptions(std::ios::badbit);  // without memory a stream would leave out the rest and say nothing
  (text << ... << parts);
  return text.str();
}

/// Digits behind the point: fixed(0.5, 3) = "0.500".
inline std::string fixed(double value, int digits) {
  std::array<char, 400> text{};
  return {text.data(),
          std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed, digits).ptr};
}

/// "98.60 %" for 0.986.
inline std::string percent(double part, int digits = 2) {
  return concat(fixed(100 * part, digits), " %");
}

/// The shortest text that gives the same value back: "0.002".
inline std::string shortest(double value) {
  std::array<char, 40> text{};
  return {text.data(), std::to_chars(text.data(), text.data() + text.size(), value).ptr};
}

/// At most six digits that matter: "1.38629".
inline std::string six_digits(double value) {
  if (std::isnan(value)) return "nan";  // its sign says nothing
  std::array<char, 40> text{};
  return {text.data(), std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::general, 6).ptr};
}

/// "115,984", for what is not negative.
inline std::string grouped(std::int64_t value) {
  std::string text;
  const std::string digits = std::to_string(value);
  for (std::size_t at = 0; at < digits.size(); ++at) {
    if (at > 0 && (digits.size() - at) % 3 == 0) text += ',';
    text += digits[at];
  }
  return text;
}

/// "850", "21.5k", "1.3M".
inline std::string compact(double value) {
  if (value < 1e3) return fixed(value, 0);
  return value < 1e6 ? concat(fixed(value / 1e3, 1), 'k') : concat(fixed(value / 1e6, 1), 'M');
}

/// "3.4 s", "2:05", "1:02:05".
inline std::string duration(double seconds) {
  if (seconds < 60) return concat(fixed(seconds, 1), " s");
  const auto whole = static_cast<std::int64_t>(seconds);
  const auto two_digits = [](std::int64_t n) { return concat(n / 10, n % 10); };
  if (whole < 3600) return concat(whole / 60, ':', two_digits(whole % 60));
  return concat(whole / 3600, ':', two_digits(whole / 60 % 60), ':', two_digits(whole % 60));
}

/// "100-32-64-128-784" with '-', "32,64,128" with ','.
template <class Numbers>
std::string joined(const Numbers& numbers, char separator) {
  std::string text;
  for (const auto number : numbers) {
    if (!text.empty()) text += separator;
    text += std::to_string(number);
  }
  return text;
}

}  // namespace kit
