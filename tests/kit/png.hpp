// PNG files of a few pixels, for the tests of what reads them.
#pragma once

#include <zlib.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace test {

using Bytes = std::vector<std::uint8_t>;

/// Colour type `kind`: 0 grey, 2 RGB, 4 grey and opacity, 6 RGB and opacity. `values`: row by row, of 16 bits two bytes
/// each.
inline std::vector<std::byte> png(std::uint32_t width, std::uint32_t height, int kind, const Bytes& values,
                                  int depth = 8) {
  std::vector<std::byte> file;
  const auto add = [&](std::string_view text) {
    for (const char c : text) file.push_back(static_cast<std::byte>(c));
  };
  const auto word = [](std::uint32_t value) {
    std::string text;
    for (int shift = 24; shift >= 0; shift -= 8) text += static_cast<char>(value >> shift & 0xFF);
    return text;
  };
  const auto chunk = [&](const std::string& name, const std::string& data) {
    const std::string body = name + data;
    add(word(static_cast<std::uint32_t>(data.size())));
    add(body);
    add(word(static_cast<std::uint32_t>(
        crc32(0, reinterpret_cast<const Bytef*>(body.data()), static_cast<uInt>(body.size())))));
  };
  std::string rows;
  const std::size_t length = height == 0 ? 0 : values.size() / height;
  for (std::size_t row = 0; row < height; ++row) {
    rows += '\0';
    for (std::size_t i = 0; i < length; ++i) rows += static_cast<char>(values[row * length + i]);
  }
  uLongf size = compressBound(static_cast<uLong>(rows.size()));
  std::string packed(size, '\0');
  compress(reinterpret_cast<Bytef*>(packed.data()), &size, reinterpret_cast<const Bytef*>(rows.data()),
           static_cast<uLong>(rows.size()));
  packed.resize(size);
  add({"\x89PNG\r\n\x1A\n", 8});
  chunk("IHDR", word(width) + word(height) + static_cast<char>(depth) + static_cast<char>(kind) + std::string(3, '\0'));
  chunk("IDAT", packed);
  chunk("IEND", "");
  return file;
}

/// A picture of one colour.
inline std::vector<std::byte> plain_png(std::uint32_t width, std::uint32_t height, const Bytes& colour) {
  Bytes values;
  for (std::uint32_t i = 0; i < width * height; ++i) values.insert(values.end(), colour.begin(), colour.end());
  return png(width, height, colour.size() == 1 ? 0 : 2, values);
}

}  // namespace test
