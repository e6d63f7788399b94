#include "grey_image.hpp"

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>

#include <eigan/core/error.hpp>
#include <eigan/data/byte_source.hpp>
#include <eigan/data/gzip.hpp>
#include <eigan/data/idx.hpp>
#include <eigan/io/file_descriptor.hpp>
#include <eigan/io/read_file.hpp>

#include "kit/file_kind.hpp"
#include "kit/picture_file.hpp"
#include "kit/read_picture.hpp"

namespace mnist_recogniser {

using eigan::detail::fail_data;

namespace {

using Bytes = std::span<const std::uint8_t>;

constexpr std::uint64_t max_bytes = std::uint64_t{1} << 30;

/// The bytes of another source, which must not be more than `most`.
class LimitedSource final : public eigan::ByteSource {
 public:
  LimitedSource(eigan::ByteSource& source, std::uint64_t most)
      : ByteSource(source.name()), source_(source), most_(most), left_(most) {}

  std::size_t read(std::span<std::uint8_t> out) override {
    const std::size_t count = source_.read(out);
    if (count > left_) fail_data(name(), ": unpacks to more than ", most_, " bytes");
    left_ -= count;
    return count;
  }

 private:
  eigan::ByteSource& source_;
  std::uint64_t most_, left_;
};

/// Grey of pixels of which it is known how opaque they are. What is transparent is white, and black where all that is
/// opaque is light.
GreyImage on_a_ground(const kit::Picture& picture) {
  const auto& values = picture.bytes;
  GreyImage image{picture.height, picture.width, std::vector<std::uint8_t>(values.size() / 2)};
  constexpr int light = 160;
  int darkest = 255;
  bool any_transparent = false;
  for (std::size_t i = 0; i < image.pixels.size(); ++i) {
    if (values[2 * i + 1] >= 128) darkest = std::min<int>(darkest, values[2 * i]);
    any_transparent = any_transparent || values[2 * i + 1] < 128;
  }
  const int ground = any_transparent && darkest >= light ? 0 : 255;
  for (std::size_t i = 0; i < image.pixels.size(); ++i)
    image.pixels[i] = kit::composed(values[2 * i], values[2 * i + 1], ground);
  return image;
}

std::vector<GreyImage> read_idx(Bytes bytes, const std::string& name) {
  eigan::MemorySource packed(bytes, name);
  eigan::GunzipSource unpacked(packed);
  LimitedSource source(unpacked, max_bytes);
  const eigan::IdxImages idx = eigan::read_idx_images(source);
  std::vector<GreyImage> images;
  const Index size = idx.rows * idx.cols;
  if (size > max_pixels) {
    fail_data(name, ": images of ", idx.cols, "x", idx.rows, " pixels, expected at most ", max_pixels);
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
  const Bytes bytes(reinterpret_cast<const std::uint8_t*>(file.data()), file.size());
  constexpr const char* expected = "PNG, JPEG or IDX images";
  const kit::FileKind found = kit::file_kind(bytes);
  switch (found.format) {
    case kit::FileFormat::png:
      return {on_a_ground(kit::decode_png(bytes, name, 2))};
    case kit::FileFormat::jpeg:
      return {on_a_ground(kit::decode_jpeg(bytes, name, 2))};
    case kit::FileFormat::gzip:
    case kit::FileFormat::idx:
      return read_idx(bytes, name);
    case kit::FileFormat::other:
      break;
  }
  fail_data(name, ": expected ", expected, ", found ", found.name);
}

}  // namespace mnist_recogniser
