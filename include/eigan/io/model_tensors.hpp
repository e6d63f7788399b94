// Tensors of a model as files hold them: PyTorch's names, extents and order of elements, int64 for counts. What a file
// has goes through here on its way to the model's buffers: all of it is checked and converted before anything changes.
#pragma once

#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <eigan/core/checked.hpp>
#include <eigan/core/error.hpp>
#include <eigan/core/parameter.hpp>
#include <eigan/core/printable.hpp>
#include <eigan/io/dtype.hpp>
#include <eigan/io/safetensors.hpp>

namespace eigan {

/// What save() and load() need of a model: `params()` is its flat parameter buffer, `parameters()` tells what lies
/// where in it, and `architecture()` is a text that is equal, but for the sizes of inputs, exactly for models that can
/// exchange parameters. What no optimiser changes may lie in a buffer of its own, `state()`, of which `states()` tells.
template <class M>
concept SavableModel = requires(const M& model) {
  std::span(model.params());
  { model.parameters() } -> std::convertible_to<std::vector<Parameter>>;
  { model.architecture() } -> std::convertible_to<std::string>;
};

namespace detail {

/// What two architectures must have in common to exchange parameters: all but the heights and widths of inputs, since
/// the same weights serve any, and but a single Input in front, which need not have been written where the shape of a
/// sample was given to the model alone.
inline std::string without_input_sizes(std::string text) {
  for (std::size_t at = text.find("Input("); at != std::string::npos; at = text.find("Input(", at + 1)) {
    if (at > 0 && text[at - 1] != ' ' && text[at - 1] != '(') continue;  // the end of another name
    const std::size_t sizes = text.find(", height=", at), end = text.find(')', at);
    if (end != std::string::npos && sizes < end) text.erase(sizes, end - sizes);
  }
  const std::size_t end = text.find("), ");
  if (text.starts_with("Input(") && end != std::string::npos) text.erase(0, end + 3);
  return text;
}
inline bool same_architecture(const std::string& a, const std::string& b) {
  return a == b || without_input_sizes(a) == without_input_sizes(b);
}

/// One tensor and the buffer in which it lies; of a `const` T it is only read.
template <class T>
struct ModelTensor {
  Parameter place;
  std::span<T> buffer;

  T* data() const { return buffer.data() + place.offset; }
};

template <class M>
using ModelScalar = std::remove_const_t<typename decltype(std::span(std::declval<M&>().params()))::element_type>;

/// All tensors of a model, those of its state last.
template <class M>
auto tensors_of(M& model) {
  using T = typename decltype(std::span(model.params()))::element_type;
  std::vector<ModelTensor<T>> all;
  for (Parameter& p : model.parameters()) all.push_back({std::move(p), std::span(model.params())});
  if constexpr (requires { model.state(), model.states(); })
    for (Parameter& p : model.states()) all.push_back({std::move(p), std::span(model.state())});
  return all;
}

/// Whether each element of `p` lies inside a buffer of that size, and the extents in a file have as many.
inline bool lies_inside(const Parameter& p, std::size_t buffer_size) {
  Index size = 0, end = 0, in_file = 1, last = 0;
  if (p.rank < 0 || p.rank > 2 || (p.rank < 2 && p.cols != 1) || (p.rank < 1 && p.rows != 1)) return false;
  if (p.rows < 0 || p.cols < 0 || p.offset < 0 || !checked_mul(p.rows, p.cols, size) ||
      !checked_add(p.offset, size, end) || end > static_cast<Index>(buffer_size))
    return false;
  if (p.shape.empty() || size == 0) return true;
  if (p.shape.size() != p.strides.size()) return false;
  for (std::size_t i = 0; i < p.shape.size(); ++i) {
    Index reach = 0;
    if (p.shape[i] < 1 || p.strides[i] < 0 || !checked_mul(in_file, p.shape[i], in_file) ||
        !checked_mul(p.shape[i] - 1, p.strides[i], reach) || !checked_add(last, reach, last))
      return false;
  }
  return in_file == size && last < size;
}

/// The tensor's extents in a file. std::invalid_argument if it does not lie inside a buffer of `buffer_size`.
inline std::vector<std::uint64_t> file_shape(const Parameter& p, std::size_t buffer_size) {
  if (!lies_inside(p, buffer_size))
    fail_contract("parameter '", printable(p.name), "': expected a number, vector or matrix inside ", buffer_size,
                  " elements, found rank ", p.rank, ", ", p.rows, " x ", p.cols, " at ", p.offset);
  std::vector<std::uint64_t> shape;
  for (const Index extent : p.file_shape()) shape.push_back(static_cast<std::uint64_t>(extent));
  return shape;
}

/// The dtype in which eigan writes it.
template <class T>
Dtype file_dtype(const Parameter& p) {
  return p.integer ? Dtype::i64 : dtype_of<std::remove_const_t<T>>;
}

/// Counts are numbers from 0 to 2^53, which double holds.
inline constexpr std::int64_t largest_count = std::int64_t{1} << 53;

/// The tensor's bytes in a file.
template <class T>
std::vector<std::byte> file_bytes(const ModelTensor<T>& tensor) {
  const Parameter& p = tensor.place;
  const std::size_t size = dtype_size(file_dtype<T>(p));
  std::vector<std::byte> bytes(static_cast<std::size_t>(p.size()) * size);
  std::byte* to = bytes.data();
  p.for_each_in_file_order([&](Index place) {
    const auto value = tensor.data()[place];
    if (p.integer) {
      if (!(value >= 0 && value <= static_cast<std::remove_const_t<T>>(largest_count)))
        fail_contract("tensor '", printable(p.name), "': expected a count, found ", value);
      const auto count = static_cast<std::int64_t>(value);
      std::memcpy(to, &count, size);
    } else {
      std::memcpy(to, &value, size);
    }
    to += size;
  });
  return bytes;
}

/// The numbers of a file's tensor as they will lie in the buffer. Error for a dtype that cannot be theirs, and for what
/// is no count where one is wanted.
template <class T>
std::vector<T> file_values(const SafetensorsFile& file, const TensorInfo& tensor, const Parameter& p) {
  const auto fail = [&](const auto&... parts) {
    fail_data(file.name(), ": tensor '", printable(tensor.name), "': expected ", parts...);
  };
  std::vector<T> in_file(static_cast<std::size_t>(p.size()));
  if (!p.integer) {
    if (!is_floating(tensor.dtype)) fail("dtype F64, F32, F16 or BF16, found ", tensor.type());
    file.copy_to(tensor, std::span(in_file));
  } else {
    if (tensor.dtype != Dtype::i64) fail("dtype I64, found ", tensor.type());
    for (std::size_t i = 0; i < in_file.size(); ++i) {
      std::int64_t count = 0;
      std::memcpy(&count, file.bytes(tensor).data() + i * sizeof count, sizeof count);
      if (count < 0 || count > largest_count) fail("a count from 0 to ", largest_count, ", found ", count);
      in_file[i] = static_cast<T>(count);
    }
  }
  std::vector<T> in_buffer(in_file.size());
  const T* from = in_file.data();
  p.for_each_in_file_order([&](Index place) { in_buffer[static_cast<std::size_t>(place)] = *from++; });
  return in_buffer;
}

}  // namespace detail
}  // namespace eigan
