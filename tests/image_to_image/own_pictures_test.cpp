#include "image_to_image/own_pictures.hpp"

#include "io/support.hpp"

#include <algorithm>

#include <eigan/io/atomic_file.hpp>

#include "kit/exit_code.hpp"
#include "kit/png.hpp"

using namespace image_to_image;
namespace fs = std::filesystem;
using test::Bytes;
using test::contains;
using test::plain_png;

namespace {

void write(const fs::path& path, const std::vector<std::byte>& bytes) {
  fs::create_directories(path.parent_path());
  eigan::write_file(path, bytes);
}

FolderOptions sized(Index size, Index multiple = 1) {
  FolderOptions options;
  options.height = options.width = size;
  options.multiple = multiple;
  return options;
}

FolderOptions grey() {
  FolderOptions options;
  options.a_channels = options.b_channels = 1;
  return options;
}

std::string pairs_error(const fs::path& folder, const FolderOptions& options = {}) {
  const std::string text = test::error_text<kit::BadInput>([&] { read_pairs(folder, options); });
  CHECK(!contains(text, "\n"));
  return text;
}

}  // namespace

TEST_CASE("read_pairs: two folders with equal names, whatever the endings and cases") {
  for (const auto& [a, b] : {std::pair{"a", "b"}, {"A", "B"}}) {
    const test::TemporaryFolder folder;
    write(folder / a / "two.png", plain_png(8, 8, {2}));
    write(folder / a / "one.png", plain_png(8, 8, {1}));
    write(folder / b / "one.PNG", plain_png(8, 8, {10, 20, 30}));
    write(folder / b / "two.png", plain_png(8, 8, {40, 50, 60}));
    write(folder / b / "notes.txt", test::bytes_of("left out"));
    FolderOptions options;
    options.a_channels = 1;
    const TwoDomains pairs = read_pairs(folder.path(), options);
    CHECK(pairs.paired);
    CHECK(pairs.a_names == std::vector<std::string>{"one", "two"});
    CHECK(pairs.b_names == pairs.a_names);
    CHECK(pairs.a.count == 2);
    CHECK(pairs.a.channels == 1);
    CHECK(pairs.b.channels == 3);
    CHECK(pairs.a.picture(1)[0] == 2);
    CHECK(pairs.b.picture(0)[1] == 20);
    CHECK(std::ssize(pairs.b.bytes) == 2 * pairs.b.size());
  }
}

TEST_CASE("read_pairs: a on the left half, b on the right") {
  const test::TemporaryFolder folder;
  Bytes values;
  for (int i = 0; i < 16 * 8; ++i) values.push_back(i % 16 < 8 ? 70 : 200);
  write(folder / "x.png", test::png(16, 8, 0, values));
  const TwoDomains pairs = read_pairs(folder.path(), grey());
  CHECK(pairs.a.width == 8);
  CHECK(pairs.a.bytes == Bytes(64, 70));
  CHECK(pairs.b.bytes == Bytes(64, 200));
}

TEST_CASE("read_pairs: a size that is asked for, of the middle") {
  const test::TemporaryFolder folder;
  write(folder / "x.png", plain_png(60, 20, {9}));
  write(folder / "y.png", plain_png(32, 16, {9}));
  const TwoDomains pairs = read_pairs(folder.path(), sized(16, 4));
  CHECK(pairs.a.count == 2);
  CHECK(pairs.a.height == 16);
  CHECK(pairs.b.bytes == Bytes(static_cast<std::size_t>(2 * 16 * 16 * 3), 9));
}

TEST_CASE("read_pairs: bad input of each kind has one clear line") {
  const test::TemporaryFolder folder;
  const auto name = [&](const char* file) { return (folder / file).string(); };
  fs::create_directories(folder / "empty");
  CHECK(pairs_error(folder / "empty") ==
        name("empty") + ": expected pictures, .png, .jpg or .jpeg, found an empty folder");
  CHECK(pairs_error(folder / "none") == name("none") + ": expected a folder of pictures, found nothing of this name");
  write(folder / "words" / "x.txt", test::bytes_of("words"));
  CHECK(contains(pairs_error(folder / "words"), "found 1 other names"));
  CHECK(contains(pairs_error(folder / "words" / "x.txt"), "x.txt: expected a folder of pictures, found a file"));

  write(folder / "text" / "x.png", test::bytes_of("words in a file that is called a picture\n"));
  CHECK(pairs_error(folder / "text") == name("text/x.png") + ": expected a PNG or JPEG picture, found a text file");
  write(folder / "gif" / "x.gif", test::bytes_of("GIF89a"));
  CHECK(contains(pairs_error(folder / "gif"), "x.gif: expected a PNG or JPEG picture, found a GIF file"));
  write(folder / "small" / "x.png", plain_png(3, 3, {1}));
  CHECK(pairs_error(folder / "small", sized(32)) ==
        name("small/x.png") + ": a picture of 3x3 pixels, expected at least 8x8");
  write(folder / "odd" / "x.png", plain_png(17, 16, {1}));
  CHECK(contains(pairs_error(folder / "odd"), "17x16 pixels, expected an even width"));

  write(folder / "half" / "a" / "x.png", plain_png(8, 8, {1}));
  CHECK(pairs_error(folder / "half") == name("half") + ": expected two folders, a and b, found only a");
  write(folder / "half" / "b" / "y.png", plain_png(8, 8, {1}));
  CHECK(pairs_error(folder / "half") == name("half/a/x.png") + ": expected a partner of this name in " +
                                            name("half/b") + ", found none; 1 of 1 files have none");
  write(folder / "half" / "a" / "y.png", plain_png(8, 8, {1}));
  write(folder / "half" / "b" / "x.png", plain_png(8, 12, {1}));
  CHECK(pairs_error(folder / "half", sized(8)) == name("half/b/x.png") +
                                                      ": a picture of 8x12 pixels, expected the shape of its partner " +
                                                      name("half/a/x.png") + ", 8x8");
  write(folder / "half" / "b" / "x.jpg", plain_png(8, 8, {1}));
  CHECK(contains(pairs_error(folder / "half"), "expected one picture of this name, found also "));
}

TEST_CASE("read_pairs: sizes are checked, and the nearest legal one is named") {
  const test::TemporaryFolder folder;
  write(folder / "x.png", plain_png(60, 33, {9}));
  FolderOptions options;
  options.multiple = 4;
  CHECK(contains(pairs_error(folder.path(), options),
                 "x.png: 30x33 pixels, expected multiples of 4; the nearest is 32x32"));
  CHECK(pairs_error(folder.path(), sized(30, 8)) ==
        "--size: 30x30 pixels, expected multiples of 8; the nearest is 32x32");
  write(folder / "y.png", plain_png(60, 32, {9}));
  CHECK(contains(pairs_error(folder.path()), "y.png: a picture of 30x32 pixels, expected 30x33, as "));
  CHECK(nearest_legal(1, 4) == 4);
  CHECK(nearest_legal(13, 4) == 12);
  CHECK(nearest_legal(14, 4) == 16);
}

TEST_CASE("read_unpaired: each folder by itself, of one size") {
  const test::TemporaryFolder folder;
  write(folder / "x" / "1.png", plain_png(8, 8, {1}));
  write(folder / "x" / "2.png", plain_png(8, 8, {2}));
  write(folder / "y" / "3.png", plain_png(9, 9, {3}));
  CHECK(contains(test::error_text<kit::BadInput>([&] { read_unpaired(folder / "x", folder / "y", {}); }),
                 "y: pictures of 9x9 pixels, expected 8x8, as in "));
  const TwoDomains domains = read_unpaired(folder / "x", folder / "y", sized(12));
  CHECK(!domains.paired);
  CHECK(domains.a.count == 2);
  CHECK(domains.b.count == 1);
  CHECK(domains.a_names == std::vector<std::string>{"1", "2"});
  CHECK(std::ranges::all_of(domains.b.bytes, [](int byte) { return byte == 3; }));
}
