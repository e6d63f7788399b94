#include <doctest/doctest.h>

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include <eigan/io/json_reader.hpp>

#include "io/support.hpp"

using eigan::detail::JsonReader;
using test::contains;
using test::error_text;

namespace {

std::string read_string(const std::string& json) {
  JsonReader reader(json, "f");
  std::string value = reader.string();
  reader.end();
  return value;
}

std::uint64_t read_integer(const std::string& json) {
  JsonReader reader(json, "f");
  const std::uint64_t value = reader.unsigned_integer();
  reader.end();
  return value;
}

}  // namespace

TEST_CASE("JsonReader: strings and escapes as an independent parser reads them") {
  for (const char* json :
       {R"("")", R"("plain")", R"("\"\\\/\b\f\n\r\t")", R"("\u0041\u00e9\u20AC\u20ac")", R"("\ud83d\ude00")",
        R"("\u0000")", "\"\xC3\xA9\xF0\x9F\x98\x80\"", R"(  "spaces around" )", R"("\uDBFF\uDFFF\uD800\uDC00")"}) {
    CAPTURE(json);
    CHECK(read_string(json) == nlohmann::json::parse(json).get<std::string>());
  }
}

TEST_CASE("JsonReader: what is no JSON string is refused") {
  for (const char* json : {"",
                           "x",
                           "'a'",
                           R"(")",
                           R"("a)",
                           R"("\)",
                           R"("\")",
                           R"("\x")",
                           R"("\u")",
                           R"("\u12")",
                           R"("\u12g4")",
                           R"("\u-123")",
                           R"("\u+123")",
                           R"("\u 123")",
                           R"("\ud83d")",
                           R"("\ud83d\u0041")",
                           R"("\ud83dx")",
                           R"("\ude00")",
                           "\"\n\"",
                           "\"\x01\"",
                           "\"\t\"",
                           R"("a" b)"}) {
    CAPTURE(json);
    CHECK_FALSE(nlohmann::json::accept(json));
    error_text([&] { read_string(json); });
  }
  const std::string zero_byte{'"', '\0', '"'};
  error_text([&] { read_string(zero_byte); });
}

TEST_CASE("JsonReader: integers from 0 to 2^64 - 1 in plain digits, and nothing else") {
  CHECK(read_integer("0") == 0);
  CHECK(read_integer(" 784\n") == 784);
  CHECK(read_integer("18446744073709551615") == UINT64_MAX);
  for (const char* json : {"", "-1", "-0", "+1", "01", "00", "1.0", "1e3", "1E3", "0x10", "18446744073709551616", "1 2",
                           "99999999999999999999999999", "\"1\"", "null", "true", "NaN", "[", ".5"}) {
    CAPTURE(json);
    error_text([&] { read_integer(json); });
  }
}

TEST_CASE("JsonReader: objects and arrays as an independent parser reads them") {
  const std::string json = " { \"a\" : [ 1 ,2, 3 ] , \"b\":[],\"c\\n\":\t[\r\n4] } ";
  std::map<std::string, std::vector<std::uint64_t>> found;
  JsonReader reader(json, "f");
  reader.object(
      [&](const std::string& key) { reader.array([&] { found[key].push_back(reader.unsigned_integer()); }); });
  reader.end();
  CHECK(found["a"] == std::vector<std::uint64_t>{1, 2, 3});
  CHECK(found["c\n"] == std::vector<std::uint64_t>{4});
  const auto oracle = nlohmann::json::parse(json);
  CHECK(oracle["a"] == found["a"]);
  CHECK(oracle["c\n"] == found["c\n"]);

  for (const char* bad :
       {"", "{", "[]", "{\"a\"}", "{\"a\":}", "{\"a\":[1]", "{\"a\":[1],}", "{,}", "{\"a\":[1,]}", "{\"a\":[1 2]}",
        "{\"a\":[1]\"b\":[2]}", "{\"a\":[1}", "{a:[1]}", "{\"a\":[1]}}", "{\"a\":[[1]]}"}) {
    CAPTURE(bad);
    error_text([&] {
      JsonReader broken(bad, "f");
      broken.object([&](const std::string&) { broken.array([&] { broken.unsigned_integer(); }); });
      broken.end();
    });
  }
}

TEST_CASE("JsonReader: a message names file, byte, expectation and finding, and is fit to be printed") {
  JsonReader reader("  \x1b", "model.safetensors", 8);
  const auto text = error_text([&] { reader.string(); });
  CHECK(text == "model.safetensors: at byte 10: expected a string, found '\\x1b'");
  JsonReader ended("[", "f");
  CHECK(contains(error_text([&] { ended.array([&] { ended.unsigned_integer(); }); }), "found the end of the text"));
}

TEST_CASE("JsonReader: written strings are read back by us and by an independent parser") {
  std::string all;
  for (int c = 0; c < 128; ++c) all.push_back(static_cast<char>(c));
  all += "\xC3\xA9\xF0\x9F\x98\x80";
  std::string json;
  eigan::detail::append_json_string(json, all);
  CHECK(read_string(json) == all);
  CHECK(nlohmann::json::parse(json).get<std::string>() == all);
}
