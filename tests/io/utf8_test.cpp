#include <doctest/doctest.h>

#include <string>

#include <eigan/io/utf8.hpp>

using eigan::detail::append_utf8;
using eigan::detail::decode_utf8;
using eigan::detail::find_invalid_utf8;

TEST_CASE("utf8: every code point survives encoding and decoding") {
  for (char32_t value = 0; value <= 0x10FFFF; ++value) {
    if (value >= 0xD800 && value <= 0xDFFF) continue;
    std::string text;
    append_utf8(text, value);
    const auto decoded = decode_utf8(text + "x");
    if (decoded.value != value || decoded.length != text.size()) FAIL_CHECK("code point " << static_cast<long>(value));
  }
}

TEST_CASE("utf8: the encoding is UTF-8's") {
  std::string text;
  for (const char32_t value : {U'\x24', U'\xA3', U'\u20AC', U'\U00010348'}) append_utf8(text, value);
  CHECK(text == "\x24\xC2\xA3\xE2\x82\xAC\xF0\x90\x8D\x88");
}

TEST_CASE("utf8: what is not UTF-8 is found where it begins") {
  const auto invalid_at = [](const char* text) { return find_invalid_utf8(text); };
  CHECK(invalid_at("plain") == std::string::npos);
  CHECK(invalid_at("ab\x80") == 2);                 // continuation without a start
  CHECK(invalid_at("a\xC0\x80") == 1);              // overlong in two bytes
  CHECK(invalid_at("a\xC1\xBF") == 1);              //
  CHECK(invalid_at("a\xE0\x9F\xBF") == 1);          // overlong in three
  CHECK(invalid_at("a\xF0\x8F\xBF\xBF") == 1);      // overlong in four
  CHECK(invalid_at("a\xED\xA0\x80") == 1);          // surrogate
  CHECK(invalid_at("a\xF4\x90\x80\x80") == 1);      // past U+10FFFF
  CHECK(invalid_at("a\xF5\x80\x80\x80") == 1);      //
  CHECK(invalid_at("a\xFF") == 1);                  //
  CHECK(invalid_at("\xC3\xA9\xE2\x82") == 2);       // cut short
  CHECK(invalid_at("\xE2\x82\xAC\xE2x\xAC") == 3);  // no continuation
}
