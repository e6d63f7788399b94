#include <doctest/doctest.h>
#include <bit>
#include <charconv>
#include <clocale>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <version>

#include <eigan/core/exact_text.hpp>

using namespace eigan;

TEST_CASE("exact_text: short where that is exact, as printf's %g") {
  CHECK(exact_text(0.2) == "0.2");
  CHECK(exact_text(1e-5) == "1e-05");
  CHECK(exact_text(0.0001) == "0.0001");
  CHECK(exact_text(0) == "0");
  CHECK(exact_text(-3) == "-3");
  CHECK(exact_text(1024) == "1024");
}

TEST_CASE("exact_text: reads back as the same number") {
  for (const double number : {1.0 / 3, 0.1 + 0.2, 0.123456789, -1e-300, std::nextafter(0.2, 1.0), 16777217.0,
                              std::numeric_limits<double>::max(), std::numeric_limits<double>::min()}) {
    double read = 0;
    REQUIRE(parse_number(exact_text(number), read));
    CHECK(read == number);
  }
}

TEST_CASE("parse_number: the whole text and nothing else") {
  double number = 7;
  for (const char* const text :
       {"", " 1", "1 ", "1,5", "0x10", "1e", "1.2.3", "inf", "nan", "1e999", "--1", "-", "1f"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_number(text, number));
    CHECK(number == 7);
  }
  REQUIRE(parse_number("-2.5e-1", number));
  CHECK(number == -0.25);
}

TEST_CASE("parse_number: as many digits as there are, and each of them counts") {
  const std::string half = "1." + std::string(15, '0') + "11102230246251565404236316680908203125";  // 1 + 2^-53
  double number = 0;
  REQUIRE(parse_number(half, number));
  CHECK(number == 1);  // to even
  REQUIRE(parse_number(half + std::string(2000, '0'), number));
  CHECK(number == 1);
  REQUIRE(parse_number(half + std::string(2000, '0') + "1e0", number));
  CHECK(number == 1 + std::numeric_limits<double>::epsilon());
  REQUIRE(parse_number("0." + std::string(5000, '0') + "1e5001", number));
  CHECK(number == 1);
  REQUIRE(parse_number("1" + std::string(5000, '0') + "e-5000", number));
  CHECK(number == 1);
}

TEST_CASE("parse_number: zero is zero, and what would become it is refused") {
  double number = 7;
  for (const char* const text : {"0", "0.000", "0e999999999999999999999", "0e-5"}) {
    CAPTURE(text);
    REQUIRE(parse_number(text, number));
    CHECK(std::bit_cast<std::uint64_t>(number) == 0);
  }
  REQUIRE(parse_number("-0", number));
  CHECK((number == 0 && std::signbit(number)));
  REQUIRE(parse_number("4e-324", number));
  CHECK(number == std::numeric_limits<double>::denorm_min());
  for (const char* const text : {"2e-324", "-1e-400", "1e-99999999999999999999", "1e99999999999999999999", "1e309"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_number(text, number));
  }
}

TEST_CASE("exact_text: does not depend on the locale") {
  const std::string before = std::setlocale(LC_ALL, nullptr);
  for (const char* const name : {"C", "de_DE.UTF-8", "fa_IR.UTF-8"}) {  // those that the machine has
    if (std::setlocale(LC_ALL, name) == nullptr) continue;
    CAPTURE(name);
    CHECK(exact_text(-0.25) == "-0.25");
    CHECK(exact_text(1.5e-7) == "1.5e-07");
    double number = 0;
    CHECK(parse_number("1.5", number));
    CHECK(number == 1.5);
    CHECK_FALSE(parse_number("1,5", number));
  }
  std::setlocale(LC_ALL, before.c_str());
}

#if defined(__cpp_lib_to_chars)
namespace {
bool agrees_with_from_chars(const std::string& text) {
  double ours = 7, theirs = 7;
  const bool accepted = parse_number(text, ours);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), theirs);
  const bool whole = error == std::errc() && end == text.data() + text.size() && std::isfinite(theirs);
  return accepted == whole && (!whole || std::bit_cast<std::uint64_t>(ours) == std::bit_cast<std::uint64_t>(theirs));
}
}  // namespace

TEST_CASE("exact_text, parse_number: as the standard library's own") {
  std::mt19937_64 bits(1);
  for (int i = 0; i < 20000; ++i) {
    const auto number = std::bit_cast<double>(bits());
    if (!std::isfinite(number)) continue;
    char text[64];
    for (const int digits : {6, 17, 30}) {
      const auto end = std::to_chars(text, text + sizeof text, number, std::chars_format::general, digits).ptr;
      const std::string theirs(text, end);
      INFO(theirs);
      REQUIRE(agrees_with_from_chars(theirs));
    }
    double read = 0;
    REQUIRE(parse_number(exact_text(number), read));
    REQUIRE(std::bit_cast<std::uint64_t>(read) == std::bit_cast<std::uint64_t>(number));
  }
  const std::string letters = "0123456789.eE+-- infax";
  for (int i = 0; i < 200000; ++i) {
    std::string text;
    for (std::uint64_t word = bits(), left = word % 9; left > 0; --left, word /= 32)
      text += letters[word / 16 % letters.size()];
    INFO(text);
    REQUIRE(agrees_with_from_chars(text));
  }
}
#endif
