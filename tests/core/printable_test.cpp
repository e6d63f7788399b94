#include <doctest/doctest.h>
#include <string>

#include <eigan/core/printable.hpp>

using eigan::printable;

TEST_CASE("printable: ordinary text, spaces and UTF-8 pass") {
  CHECK(printable("data/my digits/ü–数😀.gz") == "data/my digits/ü–数😀.gz");
  CHECK(printable("\xC2\xA0|\xC2\xB5") == "\xC2\xA0|\xC2\xB5");  // a space that does not break, and the micro sign
  CHECK(printable("") == "");
}

TEST_CASE("printable: control characters become escapes") {
  CHECK(printable("a\nb\tc\x1b[31m\x7f") == "a\\x0ab\\x09c\\x1b[31m\\x7f");
  CHECK(printable(std::string("a\0b", 3)) == "a\\x00b");
  CHECK(printable("x\xC2\x9B[2J") == "x\\xc2\\x9b[2J");  // U+009B opens a terminal command too
}

TEST_CASE("printable: what hides or reorders text becomes escapes") {
  CHECK(printable("a\u200Bb\uFEFFc") ==
        "a\\xe2\\x80\\x8bb\\xef\\xbb\\xbf"
        "c");
  CHECK(printable("\u202Egpj.exe\u2066") == "\\xe2\\x80\\xaegpj.exe\\xe2\\x81\\xa6");
}

TEST_CASE("printable: what is not UTF-8 becomes escapes") {
  CHECK(printable("a\xFF\x9B[2J") == "a\\xff\\x9b[2J");
  CHECK(printable("\xC3") == "\\xc3");  // cut short
  CHECK(printable("\xC3(") == "\\xc3(");
  CHECK(printable("\xE0\x80\x9B") == "\\xe0\\x80\\x9b");  // a long spelling of U+001B
}

TEST_CASE("printable: long text is cut between characters") {
  CHECK(printable("abcdef", 6) == "abcdef");
  CHECK(printable("abcdefg", 6) == "abcdef...");
  CHECK(printable("abcdü", 5) == "abcd...");
  CHECK(printable("abcdü", 6) == "abcdü");
}
