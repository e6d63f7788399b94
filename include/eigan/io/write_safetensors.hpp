// write_safetensors: the format's writer, byte for byte like the reference's: tensors sorted by falling alignment, then
// by name; a compact header, metadata first, filled with spaces to a multiple of 8 so that every element is aligned.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <eigan/io/atomic_file.hpp>
#include <eigan/io/safetensors.hpp>

namespace eigan {

/// A tensor to be written: its bytes are row-major and little-endian and belong to somebody else.
struct TensorView {
  std::string name;                  ///< valid UTF-8, unique
  Dtype dtype;                       ///< of its elements
  std::vector<std::uint64_t> shape;  ///< outermost extent first
  std::span<const std::byte> data;   ///< all elements
  std::string other = {};            ///< the name of a dtype that is none of eigan's
};

namespace detail {

/// Sorts the tensors as they are to be stored and returns what comes before their data.
inline std::string safetensors_header(std::vector<TensorView>& tensors,
                                      const std::map<std::string, std::string>& metadata) {
  const auto check_text = [](std::string_view text) {
    if (find_invalid_utf8(text) == std::string_view::npos) return;
    fail_contract("write_safetensors: expected text in UTF-8, found '", printable(text), "'");
  };
  std::sort(tensors.begin(), tensors.end(), [](const TensorView& a, const TensorView& b) {
    return a.dtype != b.dtype ? a.dtype > b.dtype : a.name < b.name;
  });

  std::string json = "{";
  if (!metadata.empty()) {
    json += "\"__metadata__\":{";
    for (const auto& [key, value] : metadata) {
      check_text(key), check_text(value);
      append_json_string(json, key);
      json += ':';
      append_json_string(json, value);
      json += ',';
    }
    json.back() = '}';
    json += ',';
  }
  std::uint64_t begin = 0;
  std::set<std::string_view> names{"__metadata__"};
  for (const TensorView& tensor : tensors) {
    check_text(tensor.name);
    if (!names.insert(tensor.name).second) {
      fail_contract("write_safetensors: expected names that are not taken, found '", printable(tensor.name), "'");
    }
    std::uint64_t size = 0;
    const bool known = tensor.dtype != Dtype::other;
    if (!checked_byte_size(tensor.dtype, tensor.shape, size) || (known && size != tensor.data.size())) {
      fail_contract("write_safetensors: tensor '", printable(tensor.name), "': expected the bytes of ",
                    dtype_name(tensor.dtype), " ", shape_text(tensor.shape), ", found ", tensor.data.size());
    }
    append_json_string(json, tensor.name);
    const std::string_view dtype = known ? dtype_name(tensor.dtype) : std::string_view(tensor.other);
    json.append(":{\"dtype\":\"").append(dtype).append("\",\"shape\":[");
    for (const std::uint64_t extent : tensor.shape) json.append(std::to_string(extent)).append(",");
    if (!tensor.shape.empty()) json.pop_back();
    json.append("],\"data_offsets\":[").append(std::to_string(begin)).append(",");
    begin += tensor.data.size();
    json.append(std::to_string(begin)).append("]},");
  }
  if (json.back() == ',') json.pop_back();
  json += '}';
  json.resize((json.size() + 7) / 8 * 8, ' ');

  if (json.size() > max_safetensors_header) {
    fail_contract("write_safetensors: expected a header of at most ", max_safetensors_header, " bytes, found ",
                  json.size());
  }
  const std::uint64_t length = json.size();
  std::string header(sizeof length, '\0');
  std::memcpy(header.data(), &length, sizeof length);
  return header + json;
}

}  // namespace detail

/// The bytes of a file of these tensors. std::invalid_argument if they would not be a valid file: a name twice, a shape
/// that does not match the bytes, text that is not UTF-8.
inline std::vector<std::byte> safetensors_bytes(std::vector<TensorView> tensors,
                                                const std::map<std::string, std::string>& metadata = {}) {
  const std::string header = detail::safetensors_header(tensors, metadata);
  const auto start = std::as_bytes(std::span(header));
  std::vector<std::byte> bytes(start.begin(), start.end());
  for (const TensorView& tensor : tensors) bytes.insert(bytes.end(), tensor.data.begin(), tensor.data.end());
  return bytes;
}

#if defined(EIGAN_HAS_FILES)
/// Writes the tensors atomically; `keep` as in AtomicFile::commit. Error if the file cannot be written;
/// std::invalid_argument as from safetensors_bytes.
inline void write_safetensors(const std::filesystem::path& path, std::vector<TensorView> tensors,
                              const std::map<std::string, std::string>& metadata = {},
                              const std::filesystem::path& keep = {}) {
  const std::string header = detail::safetensors_header(tensors, metadata);
  AtomicFile file(path);
  file.write(header);
  for (const TensorView& tensor : tensors) file.write(tensor.data);
  file.commit(keep);
}
#endif

}  // namespace eigan
