#include "image_to_image/splits.hpp"

#include <doctest/doctest.h>

#include <array>
#include <set>

using namespace image_to_image;

TEST_CASE("base_drawing: persons who do the same are one drawing, as are hours, colours and sizes") {
  for (const char* name : {"1F469-200D-1F33E", "1F468-200D-1F33E", "1F9D1-200D-1F33E"})
    CHECK(base_drawing(name) == "1F33E");
  CHECK(base_drawing("1F3C3-200D-2640-FE0F") == base_drawing("1F3C3"));
  CHECK(base_drawing("1F468-200D-1F469-200D-1F466") == "person");
  CHECK(base_drawing("1F550") == base_drawing("1F567"));
  CHECK(base_drawing("1F345") == "1F345");
  for (const char* name : {"woman-farmer", "man-farmer", "farmer"}) CHECK(base_drawing(name) == "farmer");
  CHECK(base_drawing("man-running-facing-right") == base_drawing("person-running"));
  CHECK(base_drawing("blue-heart") == base_drawing("white-heart"));
  CHECK(base_drawing("ten-oclock") == base_drawing("two-thirty"));
  CHECK(base_drawing("woman") == "person");
}

TEST_CASE("part_of: a name's part never changes, and about a tenth is for each of test and validation") {
  CHECK(hash_of("") == (0xCBF29CE484222325 ^ 0xCBF29CE4));  // FNV-1a's start
  std::array<int, 3> counts{};
  for (int i = 0; i < 10000; ++i) ++counts[static_cast<std::size_t>(part_of("drawing " + std::to_string(i)))];
  for (const std::size_t part : {std::size_t{1}, std::size_t{2}}) {
    CHECK(counts[part] > 900);
    CHECK(counts[part] < 1100);
  }
}

TEST_CASE("joined_bases: what looks alike is one, through others, too") {
  PictureSet pictures{4, 1, 1, 1, {100, 200, 104, 108}};
  const auto bases = joined_bases({"d", "c", "b", "a"}, pictures, 6.0 / 255);
  CHECK(bases == std::vector<std::string>{"a", "c", "a", "a"});
  CHECK(joined_bases({"d", "c", "b", "a"}, pictures, 3.0 / 255) == std::vector<std::string>{"d", "c", "b", "a"});
}

TEST_CASE("divided: no base is in two parts, nothing is lost, large families are trained on") {
  TwoDomains pairs;
  pairs.paired = true;
  pairs.a = {0, 1, 1, 1, {}};
  pairs.b = {0, 1, 1, 3, {}};
  std::vector<std::string> bases;
  for (int i = 0; i < 250; ++i) {
    const auto value = static_cast<std::uint8_t>(i);
    bases.push_back(i < 50 ? "family" : "base " + std::to_string(i / 3));
    pairs.a.bytes.push_back(value);
    pairs.b.bytes.insert(pairs.b.bytes.end(), {value, value, 7});
    pairs.a_names.push_back(std::to_string(i));
    ++pairs.a.count, ++pairs.b.count;
  }
  pairs.b_names = pairs.a_names;
  const TaskData data = divided(pairs, bases);
  std::array<std::set<std::string>, 3> seen;
  std::size_t part = 0, count = 0;
  for (const TwoDomains* domains : {&data.train, &data.validation, &data.test}) {
    CHECK(domains->paired);
    CHECK(domains->a.count == domains->b.count);
    CHECK(domains->a.count > 5);
    for (std::size_t i = 0; i < domains->a_names.size(); ++i) {
      const auto number = static_cast<std::size_t>(std::stoi(domains->a_names[i]));
      CHECK(domains->a.bytes[i] == number);
      CHECK(domains->b.bytes[3 * i + 1] == number);
      seen[part].insert(bases[number]);
      ++count;
    }
    ++part;
  }
  CHECK(count == 250);
  CHECK(seen[0].contains("family"));
  for (const std::string& base : seen[1]) CHECK(!seen[0].contains(base));
  for (const std::string& base : seen[2]) CHECK(!(seen[0].contains(base) || seen[1].contains(base)));
}
