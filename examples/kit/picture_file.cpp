#include "picture_file.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <vector>

#include <eigan/core/error.hpp>
#include <eigan/core/printable.hpp>

#include "jpeg_header.hpp"

namespace kit {
namespace {

/// stb unpacks as much as a file makes it; beyond this it is told that memory has run out. The largest image that is
/// read takes 8 bytes a pixel, and twice that while it is converted.
constexpr std::size_t max_allocation = std::size_t{1} << 28;

void* allocate(std::size_t size) {
  return size > max_allocation ? nullptr : std::malloc(size);
}
void* reallocate(void* memory, std::size_t size) {
  return size > max_allocation ? nullptr : std::realloc(memory, size);
}

}  // namespace
}  // namespace kit

#define STB_IMAGE_IMPLEMENTATION
#define STB_IMAGE_STATIC
#define STBI_ONLY_PNG
#define STBI_ONLY_JPEG
#define STBI_NO_STDIO
#define STBI_MALLOC(size) kit::allocate(size)
#define STBI_REALLOC(memory, size) kit::reallocate(memory, size)
#define STBI_FREE(memory) std::free(memory)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wcast-align"
#pragma GCC diagnostic ignored "-Wcast-qual"
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wold-style-cast"
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wsign-conversion"
#pragma GCC diagnostic ignored "-Wunused-function"
#pragma GCC diagnostic ignored "-Wunused-parameter"
#include <stb/stb_image.h>
#pragma GCC diagnostic pop

namespace kit {

using eigan::detail::fail_data;

namespace {

using Bytes = std::span<const std::uint8_t>;

/// What a PNG's rows unpack to, each a byte for the filter and the pixels: by its first chunk, which stbi has found
/// good.
std::uint64_t unpacked_size(Bytes bytes, int cols, int rows) {
  constexpr std::array<unsigned, 7> channels{1, 1, 3, 1, 2, 1, 4};  // by colour type
  const unsigned depth = bytes[24], type = bytes[25];
  return static_cast<std::uint64_t>(rows) * (1 + (static_cast<std::uint64_t>(cols) * depth * channels[type] + 7) / 8);
}

/// Refuses what stb would trip over: a chunk that is longer than the file, for which it takes memory all the same, and
/// one of pixels without any, which it copies to a null pointer.
void check_chunks(Bytes bytes, const std::string& name) {
  const auto word = [&](std::size_t at) {
    std::uint32_t value = 0;
    for (const std::uint8_t byte : bytes.subspan(at, 4)) value = value << 8 | byte;
    return value;
  };
  constexpr std::uint32_t pixels = 0x49444154, end = 0x49454E44;  // IDAT, IEND
  for (std::size_t at = 8; at + 12 <= bytes.size(); at += 12 + std::size_t{word(at)}) {
    const std::uint32_t length = word(at), kind = word(at + 4);
    if (kind == end) return;
    if (length > bytes.size() - at - 12 || (kind == pixels && length == 0)) {
      fail_data(name, ": a damaged PNG file: a chunk of ", length, " bytes at byte ", at, " of ", bytes.size());
    }
  }
  fail_data(name, ": a damaged PNG file: no chunk that ends it");
}

struct Size {
  int cols = 0, rows = 0;
};

/// `kind`: "PNG".
Size stated_size(Bytes bytes, const std::string& name, const char* kind) {
  Size size;
  int channels = 0;
  if (stbi_info_from_memory(bytes.data(), static_cast<int>(bytes.size()), &size.cols, &size.rows, &channels) == 0) {
    fail_data(name, ": a damaged ", kind, " file: ", eigan::printable(stbi_failure_reason()));
  }
  if (size.cols > max_pixels / size.rows) {
    fail_data(name, ": an image of ", size.cols, "x", size.rows, " pixels, expected at most ", max_pixels);
  }
  return size;
}

/// A file states a size before it has shown any pixel. `per_byte`: what a byte can unpack to.
void check_stated(Size size, std::uint64_t unpacked, std::uint64_t per_byte, Bytes bytes, const std::string& name,
                  const char* kind) {
  if (unpacked / per_byte > bytes.size()) {
    fail_data(name, ": a damaged ", kind, " file: declares ", size.cols, "x", size.rows, " pixels in ", bytes.size(),
              " bytes");
  }
}

Picture decode(Bytes bytes, const std::string& name, const char* kind, int channels) {
  Size size;
  int found = 0;
  const std::unique_ptr<stbi_uc, void (*)(void*)> values(
      stbi_load_from_memory(bytes.data(), static_cast<int>(bytes.size()), &size.cols, &size.rows, &found, channels),
      [](void* memory) { std::free(memory); });
  if (!values) fail_data(name, ": a damaged ", kind, " file: ", eigan::printable(stbi_failure_reason()));
  const std::ptrdiff_t count = std::ptrdiff_t{size.rows} * size.cols * channels;
  return {size.rows, size.cols, channels, {values.get(), values.get() + count}};
}

}  // namespace

Picture decode_png(Bytes bytes, const std::string& name, int channels) {
  const Size size = stated_size(bytes, name, "PNG");
  constexpr std::array<std::uint8_t, 4> header{'I', 'H', 'D', 'R'};
  if (bytes.size() < 26 || !std::equal(header.begin(), header.end(), bytes.begin() + 12)) {
    fail_data(name, ": a damaged PNG file: expected its header first");
  }
  check_chunks(bytes, name);
  // stb takes memory for all of them at once, so they must be there; deflate packs a thousand bytes into one at most.
  check_stated(size, unpacked_size(bytes, size.cols, size.rows), 1032, bytes, name, "PNG");
  return decode(bytes, name, "PNG", channels);
}

Picture decode_jpeg(Bytes bytes, const std::string& name, int channels) {
  const Size size = stated_size(bytes, name, "JPEG");
  // A block of 64 pixels takes two bits at least, or one where its coefficients come in several scans.
  check_stated(size, static_cast<std::uint64_t>(size.cols) * static_cast<std::uint64_t>(size.rows), 512, bytes, name,
               "JPEG");
  const JpegHeader header = read_jpeg_header(bytes, name);
  return turned(decode(bytes, name, "JPEG", channels), header.orientation);
}

}  // namespace kit
