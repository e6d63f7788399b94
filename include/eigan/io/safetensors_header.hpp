// The header of a safetensors file taken apart: rules 2 and 3 of the format, UTF-8, JSON, and each value of its type.
// Where the tensors lie is not looked at here; SafetensorsFile (io/safetensors.hpp) checks that.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <eigan/core/error.hpp>
#include <eigan/core/printable.hpp>
#include <eigan/io/dtype.hpp>
#include <eigan/io/json_reader.hpp>

namespace eigan {

/// Where one tensor lies in a safetensors file.
struct TensorInfo {
  std::string name;                  ///< unique in the file
  Dtype dtype{};                     ///< of its elements
  std::vector<std::uint64_t> shape;  ///< outermost extent first; empty for a single value
  std::uint64_t begin = 0;           ///< offset of the first byte in the data section
  std::uint64_t end = 0;             ///< one past the last
  std::string other = {};            ///< what the file calls a dtype that is none of eigan's

  /// "F32"; the file's own word for a dtype that is none of eigan's.
  std::string_view type() const { return dtype == Dtype::other ? std::string_view(other) : dtype_name(dtype); }
  /// All members are equal.
  bool operator==(const TensorInfo&) const = default;
};

namespace detail {

/// Reads one header into the tensors and the metadata; `name` opens every message.
class SafetensorsHeader {
 public:
  SafetensorsHeader(std::string_view text, const std::string& name, std::vector<TensorInfo>& tensors,
                    std::map<std::string, std::string>& metadata)
      : name_(name), json_(text, name, first), tensors_(tensors), metadata_(metadata) {
    if (const std::size_t at = find_invalid_utf8(text); at != std::string_view::npos)
      fail_data(name_, ": at byte ", first + at, ": expected a header in UTF-8, found an invalid byte");
    bool has_metadata = false;
    json_.object([&](std::string key) {
      if (key != "__metadata__") return tensor(std::move(key));
      if (std::exchange(has_metadata, true)) fail_data(name_, ": expected '__metadata__' once, found it twice");
      json_.object([&](std::string entry) { metadatum(std::move(entry)); });
    });
    json_.end();
  }

 private:
  static constexpr std::size_t first = sizeof(std::uint64_t);  // where the header begins
  static constexpr std::size_t longest_dtype = 15;

  template <class... Parts>
  [[noreturn]] void fail(const TensorInfo& tensor, const Parts&... parts) const {
    fail_data(name_, ": tensor '", printable(tensor.name), "'", parts...);
  }

  void metadatum(std::string key) {
    const auto [entry, added] = metadata_.try_emplace(std::move(key));
    if (!added) fail_data(name_, ": metadata '", printable(entry->first), "': expected once, found twice");
    entry->second = json_.string();
  }

  void tensor(std::string name) {
    TensorInfo& tensor = tensors_.emplace_back();
    tensor.name = std::move(name);
    bool has_dtype = false, has_shape = false, has_offsets = false;
    const auto once = [&](bool& seen, const char* field) {
      if (std::exchange(seen, true)) fail(tensor, ": expected '", field, "' once, found it twice");
    };
    json_.object([&](const std::string& field) {
      if (field == "dtype") {
        once(has_dtype, "dtype");
        dtype(tensor, json_.string());
      } else if (field == "shape") {
        once(has_shape, "shape");
        json_.array([&] { tensor.shape.push_back(json_.unsigned_integer()); });
      } else if (field == "data_offsets") {
        once(has_offsets, "data_offsets");
        std::vector<std::uint64_t> offsets;
        json_.array([&] { offsets.push_back(json_.unsigned_integer()); });
        if (offsets.size() != 2) fail(tensor, ": expected 2 numbers in 'data_offsets', found ", offsets.size());
        tensor.begin = offsets[0];
        tensor.end = offsets[1];
      } else {
        fail(tensor, ": expected only 'dtype', 'shape' and 'data_offsets', found '", printable(field), "'");
      }
    });
    const auto require = [&](bool seen, const char* field) {
      if (!seen) fail(tensor, ": expected '", field, "', found none");
    };
    require(has_dtype, "dtype");
    require(has_shape, "shape");
    require(has_offsets, "data_offsets");
  }

  // A dtype that is not eigan's is no fault of the file: only a reader of that tensor is refused.
  void dtype(TensorInfo& tensor, std::string text) const {
    const auto known =
        std::find_if(dtypes.begin() + 1, dtypes.end(), [&](const auto& info) { return info.name == text; });
    if (known != dtypes.end()) {
      tensor.dtype = known->dtype;
      return;
    }
    const auto among = [](char c) { return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_'; };
    if (text.empty() || text.size() > longest_dtype || !std::all_of(text.begin(), text.end(), among))
      fail(tensor, ": expected a dtype such as F32, found '", printable(text), "'");
    tensor.other = std::move(text);
  }

  const std::string& name_;
  JsonReader json_;
  std::vector<TensorInfo>& tensors_;
  std::map<std::string, std::string>& metadata_;
};

}  // namespace detail
}  // namespace eigan
