#include "grey_image.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdlib>
#include <memory>
#include <span>
#include <string>

#include <eigan/core/error.hpp>
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

GreyImage read_png(Bytes bytes, const std::string& name) {
  const auto size = static_cast<int>(bytes.size());
  int cols = 0, rows = 0, channels = 0;
  if (stbi_info_from_memory(bytes.data(), size, &cols, &rows, &channels) == 0) {
    eigan::detail::fail_data(name, ": a damaged PNG file: ", stbi_failure_reason());
  }
  if (cols > max_pixels / rows) {
    eigan::detail::fail_data(name, ": an image of ", cols, "x", rows, " pixels, expected at most ", max_pixels);
  }
  // Grey and how opaque.
  const std::unique_ptr<stbi_uc, void (*)(void*)> values(
      stbi_load_from_memory(bytes.data(), size, &cols, &rows, &channels, 2), [](void* memory) { std::free(memory); });
  if (!values) eigan::detail::fail_data(name, ": a damaged PNG file: ", stbi_failure_reason());
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
  constexpr std::array<std::uint8_t, 8> png{0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'};
  constexpr std::array<std::uint8_t, 2> gzip{0x1F, 0x8B}, idx{0, 0};
  const std::vector<std::byte> content = eigan::read_file(path, max_bytes);
  const Bytes bytes(reinterpret_cast<const std::uint8_t*>(content.data()), content.size());
  const std::string name = eigan::detail::display(path);
  if (begins_with(bytes, png)) return {read_png(bytes, name)};
  if (begins_with(bytes, gzip) || begins_with(bytes, idx)) return read_idx(bytes, name);
  if (bytes.empty()) eigan::detail::fail_data(name, ": an empty file, expected PNG or IDX images");
  eigan::detail::fail_data(name, ": expected PNG or IDX images, found a file that begins otherwise");
}

}  // namespace mnist_recogniser
