#include "jpeg_header.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>

#include <eigan/core/error.hpp>

namespace kit {
namespace {

using Bytes = std::span<const std::uint8_t>;

/// A number of two or four bytes; 0 beyond the end.
std::size_t number(Bytes bytes, std::size_t at, std::size_t size, bool little) {
  if (at + size > bytes.size()) return 0;
  std::size_t value = 0;
  for (std::size_t i = 0; i < size; ++i) value = value << 8 | bytes[at + (little ? size - 1 - i : i)];
  return value;
}

/// By the first directory of an Exif segment's TIFF data; 1 where it says nothing.
int orientation_of(Bytes exif) {
  constexpr std::string_view start{"Exif\0\0", 6};
  if (exif.size() < start.size() || !std::equal(start.begin(), start.end(), exif.begin())) return 1;
  const Bytes tiff = exif.subspan(start.size());
  const bool little = !tiff.empty() && tiff[0] == 'I';
  const std::size_t directory = number(tiff, 4, 4, little), entries = number(tiff, directory, 2, little);
  for (std::size_t i = 0; i < entries; ++i) {
    const std::size_t entry = directory + 2 + 12 * i;
    if (number(tiff, entry, 2, little) != 274) continue;
    const std::size_t value = number(tiff, entry + 8, 2, little);
    return value >= 1 && value <= 8 ? static_cast<int>(value) : 1;
  }
  return 1;
}

}  // namespace

JpegHeader read_jpeg_header(Bytes bytes, const std::string& name) {
  constexpr std::uint8_t marker = 0xFF, app1 = 0xE1, scan = 0xDA, end = 0xD9;
  JpegHeader header;
  std::size_t at = 2;
  while (at + 4 <= bytes.size() && bytes[at] == marker) {
    const std::uint8_t kind = bytes[at + 1];
    if (kind == marker) {  // padding
      ++at;
      continue;
    }
    const std::size_t length = number(bytes, at + 2, 2, false);
    if (length < 2 || at + 2 + length > bytes.size()) break;
    if (kind == app1 && header.orientation == 1) header.orientation = orientation_of(bytes.subspan(at + 4, length - 2));
    at += 2 + length;
    if (kind != scan) continue;
    constexpr std::array<std::uint8_t, 2> last{marker, end};
    const Bytes rest = bytes.subspan(at);
    if (std::search(rest.begin(), rest.end(), last.begin(), last.end()) != rest.end()) return header;
    eigan::detail::fail_data(name, ": a damaged JPEG file: ends in the middle of the picture");
  }
  eigan::detail::fail_data(name, ": a damaged JPEG file: no picture behind byte ", at);
}

Picture turned(const Picture& picture, int orientation) {
  if (orientation == 1) return picture;
  const bool exchanged = orientation >= 5;
  const bool from_right = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
  const bool from_below = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
  Picture out{
      exchanged ? picture.width : picture.height, exchanged ? picture.height : picture.width, picture.channels, {}};
  out.bytes.reserve(picture.bytes.size());
  for (Index row = 0; row < out.height; ++row)
    for (Index col = 0; col < out.width; ++col) {
      const Index r = exchanged ? col : row, c = exchanged ? row : col;
      for (Index channel = 0; channel < out.channels; ++channel)
        out.bytes.push_back(
            picture.at(from_below ? picture.height - 1 - r : r, from_right ? picture.width - 1 - c : c, channel));
    }
  return out;
}

}  // namespace kit
