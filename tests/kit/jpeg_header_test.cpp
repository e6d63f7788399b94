#include "kit/jpeg_header.hpp"

#include "io/support.hpp"

#include <array>
#include <cstdint>
#include <string>
#include <vector>

using kit::Picture;
using Bytes = std::vector<std::uint8_t>;

namespace {

/// A JPEG file's segments without a picture in them: an Exif one, whose numbers begin with their last byte or their
/// first, and the scan.
Bytes with_exif(int tag, int orientation, bool little) {
  Bytes tiff;
  const auto add = [&](int value, int size) {
    for (int i = 0; i < size; ++i)
      tiff.push_back(static_cast<std::uint8_t>(value >> 8 * (little ? i : size - 1 - i) & 0xFF));
  };
  tiff = little ? Bytes{'I', 'I'} : Bytes{'M', 'M'};
  add(42, 2), add(8, 4);                                      // where the directory is
  add(2, 2);                                                  // its entries:
  add(256, 2), add(3, 2), add(1, 4), add(640, 2), add(0, 2);  // a width,
  add(tag, 2), add(3, 2), add(1, 4), add(orientation, 2), add(0, 2);
  Bytes file{0xFF, 0xD8, 0xFF, 0xE1, 0, static_cast<std::uint8_t>(2 + 6 + tiff.size()), 'E', 'x', 'i', 'f', 0, 0};
  file.insert(file.end(), tiff.begin(), tiff.end());
  for (const int byte : {0xFF, 0xDA, 0, 2, 1, 2, 3, 0xFF, 0xD9}) file.push_back(static_cast<std::uint8_t>(byte));
  return file;
}

}  // namespace

TEST_CASE("read_jpeg_header: the orientation, in either order of bytes; 1 where there is none that makes sense") {
  for (const bool little : {false, true}) {
    for (int orientation = 1; orientation <= 8; ++orientation)
      CHECK(kit::read_jpeg_header(with_exif(274, orientation, little), "x").orientation == orientation);
    CHECK(kit::read_jpeg_header(with_exif(274, 9, little), "x").orientation == 1);
    CHECK(kit::read_jpeg_header(with_exif(274, 0, little), "x").orientation == 1);
    CHECK(kit::read_jpeg_header(with_exif(275, 6, little), "x").orientation == 1);
  }
}

TEST_CASE("read_jpeg_header: a file that ends anywhere before its end is damaged, and called so") {
  const Bytes whole = with_exif(274, 6, false);
  for (std::size_t size = 2; size < whole.size(); ++size) {
    CAPTURE(size);
    const Bytes cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    CHECK(
        test::contains(test::error_text([&] { kit::read_jpeg_header(cut, "x.jpg"); }), "x.jpg: a damaged JPEG file: "));
  }
}

TEST_CASE("turned: as the camera was held, for each of the eight ways") {
  const Picture stored{2, 3, 1, {1, 2, 3, 4, 5, 6}};
  const std::array<Bytes, 8> upright{{{1, 2, 3, 4, 5, 6},
                                      {3, 2, 1, 6, 5, 4},
                                      {6, 5, 4, 3, 2, 1},
                                      {4, 5, 6, 1, 2, 3},
                                      {1, 4, 2, 5, 3, 6},
                                      {4, 1, 5, 2, 6, 3},
                                      {6, 3, 5, 2, 4, 1},
                                      {3, 6, 2, 5, 1, 4}}};
  for (int orientation = 1; orientation <= 8; ++orientation) {
    CAPTURE(orientation);
    const Picture found = kit::turned(stored, orientation);
    CHECK(found.bytes == upright[static_cast<std::size_t>(orientation - 1)]);
    CHECK(found.height == (orientation < 5 ? 2 : 3));
    CHECK(found.width == (orientation < 5 ? 3 : 2));
  }
}

TEST_CASE("turned: channels stay together") {
  CHECK(kit::turned({1, 2, 3, {1, 2, 3, 4, 5, 6}}, 2).bytes == Bytes{4, 5, 6, 1, 2, 3});
}
