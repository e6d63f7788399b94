// stb before and after: a program's own use of it is not disturbed.
#define STB_IMAGE_WRITE_STATIC
#include <stb/stb_image_write.h>

#include <eigan/io/image_sheet.hpp>

#define STB_IMAGE_WRITE_IMPLEMENTATION
#define STBIW_MALLOC(size) malloc(size)
#define STBIW_REALLOC(pointer, size) realloc(pointer, size)
#define STBIW_FREE(pointer) free(pointer)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wold-style-cast"
#pragma GCC diagnostic ignored "-Wunused-function"
#include <stb/stb_image_write.h>
#pragma GCC diagnostic pop

#include <doctest/doctest.h>
#include <zlib.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <eigan/io/read_file.hpp>

#include "io/support.hpp"

using eigan::ConstView;
using eigan::Index;
using eigan::Matrix;
using eigan::write_image_sheet;
using eigan::write_png;
using test::contains;
using test::error_text;
using test::TemporaryFolder;

namespace {

using Pixels = std::vector<std::uint8_t>;

struct Image {
  std::size_t width = 0, height = 0, channels = 1;
  Pixels pixels;
};

// A PNG reader for 8-bit grey and RGB on zlib alone: independent of the writer.
Image decode_png(const std::vector<std::byte>& file) {
  Pixels bytes;
  for (const std::byte b : file) bytes.push_back(std::to_integer<std::uint8_t>(b));
  const auto number = [&](std::size_t at) {
    return std::size_t{bytes[at]} << 24 | std::size_t{bytes[at + 1]} << 16 | std::size_t{bytes[at + 2]} << 8 |
           bytes[at + 3];
  };
  REQUIRE(bytes.size() > 8);
  const Pixels signature{0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
  REQUIRE(Pixels(bytes.begin(), bytes.begin() + 8) == signature);
  Image image;
  Pixels packed;
  std::string last;
  for (std::size_t at = 8; at < bytes.size();) {
    const std::size_t length = number(at);
    last.assign(bytes.begin() + static_cast<Index>(at) + 4, bytes.begin() + static_cast<Index>(at) + 8);
    REQUIRE(at + 12 + length <= bytes.size());
    REQUIRE(::crc32(0, bytes.data() + at + 4, static_cast<uInt>(length + 4)) == number(at + 8 + length));
    const auto begin = bytes.begin() + static_cast<Index>(at) + 8;
    if (last == "IHDR") {
      image.width = number(at + 8), image.height = number(at + 12);
      image.channels = *(begin + 9) == 2 ? 3 : 1;
      CHECK(Pixels(begin + 8, begin + 13) == Pixels{8, static_cast<std::uint8_t>(image.channels - 1), 0, 0, 0});
    }
    if (last == "IDAT") packed.insert(packed.end(), begin, begin + static_cast<Index>(length));
    at += 12 + length;
  }
  REQUIRE(last == "IEND");

  const std::size_t row = image.width * image.channels, stride = row + 1, depth = image.channels;
  Pixels raw(stride * image.height);
  uLongf size = raw.size();
  REQUIRE(::uncompress(raw.data(), &size, packed.data(), packed.size()) == Z_OK);
  REQUIRE(size == raw.size());
  image.pixels.resize(row * image.height);
  const auto pixel = [&](std::size_t y, std::size_t x) { return int{image.pixels[y * row + x]}; };
  for (std::size_t y = 0; y < image.height; ++y) {
    REQUIRE(raw[y * stride] < 5);
    for (std::size_t x = 0; x < row; ++x) {
      const int a = x >= depth ? pixel(y, x - depth) : 0, b = y > 0 ? pixel(y - 1, x) : 0;
      const int c = x >= depth && y > 0 ? pixel(y - 1, x - depth) : 0, p = a + b - c;
      const int nearest = std::abs(p - a) <= std::abs(p - b) && std::abs(p - a) <= std::abs(p - c) ? a
                          : std::abs(p - b) <= std::abs(p - c)                                     ? b
                                                                                                   : c;
      const int predictions[] = {0, a, b, (a + b) / 2, nearest};
      image.pixels[y * row + x] = static_cast<std::uint8_t>(raw[y * stride + 1 + x] + predictions[raw[y * stride]]);
    }
  }
  return image;
}

Image decode(const std::filesystem::path& path) {
  return decode_png(eigan::read_file(path));
}

}  // namespace

TEST_CASE("image_sheet: a PNG holds the pixels that were written") {
  const TemporaryFolder folder;
  std::uint32_t state = 1;
  for (const auto& [width, height] : {std::pair<Index, Index>{1, 1}, {2, 1}, {1, 3}, {28, 28}, {301, 97}}) {
    for (const int kind : {0, 1, 2}) {  // noise, a gradient, black
      Pixels pixels(static_cast<std::size_t>(width * height));
      for (std::size_t i = 0; i < pixels.size(); ++i) {
        state = state * 1664525 + 1013904223;
        pixels[i] = static_cast<std::uint8_t>(kind == 0 ? state >> 24 : kind == 1 ? i : 0);
      }
      write_png(folder / "f.png", pixels, width, height);
      const Image image = decode(folder / "f.png");
      CHECK(image.width == static_cast<std::size_t>(width));
      CHECK(image.height == static_cast<std::size_t>(height));
      CHECK(image.pixels == pixels);
    }
  }
}

TEST_CASE("image_sheet: a PNG of impossible size is refused") {
  const TemporaryFolder folder;
  const Pixels pixels(6);
  const auto contract = [&](Index width, Index height) {
    return error_text<std::invalid_argument>([&] { write_png(folder / "f.png", pixels, width, height); });
  };
  CHECK(contains(contract(0, 6), "expected an image of at least 1 x 1 pixels, found 0 x 6"));
  CHECK(contains(contract(6, -1), "found 6 x -1"));
  CHECK(contains(contract(7, 1), "expected 7 pixels, found 6"));
  for (const auto& size : {std::pair<Index, Index>{16384, 16385}, {Index{1} << 62, 4}, {3, PTRDIFF_MAX}}) {
    CHECK(contains(error_text([&] { write_png(folder / "f.png", pixels, size.first, size.second); }),
                   "expected an image of at most 268435456 pixels, found "));
  }
  CHECK(folder.names().empty());
}

TEST_CASE("image_sheet: colour stands side by side in a pixel, in a PNG and in a sheet") {
  const TemporaryFolder folder;
  Pixels pixels;
  for (int i = 0; i < 5 * 4 * 3; ++i) pixels.push_back(static_cast<std::uint8_t>(i * i));
  write_png(folder / "f.png", pixels, 5, 4, 3);
  const Image image = decode(folder / "f.png");
  CHECK(image.width == 5);
  CHECK(image.height == 4);
  CHECK(image.channels == 3);
  CHECK(image.pixels == pixels);

  Matrix<float> images(6, 2);  // two images of 1 x 2 pixels
  for (Index i = 0; i < 12; ++i) images(i % 6, i / 6) = static_cast<float>(i + 1) / 127.5f - 1.0f;
  write_image_sheet<float>(folder / "s.png", images,
                           {.image_rows = 1, .image_cols = 2, .columns = 1, .padding = 0, .channels = 3});
  const Image sheet = decode(folder / "s.png");
  CHECK(sheet.channels == 3);
  CHECK(sheet.width == 2);
  CHECK(sheet.pixels == Pixels{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12});

  CHECK(contains(error_text<std::invalid_argument>([&] { write_png(folder / "f.png", pixels, 6, 5, 2); }),
                 "expected an image of 1 or 3 channels, found 2"));
  CHECK(contains(error_text<std::invalid_argument>([&] { write_png(folder / "f.png", pixels, 5, 5, 3); }),
                 "expected 75 numbers, found 60"));
  CHECK(contains(error_text<std::invalid_argument>([&] {
                   write_image_sheet<float>(folder / "s.png", images,
                                            {.image_rows = 1, .image_cols = 6, .channels = 3});
                 }),
                 "found 2 of 6 numbers, 3 channels"));
  CHECK(contains(error_text([&] { write_png(folder / "f.png", pixels, 16384, 8192, 3); }),
                 "expected an image of at most 89478485 pixels, found "));
}

TEST_CASE("image_sheet: values become pixels from black at -1 to white at 1") {
  const auto pixel = [](double value) {
    CHECK(eigan::pixel_from_value(static_cast<float>(value)) == eigan::pixel_from_value(value));
    return int{eigan::pixel_from_value(value)};
  };
  CHECK(pixel(-1) == 0);
  CHECK(pixel(1) == 255);
  CHECK(pixel(0) == 128);
  CHECK(pixel(-0.5) == 64);
  CHECK(pixel(-7) == 0);
  CHECK(pixel(7) == 255);
  CHECK(pixel(std::numeric_limits<double>::infinity()) == 255);
  CHECK(pixel(-std::numeric_limits<double>::infinity()) == 0);
  CHECK(pixel(std::numeric_limits<double>::quiet_NaN()) == 0);
  for (int i = 0; i < 256; ++i) CHECK(pixel(i / 127.5 - 1) == i);
}

TEST_CASE("image_sheet: images stand in rows, each with its own pixels in its place") {
  const TemporaryFolder folder;
  // Three images of 2 rows and 3 columns with pixels 10 image + position, in padded columns.
  std::vector<float> buffer(3 * 8, 1.0f);
  for (Index image = 0; image < 3; ++image) {
    for (Index i = 0; i < 6; ++i) {
      buffer[static_cast<std::size_t>(image * 8 + i)] = static_cast<float>(10 * image + i + 1) / 127.5f - 1.0f;
    }
  }
  const ConstView<float> images(buffer.data(), 6, 3, 8);
  write_image_sheet(folder / "f.png", images, {.image_rows = 2, .image_cols = 3, .columns = 2, .padding = 1});
  const Image sheet = decode(folder / "f.png");
  CHECK(sheet.width == 9);
  CHECK(sheet.height == 7);
  CHECK(sheet.pixels == Pixels{0, 0,  0,  0,  0, 0,  0,  0,  0,  //
                               0, 1,  2,  3,  0, 11, 12, 13, 0,  //
                               0, 4,  5,  6,  0, 14, 15, 16, 0,  //
                               0, 0,  0,  0,  0, 0,  0,  0,  0,  //
                               0, 21, 22, 23, 0, 0,  0,  0,  0,  //
                               0, 24, 25, 26, 0, 0,  0,  0,  0,  //
                               0, 0,  0,  0,  0, 0,  0,  0,  0});
}

TEST_CASE("image_sheet: without a wish the sheet is nearly square, and never wider than the images") {
  const TemporaryFolder folder;
  const auto size = [&](Index count, Index columns) {
    const Matrix<double> images = Matrix<double>::Zero(784, count);
    write_image_sheet(folder / "f.png", ConstView<double>(images), {.columns = columns, .padding = 0});
    const Image sheet = decode(folder / "f.png");
    return std::pair{sheet.width / 28, sheet.height / 28};
  };
  using Size = std::pair<std::size_t, std::size_t>;
  CHECK(size(64, 0) == Size{8, 8});
  CHECK(size(65, 0) == Size{9, 8});
  CHECK(size(1, 0) == Size{1, 1});
  CHECK(size(3, 10) == Size{3, 1});
  CHECK(size(7, 2) == Size{2, 4});
}

TEST_CASE("image_sheet: layouts that do not fit are refused") {
  const TemporaryFolder folder;
  const Matrix<float> images = Matrix<float>::Zero(6, 2);
  const auto contract = [&](const eigan::SheetLayout& layout, const ConstView<float>& view) {
    error_text<std::invalid_argument>([&] { write_image_sheet(folder / "f.png", view, layout); });
  };
  contract({}, images);
  contract({.image_rows = 2, .image_cols = 2}, images);
  contract({.image_rows = -2, .image_cols = -3}, images);
  contract({.image_rows = 2, .image_cols = 3, .columns = -1}, images);
  contract({.image_rows = 2, .image_cols = 3, .padding = -1}, images);
  contract({.image_rows = 2, .image_cols = 3, .padding = PTRDIFF_MAX}, images);
  contract({.image_rows = PTRDIFF_MAX, .image_cols = 3}, images);
  contract({.image_rows = 2, .image_cols = 3}, ConstView<float>(images.data(), 6, 0));
  for (const Index padding : {Index{10'000}, Index{1} << 28}) {
    CHECK(contains(error_text([&] {
                     write_image_sheet(folder / "f.png", ConstView<float>(images),
                                       {.image_rows = 2, .image_cols = 3, .padding = padding});
                   }),
                   "expected a sheet of at most 268435456 pixels, found 2 x 1 images of 3 x 2"));
  }
  CHECK(folder.names().empty());
}

TEST_CASE("image_sheet: a program's own stb still works") {
  const Pixels pixels{1, 2, 3, 4};
  int size = 0;
  unsigned char* const png = stbi_write_png_to_mem(pixels.data(), 2, 2, 2, 1, &size);
  REQUIRE(png != nullptr);
  const auto bytes = std::as_bytes(std::span(png, static_cast<std::size_t>(size)));
  CHECK(decode_png({bytes.begin(), bytes.end()}).pixels == pixels);
  STBIW_FREE(png);
}
