#include "file_kind.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>

namespace kit {
namespace {

/// How files of a kind begin.
struct Start {
  std::string_view bytes;
  std::size_t at;
  FileKind kind;
};

using namespace std::string_view_literals;
constexpr FileKind other(const char* name) {
  return {FileFormat::other, name};
}
constexpr std::array starts{
    Start{"\x89PNG\r\n\x1A\n"sv, 0, {FileFormat::png, "a PNG file"}},
    Start{"\xFF\xD8\xFF"sv, 0, {FileFormat::jpeg, "a JPEG file"}},
    Start{"\x1F\x8B"sv, 0, {FileFormat::gzip, "a gzip file"}},
    Start{"GIF8"sv, 0, other("a GIF file")},
    Start{"BM"sv, 0, other("a BMP file")},
    Start{"WEBP"sv, 8, other("a WebP file")},
    Start{"II*\0"sv, 0, other("a TIFF file")},
    Start{"MM\0*"sv, 0, other("a TIFF file")},
    Start{"ftypheic"sv, 4, other("a HEIC file")},
    Start{"ftypmif1"sv, 4, other("a HEIF file")},
    Start{"ftypavif"sv, 4, other("an AVIF file")},
    Start{"%PDF"sv, 0, other("a PDF file")},
    Start{"<svg"sv, 0, other("an SVG file")},
    Start{"<?xml"sv, 0, other("an XML file, perhaps SVG")},
    Start{"PK\x03\x04"sv, 0, other("a ZIP archive")},
    Start{"\x93NUMPY"sv, 0, other("a NumPy file")},
    Start{"P2"sv, 0, other("a PGM file")},
    Start{"P5"sv, 0, other("a PGM file")},
    Start{"P6"sv, 0, other("a PPM file")},
    Start{"\0\0"sv, 0, {FileFormat::idx, "an IDX file"}},
};

bool is_text(std::span<const std::uint8_t> bytes) {
  constexpr std::size_t enough = 256;
  return std::ranges::all_of(bytes.first(std::min(bytes.size(), enough)), [](std::uint8_t byte) {
    return byte >= 0x80 || (byte >= 0x20 && byte != 0x7F) || byte == '\n' || byte == '\r' || byte == '\t';
  });
}

}  // namespace

FileKind file_kind(std::span<const std::uint8_t> bytes) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (bytes.empty()) return other("an empty file");
  const auto* const start = std::find_if(starts.begin(), starts.end(), [&](const Start& s) {
    return text.size() >= s.at && text.substr(s.at).starts_with(s.bytes);
  });
  if (start != starts.end()) return start->kind;
  return other(is_text(bytes) ? "a text file" : "a file that begins otherwise");
}

}  // namespace kit
