// A model in several safetensors files, and the index that says which tensor is in which, as Hugging Face's libraries
// write them:    {"metadata": {"total_size": 8}, "weight_map": {"0.weight": "model-00001-of-00002.safetensors", ...}}
// The files lie beside the index.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <eigan/core/error.hpp>
#include <eigan/core/printable.hpp>
#include <eigan/io/json_reader.hpp>
#include <eigan/io/read_file.hpp>
#include <eigan/io/safetensors.hpp>
#if defined(EIGAN_HAS_FILES)
#include <filesystem>
#endif

namespace eigan {
namespace detail {

/// Whether a file is an index: as a safetensors file its header would be longer than any.
inline bool is_index(std::span<const std::byte> file) {
  std::uint64_t length = 0;
  if (file.size() < sizeof length || file[0] != std::byte{'{'}) return false;
  std::memcpy(&length, file.data(), sizeof length);
  return length > max_safetensors_header;
}

/// Which tensor is in which file. Error, with messages that `name` opens, for what is no index.
inline std::map<std::string, std::string> read_index(std::string_view text, const std::string& name) {
  if (const std::size_t at = find_invalid_utf8(text); at != std::string_view::npos)
    fail_data(name, ": at byte ", at, ": expected an index in UTF-8, found an invalid byte");
  std::map<std::string, std::string> files;
  JsonReader json(text, name);
  bool found = false;
  json.object([&](const std::string& key) {
    if (key == "metadata") return json.object([&](const std::string&) { json.skip_scalar(); });
    if (key != "weight_map" || std::exchange(found, true))
      fail_data(name, ": expected 'metadata' and one 'weight_map', found '", printable(key), "'");
    json.object([&](std::string tensor) {
      const auto [entry, added] = files.try_emplace(std::move(tensor), json.string());
      if (!added) fail_data(name, ": tensor '", printable(entry->first), "': expected once, found twice");
      const std::string& file = entry->second;
      if (file.empty() || file == "." || file == ".." || file.find_first_of("/\\") != std::string::npos)
        fail_data(name, ": tensor '", printable(entry->first),
                  "': expected the name of a file beside the index, found '", printable(file), "'");
    });
  });
  json.end();
  if (files.empty()) fail_data(name, ": expected a 'weight_map' of tensors and their files, found none");
  return files;
}

}  // namespace detail

#if defined(EIGAN_HAS_FILES)
/// The safetensors file at `path`, or all files of the model whose index is there. Error if one cannot be read, or
/// lacks a tensor that the index says it has.
inline std::vector<SafetensorsFile> read_model_files(const std::filesystem::path& path) {
  std::vector<SafetensorsFile> parts;
  std::vector<std::byte> bytes = read_file(path);
  const std::string name = detail::display(path);
  if (!detail::is_index(bytes)) {
    parts.emplace_back(std::move(bytes), name);
    return parts;
  }
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): bytes are looked at as characters
  const auto index = detail::read_index({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, name);
  std::map<std::string, std::size_t> places;
  for (const auto& [tensor, file] : index) {
    const auto [place, added] = places.try_emplace(file, parts.size());
    if (added) parts.push_back(SafetensorsFile::read(path.parent_path() / file));
    if (parts[place->second].find(tensor) == nullptr)
      detail::fail_data(parts[place->second].name(), ": expected tensor '", printable(tensor), "', as ", name,
                        " says, found none of that name");
  }
  return parts;
}
#endif

}  // namespace eigan
