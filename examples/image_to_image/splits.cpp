#include "splits.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <map>
#include <numeric>
#include <utility>

namespace image_to_image {
namespace {

bool is_one_of(std::string_view word, std::span<const std::string_view> words) {
  return std::ranges::find(words, word) != words.end();
}

/// Persons, hair, sexes, and what joins them.
constexpr std::array<std::string_view, 17> unseen_points{"1F466", "1F467", "1F468", "1F469", "1F9D1", "1F9D2",
                                                         "1F474", "1F475", "1F9D3", "1F476", "1F9B0", "1F9B1",
                                                         "1F9B2", "1F9B3", "2640",  "2642",  "200D"};
constexpr std::array<std::string_view, 41> unseen_words{
    "man",   "woman", "person", "people", "men",    "women",    "mans", "womans", "mens",  "womens", "boy",
    "girl",  "child", "baby",   "older",  "old",    "mrs",      "mx",   "facing", "black", "white",  "red",
    "blue",  "green", "yellow", "orange", "purple", "brown",    "pink", "grey",   "light", "large",  "medium",
    "small", "1st",   "2nd",    "3rd",    "button", "oncoming", "face", "right"};

bool is_code_points(std::string_view name) {
  return std::ranges::all_of(name, [](char c) { return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'F') || c == '-'; });
}

std::int64_t distance(std::span<const std::uint8_t> x, std::span<const std::uint8_t> y) {
  std::int64_t sum = 0;
  for (std::size_t i = 0; i < x.size(); ++i) sum += std::abs(int{x[i]} - int{y[i]});
  return sum;
}

}  // namespace

std::uint64_t hash_of(std::string_view name) {
  std::uint64_t hash = 0xCBF29CE484222325;
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3;
  return hash ^ hash >> 32;
}

Part part_of(std::string_view base) {
  const std::uint64_t place = hash_of(base) % 20;
  return place < 2 ? Part::test : place < 4 ? Part::validation : Part::train;
}

std::string base_drawing(std::string_view name) {
  if (name.ends_with("-oclock") || name.ends_with("-thirty")) return "clock";
  const bool points = is_code_points(name);
  if (points && name.size() == 5 && name >= "1F550" && name <= "1F567") return "clock";
  const std::span<const std::string_view> unseen =
      points ? std::span<const std::string_view>(unseen_points) : std::span<const std::string_view>(unseen_words);
  std::string base;
  while (!name.empty()) {
    const std::string_view word = name.substr(0, name.find('-'));
    name.remove_prefix(std::min(word.size() + 1, name.size()));
    const bool skin = points && word >= "1F3FB" && word <= "1F3FF";
    if (word == "FE0F" || skin || is_one_of(word, unseen)) continue;
    if (!base.empty()) base += '-';
    base += word;
  }
  return base.empty() ? "person" : base;
}

std::vector<std::string> joined_bases(std::vector<std::string> bases, const PictureSet& pictures, double alike) {
  std::map<std::string, std::string> first;  // of what it was found to belong to
  for (const std::string& base : bases) first[base] = base;
  const auto root = [&](std::string base) {
    while (first[base] != base) base = first[base];
    return base;
  };
  const auto most = static_cast<std::int64_t>(alike * 255 * static_cast<double>(pictures.size()));
  std::vector<std::int64_t> sums(bases.size());  // pictures whose sums differ by more are further apart
  for (std::size_t i = 0; i < sums.size(); ++i) {
    const auto bytes = pictures.picture(static_cast<Index>(i));
    sums[i] = std::accumulate(bytes.begin(), bytes.end(), std::int64_t{0});
  }
  for (std::size_t i = 0; i < bases.size(); ++i)
    for (std::size_t j = 0; j < i; ++j) {
      if (std::abs(sums[i] - sums[j]) >= most || bases[i] == bases[j]) continue;
      if (distance(pictures.picture(static_cast<Index>(i)), pictures.picture(static_cast<Index>(j))) >= most) continue;
      const std::string one = root(bases[i]), other = root(bases[j]);
      first[std::max(one, other)] = std::min(one, other);
    }
  for (std::string& base : bases) base = root(base);
  return bases;
}

TaskData divided(const TwoDomains& pairs, const std::vector<std::string>& bases) {
  TaskData data;
  for (TwoDomains* part : {&data.train, &data.validation, &data.test}) {
    part->paired = pairs.paired;
    part->a = {0, pairs.a.height, pairs.a.width, pairs.a.channels, {}};
    part->b = {0, pairs.b.height, pairs.b.width, pairs.b.channels, {}};
  }
  std::map<std::string_view, int> family;
  for (const std::string& base : bases) ++family[base];
  for (std::size_t i = 0; i < bases.size(); ++i) {
    const Part where = family[bases[i]] > largest_family ? Part::train : part_of(bases[i]);
    TwoDomains& part = where == Part::train ? data.train : where == Part::test ? data.test : data.validation;
    append(part.a, pairs.a, static_cast<Index>(i));
    append(part.b, pairs.b, static_cast<Index>(i));
    part.a_names.push_back(pairs.a_names[i]);
    part.b_names.push_back(pairs.b_names[i]);
  }
  return data;
}

}  // namespace image_to_image
