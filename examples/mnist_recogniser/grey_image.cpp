#include "grey_image.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include <eigan/core/error.hpp>
#include <eigan/data/byte_source.hpp>
#include <eigan/data/gzip.hpp>
#include <eigan/data/idx.hpp>
#include <eigan/io/file_descriptor.hpp>
#include <eigan/io/read_file.hpp>

#include "picture_file.hpp"

namespace mnist_recogniser {

using eigan::detail::fail_data;

namespace {

using Bytes = std::span<const std::uint8_t>;

constexpr std::uint64_t max_bytes = std::uint64_t{1} << 30;

enum class Kind { png, jpeg, idx, other };

/// How files of a kind begin.
struct Start {
  std::string_view bytes;
  std::size_t at;
  Kind kind;
  const char* name;
};

using namespace std::string_view_literals;
constexpr std::array starts{
    Start{"\x89PNG\r\n\x1A\n"sv, 0, Kind::png, "a PNG file"},
    Start{"\xFF\xD8\xFF"sv, 0, Kind::jpeg, "a JPEG file"},
    Start{"\x1F\x8B"sv, 0, Kind::idx, "a gzip file"},
    Start{"GIF8"sv, 0, Kind::other, "a GIF file"},
    Start{"BM"sv, 0, Kind::other, "a BMP file"},
    Start{"WEBP"sv, 8, Kind::other, "a WebP file"},
    Start{"II*\0"sv, 0, Kind::other, "a TIFF file"},
    Start{"MM\0*"sv, 0, Kind::other, "a TIFF file"},
    Start{"ftypheic"sv, 4, Kind::other, "a HEIC file"},
    Start{"ftypmif1"sv, 4, Kind::other, "a HEIF file"},
    Start{"ftypavif"sv, 4, Kind::other, "an AVIF file"},
    Start{"%PDF"sv, 0, Kind::other, "a PDF file"},
    Start{"<svg"sv, 0, Kind::other, "an SVG file"},
    Start{"<?xml"sv, 0, Kind::other, "an XML file, perhaps SVG"},
    Start{"PK\x03\x04"sv, 0, Kind::other, "a ZIP archive"},
    Start{"\x93NUMPY"sv, 0, Kind::other, "a NumPy file"},
    Start{"P2"sv, 0, Kind::other, "a PGM file"},
    Start{"P5"sv, 0, Kind::other, "a PGM file"},
    Start{"\0\0"sv, 0, Kind::idx, "an IDX file"},
};

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
  const std::string_view text(reinterpret_cast<const char*>(file.data()), file.size());
  constexpr const char* expected = "PNG, JPEG or IDX images";
  if (bytes.empty()) fail_data(name, ": an empty file, expected ", expected);
  const auto* const start = std::find_if(starts.begin(), starts.end(), [&](const Start& s) {
    return text.size() >= s.at && text.substr(s.at).starts_with(s.bytes);
  });
  if (start == starts.end()) fail_data(name, ": expected ", expected, ", found a file that begins otherwise");
  switch (start->kind) {
    case Kind::png:
      return {read_png(bytes, name)};
    case Kind::jpeg:
      return {read_jpeg(bytes, name)};
    case Kind::idx:
      return read_idx(bytes, name);
    case Kind::other:
      break;
  }
  fail_data(name, ": expected ", expected, ", found ", start->name);
}

}  // namespace mnist_recogniser
