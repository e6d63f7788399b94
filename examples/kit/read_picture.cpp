#include "read_picture.hpp"

#include <utility>

#include <eigan/core/error.hpp>
#include <eigan/io/read_file.hpp>

#include "file_kind.hpp"
#include "picture_file.hpp"

namespace kit {
namespace {

constexpr std::uint64_t max_bytes = std::uint64_t{1} << 30;

/// The last channel, opacity, is used up.
Picture on_a_ground(const Picture& picture, int ground) {
  const Index channels = picture.channels - 1;
  Picture out{picture.height, picture.width, channels, {}};
  out.bytes.reserve(static_cast<std::size_t>(picture.height * picture.width * channels));
  for (Index row = 0; row < picture.height; ++row)
    for (Index col = 0; col < picture.width; ++col)
      for (Index channel = 0; channel < channels; ++channel)
        out.bytes.push_back(composed(picture.at(row, col, channel), picture.at(row, col, channels), ground));
  return out;
}

}  // namespace

Picture read_picture(const std::filesystem::path& path, const PictureOptions& options) {
  return parse_picture(eigan::read_file(path, max_bytes), eigan::detail::display(path), options);
}

Picture parse_picture(std::span<const std::byte> file, const std::string& name, const PictureOptions& options) {
  if (options.channels != 1 && options.channels != 3) {
    eigan::detail::fail_contract("parse_picture: ", options.channels, " channels, expected 1 or 3");
  }
  const std::span<const std::uint8_t> bytes(reinterpret_cast<const std::uint8_t*>(file.data()), file.size());
  const FileKind found = file_kind(bytes);
  const int channels = static_cast<int>(options.channels) + 1;
  if (found.format == FileFormat::png) return on_a_ground(decode_png(bytes, name, channels), options.ground);
  if (found.format == FileFormat::jpeg) return on_a_ground(decode_jpeg(bytes, name, channels), options.ground);
  eigan::detail::fail_data(name, ": expected a PNG or JPEG picture, found ", found.name);
}

}  // namespace kit
