// JsonReader: a strict cursor over the part of JSON that file headers use: objects, arrays, strings and non-negative
// integers (RFC 8259, without floats, literals and leniency).
//
// The caller says at every place what must come next, so there is no tree, no recursion and nothing that deep
// nesting could exhaust: a bracket too many is simply not what was expected.
#pragma once

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <eigan/core/error.hpp>
#include <eigan/core/printable.hpp>
#include <eigan/io/utf8.hpp>

namespace eigan::detail {

class JsonReader {
 public:
  /// `text` must be valid UTF-8. `name` opens every message, and `first` is what the offset of the text's first byte
  /// is called there.
  JsonReader(std::string_view text, std::string name, std::size_t first = 0)
      : text_(text), name_(std::move(name)), first_(first) {}

  /// Reads {"key": value, ...}; calls member(std::string key) where the value begins.
  template <class Member>
  void object(Member&& member) {
    expect('{', "'{'");
    if (accept('}')) return;
    do {
      std::string key = string("a key in double quotes");
      expect(':', "':'");
      member(std::move(key));
    } while (accept(','));
    expect('}', "',' or '}'");
  }

  /// Reads [value, ...]; calls element() where each value begins.
  template <class Element>
  void array(Element&& element) {
    expect('[', "'['");
    if (accept(']')) return;
    do {
      element();
    } while (accept(','));
    expect(']', "',' or ']'");
  }

  std::string string(const char* expected = "a string") {
    expect('"', expected);
    std::string result;
    for (;;) {
      const std::size_t begin = at_;
      while (at_ < text_.size() && is_plain(text_[at_])) ++at_;
      result += text_.substr(begin, at_ - begin);
      if (at_ == text_.size()) fail("the string's closing quote");
      if (text_[at_] == '"') {
        ++at_;
        return result;
      }
      if (text_[at_] != '\\') fail("a control character to be escaped");
      ++at_;
      escape(result);
    }
  }

  /// An integer from 0 to 2^64 - 1, written in plain digits.
  std::uint64_t unsigned_integer() {
    skip_space();
    std::uint64_t value = 0;
    const char* const begin = text_.data() + at_;
    const auto [end, error] = std::from_chars(begin, text_.data() + text_.size(), value);
    if (error == std::errc::invalid_argument) fail("a non-negative integer");
    if (error == std::errc::result_out_of_range) fail("an integer below 2^64");
    if (*begin == '0' && end != begin + 1) fail("an integer without leading zeros");
    at_ = static_cast<std::size_t>(end - text_.data());
    if (at_ < text_.size() && (text_[at_] == '.' || text_[at_] == 'e' || text_[at_] == 'E')) {
      fail("an integer without fraction and exponent");
    }
    return value;
  }

  /// A string, number, true, false or null that nobody wants to know; letters and digits are not looked at closely.
  void skip_scalar() {
    skip_space();
    if (at_ < text_.size() && text_[at_] == '"') return void(string());
    const auto among = [](char c) {
      return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c == 'E' || c == '+' || c == '-' || c == '.';
    };
    const std::size_t begin = at_;
    while (at_ < text_.size() && among(text_[at_])) ++at_;
    if (at_ == begin) fail("a string or a number");
  }

  /// Requires that nothing but white space is left.
  void end() {
    skip_space();
    if (at_ != text_.size()) fail("nothing after the closing bracket");
  }

  /// Throws Error "NAME: at byte N: expected EXPECTED, found ...".
  [[noreturn]] void fail(std::string_view expected) const {
    const std::size_t length = at_ < text_.size() ? decode_utf8(text_.substr(at_)).length : 0;
    const std::string found =
        at_ < text_.size() ? concat("'", printable(text_.substr(at_, length)), "'") : "the end of the text";
    fail_data(name_, ": at byte ", first_ + at_, ": expected ", expected, ", found ", found);
  }

 private:
  // Stands for itself in a string.
  static bool is_plain(char c) { return c != '"' && c != '\\' && static_cast<unsigned char>(c) >= 0x20; }

  static bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

  void skip_space() {
    while (at_ < text_.size() && is_space(text_[at_])) ++at_;
  }

  bool accept(char c) {
    skip_space();
    const bool found = at_ < text_.size() && text_[at_] == c;
    if (found) ++at_;
    return found;
  }

  void expect(char c, std::string_view expected) {
    if (!accept(c)) fail(expected);
  }

  // What follows a backslash.
  void escape(std::string& result) {
    constexpr std::string_view letters = "\"\\/bfnrt";
    constexpr std::string_view meanings = "\"\\/\b\f\n\r\t";
    const char letter = at_ < text_.size() ? text_[at_] : '\0';
    if (const std::size_t i = letters.find(letter); i != std::string_view::npos) {
      ++at_;
      result += meanings[i];
      return;
    }
    if (letter != 'u') fail("one of \" \\ / b f n r t u after a backslash");
    ++at_;
    char32_t value = four_digits();
    if (value >= 0xDC00 && value <= 0xDFFF) fail("a high surrogate before a low one");
    if (value >= 0xD800 && value <= 0xDBFF) {
      if (text_.substr(at_, 2) != "\\u") fail("a low surrogate after a high one");
      at_ += 2;
      const char32_t low = four_digits();
      if (low < 0xDC00 || low > 0xDFFF) fail("a low surrogate after a high one");
      value = 0x10000 + ((value - 0xD800) << 10) + (low - 0xDC00);
    }
    append_utf8(result, value);
  }

  char32_t four_digits() {
    std::uint16_t value = 0;
    const std::string_view digits = text_.substr(at_, 4);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
    if (error != std::errc() || end - digits.data() != 4) fail("four hexadecimal digits");
    at_ += 4;
    return value;
  }

  std::string_view text_;
  std::string name_;
  std::size_t first_;
  std::size_t at_ = 0;
};

/// Appends `text`, valid UTF-8, as a JSON string with as few escapes as JSON allows.
inline void append_json_string(std::string& json, std::string_view text) {
  json += '"';
  for (const char c : text) {
    constexpr std::string_view letters = "\"\\bfnrt";
    constexpr std::string_view meanings = "\"\\\b\f\n\r\t";
    if (const std::size_t i = meanings.find(c); i != std::string_view::npos) {
      json += {'\\', letters[i]};
    } else if (static_cast<unsigned char>(c) < 0x20) {
      const auto byte = static_cast<unsigned char>(c);
      json += "\\u00";
      json += {"0123456789abcdef"[byte >> 4], "0123456789abcdef"[byte & 15]};
    } else {
      json += c;
    }
  }
  json += '"';
}

}  // namespace eigan::detail
