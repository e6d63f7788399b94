// .npy files: batches written for NumPy, and a strict reader of arrays of numbers: floating-point, half precision
// included, integers and bool, in either order of bytes and of elements, of any number of dimensions. What lies where
// is in io/npy_header.hpp.
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <limits>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <eigan/core/error.hpp>
#include <eigan/core/view.hpp>
#include <eigan/io/atomic_file.hpp>
#include <eigan/io/dtype.hpp>
#include <eigan/io/npy_header.hpp>
#include <eigan/io/read_file.hpp>

namespace eigan {

/// What a .npy file held.
struct NpyArray {
  Dtype dtype{};                     ///< of the elements
  std::vector<std::uint64_t> shape;  ///< the extents; none for a single number
  std::vector<std::byte> data;       ///< the elements in C order, little-endian: the last index runs fastest

  /// How many there are.
  std::size_t size() const { return data.size() / dtype_size(dtype); }
  /// The elements as float or double, in C order.
  template <std::floating_point T>
  std::vector<T> values() const {
    std::vector<T> result(size());
    convert_elements(dtype, data.data(), result.size(), result.data());
    return result;
  }
  /// The elements as integers, such as labels. Error if they are no integers, or one does not fit in T.
  template <std::integral T>
  std::vector<T> values() const {
    std::vector<T> result(size());
    convert_integers(dtype, data.data(), result.size(), result.data());
    return result;
  }
  /// The first index counts samples: each becomes a column, the rest of its elements below each other.
  template <std::floating_point T>
  Matrix<T> samples() const {
    const auto count = static_cast<Index>(shape.empty() ? 1 : shape[0]);
    Matrix<T> columns(count == 0 ? 0 : static_cast<Index>(size()) / count, count);
    convert_elements(dtype, data.data(), size(), columns.data());
    return columns;
  }
};

namespace detail {

/// Turns the bytes of each element round.
inline void swap_bytes(std::span<std::byte> data, std::size_t size) {
  for (std::size_t i = 0; i + size <= data.size() && size > 1; i += size)
    std::reverse(data.begin() + static_cast<std::ptrdiff_t>(i), data.begin() + static_cast<std::ptrdiff_t>(i + size));
}

/// Elements of which the first index runs fastest, in C order.
inline std::vector<std::byte> to_c_order(const NpyHeader& header, std::span<const std::byte> fortran) {
  std::vector<std::byte> data(fortran.size());
  const std::size_t size = dtype_size(header.dtype), rank = header.shape.size();
  std::vector<std::uint64_t> index(rank, 0), stride(rank, size);
  for (std::size_t i = 1; i < rank; ++i) stride[i] = stride[i - 1] * header.shape[i - 1];
  std::uint64_t from = 0;
  for (std::size_t to = 0; to < data.size(); to += size) {
    std::memcpy(data.data() + to, fortran.data() + from, size);
    for (std::size_t i = rank; i-- > 0;) {  // counts on, the last index first
      from += stride[i];
      if (++index[i] < header.shape[i]) break;
      from -= stride[i] * index[i];
      index[i] = 0;
    }
  }
  return data;
}

/// An array of a whole file, whose memory becomes the array's.
inline NpyArray npy_array(std::vector<std::byte> file, const std::string& name) {
  NpyHeader header = read_npy_header(file, name);
  file.erase(file.begin(), file.begin() + static_cast<std::ptrdiff_t>(header.data));
  if (header.big_endian) swap_bytes(file, dtype_size(header.dtype));
  if (header.fortran_order && header.shape.size() > 1) file = to_c_order(header, file);
  return {header.dtype, std::move(header.shape), std::move(file)};
}

}  // namespace detail

/// Writes a batch as an array of shape (samples, features): samples are columns here and rows in NumPy, and the bytes
/// are the same. float becomes <f4, double <f8. Error if the file cannot be written.
template <class T>
void write_npy(const std::filesystem::path& path, ConstView<T> samples) {
  AtomicFile file(path);
  file.write(detail::npy_header<T>(samples.cols(), samples.rows()));
  const Matrix<T> dense = samples;  // without gaps between the columns
  file.write(std::as_bytes(std::span(dense.data(), static_cast<std::size_t>(dense.size()))));
  file.commit();
}

/// Checks and unpacks a .npy file in memory. Error, with messages that `name` opens, for anything else.
inline NpyArray parse_npy(std::span<const std::byte> file, const std::string& name = "npy") {
  detail::read_npy_header(file, name);  // before the file is copied
  return detail::npy_array({file.begin(), file.end()}, name);
}

/// Reads a .npy file; it is in memory once, twice for a moment where its order is Fortran's. Error if it cannot be read
/// or is not one that parse_npy takes.
inline NpyArray read_npy(const std::filesystem::path& path) {
  return detail::npy_array(read_file(path), detail::display(path));
}

}  // namespace eigan
