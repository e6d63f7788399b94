#include "support.hpp"

#include <eigan/data/idx.hpp>
#include <limits>
#include <stdexcept>

using eigan::IdxImages;
using test::Bytes;
using test::contains;
using test::operator+;  // NOLINT(misc-unused-using-decls): it is used
using test::idx;

namespace {

IdxImages images_of(const Bytes& bytes) {
  eigan::MemorySource source(bytes, "file");
  return eigan::read_idx_images(source);
}

Bytes labels_of(const Bytes& bytes) {
  eigan::MemorySource source(bytes, "file");
  return eigan::read_idx_labels(source);
}

std::string images_error(const Bytes& bytes) {
  return test::error_of([&] { images_of(bytes); });
}

std::string labels_error(const Bytes& bytes) {
  return test::error_of([&] { labels_of(bytes); });
}

const Bytes two_images = idx(8, {2, 3, 5}, test::counting(30));
const Bytes four_labels = idx(8, {4}, {3, 1, 4, 1});

}  // namespace

TEST_CASE("idx: images and labels are read") {
  const IdxImages images = images_of(two_images);
  CHECK(images.count == 2);
  CHECK(images.rows == 3);
  CHECK(images.cols == 5);
  CHECK(images.pixels == test::counting(30));
  CHECK(labels_of(four_labels) == Bytes{3, 1, 4, 1});
  CHECK(labels_of(idx(8, {258}, Bytes(258))).size() == 258);  // sizes are big-endian
}

TEST_CASE("idx: what is written is read, and has the bytes of the format") {
  const IdxImages images{2, 3, 5, test::counting(30)};
  CHECK(eigan::idx_bytes(images) == two_images);
  const IdxImages large{300, 1, 2, test::counting(600)};
  CHECK(eigan::idx_bytes(large) == idx(8, {300, 1, 2}, test::counting(600)));

  const test::TemporaryFolder folder;
  const auto path = folder.path() / "digits.idx3-ubyte";
  eigan::write_idx_images(path, images);
  CHECK(test::read_back(path) == two_images);
  CHECK(
      contains(test::error_of([&] { eigan::write_idx_images(folder.path() / "none" / "file", images); }), "none/file"));
}

TEST_CASE("idx: images that do not fit their sizes are a programming error") {
  CHECK_THROWS_AS(eigan::idx_bytes({2, 3, 5, Bytes(29)}), std::invalid_argument);
  CHECK_THROWS_AS(eigan::idx_bytes({0, 3, 5, Bytes()}), std::invalid_argument);
  CHECK_THROWS_AS(eigan::idx_bytes({-1, -1, 1, Bytes(1)}), std::invalid_argument);
  constexpr auto huge = std::numeric_limits<eigan::Index>::max();
  CHECK_THROWS_AS(eigan::idx_bytes({huge, huge, huge, Bytes(1)}), std::invalid_argument);
  const eigan::Index big = eigan::Index{1} << 31;  // (2^31)^2 * 4 = 2^64: wraps to 0
  CHECK_THROWS_AS(eigan::idx_bytes({big, big, 4, Bytes()}), std::invalid_argument);
}

TEST_CASE("idx: labels as images, and images as labels, are called by name") {
  CHECK(images_error(four_labels) == "file: holds labels (magic 00 00 08 01), expected images (magic 00 00 08 03)");
  CHECK(labels_error(two_images) == "file: holds images (magic 00 00 08 03), expected labels (magic 00 00 08 01)");
}

TEST_CASE("idx: other types and ranks are called by name") {
  CHECK(contains(images_error(idx(0x09, {1, 1, 1}, {1})), "signed bytes (IDX type 0x09)"));
  CHECK(contains(images_error(idx(0x0B, {1, 1, 1}, {1})), "16-bit integers (IDX type 0x0b)"));
  CHECK(contains(images_error(idx(0x0C, {1, 1, 1}, {1})), "32-bit integers"));
  CHECK(contains(images_error(idx(0x0D, {1, 1, 1}, {1})), "32-bit floats"));
  CHECK(contains(labels_error(idx(0x0E, {1}, {1})), "64-bit floats"));
  CHECK(contains(labels_error(idx(0x0A, {1}, {1})), "an unknown type (IDX type 0x0a)"));
  CHECK(contains(images_error(idx(8, {}, {1})), "has 0 dimensions, expected 3"));
  CHECK(contains(images_error(idx(8, {1, 1}, {1})), "has 2 dimensions, expected 3"));
  CHECK(contains(labels_error(idx(8, {1, 1, 1, 1}, {1})), "has 4 dimensions, expected 1"));
  CHECK(contains(images_error({0, 0, 8, 255}), "has 255 dimensions"));
}

TEST_CASE("idx: what is no IDX at all is told") {
  for (const char* page :
       {"<!DOCTYPE html><html><title>403 Forbidden", "\r\n\r\n\r\n  <html>", "\xEF\xBB\xBF<?xml", "<a>"}) {
    CAPTURE(page);
    CHECK(contains(images_error(test::bytes_of(page) + Bytes(20)), "; this is an HTML or XML page"));
  }
  CHECK(contains(images_error(test::gzip(two_images)), "gzip data where plain IDX is expected"));
  CHECK(images_error({0x89, 'P', 'N', 'G', '\r', '\n'}) ==
        "file: not IDX data: begins with 89 50 4e 47, expected 00 00 08 and the number of dimensions; this is a PNG "
        "image");
  CHECK(contains(images_error({0, 1, 8, 3}), "begins with 00 01 08 03"));
  CHECK(contains(images_error({}), "an empty file"));
  CHECK(contains(labels_error({}), "an empty file"));
}

TEST_CASE("idx: sizes of zero, and sizes beyond all memory") {
  CHECK(contains(images_error(idx(8, {0, 28, 28}, {})), "declares 0 x 28 x 28 values, expected at least one"));
  CHECK(contains(images_error(idx(8, {1, 28, 0}, {})), "declares 1 x 28 x 0 values"));
  CHECK(contains(labels_error(idx(8, {0}, {})), "declares 0 values"));
  const std::uint32_t max = 0xFFFFFFFF;
  CHECK(contains(images_error(idx(8, {max, max, max}, {1})), "more than this machine can address"));
  CHECK(contains(images_error(idx(8, {1u << 31, 1u << 31, 4}, {})), "more than this machine can address"));  // 2^64
  CHECK(contains(images_error(idx(8, {1u << 31, 1u << 31, 2}, {})), "more than this machine can address"));  // 2^63
  CHECK(contains(images_error(idx(8, {1u << 31, 1u << 30, 3}, {1})), "but ends after 1 of them"));
}

TEST_CASE("idx: cut at any byte, a file is refused, and the place named") {
  for (std::size_t size = 1; size < two_images.size(); ++size) {
    CAPTURE(size);
    const auto text = images_error({two_images.begin(), two_images.begin() + static_cast<std::ptrdiff_t>(size)});
    CHECK(contains(text, size < 16
                             ? "ends after " + std::to_string(size) + " bytes, within the IDX header of 16"
                             : "2 x 3 x 5 = 30 values, but ends after " + std::to_string(size - 16) + " of them"));
  }
  for (std::size_t size = 1; size < four_labels.size(); ++size) {
    CAPTURE(size);
    const auto text = labels_error({four_labels.begin(), four_labels.begin() + static_cast<std::ptrdiff_t>(size)});
    CHECK(contains(text, size < 8 ? "within the IDX header of 8" : "declares 4 values, but ends after"));
  }
}

TEST_CASE("idx: bytes after the last value are refused") {
  CHECK(images_error(two_images + Bytes{0}) == "file: declares 2 x 3 x 5 = 30 values, but more bytes follow them");
  CHECK(contains(labels_error(four_labels + four_labels), "more bytes follow"));
}

TEST_CASE("idx: hostile files: refused, or the same bytes when written again") {
  // Read outside of CHECK, which would keep the refusal to itself.
  const auto images = [](const Bytes& bytes) {
    const auto read = images_of(bytes);
    CHECK(eigan::idx_bytes(read) == bytes);
  };
  const auto labels = [](const Bytes& bytes) {
    const auto read = labels_of(bytes);
    CHECK(idx(8, {4}, read) == bytes);
  };
  CHECK(hostile::cut(two_images, images).accepted == 0);
  CHECK(hostile::cut(four_labels, labels).accepted == 0);
  CHECK(hostile::flip(two_images, images).accepted == 8 * 30);  // the pixels
  CHECK(hostile::flip(four_labels, labels).accepted == 8 * 4);
  for (std::size_t at = 4; at < 16; at += 4)
    CHECK(hostile::set_number(two_images, at, 4, std::endian::big, images).accepted == 0);
  CHECK(hostile::set_number(four_labels, 4, 4, std::endian::big, labels).accepted == 0);
}
