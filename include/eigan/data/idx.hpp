// IDX, the format of MNIST: 00 00, a type byte, the number of dimensions, each size as big-endian u32, then the values,
// last dimension fastest. Unsigned bytes only: images (three dimensions) and labels (one).
//
// The reader is strict: the sizes must be positive, and the values must end exactly where the file does.
// For files that may be gzip see load_idx.hpp; this header needs no zlib.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <eigan/core/checked.hpp>
#include <eigan/core/error.hpp>
#include <eigan/core/types.hpp>
#include <eigan/data/byte_source.hpp>
#include <eigan/io/atomic_file.hpp>
#include <eigan/io/foreign_file.hpp>

namespace eigan {

/// Grey images of one size: `count` times rows x cols pixels, each image contiguous and row-major, 0 to 255.
struct IdxImages {
  Index count = 0;                   ///< images
  Index rows = 0;                    ///< of an image
  Index cols = 0;                    ///< of an image
  std::vector<std::uint8_t> pixels;  ///< count x rows x cols
};

namespace detail {

template <std::size_t rank>
constexpr const char* idx_content() {
  static_assert(rank >= 1 && rank <= 4);
  if (rank == 4) return "images with channels (magic 00 00 08 04)";
  if (rank == 2) return "rows of 32-bit integers (magic 00 00 0c 02)";
  return rank == 3 ? "images (magic 00 00 08 03)" : "labels (magic 00 00 08 01)";
}

inline const char* idx_type_name(std::uint8_t type) {
  switch (type) {
    case 0x09:
      return "signed bytes";
    case 0x0B:
      return "16-bit integers";
    case 0x0C:
      return "32-bit integers";
    case 0x0D:
      return "32-bit floats";
    case 0x0E:
      return "64-bit floats";
    default:
      return "an unknown type";
  }
}

inline std::string hex_byte(std::uint8_t byte) {
  return {"0123456789abcdef"[byte >> 4], "0123456789abcdef"[byte & 15]};
}

/// Says what the bytes are that do not begin like IDX; `magic` is the first four of them.
[[noreturn]] inline void fail_not_idx(ByteSource& source, const std::array<std::uint8_t, 4>& magic) {
  std::vector<std::uint8_t> start(magic.begin(), magic.end());
  const auto more = read_up_to(source, 512);
  start.insert(start.end(), more.begin(), more.end());
  if (start[0] == 0x1F && start[1] == 0x8B) fail_data(source.name(), ": gzip data where plain IDX is expected");
  fail_data(source.name(), ": not IDX data: begins with ", hex_byte(magic[0]), " ", hex_byte(magic[1]), " ",
            hex_byte(magic[2]), " ", hex_byte(magic[3]), ", expected 00 00 08 and the number of dimensions",
            what_it_is(std::as_bytes(std::span(start))));
}

/// Reads the header of IDX in `rank` dimensions, of unsigned bytes or what `type` says, and returns the sizes.
template <std::size_t rank>
std::array<std::uint32_t, rank> read_idx_header(ByteSource& source, std::uint8_t type = 0x08) {
  const auto read_header = [&](std::span<std::uint8_t> part, std::size_t offset) {
    const std::size_t got = source.read(part);
    if (got == part.size()) return;
    if (offset + got == 0) fail_data(source.name(), ": an empty file, expected IDX ", idx_content<rank>());
    fail_data(source.name(), ": ends after ", offset + got, " bytes, within the IDX header of ", 4 + 4 * rank);
  };
  std::array<std::uint8_t, 4> magic{};
  read_header(magic, 0);
  if (magic[0] != 0 || magic[1] != 0) fail_not_idx(source, magic);
  if (magic[2] != type) {
    fail_data(source.name(), ": holds ", magic[2] == 0x08 ? "unsigned bytes" : idx_type_name(magic[2]), " (IDX type 0x",
              hex_byte(magic[2]), "), only ", type == 0x08 ? "unsigned bytes" : idx_type_name(type), " (0x",
              hex_byte(type), ") are read");
  }
  if (magic[3] != rank) {
    const char* found = magic[3] == 1 ? "labels" : magic[3] == 3 ? "images" : nullptr;
    if (found != nullptr) {
      fail_data(source.name(), ": holds ", found, " (magic 00 00 08 ", hex_byte(magic[3]), "), expected ",
                idx_content<rank>());
    }
    fail_data(source.name(), ": has ", int{magic[3]}, " dimensions, expected ", rank, ": ", idx_content<rank>());
  }
  std::array<std::uint8_t, 4 * rank> bytes{};
  read_header(bytes, 4);
  std::array<std::uint32_t, rank> sizes{};
  for (std::size_t i = 0; i < bytes.size(); ++i) sizes[i / 4] = sizes[i / 4] << 8 | bytes[i];
  return sizes;
}

/// Reads exactly the declared values, of `bytes` bytes each, and requires that nothing follows.
template <std::size_t rank>
std::vector<std::uint8_t> read_idx_values(ByteSource& source, const std::array<std::uint32_t, rank>& sizes,
                                          std::size_t bytes = 1) {
  std::string product;
  for (const auto size : sizes) product += concat(product.empty() ? "" : " x ", size);
  std::size_t count = 1;
  for (const auto size : sizes) {
    if (size == 0) fail_data(source.name(), ": declares ", product, " values, expected at least one");
    if (!checked_mul<std::size_t>(count, size, count) || !std::in_range<Index>(count)) {
      fail_data(source.name(), ": declares ", product, " values, more than this machine can address");
    }
  }
  if (rank > 1) product += concat(" = ", count);
  std::size_t in_bytes = 0;
  if (!checked_mul(count, bytes, in_bytes) || !std::in_range<Index>(in_bytes))
    fail_data(source.name(), ": declares ", product, " values, more than this machine can address");
  auto values = read_up_to(source, in_bytes);
  if (values.size() < in_bytes) {
    fail_data(source.name(), ": declares ", product, " values, but ends after ", values.size() / bytes, " of them");
  }
  std::array<std::uint8_t, 1> extra{};
  if (source.read(extra) != 0) {
    fail_data(source.name(), ": declares ", product, " values, but more bytes follow them");
  }
  return values;
}

}  // namespace detail

/// Reads images from IDX bytes. Throws Error that says where and why they are not exactly one such file.
inline IdxImages read_idx_images(ByteSource& source) {
  const auto sizes = detail::read_idx_header<3>(source);
  auto pixels = detail::read_idx_values(source, sizes);
  return {static_cast<Index>(sizes[0]), static_cast<Index>(sizes[1]), static_cast<Index>(sizes[2]), std::move(pixels)};
}

/// Reads labels from IDX bytes. Throws Error as read_idx_images does.
inline std::vector<std::uint8_t> read_idx_labels(ByteSource& source) {
  return detail::read_idx_values(source, detail::read_idx_header<1>(source));
}

/// Reads rows of 32-bit integers, such as QMNIST's labels, and returns the first of each. Throws Error as
/// read_idx_images does.
inline std::vector<std::int32_t> read_idx_first_integers(ByteSource& source) {
  const auto sizes = detail::read_idx_header<2>(source, 0x0C);
  const auto bytes = detail::read_idx_values(source, sizes, 4);
  std::vector<std::int32_t> first;
  for (std::size_t at = 0; at < bytes.size(); at += std::size_t{4} * sizes[1]) {
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < 4; ++i) value = value << 8 | bytes[at + i];
    first.push_back(static_cast<std::int32_t>(value));
  }
  return first;
}

/// The bytes of an IDX file of these images. A count of pixels that is not count x rows x cols, or a size that is not
/// from 1 to 2^32 - 1, is a programming error.
inline std::vector<std::uint8_t> idx_bytes(const IdxImages& images) {
  std::vector<std::uint8_t> bytes{0, 0, 0x08, 3};
  std::size_t expected = 1;
  bool fits = true;
  for (const Index size : {images.count, images.rows, images.cols}) {
    fits = fits && size > 0 && std::in_range<std::uint32_t>(size) &&
           checked_mul(expected, static_cast<std::size_t>(size), expected);
    for (int shift = 24; shift >= 0; shift -= 8) bytes.push_back(static_cast<std::uint8_t>(size >> shift & 0xFF));
  }
  if (!fits || expected != images.pixels.size()) {
    detail::fail_contract("IDX images: ", images.count, " x ", images.rows, " x ", images.cols,
                          " is not the number of pixels, ", images.pixels.size());
  }
  bytes.insert(bytes.end(), images.pixels.begin(), images.pixels.end());
  return bytes;
}

#if defined(EIGAN_HAS_FILES)
/// Writes an IDX file of these images, whole or not at all. Throws Error when that fails.
inline void write_idx_images(const std::filesystem::path& path, const IdxImages& images) {
  const auto bytes = idx_bytes(images);
  write_file(path, std::as_bytes(std::span(bytes)));
}
#endif

}  // namespace eigan
