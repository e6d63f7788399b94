#include "image_to_image/translator.hpp"

#include "steps.hpp"

#include <doctest/doctest.h>

#include <functional>
#include <map>
#include <string>

#include <eigan/io/model_file.hpp>
#include <eigan/net/estimate_statistics.hpp>

#include "image_to_image/feed.hpp"
#include "kit/exit_code.hpp"

using namespace image_to_image;

namespace {

/// One with statistics of its own, which it has estimated.
Translator estimated() {
  Recipe recipe = test::small_recipe(4);
  recipe.norm = Norm::batch;
  Translator t{make_generator(recipe, {3, 16, 16}, 1, eigan::Rng(1)), "outlines", "lines", "squares", true, 4};
  eigan::estimate_statistics(t.model, picture_matrix(test::noise(8, 16, 3, 1)));
  return t;
}

}  // namespace

TEST_CASE("Translator: a file brings back weights, statistics and words") {
  const test::TemporaryFolder folder;
  const Translator t = estimated();
  save_translator(folder / "x", t, {{"licence", "MIT"}});
  const Translator same = load_translator(folder / "x");
  const PictureSet pictures = test::noise(3, 16, 3, 2);
  const PictureSet made = t.translate(pictures, {}, {1});
  CHECK(made.count == 3);
  CHECK(made.channels == 1);
  CHECK(same.translate(pictures, {}, {1}).bytes == made.bytes);
  CHECK(same.task == "outlines");
  CHECK(same.from == "lines");
  CHECK(same.to == "squares");
  CHECK(same.reversed);
  CHECK(same.multiple == 4);
  CHECK(eigan::SafetensorsFile::read(folder / "x").metadata().at("licence") == "MIT");
}

TEST_CASE("Translator: one picture after the other is what many at once are") {
  const Translator t = estimated();
  const PictureSet pictures = test::noise(70, 16, 3, 2);  // more than a piece
  const PictureSet made = t.translate(pictures, {}, {1});
  REQUIRE(made.count == pictures.count);
  for (const Index i : {Index{0}, Index{63}, Index{64}, Index{69}}) {
    PictureSet one{0, 16, 16, 3, {}};
    append(one, pictures, i);
    const auto expected = t.translate(one, {}, {1}).bytes;
    CHECK(std::vector<std::uint8_t>(made.picture(i).begin(), made.picture(i).end()) == expected);
  }
}

TEST_CASE("Translator: sizes that it takes, and the nearest of them") {
  const Translator t = estimated();
  CHECK(t.takes(8, 20));
  CHECK(!t.takes(8, 18));
  CHECK(t.nearest(17) == 16);
  CHECK(t.nearest(18) == 20);
  CHECK(t.nearest(1) >= 4);
}

TEST_CASE("load_translator: other networks are called what they are") {
  const test::TemporaryFolder folder;
  const auto error = [&](std::map<std::string, std::string> about) {
    about.insert({{"task", "t"}, {"from", "a"}, {"to", "b"}});
    eigan::save(folder / "x", estimated().model, about);
    return test::error_text<kit::BadInput>([&] { load_translator(folder / "x"); });
  };
  const std::map<std::string, std::string> right{
      {"network", "translator of pictures"}, {"direction", "a to b"}, {"multiple", "4"}};
  const auto with = [&](const std::string& key, const std::string& value) {
    auto about = right;
    about[key] = value;
    return error(about);
  };
  CHECK(test::contains(error({}), "expected 'network' in the metadata"));
  CHECK(test::contains(with("network", "generator"), "expected a translator of pictures, found a generator"));
  CHECK(test::contains(with("direction", "up"), "expected a to b or b to a, found 'up'"));
  for (const char* multiple : {"0", "1.5", "4096", "four"})
    CHECK(test::contains(with("multiple", multiple), "expected a whole number from 1 to 1024"));
}
