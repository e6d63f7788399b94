#include <doctest/doctest.h>
#include <stdexcept>
#include <string>
#include <type_traits>

#include <eigan/core/error.hpp>

using namespace eigan;

// Bad data can be told from a programming error by the type alone.
static_assert(std::is_base_of_v<std::runtime_error, Error>);
static_assert(!std::is_base_of_v<std::logic_error, Error>);

TEST_CASE("Error: fail_data throws it with the parts one after the other") {
  CHECK_THROWS_WITH_AS(detail::fail_data("file 'x', offset ", 16, ": expected ", 2051, ", found ", 7u),
                       "file 'x', offset 16: expected 2051, found 7", Error);
}

TEST_CASE("Error: fail_contract throws std::invalid_argument") {
  CHECK_THROWS_WITH_AS(detail::fail_contract("p must be in [0, 1), is ", 1.5), "p must be in [0, 1), is 1.5",
                       std::invalid_argument);
}

TEST_CASE("Error: concat of text and numbers") {
  CHECK(detail::concat('(', -3, ')', std::string("x"), 0.25) == "(-3)x0.25");
}

TEST_CASE("attempt: what is thrown of the named type goes to the second function, all else to the caller") {
  const auto then = [](const std::invalid_argument& wrong) { return std::string("then ") + wrong.what(); };
  const auto attempt = [&](auto f) { return detail::attempt<std::invalid_argument>(f, then); };
  CHECK(attempt([] { return std::string("done"); }) == "done");
  CHECK(attempt([]() -> std::string { detail::fail_contract("a", 1); }) == "then a1");
  CHECK_THROWS_WITH_AS(attempt([]() -> std::string { detail::fail_data("b", 2); }), "b2", Error);
}
