#include <doctest/doctest.h>
#include <cmath>
#include <limits>
#include <string>

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
