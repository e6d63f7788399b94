#include "kit/read_picture.hpp"

#include "io/support.hpp"

#include <eigan/io/read_file.hpp>

#include "kit/picture_file.hpp"
#include "png.hpp"

using kit::Picture;
using test::Bytes;
using test::contains;
using test::png;

namespace {

Picture parse(const std::vector<std::byte>& file, const kit::PictureOptions& options) {
  return kit::parse_picture(file, "f.png", options);
}

std::string error_of(std::string_view text) {
  return test::error_text([&] { kit::parse_picture(std::as_bytes(std::span(text.data(), text.size())), "f.png", {}); });
}

}  // namespace

TEST_CASE("read_picture: grey and colours, one made the other") {
  const auto colours = png(2, 1, 2, {255, 0, 0, 10, 20, 30});
  const Picture rgb = parse(colours, {3, 255});
  CHECK(rgb.width == 2);
  CHECK(rgb.height == 1);
  CHECK(rgb.bytes == Bytes{255, 0, 0, 10, 20, 30});
  CHECK(parse(colours, {1, 255}).bytes == Bytes{76, 18});  // .299 R + .587 G + .114 B
  CHECK(parse(png(1, 2, 0, {7, 200}), {3, 255}).bytes == Bytes{7, 7, 7, 200, 200, 200});
}

TEST_CASE("read_picture: what is transparent shows the ground") {
  const auto file = png(3, 1, 6, {100, 50, 0, 255, 100, 50, 0, 0, 100, 50, 0, 128});
  CHECK(parse(file, {3, 255}).bytes == Bytes{100, 50, 0, 255, 255, 255, 177, 152, 127});
  CHECK(parse(file, {3, 0}).bytes == Bytes{100, 50, 0, 0, 0, 0, 50, 25, 0});
  CHECK(parse(png(2, 1, 4, {9, 0, 9, 255}), {1, 77}).bytes == Bytes{77, 9});
}

TEST_CASE("read_picture: of 16 bits the upper 8") {
  CHECK(parse(png(2, 1, 0, {0x12, 0xFF, 0xAB, 0x00}, 16), {1, 255}).bytes == Bytes{0x12, 0xAB});
}

TEST_CASE("read_picture: a JPEG is turned as the camera was held") {
  const std::filesystem::path corpus = std::filesystem::path(CORPUS) / "picture";
  const Picture upright = kit::read_picture(corpus / "jpeg", {1, 255});
  const Picture turned = kit::read_picture(corpus / "jpeg_turned", {1, 255});
  CHECK(turned.bytes.size() == upright.bytes.size());
  CHECK(turned.bytes != upright.bytes);
  CHECK(
      contains(test::error_text([&] { kit::read_picture(corpus / "jpeg_cut", {}); }), "jpeg_cut: a damaged JPEG file"));
}

TEST_CASE("read_picture: other files are called what they are") {
  CHECK(error_of("These are words.\n") == "f.png: expected a PNG or JPEG picture, found a text file");
  CHECK(error_of("GIF89a") == "f.png: expected a PNG or JPEG picture, found a GIF file");
  CHECK(error_of("RIFF\x10\x10\x10\x10WEBPVP8 ") == "f.png: expected a PNG or JPEG picture, found a WebP file");
  CHECK(error_of("<svg xmlns='x'/>") == "f.png: expected a PNG or JPEG picture, found an SVG file");
  CHECK(error_of("") == "f.png: expected a PNG or JPEG picture, found an empty file");
  CHECK(error_of("\x01\x02\x03") == "f.png: expected a PNG or JPEG picture, found a file that begins otherwise");
  CHECK(contains(test::error_text([] { kit::read_picture("nothing.png", {}); }), "nothing.png: "));
}

TEST_CASE("read_picture: a file that is cut short anywhere is refused") {
  const auto whole = png(5, 4, 2, Bytes(60, 99));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    CAPTURE(size);
    const std::vector<std::byte> cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    CHECK(contains(test::error_text([&] { parse(cut, {3, 255}); }), "f.png: "));
  }
}

TEST_CASE("read_picture: too many pixels are refused before memory is taken for them") {
  const auto file = png(5000, 5000, 0, {});
  CHECK(test::error_text([&] {
          parse(file, {1, 255});
        }) == "f.png: an image of 5000x5000 pixels, expected at most 16777216");
}

TEST_CASE("read_picture: two channels are a programming error") {
  CHECK_THROWS_AS(parse(png(1, 1, 0, {1}), {2, 255}), std::invalid_argument);
}
