// View<T>, ConstView<T> and LastingView<T>: a matrix that somebody else owns.
//
// Samples are columns: a batch is features x batch, column-major, so that one sample is contiguous and a batch is a
// block of columns. Columns may stand further apart than they are long (`outerStride()`), which lets buffers pad
// them to cache lines. Both types are Eigen maps: every Eigen expression works on them.
#pragma once

#include <type_traits>

#include <eigan/core/eigen.hpp>
#include <eigan/core/types.hpp>

namespace eigan {

/// An owning matrix, for a user's own data; the library's own memory is Buffer. It is Eigen's, whose allocation depends
/// on -march: translation units compiled for different processors must not hand a Matrix to each other, views they may.
template <class T>
using Matrix = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::ColMajor>;

namespace detail {
template <class T>
using ViewBase = Eigen::Map<Matrix<T>, Eigen::Unaligned, Eigen::OuterStride<>>;
template <class T>
using ConstViewBase = Eigen::Map<const Matrix<T>, Eigen::Unaligned, Eigen::OuterStride<>>;
}  // namespace detail

/// A writable features x batch matrix that does not own its memory. Copying the view copies the pointer;
/// assigning to it copies the elements, as Eigen's maps do.
template <class T>
class View : public detail::ViewBase<T> {
 public:
  using Base = detail::ViewBase<T>;  ///< Eigen's map

  /// Of nothing, until rebind().
  View() : Base(nullptr, 0, 0, Eigen::OuterStride<>(0)) {}
  /// Columns without gaps.
  View(T* data, Index rows, Index cols) : View(data, rows, cols, rows) {}
  /// Columns that begin `stride` elements apart.
  View(T* data, Index rows, Index cols, Index stride) : Base(data, rows, cols, Eigen::OuterStride<>(stride)) {}
  /// Of a whole matrix.
  // NOLINTNEXTLINE(google-explicit-constructor): a matrix is where a view is expected
  View(Matrix<T>& matrix) : View(matrix.data(), matrix.rows(), matrix.cols()) {}
  /// Of the same memory.
  View(const View&) = default;

  // What Eigen's macro for this would declare, had it been written for use outside of its namespace.
  using Base::operator=;
  /// Copies elements.
  View& operator=(const View& other) {
    Base::operator=(other);
    return *this;
  }
  template <class Other>
  View& operator=(const Eigen::DenseBase<Other>& other) {
    Base::operator=(other.derived());
    return *this;
  }

  /// Points the view elsewhere (assignment would copy elements).
  void rebind(const View& other) { new (this) View(other); }

  /// Columns [first, first + count) as a view.
  View columns(Index first, Index count) const {
    return View(const_cast<T*>(this->data()) + first * this->outerStride(), this->rows(), count, this->outerStride());
  }
};

/// A read-only features x batch matrix that does not own its memory.
template <class T>
class ConstView : public detail::ConstViewBase<T> {
 public:
  using Base = detail::ConstViewBase<T>;  ///< Eigen's map

  /// Of nothing, until rebind().
  ConstView() : Base(nullptr, 0, 0, Eigen::OuterStride<>(0)) {}
  /// Columns without gaps.
  ConstView(const T* data, Index rows, Index cols) : ConstView(data, rows, cols, rows) {}
  /// Columns that begin `stride` elements apart.
  ConstView(const T* data, Index rows, Index cols, Index stride)
      : Base(data, rows, cols, Eigen::OuterStride<>(stride)) {}
  // NOLINTBEGIN(google-explicit-constructor): reading needs no ceremony
  /// Of the same memory.
  ConstView(const View<T>& view) : ConstView(view.data(), view.rows(), view.cols(), view.outerStride()) {}
  /// Of a whole matrix.
  ConstView(const Matrix<T>& matrix) : ConstView(matrix.data(), matrix.rows(), matrix.cols()) {}
  // NOLINTEND(google-explicit-constructor)
  /// Of the same memory.
  ConstView(const ConstView&) = default;
  ConstView& operator=(const ConstView&) = delete;

  /// Points the view elsewhere.
  void rebind(const ConstView& other) { new (this) ConstView(other); }

  /// Columns [first, first + count) as a view.
  ConstView columns(Index first, Index count) const {
    return ConstView(this->data() + first * this->outerStride(), this->rows(), count, this->outerStride());
  }
};

/// A ConstView that is read again after the call that it is handed to, so a temporary matrix does not become one, not
/// even in braces: it would be gone by then.
template <class T>
class LastingView : public ConstView<T> {
 public:
  // NOLINTBEGIN(google-explicit-constructor): as for ConstView
  /// Of the same memory.
  LastingView(const ConstView<T>& view) : ConstView<T>(view) {}
  LastingView(const View<T>& view) : ConstView<T>(view) {}
  /// Of a whole matrix that somebody keeps.
  LastingView(const Matrix<T>& matrix) : ConstView<T>(matrix) {}
  LastingView(const Matrix<T>&&) = delete;
  /// An expression would become a temporary matrix.
  template <class Expression>
  LastingView(const Eigen::EigenBase<Expression>&) = delete;
  // NOLINTEND(google-explicit-constructor)
};

}  // namespace eigan
