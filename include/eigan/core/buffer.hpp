// Buffer<T>: the one owner of memory in eigan. 64-byte aligned, padded to whole cache lines, zeroed, move-only.
// It is a contiguous range, which std::span accepts as it is.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <new>
#include <span>
#include <type_traits>
#include <utility>

#include <eigan/core/checked.hpp>
#include <eigan/core/error.hpp>
#include <eigan/core/types.hpp>
#include <eigan/core/view.hpp>

namespace eigan {

/// A cache line, and the widest vector register.
inline constexpr std::size_t buffer_alignment = 64;

/// `size` numbers, zero at first. To copy them is a word of its own, clone(), because it allocates.
template <class T>
class Buffer {
  static_assert(std::is_trivially_copyable_v<T> && buffer_alignment % sizeof(T) == 0);

 public:
  /// Of no elements.
  Buffer() = default;
  /// Throws std::bad_alloc, or std::bad_array_new_length for a size that cannot be.
  explicit Buffer(Index size) : data_(allocate(size)), size_(size) { zero(); }

  /// Leaves `other` empty.
  Buffer(Buffer&& other) noexcept : data_(std::move(other.data_)), size_(std::exchange(other.size_, 0)) {}
  /// Leaves `other` empty.
  Buffer& operator=(Buffer&& other) noexcept {
    data_ = std::move(other.data_);
    size_ = std::exchange(other.size_, 0);
    return *this;
  }

  /// A deep copy.
  Buffer clone() const {
    Buffer copy(size_);
    std::copy_n(data(), size_, copy.data());
    return copy;
  }

  /// The first element, on a cache line; null if there is none.
  T* data() { return data_.get(); }
  const T* data() const { return data_.get(); }
  /// Elements, padding not counted.
  Index size() const { return size_; }

  /// The first element.
  T* begin() { return data(); }
  /// Behind the last element.
  T* end() { return data() + size_; }
  /// The first element.
  const T* begin() const { return data(); }
  /// Behind the last element.
  const T* end() const { return data() + size_; }
  /// Element i, not checked.
  T& operator[](Index i) { return data()[i]; }
  const T& operator[](Index i) const { return data()[i]; }

  /// Sets all elements to 0.
  void zero() { std::fill_n(data(), padded(size_), T(0)); }

 private:
  struct Free {
    void operator()(T* p) const { ::operator delete(p, std::align_val_t(buffer_alignment)); }
  };

  static Index padded(Index size) {
    constexpr Index line = static_cast<Index>(buffer_alignment / sizeof(T));
    return (size + line - 1) / line * line;
  }
  static T* allocate(Index size) {
    if (size == 0) return nullptr;
    Index with_padding = 0, bytes = 0;
    if (size < 0 || !checked_add(size, static_cast<Index>(buffer_alignment), with_padding) ||
        !checked_mul(with_padding, static_cast<Index>(sizeof(T)), bytes))
      detail::raise(std::bad_array_new_length());
    return static_cast<T*>(
        ::operator new(static_cast<std::size_t>(padded(size)) * sizeof(T), std::align_val_t(buffer_alignment)));
  }

  std::unique_ptr<T[], Free> data_;
  Index size_ = 0;
};

/// The distance between columns of `rows` elements that starts every column on a cache line and spreads
/// neighbouring columns over all cache sets (an odd number of lines: powers of two would share a few sets).
template <class T>
constexpr Index padded_stride(Index rows) {
  constexpr Index line = static_cast<Index>(buffer_alignment / sizeof(T));
  const Index lines = (rows + line - 1) / line;
  return (lines | 1) * line;
}

/// A matrix in a Buffer of its own, with padded columns.
template <class T>
class BufferMatrix {
 public:
  /// 0 x 0.
  BufferMatrix() = default;
  /// Zeros. Throws as Buffer does.
  BufferMatrix(Index rows, Index cols) : buffer_(size(rows, cols)), rows_(rows), cols_(cols) {}

  /// The whole matrix; its columns are padded_stride apart.
  View<T> view() { return {buffer_.data(), rows_, cols_, padded_stride<T>(rows_)}; }
  ConstView<T> view() const { return {buffer_.data(), rows_, cols_, padded_stride<T>(rows_)}; }
  /// Elements of a column.
  Index rows() const { return rows_; }
  /// Columns.
  Index cols() const { return cols_; }

 private:
  static Index size(Index rows, Index cols) {
    Index with_padding = 0, size = 0;
    if (rows < 0 || cols < 0 || !checked_add(rows, static_cast<Index>(2 * buffer_alignment), with_padding) ||
        !checked_mul(padded_stride<T>(rows), cols, size))
      detail::raise(std::bad_array_new_length());
    return size;
  }

  Buffer<T> buffer_;
  Index rows_ = 0;
  Index cols_ = 0;
};

}  // namespace eigan
