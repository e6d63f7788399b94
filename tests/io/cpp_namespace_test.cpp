#include <doctest/doctest.h>

#include <eigan/io/cpp_namespace.hpp>

using namespace eigan;

TEST_CASE("is_cpp_name: identifiers that are nobody else's") {
  for (const char* const name : {"digits", "Digits2", "a", "a_b", "eigan", "classes", "xor1", "stdx"}) {
    CAPTURE(name);
    CHECK(is_cpp_name(name));
  }
  for (const char* const name : {"",     "2d",    "_a",  "a__b",     "a-b",     "a b",    "a\n", "caf\xc3\xa9", "a::b",
                                 "a;",   "class", "xor", "co_await", "alignas", "while",  "std", "posix",       "linux",
                                 "unix", "NULL",  "EOF", "errno",    "assert",  "stdout", "main"}) {
    CAPTURE(name);
    CHECK_FALSE(is_cpp_name(name));
  }
}

TEST_CASE("is_cpp_namespace: names in names") {
  CHECK(is_cpp_namespace("digits"));
  CHECK(is_cpp_namespace("mine::digits"));
  CHECK(is_cpp_namespace("a::b::c"));
  for (const char* const name :
       {"", "::a", "a::", "a:::b", "a::::b", "a:b", "a::class", "new::b", "mine::linux", "a::2"}) {
    CAPTURE(name);
    CHECK_FALSE(is_cpp_namespace(name));
  }
}
