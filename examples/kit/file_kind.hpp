// What a file is, by how it begins: so that a refusal can name what was found.
#pragma once

#include <cstdint>
#include <span>

namespace kit {

enum class FileFormat { png, jpeg, gzip, idx, other };

struct FileKind {
  FileFormat format = FileFormat::other;
  const char* name = "";  ///< "a PNG file", "a text file"
};

FileKind file_kind(std::span<const std::uint8_t> bytes);

}  // namespace kit
