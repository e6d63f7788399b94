#include "grey_image.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdlib>
#include <memory>
#include <span>
#include <string>

#include <eigan/core/error.hpp>
#include <eigan/core/printable.hpp>
#include <eigan/data/byte_source.hpp>
#include <eigan/data/gzip.hpp>
#include <eigan/data/idx.hpp>
#include <eigan/io/file_descriptor.hpp>
#include <eigan/io/read_file.hpp>

namespace mnist_recogniser {
namespace {

constexpr Index max_pixels = Index{1} << 24;
constexpr std::uint64_t max_bytes = std::uint64_t{1} << 30;

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
}  // namespace mnist_recogniser

#define STB_IMAGE_IMPLEMENTATION
#define STB_IMAGE_STATIC
#define STBI_ONLY_PNG
#define STBI_NO_STDIO
#define STBI_MALLOC(size) mnist_recogniser::allocate(size)
#define STBI_REALLOC(memory, size) mnist_recogniser::reallocate(memory, size)
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

namespace mnist_recogniser {
namespace {

using Bytes = std::span<const std::uint8_t>;

bool begins_with(Bytes bytes, Bytes start) {
  return bytes.size() >= start.size() && std::equal(start.begin(), start.end(), bytes.begin());
}

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
      eigan::detail::fail_data(name, ": a damaged PNG file: a chunk of ", length, " bytes at byte ", at, " of ",
                               bytes.size());
    }
  }
  eigan::detail::fail_data(name, ": a damaged PNG file: no chunk that ends it");
}

GreyImage read_png(Bytes bytes, const std::string& name) {
  const auto size = static_cast<int>(bytes.size());
  int cols = 0, rows = 0, channels = 0;
  if (stbi_info_from_memory(bytes.data(), size, &cols, &rows, &channels) == 0) {
    eigan::detail::fail_data(name, ": a damaged PNG file: ", eigan::printable(stbi_failure_reason()));
  }
  constexpr std::array<std::uint8_t, 4> header{'I', 'H', 'D', 'R'};
  if (!begins_with(bytes.subspan(12), header)) {
    eigan::detail::fail_data(name, ": a damaged PNG file: expected its header first");
  }
  if (cols > max_pixels / rows) {
    eigan::detail::fail_data(name, ": an image of ", cols, "x", rows, " pixels, expected at most ", max_pixels);
  }
  check_chunks(bytes, name);
  // stb takes memory for all of them at once, so they must be there; deflate packs a thousand bytes into one at most.
  if (unpacked_size(bytes, cols, rows) / 1032 > bytes.size()) {
    eigan::detail::fail_data(name, ": a damaged PNG file: declares ", cols, "x", rows, " pixels in ", bytes.size(),
                             " bytes");
  }
  // Grey and how opaque.
  const std::unique_ptr<stbi_uc, void (*)(void*)> values(
      stbi_load_from_memory(bytes.data(), size, &cols, &rows, &channels, 2), [](void* memory) { std::free(memory); });
  if (!values) eigan::detail::fail_data(name, ": a damaged PNG file: ", eigan::printable(stbi_failure_reason()));
  GreyImage image{rows, cols,
                  std::vector<std::uint8_t>(static_cast<std::size_t>(rows) * static_cast<std::size_t>(cols))};
  for (std::size_t i = 0; i < image.pixels.size(); ++i) {
    const int grey = values.get()[2 * i], opaque = values.get()[2 * i + 1];
    image.pixels[i] = static_cast<std::uint8_t>((grey * opaque + 255 * (255 - opaque) + 127) / 255);
  }
  return image;
}

/// The bytes of another source, which must not be more than `most`.
class LimitedSource final : public eigan::ByteSource {
 public:
  LimitedSource(eigan::ByteSource& source, std::uint64_t most)
      : ByteSource(source.name()), source_(source), most_(most), left_(most) {}

  std::size_t read(std::span<std::uint8_t> out) override {
    const std::size_t count = source_.read(out);
    if (count > left_) eigan::detail::fail_data(name(), ": unpacks to more than ", most_, " bytes");
    left_ -= count;
    return count;
  }

 private:
  eigan::ByteSource& source_;
  std::uint64_t most_, left_;
};

std::vector<GreyImage> read_idx(Bytes bytes, const std::string& name) {
  eigan::MemorySource packed(bytes, name);
  eigan::GunzipSource unpacked(packed);
  LimitedSource source(unpacked, max_bytes);
  const eigan::IdxImages idx = eigan::read_idx_images(source);
  std::vector<GreyImage> images;
  const Index size = idx.rows * idx.cols;
  if (size > max_pixels) {
    eigan::detail::fail_data(name, ": images of ", idx.cols, "x", idx.rows, " pixels, expected at most ", max_pixels);
  }
  for (Index i = 0; i < idx.count; ++i) {
    const auto first = idx.pixels.begin() + i * size;
    images.push_back({idx.rows, idx.cols, {first, first + size}});
  }
  return images;
}

}  // namespace

std::vector<GreyImage> read_grey_images(const std::filesystem::path& path) {
  return parse_grey_images(eigan::read_file(path, max_bytes), eigan::detail::display(path));
}

std::vector<GreyImage> parse_grey_images(std::span<const std::byte> file, const std::string& name) {
  constexpr std::array<std::uint8_t, 8> png{0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'};
  constexpr std::array<std::uint8_t, 2> gzip{0x1F, 0x8B}, idx{0, 0};
  const Bytes bytes(reinterpret_cast<const std::uint8_t*>(file.data()), file.size());
  if (begins_with(bytes, png)) return {read_png(bytes, name)};
  if (begins_with(bytes, gzip) || begins_with(bytes, idx)) return read_idx(bytes, name);
  if (bytes.empty()) eigan::detail::fail_data(name, ": an empty file, expected PNG or IDX images");
  eigan::detail::fail_data(name, ": expected PNG or IDX images, found a file that begins otherwise");
}

}  // namespace mnist_recogniser
