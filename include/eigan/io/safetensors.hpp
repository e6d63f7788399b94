// SafetensorsFile: a strict reader of the safetensors format, the one in which eigan keeps models.
//
// Layout: the header's length N (u64, little-endian), N bytes of JSON, the data. The header maps each tensor's name to
// {"dtype", "shape", "data_offsets": [begin, end]}, offsets counting from the start of the data, and "__metadata__" to
// an object of strings. Elements are row-major and little-endian.
// A file may come from anybody: every number is checked before it is used, and the tensors must tile the data without
// hole, overlap or rest, so that no two readers see different things in one file. Values are not looked at: NaN is
// allowed. Reference: huggingface/safetensors.
#pragma once

#include <algorithm>
#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <map>
#include <numeric>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include <eigan/core/error.hpp>
#include <eigan/core/printable.hpp>
#include <eigan/io/dtype.hpp>
#include <eigan/io/foreign_file.hpp>
#include <eigan/io/read_file.hpp>
#include <eigan/io/safetensors_header.hpp>

namespace eigan {

static_assert(std::endian::native == std::endian::little, "the file formats are little-endian and read in place");

/// How large a header is believed. A tensor takes some 70 bytes in it, so this is room for 200000 of them.
inline constexpr std::size_t max_safetensors_header = std::size_t{16} << 20;

/// A file that was found to be valid, in memory.
class SafetensorsFile {
 public:
#if defined(EIGAN_HAS_FILES)
  /// Reads and checks a whole file. Error if it cannot be read or breaks a rule of the format.
  static SafetensorsFile read(const std::filesystem::path& path) {
    return SafetensorsFile(read_file(path), detail::display(path));
  }
#endif

  /// Checks a file that is in memory already. `name` opens every message.
  explicit SafetensorsFile(std::vector<std::byte> file, std::string name = "safetensors",
                           std::size_t max_header = max_safetensors_header)
      : file_(std::move(file)), name_(std::move(name)) {
    const std::string_view header = find_header(max_header);
    detail::SafetensorsHeader(header, name_, tensors_, metadata_);
    check_names();
    check_places();
  }

  /// In the order in which they lie in the file.
  const std::vector<TensorInfo>& tensors() const {
    return tensors_;
  }
  /// What the file says of itself.
  const std::map<std::string, std::string>& metadata() const {
    return metadata_;
  }
  /// What messages about this file begin with.
  const std::string& name() const {
    return name_;
  }

  /// The tensor of that name, or nullptr.
  const TensorInfo* find(std::string_view name) const {
    const auto before = [&](std::size_t i, std::string_view n) { return tensors_[i].name < n; };
    const auto it = std::lower_bound(by_name_.begin(), by_name_.end(), name, before);
    return it != by_name_.end() && tensors_[*it].name == name ? &tensors_[*it] : nullptr;
  }

  /// The tensor's elements as they lie in the file, not aligned.
  std::span<const std::byte> bytes(const TensorInfo& tensor) const {
    return data().subspan(static_cast<std::size_t>(tensor.begin), static_cast<std::size_t>(tensor.end - tensor.begin));
  }

  /// Converts the elements of an F64, F32, F16 or BF16 tensor, still row-major. Error for other dtypes;
  /// std::invalid_argument if `values` has another length than the tensor.
  template <std::floating_point T>
  void copy_to(const TensorInfo& tensor, std::span<T> values) const {
    if (!detail::is_floating(tensor.dtype))
      fail(tensor, ": expected dtype F64, F32, F16 or BF16, found ", tensor.type());
    const std::size_t count = bytes(tensor).size() / dtype_size(tensor.dtype);
    if (values.size() != count) {
      detail::fail_contract("SafetensorsFile: expected room for ", count, " elements of tensor '",
                            printable(tensor.name), "', found ", values.size());
    }
    convert_elements(tensor.dtype, bytes(tensor).data(), count, values.data());
  }

 private:
  std::span<const std::byte> data() const {
    return std::span(file_).subspan(data_offset_);
  }

  template <class... Parts>
  [[noreturn]] void fail(const TensorInfo& tensor, const Parts&... parts) const {
    detail::fail_data(name_, ": tensor '", printable(tensor.name), "'", parts...);
  }

  // Rule 1: the length is there, is sane, and fits the file.
  std::string_view find_header(std::size_t max_header) {
    std::uint64_t length = 0;
    if (file_.size() < sizeof length) {
      detail::fail_data(name_, ": at byte 0: expected 8 bytes with the header's length, found ", file_.size());
    }
    std::memcpy(&length, file_.data(), sizeof length);
    if (length > max_header) {
      const std::string is = detail::what_it_is(file_);
      detail::fail_data(name_, ": at byte 0: expected a header of at most ", max_header, " bytes, found a length of ",
                        length, is.empty() ? " (not a safetensors file?)" : is);
    }
    const std::size_t rest = file_.size() - sizeof length;
    if (length > rest) {
      detail::fail_data(name_, ": at byte 8: expected a header of ", length, " bytes, found the end of the file after ",
                        rest, detail::what_it_is(file_));
    }
    data_offset_ = sizeof length + static_cast<std::size_t>(length);
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): bytes are looked at as characters
    return {reinterpret_cast<const char*>(file_.data()) + sizeof length, static_cast<std::size_t>(length)};
  }

  // Rule 3: no name twice.
  void check_names() {
    sort_by_place();
    by_name_.resize(tensors_.size());
    std::iota(by_name_.begin(), by_name_.end(), std::size_t{0});
    const auto name_of = [&](std::size_t i) -> const std::string& { return tensors_[i].name; };
    std::sort(by_name_.begin(), by_name_.end(),
              [&](auto a, auto b) { return std::tie(name_of(a), a) < std::tie(name_of(b), b); });
    const auto same = [&](auto a, auto b) { return name_of(a) == name_of(b); };
    const auto twice = std::adjacent_find(by_name_.begin(), by_name_.end(), same);
    if (twice != by_name_.end()) fail(tensors_[*twice], ": expected once, found twice");
  }

  // As they lie in the file; of several in one place, which are empty, as the header has them. Mostly they come sorted.
  // Not std::stable_sort: libstdc++ 12's uses what it calls deprecated itself, which clang++ 22 reports to the user.
  void sort_by_place() {
    const auto place = [](const TensorInfo& t) { return std::pair(t.begin, t.end); };
    const auto before = [&](const TensorInfo& a, const TensorInfo& b) { return place(a) < place(b); };
    if (std::is_sorted(tensors_.begin(), tensors_.end(), before)) return;
    std::vector<std::size_t> order(tensors_.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::sort(order.begin(), order.end(),
              [&](auto a, auto b) { return std::pair(place(tensors_[a]), a) < std::pair(place(tensors_[b]), b); });
    std::vector<TensorInfo> sorted;
    sorted.reserve(tensors_.size());
    for (const std::size_t i : order) sorted.push_back(std::move(tensors_[i]));
    tensors_ = std::move(sorted);
  }

  // Rules 4 to 6: each tensor begins where the one before ends, has as many bytes as its shape says, and the last
  // one ends where the file does.
  void check_places() const {
    std::uint64_t expected = 0;
    for (const TensorInfo& tensor : tensors_) {
      if (tensor.begin > tensor.end) {
        fail(tensor, ": expected an end at or after offset ", tensor.begin, ", found ", tensor.end);
      }
      if (tensor.begin != expected) {
        fail(tensor, ": expected data from offset ", expected, ", found ", tensor.begin,
             tensor.begin < expected ? " (overlaps the tensor before)" : " (leaves a hole)");
      }
      std::uint64_t size = 0;
      if (!detail::checked_byte_size(tensor.dtype, tensor.shape, size)) {
        fail(tensor, ": expected extents of at most 2^48 and less than 2^64 bytes, found ", tensor.type(), " ",
             detail::shape_text(tensor.shape));
      }
      if (tensor.dtype != Dtype::other && size != tensor.end - tensor.begin) {
        fail(tensor, ": expected ", size, " bytes for ", tensor.type(), " ", detail::shape_text(tensor.shape),
             ", found ", tensor.end - tensor.begin);
      }
      expected = tensor.end;
    }
    if (expected != data().size()) {
      detail::fail_data(name_, ": expected ", expected, " bytes of data after the header, found ", data().size(),
                        expected > data().size() ? " (the file is cut short)" : " (something follows the tensors)");
    }
  }

  std::vector<std::byte> file_;
  std::string name_;
  std::size_t data_offset_ = 0;
  std::vector<TensorInfo> tensors_;   // by place
  std::vector<std::size_t> by_name_;  // indices into tensors_
  std::map<std::string, std::string> metadata_;
};

}  // namespace eigan
