// View<T>, ConstView<T> and LastingView<T>: a matrix that somebody else owns.
//
// Samples are columns: a batch is features x batch, column-major, so that one sample is contiguous and a batch is a
// block of columns. Columns may stand further apart than they are long (`outerStride()`), which lets buffers pad
// them to cache lines. Both types are Eigen maps: every Eigen expression works on them.
#pragma once

#include <cstdint>
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

template <class D>
void of_dense(const Eigen::DenseBase<D>&);
template <class D>
void of_plain(const Eigen::PlainObjectBase<D>&);

/// Any matrix, array or expression of Eigen's.
template <class E>
concept EigenExpression = requires(const E& e) {
  of_dense(e);
};
/// Lies in memory as a view wants it: numbers of T, each column without gaps. A vector of any kind but one that skips.
template <class E, class T>
concept InMemory = EigenExpression<E> && std::is_same_v<typename E::Scalar, T> &&
                   ((E::Flags & Eigen::DirectAccessBit) != 0) &&
                   (E::RowsAtCompileTime == 1 ||
                    (E::InnerStrideAtCompileTime == 1 && (!E::IsRowMajor || E::ColsAtCompileTime == 1)));
/// Is gone with its memory, unlike a block or a map.
template <class E>
concept OwnsMemory = requires(const E& e) {
  of_plain(e);
};
/// The distance between columns.
template <class E>
Index stride_of(const E& e) {
  if constexpr (E::RowsAtCompileTime == 1)
    return e.innerStride();
  else if constexpr (E::ColsAtCompileTime == 1)
    return e.rows();
  else
    return e.outerStride();
}
/// What a compiler says of an expression that no view can be of.
template <class E, class T>
constexpr void refuse_expression() {
  if constexpr (!std::is_same_v<typename E::Scalar, T>)
    static_assert(!sizeof(E*),
                  "eigan: numbers of another type than the model's: write Matrix<float>(x.cast<float>()), "
                  "or double in place of float");
  else
    static_assert(!sizeof(E*),
                  "eigan: this expression does not lie in memory column by column: keep it in a "
                  "Matrix<float>, or Matrix<double>, and give that");
}
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
  /// Of a vector, block, map or matrix of fixed size that can be written.
  template <class E>
  requires detail::InMemory<std::remove_cvref_t<E>, T> &&((std::remove_cvref_t<E>::Flags & Eigen::LvalueBit) != 0) &&
      (detail::OwnsMemory<std::remove_cvref_t<E>>
           ? std::is_lvalue_reference_v<E> && !std::is_const_v<std::remove_reference_t<E>>
           : !std::is_base_of_v<View, std::remove_cvref_t<E>>)
      // NOLINTNEXTLINE(google-explicit-constructor, bugprone-forwarding-reference-overload): as above
      View(E&& e)
      : View(const_cast<T*>(e.data()), e.rows(), e.cols(), detail::stride_of(e)) {}
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
  /// Of a vector, block, map or matrix of fixed size.
  template <class E>
  requires detail::InMemory<E, T> &&
      (!std::is_base_of_v<ConstView, E> && !std::is_base_of_v<View<T>, E>)ConstView(const E& e)
      : ConstView(e.data(), e.rows(), e.cols(), detail::stride_of(e)) {}
  /// Says what to write instead.
  template <class E>
  requires detail::EigenExpression<E> &&(!detail::InMemory<E, T>)ConstView(const E&) : ConstView() {
    detail::refuse_expression<E, T>();
  }
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

namespace detail {
/// Whether two views have an element of memory in common. Of different strides it is enough that one begins before the
/// other ends.
template <class T>
bool overlap(const ConstView<T>& a, const ConstView<T>& b) {
  if (a.size() == 0 || b.size() == 0) return false;
  const auto address = [](const ConstView<T>& v, Index col) {
    return reinterpret_cast<std::uintptr_t>(v.data() + col * v.outerStride());
  };
  const auto bytes = [](Index numbers) { return static_cast<std::uintptr_t>(numbers) * sizeof(T); };
  const auto end = [&](const ConstView<T>& v) { return address(v, v.cols() - 1) + bytes(v.rows()); };
  if (address(a, 0) >= end(b) || address(b, 0) >= end(a)) return false;
  if (a.outerStride() != b.outerStride() || a.outerStride() < 1) return true;
  // Rows beside other rows of one matrix.
  const auto stride = bytes(a.outerStride());
  const auto from_first = [&](const ConstView<T>& first, const ConstView<T>& second) {
    const std::uintptr_t ahead = (address(second, 0) - address(first, 0)) % stride;
    return ahead < bytes(first.rows()) || ahead + bytes(second.rows()) > stride;
  };
  return address(a, 0) <= address(b, 0) ? from_first(a, b) : from_first(b, a);
}
}  // namespace detail

/// A ConstView that is read again after the call that it is handed to, so a temporary matrix does not become one, not
/// even in braces: it would be gone by then. A block of a matrix does, which must be one that lasts.
template <class T>
class LastingView : public ConstView<T> {
 public:
  // NOLINTBEGIN(google-explicit-constructor, bugprone-forwarding-reference-overload): as for ConstView
  /// Of the same memory.
  LastingView(const ConstView<T>& view) : ConstView<T>(view) {}
  LastingView(const View<T>& view) : ConstView<T>(view) {}
  /// Of a whole matrix that somebody keeps.
  LastingView(const Matrix<T>& matrix) : ConstView<T>(matrix) {}
  /// Of a vector, block, map or matrix of fixed size that somebody keeps. For all else it says what to write.
  template <class E>
  requires detail::EigenExpression<std::remove_cvref_t<E>> &&
      (!std::is_base_of_v<detail::ConstViewBase<T>, std::remove_cvref_t<E>> &&
       !std::is_base_of_v<detail::ViewBase<T>, std::remove_cvref_t<E>>)LastingView(E&& e)
      : ConstView<T>(e) {
    static_assert(std::is_lvalue_reference_v<E> || !detail::OwnsMemory<std::remove_cvref_t<E>>,
                  "eigan: a temporary, but the input is read again on the way back: keep it in a variable");
  }
  // NOLINTEND(google-explicit-constructor, bugprone-forwarding-reference-overload)
};

}  // namespace eigan
