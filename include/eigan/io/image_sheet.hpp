// PNG files, and sheets of many small images. The only header that sees stb.
//
// stb's writer is compiled into a namespace of ours with internal linkage: nothing has to be linked, any number of
// translation units may include this header, and a program's own use of stb, before or after, is not disturbed.
#pragma once

// What stb includes must come first, or it would end up in our namespace.
#include <math.h>    // NOLINT(modernize-deprecated-headers)
#include <stdarg.h>  // NOLINT(modernize-deprecated-headers)
#include <stdlib.h>  // NOLINT(modernize-deprecated-headers)
#include <string.h>  // NOLINT(modernize-deprecated-headers)

#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <new>
#include <span>
#include <vector>

#include <eigan/core/error.hpp>
#include <eigan/core/view.hpp>
#include <eigan/io/atomic_file.hpp>
#include <eigan/io/pixel.hpp>

#pragma push_macro("INCLUDE_STB_IMAGE_WRITE_H")
#pragma push_macro("STB_IMAGE_WRITE_IMPLEMENTATION")
#pragma push_macro("STB_IMAGE_WRITE_STATIC")
#pragma push_macro("STBI_WRITE_NO_STDIO")
#pragma push_macro("STBIWDEF")
#pragma push_macro("STBIW_ASSERT")
#pragma push_macro("STBIW_MALLOC")
#pragma push_macro("STBIW_REALLOC")
#pragma push_macro("STBIW_REALLOC_SIZED")
#pragma push_macro("STBIW_FREE")
#pragma push_macro("STBIW_MEMMOVE")
#undef INCLUDE_STB_IMAGE_WRITE_H
#undef STB_IMAGE_WRITE_IMPLEMENTATION
#undef STB_IMAGE_WRITE_STATIC
#undef STBI_WRITE_NO_STDIO
#undef STBIWDEF
#undef STBIW_ASSERT
#undef STBIW_MALLOC
#undef STBIW_REALLOC
#undef STBIW_REALLOC_SIZED
#undef STBIW_FREE
#undef STBIW_MEMMOVE
#define STB_IMAGE_WRITE_IMPLEMENTATION
#define STB_IMAGE_WRITE_STATIC
#define STBI_WRITE_NO_STDIO
// What stb asserts can only fail when memory has run out.
#define STBIW_ASSERT(condition) ((condition) ? static_cast<void>(0) : eigan::detail::raise(std::bad_alloc()))
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wcast-align"
#pragma GCC diagnostic ignored "-Wcast-qual"
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"
#pragma GCC diagnostic ignored "-Wold-style-cast"
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wsign-conversion"
#pragma GCC diagnostic ignored "-Wunused-function"
#pragma GCC diagnostic ignored "-Wunused-variable"
namespace eigan::detail::stb {
#include <stb/stb_image_write.h>
}  // namespace eigan::detail::stb
#pragma GCC diagnostic pop
#pragma pop_macro("STBIW_MEMMOVE")
#pragma pop_macro("STBIW_FREE")
#pragma pop_macro("STBIW_REALLOC_SIZED")
#pragma pop_macro("STBIW_REALLOC")
#pragma pop_macro("STBIW_MALLOC")
#pragma pop_macro("STBIW_ASSERT")
#pragma pop_macro("STBIWDEF")
#pragma pop_macro("STBI_WRITE_NO_STDIO")
#pragma pop_macro("STB_IMAGE_WRITE_STATIC")
#pragma pop_macro("STB_IMAGE_WRITE_IMPLEMENTATION")
#pragma pop_macro("INCLUDE_STB_IMAGE_WRITE_H")

namespace eigan {

/// Writes an 8-bit PNG, grey of one channel or RGB of three, row by row from the top left, a pixel's channels side by
/// side, atomically. std::invalid_argument if `pixels` is not width x height x channels; Error if the image has more
/// than 2^28 numbers (stb computes in int) or cannot be written.
inline void write_png(const std::filesystem::path& path, std::span<const std::uint8_t> pixels, Index width,
                      Index height, Index channels = 1) {
  if (channels != 1 && channels != 3)
    detail::fail_contract("write_png: expected an image of 1 or 3 channels, found ", channels);
  const Index max_pixels = (Index{1} << 28) / channels;
  if (width < 1 || height < 1) {
    detail::fail_contract("write_png: expected an image of at least 1 x 1 pixels, found ", width, " x ", height);
  }
  if (width > max_pixels / height) {
    detail::fail_data(detail::display(path), ": expected an image of at most ", max_pixels, " pixels, found ", width,
                      " x ", height);
  }
  if (static_cast<Index>(pixels.size()) != width * height * channels) {
    detail::fail_contract("write_png: expected ", width * height * channels, channels == 1 ? " pixels" : " numbers",
                          ", found ", pixels.size());
  }
  int size = 0;
  const auto w = static_cast<int>(width), c = static_cast<int>(channels);
  const std::unique_ptr<unsigned char, void (*)(void*)> png(
      detail::stb::stbi_write_png_to_mem(pixels.data(), w * c, w, static_cast<int>(height), c, &size), &::free);
  if (!png) detail::raise(std::bad_alloc());
  write_file(path, std::as_bytes(std::span(png.get(), static_cast<std::size_t>(size))));
}

/// How images are laid out on a sheet.
struct SheetLayout {
  Index image_rows = 28;  ///< of each image
  Index image_cols = 28;  ///< of each image
  Index columns = 0;      ///< images side by side; 0: as many as make the sheet nearly square
  Index padding = 2;      ///< black pixels around each image
  Index channels = 1;     ///< of each image: 1 grey, 3 RGB
};

/// Writes images with values in [-1, 1], one a column of `images` and row-major inside it, a pixel's channels side by
/// side as in a network's levels, as one PNG, left to right and top to bottom. std::invalid_argument if the columns do
/// not have image_rows x image_cols x channels elements or there is none; Error as write_png.
template <std::floating_point T>
void write_image_sheet(const std::filesystem::path& path, ConstView<T> images, const SheetLayout& layout = {}) {
  const auto [rows, cols, wanted, padding, channels] = layout;
  constexpr Index max_extent = Index{1} << 28;
  if (rows < 1 || cols < 1 || rows > max_extent || cols > max_extent || (channels != 1 && channels != 3) ||
      images.rows() != rows * cols * channels || images.cols() < 1 || wanted < 0 || padding < 0 ||
      padding > max_extent) {
    detail::fail_contract("write_image_sheet: expected at least one image of ", rows, " x ", cols,
                          " pixels in 1 or 3 channels with padding of 0 or more, found ", images.cols(), " of ",
                          images.rows(), channels == 1 ? " pixels" : " numbers", ", ", channels, " channels, ", wanted,
                          " a row, padding ", padding);
  }
  const Index count = images.cols();
  const auto square = static_cast<Index>(std::ceil(std::sqrt(static_cast<double>(count))));
  const Index across = wanted == 0 ? square : wanted < count ? wanted : count;
  const Index down = (count + across - 1) / across;

  // In floating point first: a sheet this large is refused before its size could overflow or be allocated.
  const double area =
      (static_cast<double>(across) * static_cast<double>(cols + padding) + static_cast<double>(padding)) *
      (static_cast<double>(down) * static_cast<double>(rows + padding) + static_cast<double>(padding));
  if (area * static_cast<double>(channels) > static_cast<double>(max_extent)) {
    detail::fail_data(detail::display(path), ": expected a sheet of at most ", max_extent, " pixels, found ", across,
                      " x ", down, " images of ", cols, " x ", rows);
  }
  const Index width = across * (cols + padding) + padding;
  const Index height = down * (rows + padding) + padding;
  std::vector<std::uint8_t> pixels(static_cast<std::size_t>(width * height * channels));
  for (Index image = 0; image < count; ++image) {
    const Index top = padding + image / across * (rows + padding);
    const Index left = padding + image % across * (cols + padding);
    for (Index r = 0; r < rows; ++r) {
      const Index to = ((top + r) * width + left) * channels, from = r * cols * channels;
      for (Index i = 0; i < cols * channels; ++i)
        pixels[static_cast<std::size_t>(to + i)] = pixel_from_value(images(from + i, image));
    }
  }
  write_png(path, pixels, width, height, channels);
}

}  // namespace eigan
