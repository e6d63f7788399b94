#include "image_to_image/input_picture.hpp"

#include "io/support.hpp"

#include <eigan/io/atomic_file.hpp>

#include "kit/exit_code.hpp"
#include "kit/png.hpp"

using namespace image_to_image;
using test::Bytes;
using test::contains;

namespace {

/// An untrained translator of pictures of 16x16 pixels, sides multiples of 4.
Translator of_channels(Index channels) {
  Recipe recipe;
  recipe.g_channels = {4, 6};
  return {make_generator(recipe, {channels, 16, 16}, 3, eigan::Rng(1)), "own pairs", "a", "b", false, 4};
}

struct File {
  test::TemporaryFolder folder;
  std::filesystem::path path = folder / "x.png";

  explicit File(const std::vector<std::byte>& content) { eigan::write_file(path, content); }
  std::string error(const Translator& translator, Index size = 0) const {
    return test::error_text<kit::BadInput>([&] { read_input(path, translator, size); });
  }
};

}  // namespace

TEST_CASE("read_input: grey and in colour, as the model takes them") {
  const File grey(test::plain_png(8, 12, {70})), red(test::plain_png(8, 8, {200, 10, 20}));
  const PictureSet one = read_input(grey.path, of_channels(1), 0), three = read_input(grey.path, of_channels(3), 0);
  CHECK(one.count == 1);
  CHECK(one.height == 12);
  CHECK(one.width == 8);
  CHECK(one.bytes == Bytes(96, 70));
  CHECK(three.channels == 3);
  CHECK(three.bytes == Bytes(288, 70));
  CHECK(read_input(red.path, of_channels(3), 0).bytes[1] == 10);
}

TEST_CASE("read_input: a model of grey pictures refuses one in colour, be it a single pixel in any two channels") {
  for (const Bytes& colour : {Bytes{9, 8, 8}, {8, 9, 8}, {8, 8, 9}}) {
    Bytes values(16 * 16 * 3, 8);
    std::copy(colour.begin(), colour.end(), values.end() - 3);
    const File file(test::png(16, 16, 2, values));
    CHECK(contains(file.error(of_channels(1)),
                   "x.png: expected a grey picture, which the model translates, found one in colour"));
    CHECK(read_input(file.path, of_channels(3), 0).count == 1);
  }
}

TEST_CASE("read_input: a size that the model takes, or is asked for, of the middle") {
  const File file(test::plain_png(21, 14, {9}));
  CHECK(contains(file.error(of_channels(1)),
                 "multiples of 4, found 21x14; the nearest size is 20x16, and --size 16 makes"));
  const PictureSet sized = read_input(file.path, of_channels(1), 8);
  CHECK(sized.width == 8);
  CHECK(sized.bytes == Bytes(64, 9));
  CHECK(contains(file.error(of_channels(1), 10), "found 10x10; the nearest size is 12x12"));
  Bytes values;
  for (int i = 0; i < 24 * 8; ++i) values.push_back(i % 24 >= 8 && i % 24 < 16 ? 200 : 0);
  const File wide(test::png(24, 8, 0, values));
  CHECK(read_input(wide.path, of_channels(1), 8).bytes == Bytes(64, 200));
}

TEST_CASE("read_input: what is no picture is bad input") {
  const File file(test::bytes_of("words\n"));
  CHECK(contains(file.error(of_channels(1)), "x.png: expected a PNG or JPEG picture, found a text file"));
}
