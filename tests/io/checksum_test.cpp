#include <doctest/doctest.h>

#include <set>
#include <string>

#include <eigan/io/checksum.hpp>

using eigan::detail::Checksum;

namespace {

std::string sum_of(const std::string& text) {
  Checksum sum;
  sum.add(text);
  return sum.text();
}

}  // namespace

TEST_CASE("Checksum: the numbers that a few lines of Python give") {
  CHECK(Checksum().text() == "cbf29ce484222325");
  CHECK(sum_of("") == "860389c5fc9f9bc0");
  CHECK(sum_of("a") == "2bb70eabce930e0f");
}

TEST_CASE("Checksum: every bit, the length and the cut between two pieces count") {
  const std::string text = "twenty-one bytes long";
  std::set<std::string> sums{sum_of(text)};
  for (std::size_t i = 0; i < text.size(); ++i)
    for (int bit = 0; bit < 8; ++bit) {
      std::string changed = text;
      changed[i] = static_cast<char>(changed[i] ^ 1 << bit);
      sums.insert(sum_of(changed));
    }
  CHECK(sums.size() == 1 + 8 * text.size());
  for (std::size_t i = 0; i + 8 < text.size(); ++i) {  // two words' topmost bits
    std::string changed = text;
    changed[i] = static_cast<char>(changed[i] ^ 128), changed[i + 8] = static_cast<char>(changed[i + 8] ^ 128);
    sums.insert(sum_of(changed));
  }
  CHECK(sums.size() == 1 + 8 * text.size() + text.size() - 8);
  CHECK(sum_of(std::string(3, '\0')) != sum_of(std::string(4, '\0')));
  Checksum one, other;
  one.add("ab"), one.add("c");
  other.add("a"), other.add("bc");
  CHECK(one.text() != other.text());
}
