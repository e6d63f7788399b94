// IDX files that may be gzip: their content says which, never their name. Needs zlib, as gzip.hpp does.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include <eigan/data/byte_source.hpp>
#include <eigan/data/gzip.hpp>
#include <eigan/data/idx.hpp>

namespace eigan {

/// The images in an IDX file, plain or gzip. Throws Error when it cannot be read or is not exactly that.
inline IdxImages load_idx_images(const std::filesystem::path& path) {
  FileSource file(path);
  GunzipSource bytes(file);
  return read_idx_images(bytes);
}

/// The labels in an IDX file, plain or gzip. Throws Error as load_idx_images does.
inline std::vector<std::uint8_t> load_idx_labels(const std::filesystem::path& path) {
  FileSource file(path);
  GunzipSource bytes(file);
  return read_idx_labels(bytes);
}

}  // namespace eigan
