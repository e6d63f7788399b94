// clang-format off
// eigan 0.1.0: neural networks with hand-written gradients, in one file. Needs the standard library and Eigen/Core.
// It has what <eigan/eigan.hpp> and <eigan/io/model_file.hpp> have: networks, training, adversarial training, and models
// in files. Left out, because they need more or take long to compile: networks put together at run time (Network), models
// as ONNX or C++ source, checkpoints, data sets (zlib), sheets of images (stb), .npy files, metrics and the gradient
// checker. For those take the folder include/ instead of this file, not beside it. A header that save_cpp_source wrote
// needs the folder, too.
//
// Made by scripts/dev/single-header from include/eigan: change those files, not this one.
//
// MIT License
//
// Copyright (c) 2026 the eigan authors
//
// Permission is hereby granted, free of charge, to any person obtaining a copy
// of this software and associated documentation files (the "Software"), to deal
// in the Software without restriction, including without limitation the rights
// to use, copy, modify, merge, publish, distribute, sublicense, and/or sell
// copies of the Software, and to permit persons to whom the Software is
// furnished to do so, subject to the following conditions:
//
// The above copyright notice and this permission notice shall be included in all
// copies or substantial portions of the Software.
//
// THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR
// IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY,
// FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE
// AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER
// LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM,
// OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE
// SOFTWARE.
#pragma once

// ======== eigan/eigan.hpp
// eigan: neural networks with hand-written gradients. This header brings in the core: layers, losses, optimisers,
// composition and adversarial training. Networks put together at run time (eigan/net/runtime/network.hpp), files
// (eigan/io), data sets (eigan/data), the gradient checker (eigan/testing) and the metrics (eigan/metrics.hpp) are
// separate headers, because they need more than the standard library and Eigen/Core, or take long to compile.

// ======== eigan/core/buffer.hpp
// Buffer<T>: the one owner of memory in eigan. 64-byte aligned, padded to whole cache lines, zeroed, move-only.
// It is a contiguous range, which std::span accepts as it is.

#include <algorithm>
#include <cstddef>
#include <memory>
#include <new>
#include <span>
#include <type_traits>
#include <utility>

// ======== eigan/core/checked.hpp
// Arithmetic on sizes that come from outside: the result, or false when it does not fit, or the largest number.

#include <concepts>
#include <limits>

namespace eigan {

/// sum = a + b; false, with `sum` untouched, when that does not fit T.
template <std::integral T>
constexpr bool checked_add(T a, T b, T& sum) {
  T result = 0;
  if (__builtin_add_overflow(a, b, &result)) return false;
  sum = result;
  return true;
}

/// product = a * b; false, with `product` untouched, when that does not fit T.
template <std::integral T>
constexpr bool checked_mul(T a, T b, T& product) {
  T result = 0;
  if (__builtin_mul_overflow(a, b, &result)) return false;
  product = result;
  return true;
}

/// a + b of which one is a size, or the largest T where that does not fit: a size that no memory holds.
template <std::integral T>
constexpr T sum_or_most(T a, T b) {
  T sum = std::numeric_limits<T>::max();
  checked_add(a, b, sum);
  return sum;
}

/// a * b of two sizes, or the largest T where that does not fit: a size that no memory holds.
template <std::integral T>
constexpr T product_or_most(T a, T b) {
  T product = std::numeric_limits<T>::max();
  checked_mul(a, b, product);
  return product;
}

}  // namespace eigan

// ======== eigan/core/error.hpp
// What is thrown, and when.
//
// Error                   bad data: a file, a stream or a setting that came from outside is not what it must be.
//                         The text names the place, what was expected and what was found.
// std::invalid_argument   a programming error that the types could not rule out, such as a batch of the wrong size
//                         handed to a model. Checked once per call, never per element, so it stays on in every build.
//
// Without exceptions (-fno-exceptions), eigan::error_handler gets the text instead and must not return.

#include <cstdio>
#include <cstdlib>
#include <initializer_list>
#include <locale>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>

namespace eigan {

/// The one exception type for bad data.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

#if !defined(__cpp_exceptions)
/// Called in place of every throw; the program ends when it returns. Yours may, for instance, show the text and
/// longjmp.
inline void (*error_handler)(const char* text) = [](const char* text) { std::fprintf(stderr, "%s\n", text); };
#endif

namespace detail {

/// throw e, where there are exceptions.
template <class E>
[[noreturn, gnu::noinline, gnu::cold]] void raise(const E& e) {
#if defined(__cpp_exceptions)
  throw e;
#else
  error_handler(e.what());
  std::abort();
#endif
}

/// f(), and where it throws an E, what `then` makes of that.
template <class E, class F, class G>
auto attempt(const F& f, [[maybe_unused]] const G& then) {
#if defined(__cpp_exceptions)
  try {
    return f();
  } catch (const E& e) {
    return then(e);
  }
#else
  return f();
#endif
}

/// A piece of a text: characters or a number. So texts of any pieces share one function.
struct Piece {
  std::string_view text;
  double real = 0;
  long long whole = 0;
  unsigned long long natural = 0;
  enum { characters, a_real, a_whole, a_natural } kind;

  Piece(std::string_view t) : text(t), kind(characters) {}
  Piece(const std::string& t) : text(t), kind(characters) {}
  Piece(const char* t) : text(t), kind(characters) {}
  Piece(const char& c) : text(&c, 1), kind(characters) {}
  Piece(std::floating_point auto number) : real(static_cast<double>(number)), kind(a_real) {}
  Piece(std::signed_integral auto number) : whole(number), kind(a_whole) {}
  Piece(std::unsigned_integral auto number) : natural(number), kind(a_natural) {}
};

[[gnu::noinline]] inline std::string join(std::initializer_list<Piece> pieces) {
  std::ostringstream text;
  text.exceptions(std::ios::badbit);   // without memory a stream would leave out the rest and say nothing
  text.imbue(std::locale::classic());  // these texts go into files and are compared: no 1.024 for 1024
  for (const Piece& piece : pieces) switch (piece.kind) {
      case Piece::characters:
        text << piece.text;
        break;
      case Piece::a_real:
        text << piece.real;
        break;
      case Piece::a_whole:
        text << piece.whole;
        break;
      case Piece::a_natural:
        text << piece.natural;
        break;
    }
  return text.str();
}

template <class... Parts>
std::string concat(const Parts&... parts) {
  return join({Piece(parts)...});
}

/// Throws std::invalid_argument with the concatenated parts. Kept out of line so that checks cost one branch.
template <class... Parts>
[[noreturn, gnu::noinline, gnu::cold]] void fail_contract(const Parts&... parts) {
  raise(std::invalid_argument(concat(parts...)));
}

/// Throws Error with the concatenated parts.
template <class... Parts>
[[noreturn, gnu::noinline, gnu::cold]] void fail_data(const Parts&... parts) {
  raise(Error(concat(parts...)));
}

}  // namespace detail
}  // namespace eigan

// ======== eigan/core/types.hpp
// Index and the marker for sizes that are known only at run time.

namespace eigan {

/// Signed, like Eigen's own index, so that loops may count down and differences may be negative.
using Index = std::ptrdiff_t;

/// A size that is given at run time: `Linear<dynamic, dynamic>(784, 128)`.
inline constexpr Index dynamic = -1;

/// No size that a program states is larger: 2^31 - 1, where an Index of 32 bits ends as well.
inline constexpr Index most_size = 2147483647;

namespace detail {
/// The width of a type that states a height alone: a vector's or dynamic, else 0, which is refused. Nobody could tell
/// whether `Input<3, 8>` is meant to be 3 x 8 x 8 or 3 x 8 x 1.
constexpr Index width_beside(Index height) {
  return height == 1 || height == dynamic ? height : 0;
}
}  // namespace detail

}  // namespace eigan

// ======== eigan/core/view.hpp
// View<T>, ConstView<T> and LastingView<T>: a matrix that somebody else owns.
//
// Samples are columns: a batch is features x batch, column-major, so that one sample is contiguous and a batch is a
// block of columns. Columns may stand further apart than they are long (`outerStride()`), which lets buffers pad
// them to cache lines. Both types are Eigen maps: every Eigen expression works on them.

#include <cstdint>

// ======== eigan/core/eigen.hpp
// Eigen, as eigan's headers include it. In g++ 12's header of AVX-512 intrinsics a vector is initialised with itself
// (GCC's bug 105593), which is reported, as maybe-uninitialized, wherever Eigen's code is inlined. So that header comes
// first here, with the warning off for its own lines alone.

#if defined(__AVX512F__) && defined(__GNUC__) && !defined(__clang__) && __GNUC__ == 12
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#include <immintrin.h>
#pragma GCC diagnostic pop
#endif
#include <Eigen/Core>

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

// ======== eigan/core/layer.hpp
// What a layer is. A layer is a small value: sizes and hyper-parameters, no memory. Parameters, activations and
// gradients come in as views; the concepts below are the whole contract, there is no base class.
//
// Letters: x input, y output, p parameters; d in front of a letter is the gradient of the loss with respect to it.
// backward_input computes dx = (dy/dx)^T dy and assigns; backward_params computes dp += (dy/dp)^T dy and adds.
// Both are given x and y of the forward pass and dy. A sample is a column; core/shape.hpp says what lies where in it.

#include <vector>

// ======== eigan/core/parameter.hpp
// Parameter: the name, place and shape of one tensor inside a network's flat parameter buffer, or of its state.
//
// In the buffer it is a matrix, column by column (a Linear weight is out x in, so one input feature's weights are
// contiguous; a convolution's is out x (kernel kernel in)). A file has PyTorch's extents, the last one running fastest;
// where they are not the matrix's own, `shape` and `strides` say which element goes where.

namespace eigan {

/// One tensor of a network.
struct Parameter {
  std::string name;                 ///< as in torch.nn.Sequential: "0.weight"
  Index offset;                     ///< of the first element in the flat buffer
  Index rows;                       ///< first extent in the buffer; the length of a vector
  Index cols;                       ///< second extent in the buffer; 1 for a vector
  int rank;                         ///< in the buffer: 0 for a number, 1 for a vector such as a bias, 2 for a matrix
  std::vector<Index> shape = {};    ///< in a file, if not the rank's first extents of (rows, cols)
  std::vector<Index> strides = {};  ///< with `shape`: how far apart in the buffer neighbours along each extent lie
  bool integer = false;             ///< whether files hold it as an int64

  /// Its elements.
  Index size() const { return rows * cols; }

  /// The extents in a file.
  std::vector<Index> file_shape() const {
    if (!shape.empty()) return shape;
    if (rank == 0) return {};
    return rank == 1 ? std::vector<Index>{rows} : std::vector<Index>{rows, cols};
  }
  /// f(place in the buffer, counted from the tensor's first element) for each element in the file's order.
  template <class F>
  void for_each_in_file_order(F&& f) const {
    const std::vector<Index> extents = file_shape();
    const std::vector<Index> steps = shape.empty() ? std::vector<Index>{1, rows} : strides;
    for (const Index extent : extents)
      if (extent == 0) return;
    std::vector<Index> at(extents.size(), 0);
    for (Index place = 0;;) {
      f(place);
      std::size_t axis = extents.size();
      for (; axis > 0; --axis) {
        place += steps[axis - 1];
        if (++at[axis - 1] < extents[axis - 1]) break;
        place -= extents[axis - 1] * steps[axis - 1];
        at[axis - 1] = 0;
      }
      if (axis == 0) return;
    }
  }
};

}  // namespace eigan

// ======== eigan/core/rng.hpp
// Counter-based random numbers: Philox4x32-10 (Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy as
// 1, 2, 3", SC 2011).
//
// A number is a pure function of (key, index, sample): nobody advances a state, so it does not matter which thread
// asks first, and a dropout mask can be made again instead of being stored. Independent streams come from
// `fold_in`, as in JAX: `Rng(seed).fold_in(step).fold_in(layer)`.

#include <array>

namespace eigan {

/// A key. Its numbers are a function of it, the index and the sample: nothing is used up.
class Rng {
 public:
  /// What one counter gives.
  using Words = std::array<std::uint32_t, 4>;

  /// The stream of a seed.
  constexpr explicit Rng(std::uint64_t seed) : key_(seed) {}

  /// The stream's key; two generators with the same key give the same numbers.
  constexpr std::uint64_t key() const { return key_; }

  /// An independent stream for `id`: a step, a layer, a purpose.
  constexpr Rng fold_in(std::uint64_t id) const {
    // The all-ones sample is reserved for derivation; data samples count from zero.
    const Words w = block(id, ~std::uint64_t{0});
    return Rng(std::uint64_t{w[0]} << 32 | w[1]);
  }

  /// Philox4x32-10 of the counter (index, sample) under this key.
  constexpr Words block(std::uint64_t index, std::uint64_t sample) const {
    Words c{lo(index), hi(index), lo(sample), hi(sample)};
    std::uint32_t k0 = lo(key_), k1 = hi(key_);
    for (int round = 0; round < 10; ++round, k0 += 0x9E3779B9u, k1 += 0xBB67AE85u) {
      const std::uint64_t p0 = std::uint64_t{0xD2511F53u} * c[0];
      const std::uint64_t p1 = std::uint64_t{0xCD9E8D57u} * c[2];
      c = {hi(p1) ^ c[1] ^ k0, lo(p1), hi(p0) ^ c[3] ^ k1, lo(p0)};
    }
    return c;
  }

  /// The `i`-th 32-bit word of a sample's stream. Words come in groups of 32, made by eight counters side by side
  /// so that vector registers can compute them together: word i of group g is word (i / 8) of counter 8 g + i % 8.
  constexpr std::uint32_t word(Index i, Index sample) const {
    const auto group = static_cast<std::uint64_t>(i / 32);
    const auto within = static_cast<std::size_t>(i % 32);
    return block(8 * group + within % 8, static_cast<std::uint64_t>(sample))[within / 8];
  }

  /// Uniform in [0, 1), 24 bits: every value is exact in float.
  constexpr double uniform(Index i, Index sample) const { return (word(i, sample) >> 8) * 0x1p-24; }

 private:
  static constexpr std::uint32_t lo(std::uint64_t x) { return static_cast<std::uint32_t>(x); }
  static constexpr std::uint32_t hi(std::uint64_t x) { return static_cast<std::uint32_t>(x >> 32); }

  std::uint64_t key_;
};

}  // namespace eigan

// ======== eigan/core/shape.hpp
// Shape: what one sample is at one place of a network: channels of height x width pixels, a vector being 1 x 1 pixel.
//
// Channels run fastest. Element (c, row, col) of a sample is number c + channels (col + width row) of its column, so
// that a pixel is a column of `channels` numbers and an image the matrix channels x (height width), as PNG files and
// browsers have it. PyTorch's order, channels last to change, is "planar": from_planar and to_planar convert.

namespace eigan {

/// Channels, height and width of one sample. Without channels it is no shape: what output_shape() says of an input that
/// a layer does not take.
struct Shape {
  Index channels = 0;  ///< numbers of a pixel, or features of a vector
  Index height = 1;    ///< rows of pixels
  Index width = 1;     ///< pixels of a row

  /// Pixels of the image.
  constexpr Index pixels() const { return height * width; }
  /// Numbers of a sample.
  constexpr Index size() const { return channels * height * width; }
  /// Whether it has one pixel.
  constexpr bool is_vector() const { return height == 1 && width == 1; }
  /// Whether it is a shape at all.
  constexpr explicit operator bool() const { return channels > 0 && height > 0 && width > 0; }
  constexpr bool operator==(const Shape&) const = default;  ///< equal in all three
};

/// Whether a memory may hold a sample of this shape; size() and pixels() are numbers then. Where a layer would give
/// more numbers than an Index counts, output_shape() says the largest one.
constexpr bool fits_memory(Shape shape) {
  const Index size = product_or_most(product_or_most(shape.channels, shape.height), shape.width);
  return size <= std::numeric_limits<Index>::max() / 64;
}

/// Rows [first, last) of an image.
struct ImageRows {
  Index first;  ///< the first
  Index last;   ///< behind the last
};
/// The rows of the parts [first, last), where an image of so many rows is divided into `parts`.
constexpr ImageRows rows_of_parts(Index height, Index parts, Index first, Index last) {
  return {height * first / parts, height * last / parts};
}

}  // namespace eigan

// ======== eigan/core/spec.hpp
// Spec: a layer's own description, from which all others follow: the text of an architecture, C++ source, the way back
// from text (net/runtime/layer_registry.hpp) and the operators of ONNX.
//
//   Spec{"Swish", {{"beta", beta_}}, "::mine::Swish", "mine/swish.hpp"}
//     text      Swish(beta=1.5)
//     C++       ::mine::Swish(1.5), the settings in the order of the constructor's arguments

// ======== eigan/core/exact_text.hpp
// exact_text: a number as the shortest text of the usual form ("0.2", "1e-05") that reads back as the same number, and
// the way back. Neither depends on the locale, and neither needs memory that it could lack.
//
// Both are built on the C library. std::from_chars of a double is missing in libc++ up to 19, std::to_chars of one on
// older systems of Apple's, and <charconv> would cost every user compile time.

#include <bit>

namespace eigan {

/// number = what `text` says; false, with `number` untouched, unless the whole of it is one decimal number that a
/// double can be: finite, and not rounded to zero.
inline bool parse_number(std::string_view text, double& number) {
  // strtod wants the locale's decimal point, so it gets none: "0.25" becomes "25e-2". No digit behind the 768th decides
  // how a number is rounded, except that not all of them are zero.
  constexpr std::size_t most_digits = 800;
  constexpr std::int64_t huge = 1'000'000'000'000'000;  // no text has as many digits
  char plain[most_digits + 32];
  std::size_t length = 0, at = 0;
  std::int64_t exponent = 0;
  bool any = false, point = false, cut = false;
  const auto is_digit = [&] { return at < text.size() && text[at] >= '0' && text[at] <= '9'; };

  const bool negative = text.starts_with('-');
  for (at = negative ? 1 : 0; is_digit() || (at < text.size() && text[at] == '.' && !point); ++at) {
    if (text[at] == '.') {
      point = true;
      continue;
    }
    any = true;
    exponent -= point ? 1 : 0;
    if (length == 0 && text[at] == '0') continue;
    if (length < most_digits) {
      plain[length++] = text[at];
    } else {
      ++exponent;
      cut = cut || text[at] != '0';
    }
  }
  if (!any) return false;
  if (cut) plain[length++] = '1', --exponent;
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    ++at;
    const bool down = at < text.size() && text[at] == '-';
    if (at < text.size() && (down || text[at] == '+')) ++at;
    if (!is_digit()) return false;
    std::int64_t written = 0;
    for (; is_digit(); ++at) written = std::min(10 * written + (text[at] - '0'), huge);
    exponent += down ? -written : written;
  }
  if (at != text.size()) return false;

  double read = 0;
  if (length > 0) {
    const int power = static_cast<int>(std::clamp<std::int64_t>(exponent, -99999, 99999));
    std::snprintf(plain + length, sizeof plain - length, "e%d", power);
    read = std::strtod(plain, nullptr);
    // By its bits: with -ffast-math a compiler takes it that no number is infinite.
    const auto bits = std::bit_cast<std::uint64_t>(read);
    if (bits == 0 || bits >> 52 == 0x7ff) return false;
  }
  number = negative ? -read : read;
  return true;
}

/// `number` with as many digits as it needs, 6 to 17 significant ones at most: what %g prints where that is exact.
inline std::string exact_text(double number) {
  char printed[64], text[64];
  char* end = text;
  for (int digits = 6; digits <= 17; ++digits) {
    const int length = std::snprintf(printed, sizeof printed, "%.*g", digits, number);
    end = text;
    // What is neither digit, sign nor letter is the locale's decimal point, which may take several bytes.
    for (const char c : std::string_view(printed, static_cast<std::size_t>(length))) {
      const bool usual = (c >= '0' && c <= '9') || c == '-' || c == '+' || (c >= 'a' && c <= 'z');
      if (usual || end[-1] != '.') *end++ = usual ? c : '.';
    }
    double read = 0;
    if (parse_number(std::string_view(text, end), read) && read == number) break;
  }
  return std::string(text, end);
}

}  // namespace eigan

namespace eigan {

/// One setting of a layer: its name and value.
struct Setting {
  /// A number that need not be whole.
  Setting(std::string setting, double number) : name(std::move(setting)), value(number) {}
  /// A size, or yes and no as 1 and 0.
  template <std::integral I>
  Setting(std::string setting, I size) : name(std::move(setting)), value(static_cast<double>(size)), whole(true) {}

  std::string name;    ///< PyTorch's, where there is one
  double value;        ///< sizes are exact up to 2^53
  bool whole = false;  ///< whether it is a size

  /// With every digit.
  std::string text() const { return whole ? detail::concat(static_cast<long long>(value)) : exact_text(value); }
  bool operator==(const Setting&) const = default;  ///< equal in name and value
};

/// A layer, or a composition of others, as a value that can be written down.
struct Spec {
  std::string name;                    ///< "Linear"
  std::vector<Setting> settings = {};  ///< in the order of the constructor's arguments
  std::string type = {};               ///< in C++: "::eigan::Linear<784, 128>"; empty for one that cannot be written so
  std::string header = {};             ///< that the type needs; empty for one of eigan's
  std::vector<Spec> children = {};     ///< of a composition

  /// `Linear(in_features=784, out_features=128)`, compositions with what they hold.
  std::string text() const {
    std::string list;
    for (const Setting& setting : settings) list += (list.empty() ? "" : ", ") + setting.name + '=' + setting.text();
    for (const Spec& child : children) list += (list.empty() ? "" : ", ") + child.text();
    return name + '(' + list + ')';
  }
  /// The setting of that name; std::invalid_argument if there is none.
  double operator[](std::string_view setting) const {
    for (const Setting& s : settings)
      if (s.name == setting) return s.value;
    detail::fail_contract("eigan::Spec: ", name, " has no setting '", setting, "'");
  }
  /// A size among the settings.
  Index size(std::string_view setting) const { return static_cast<Index>((*this)[setting]); }
  bool operator==(const Spec&) const = default;  ///< equal in all
};

namespace detail {
/// A size that a layer's type states, for messages: "784", or "dynamic".
inline std::string stated_text(Index size) {
  return size == dynamic ? "dynamic" : concat(size);
}
}  // namespace detail

}  // namespace eigan

namespace eigan {

/// Where a stochastic layer's numbers come from: sample j of the views is sample first_sample + j of the pass.
struct Draw {
  Rng rng;             ///< of this layer in this pass
  Index first_sample;  ///< the number in the pass of the views' first sample
};

/// What a pass is for.
enum class Phase {
  inference,  ///< the output alone
  training    ///< the way back as well
};

/// Declares `static constexpr bool elementwise = true`: each output depends on the input in the same place alone, so
/// the shapes are equal, and forward may run in place (y over x), as may backward_input (dx over dy). Channels may
/// differ, pixels are alike: one that has neither parameters nor parts may be handed some pixels of its samples by
/// themselves, that is some of x's rows. A vector is one pixel; a layer of vectors alone states its size as well.
template <class L>
concept ElementwiseLayer = requires {
  requires L::elementwise;
};

/// Declares its sizes: `static constexpr Index input, output`, the features of a sample going in and out. A layer
/// whose sizes are `dynamic` also has `input_size()` and `output_size()`.
template <class L>
concept SizedLayer = requires {
  { L::input } -> std::convertible_to<Index>;
  { L::output } -> std::convertible_to<Index>;
};

namespace detail {
template <class R, class C>
std::type_identity<C> class_of(R (C::*)(Shape) const);
/// Derives from a layer that is placed, such as Linear, and adds functions of its own: what the base's `at` returns
/// would not have them.
template <class L>
concept DerivesFromPlaced = (ElementwiseLayer<L> || SizedLayer<L>)&&requires {
  class_of(&L::at);
  requires !std::same_as<decltype(class_of(&L::at)), std::type_identity<L>>;
};
}  // namespace detail

/// Knows images: `output_shape(in)`, constexpr, is what comes out where `in` goes in, Shape{} where the layer takes no
/// such input, and `at(in)` the layer placed there, which is a SizedLayer or an ElementwiseLayer. A network places its
/// layers by itself. `expects()` may say in words what the layer takes.
template <class L>
concept ShapedLayer = !detail::DerivesFromPlaced<L> && requires(const L layer, Shape in) {
  { layer.output_shape(in) } -> std::same_as<Shape>;
  layer.at(in);
};

/// What a PreparedLayer's functions are given in place of its parameters alone.
template <class T>
struct Prepared {
  std::span<const T> params;    ///< the layer's parameters
  std::span<const T> prepared;  ///< what prepare() made of them for this pass
};

/// Computes something from its parameters once a pass, before all samples: a transposed copy, a normalised weight, the
/// coefficients that follow from running statistics. `prepare` assigns q, of prepared_size() elements; s is the layer's
/// state. All functions below then take a Prepared<T> where they are written with p, but prepare, init and
/// update_state.
template <class L, class T = float>
concept PreparedLayer = requires(const L layer, std::span<const T> p, std::span<T> q, Phase phase) {
  { layer.prepared_size() } -> std::convertible_to<Index>;
  layer.prepare(p, p, q, phase);  // (p, s, q, phase)
};

namespace detail {
template <class L, class T>
struct ParamsOfLayer {
  using type = std::span<const T>;
};
template <class L, class T>
requires requires(const L layer) {
  layer.prepared_size();
}
struct ParamsOfLayer<L, T> {
  using type = Prepared<T>;
};
}  // namespace detail
/// The first argument of the layer's functions: std::span<const T>, or Prepared<T>.
template <class L, class T>
using ParamsOf = typename detail::ParamsOfLayer<L, T>::type;

/// What every layer has: a kind of size, `forward` and `backward_input`. It may state `backward_reads_x = false` (or
/// _y) where the way back does without the input (the output), whose memory is then used again; tangents do without it,
/// too. `operations()` are the floating-point operations of `forward` for one sample, from which passes decide how many
/// threads they are worth; its reading and writing is counted in any case.
template <class L, class T = float>
concept Layer = (ElementwiseLayer<L> || SizedLayer<L>)&&requires(const L layer, ParamsOf<L, T> p, ConstView<T> c,
                                                                 View<T> v) {
  layer.forward(p, c, v);               // (p, x, y)          y = f(x), at inference
  layer.backward_input(p, c, c, c, v);  // (p, x, y, dy, dx)  assigns dx
};

/// A layer with parameters to train. Where they are few and samples much work, `gradient_splits(batch)` may say into
/// how many runs of samples a batch is cut, whose gradients are computed by themselves and added in order.
template <class L, class T = float>
concept ParametricLayer = Layer<L, T> &&
    requires(const L layer, ParamsOf<L, T> p, std::span<T> dp, ConstView<T> c, const Rng rng) {
  { layer.param_size() } -> std::convertible_to<Index>;
  layer.init(dp, rng);                    // (p, rng)            writes initial values
  layer.backward_params(p, c, c, c, dp);  // (p, x, y, dy, dp)   adds to dp
};

/// A parametric layer whose gradient can be computed in independent blocks of consecutive parameters. The blocks
/// depend on the layer's sizes alone, and a block's gradient not on which other blocks are computed in the same call,
/// so the result does not depend on who computes which. It must not read parameters of blocks outside the call: an
/// optimiser may already have changed them.
template <class L, class T = float>
concept BlockedLayer = ParametricLayer<L, T> &&
    requires(const L layer, ParamsOf<L, T> p, std::span<T> dp, ConstView<T> c, Index first, Index last) {
  { layer.block_count() } -> std::convertible_to<Index>;
  { layer.block_range(first) } -> std::convertible_to<std::pair<Index, Index>>;  // [first, last) parameter
  // (p, x, y, dy, dp, first, last)  adds to the blocks [first, last) of dp, one at least
  layer.backward_params_blocks(p, c, c, c, dp, first, last);
};

/// A layer that behaves differently in training because it draws random numbers (dropout). `forward` is inference.
template <class L, class T = float>
concept StochasticLayer = Layer<L, T> &&
    requires(const L layer, ParamsOf<L, T> p, ConstView<T> c, View<T> v, Draw draw) {
  layer.forward_train(p, c, v, draw);               // (p, x, y, draw)
  layer.backward_input_train(p, c, c, c, v, draw);  // (p, x, y, dy, dx, draw)  the same draw as forward's
};

/// A layer that can be computed in independent parts of a sample (channels, rows of an image), whose number depends on
/// its sizes alone, so that threads share it where samples are few. Parts assign what forward and backward_input
/// assign.
template <class L, class T = float>
concept PartedLayer = Layer<L, T> &&
    requires(const L layer, ParamsOf<L, T> p, ConstView<T> c, View<T> v, Index first, Index last) {
  { layer.part_count() } -> std::convertible_to<Index>;
  layer.forward_parts(p, c, v, first, last);               // (p, x, y, first, last)          their parts of y
  layer.backward_input_parts(p, c, c, c, v, first, last);  // (p, x, y, dy, dx, first, last)  their parts of dx
};

/// Declares `static constexpr bool coupled = true`: its output for one sample depends on the others of the batch in
/// training (batch normalisation). A training pass then gives its parts the whole batch at once; `forward` and
/// `backward_input` are inference. Such a layer draws no random numbers: its parts are given none.
template <class L, class T = float>
concept BatchCoupledLayer = PartedLayer<L, T> && requires {
  requires L::coupled;
};

/// A layer with numbers beside its parameters that no optimiser changes, such as running statistics. `prepare` is where
/// it reads them. A state that follows the parameters has `update_state(p, s)`, called once for each step of training.
template <class L, class T = float>
concept StatefulLayer = PreparedLayer<L, T> && requires(const L layer, std::span<T> s) {
  { layer.state_size() } -> std::convertible_to<Index>;
  { layer.states() } -> std::convertible_to<std::vector<Parameter>>;
  layer.init_state(s);
};

/// A stateful layer that keeps statistics of its input.
template <class L, class T = float>
concept StatisticsLayer = StatefulLayer<L, T> &&
    requires(const L layer, std::span<T> s, ConstView<T> x, double momentum, Index seen) {
  layer.update_statistics(s, x, momentum);  // s += momentum (statistics of x - s), momentum 1 assigns
  layer.merge_statistics(s, x, seen);       // those of x and of the `seen` samples that s has, together; 0 begins anew
};

/// Has a second derivative that penalties can use; t in front of a letter is a derivative in a given direction.
///   forward_tangent(p, x, y, tx, ty)                  assigns ty = (dy/dx) tx
///   add_curvature(p, x, y, tx, dty, dx)               adds (d/dx <dty, (dy/dx) tx>) to dx
///   backward_params_tangent(p, x, y, tx, dty, dp)     adds (d/dp <dty, (dy/dx) tx>) to dp, if it has parameters
/// An element-wise layer needs no forward_tangent (backward_input maps tangents as well), and one that declares
/// `static constexpr bool piecewise_linear = true` no add_curvature: y is linear in x around almost every x.
template <class L, class T = float>
concept TangentLayer =
    Layer<L, T> &&(
        requires { requires L::piecewise_linear; } || requires(const L layer, ParamsOf<L, T> p, ConstView<T> c,
                                                               View<T> v) { layer.add_curvature(p, c, c, c, c, v); }) &&
    (ElementwiseLayer<L> ||
     requires(const L layer, ParamsOf<L, T> p, ConstView<T> c, View<T> v) { layer.forward_tangent(p, c, c, c, v); }) &&
    (!ParametricLayer<L, T> || requires(const L layer, ParamsOf<L, T> p, std::span<T> dp, ConstView<T> c) {
      layer.backward_params_tangent(p, c, c, c, c, dp);
    });

}  // namespace eigan

// ======== eigan/core/layer_defaults.hpp
// What is asked of a layer where nobody knows its type: sizes at run time, what comes out, what its way back reads, its
// description and its tensors. What a layer does not say has a default.

namespace eigan::detail {

template <class L>
constexpr bool backward_reads_x() {
  if constexpr (requires { L::backward_reads_x; })
    return L::backward_reads_x;
  else
    return true;
}
template <class L>
constexpr bool backward_reads_y() {
  if constexpr (requires { L::backward_reads_y; })
    return L::backward_reads_y;
  else
    return true;
}

/// Sizes at run time; `dynamic` for a layer that takes any size.
template <class L>
constexpr Index input_of(const L& layer) {
  if constexpr (requires { layer.input_size(); })
    return layer.input_size();
  else if constexpr (SizedLayer<L>)
    return L::input;
  else
    return dynamic;
}
template <class L>
constexpr Index output_of(const L& layer, Index input) {
  if constexpr (requires { layer.output_size(); })
    return layer.output_size();
  else if constexpr (ElementwiseLayer<L>)
    return input;
  else
    return L::output;
}

/// What comes out of any kind of layer, Shape{} where `in` is not what it takes.
template <class L>
constexpr Shape output_shape_of(const L& layer, Shape in) {
  if constexpr (ShapedLayer<L>)
    return layer.output_shape(in);
  else if constexpr (SizedLayer<L>)
    return in == Shape{input_of(layer)} ? Shape{output_of(layer, in.channels)} : Shape{};
  else
    return in;
}

template <class L>
Index param_size_of(const L& layer) {
  if constexpr (requires { layer.param_size(); })
    return layer.param_size();
  else
    return 0;
}

/// The layer's own words, or its lack of any.
template <class L>
Spec spec_of(const L& layer) {
  if constexpr (requires { layer.spec(); })
    return layer.spec();
  else
    return {"Layer"};
}

/// The layer's tensors, offsets relative to its own parameters.
template <class L>
std::vector<Parameter> parameters_of(const L& layer) {
  if constexpr (requires { layer.parameters(); })
    return layer.parameters();
  else if (param_size_of(layer) == 0)
    return {};
  else
    return {{"params", 0, param_size_of(layer), 1, 1}};
}

}  // namespace eigan::detail

// ======== eigan/core/parallel.hpp
// parallel_for: the only place that opens regions, by OpenMP or by the pool (core/engine.hpp).
//
// Work items are independent and each is computed the same way on every thread, so results never depend on the
// number of threads. Small work stays on the calling thread, and so does work asked for inside a parallel region or in
// a process that has lost OpenMP's helpers to fork().

#include <exception>

// ======== eigan/core/crowd.hpp
// Crowd: whether threads pay at the moment. Where other programs have the processors, a helper that is kept from
// running costs a region a time slice or more, many times what it saves. So each calling thread keeps account of what
// its regions save and lose; while they lose, work whose number of threads nobody has named stays on the calling
// thread, and every now and then a region is tried again.

#include <chrono>

#if defined(__linux__)
#include <sys/resource.h>
#endif

namespace eigan::detail {

class Crowd {
 public:
  /// Nanoseconds.
  using Time = long long;
  static Time now() {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch())
        .count();
  }

  /// Whether regions lose.
  bool is_felt(Time at) const { return at < alone_until_; }

  /// A region begins.
  Time begin() {
    const Time at = now();
    if (at - looked_ > recent) look(at);
    return at;
  }

  /// The same region has ended, after its caller computed `own` of `parts` parts until own_end and then waited for the
  /// others.
  void record(Time begin, Time own_end, Time end, int own, int parts) {
    Time busy = own_end - begin;
    if (end - begin >= suspicious) busy = std::max(busy - slice * look(end), Time{0});
    saved_ = std::min(saved_ + busy * parts / own - (end - begin), enough);
    if (saved_ >= enough) rest_ = shortest_rest;
    if (saved_ >= 0) return;
    saved_ = 0;
    alone_until_ = end + rest_;
    rest_ = std::min(2 * rest_, longest_rest);
  }

 private:
  /// How often since the last look this thread had to leave its processor to another, where the system tells: time that
  /// is no work. A look costs as much as a region, so short ones do without.
  long look(Time at) {
    long switches = 0;
#if defined(RUSAGE_THREAD)
    rusage usage;
    if (getrusage(RUSAGE_THREAD, &usage) == 0) switches = usage.ru_nivcsw;
#endif
    looked_ = at;
    return switches - std::exchange(switches_, switches);
  }

  static constexpr Time suspicious = 1'000'000, recent = 5'000'000, slice = 4'000'000;
  static constexpr Time enough = 5'000'000;  // a lost time slice or two is no crowd
  static constexpr Time shortest_rest = 20'000'000, longest_rest = 1'000'000'000;
  Time saved_ = enough;
  Time rest_ = shortest_rest;
  Time alone_until_ = 0;
  Time looked_ = 0;
  long switches_ = 0;
};

/// The calling thread's.
inline thread_local constinit Crowd crowd;

}  // namespace eigan::detail

// ======== eigan/core/engine.hpp
// Engine: who lends a call its threads. OpenMP where a program is compiled with it, else eigan's own pool of standard
// threads (core/pool.hpp). EIGAN_ENGINE=openmp|pool in the environment chooses, and so does set_engine(). Results do
// not depend on it, to the last bit.

#include <atomic>

// ======== eigan/core/printable.hpp
// Text from outside (a name in a file, a path) made fit for an error message: one line, nothing a terminal obeys,
// nothing that hides or reorders what the reader sees.

namespace eigan {

namespace detail {

/// How many bytes the visible UTF-8 character takes that `text`, which is not empty, begins with. 0 if it begins with
/// anything else: a control character, a mark without width or one that turns the direction of writing, no UTF-8.
inline std::size_t visible_character(std::string_view text) {
  const auto byte = [&](std::size_t i) -> char32_t { return static_cast<unsigned char>(text[i]); };
  char32_t c = byte(0);
  if (c < 0x80) return c >= 0x20 && c != 0x7F ? 1 : 0;
  const std::size_t length = c >= 0xF0 ? 4 : c >= 0xE0 ? 3 : 2;
  if (c < 0xC2 || c > 0xF4 || text.size() < length) return 0;
  c &= 0x7Fu >> length;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
    c = c << 6 | (byte(i) & 0x3F);
  }
  const bool hides = (c >= 0x200B && c <= 0x200F) || (c >= 0x2028 && c <= 0x202E) || (c >= 0x2060 && c <= 0x206F) ||
                     c == 0x061C || c == 0xFEFF;
  return c < 0xA0 || hides ? 0 : length;
}

}  // namespace detail

/// `text` with every byte that is not part of a visible character written as `\xNN`, cut with "..." after at most
/// `limit` bytes of it.
inline std::string printable(std::string_view text, std::size_t limit = 256) {
  std::string result;
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t length = detail::visible_character(text.substr(at));
    const std::size_t taken = length == 0 ? 1 : length;
    if (at + taken > limit) return result + "...";
    if (length == 0) {
      const auto byte = static_cast<unsigned char>(text[at]);
      result += {'\\', 'x', "0123456789abcdef"[byte >> 4], "0123456789abcdef"[byte & 15]};
    } else {
      result += text.substr(at, length);
    }
    at += taken;
  }
  return result;
}

}  // namespace eigan

namespace eigan {

/// What there is; see docs/guide.md for when to take which.
enum class Engine {
  openmp,  ///< a region waits for all its threads
  pool     ///< a region waits for nobody who has not begun
};

/// As EIGAN_ENGINE has it.
constexpr const char* to_string(Engine engine) {
  return engine == Engine::openmp ? "openmp" : "pool";
}

/// Whether this program has it.
constexpr bool supports(Engine engine) {
#if defined(_OPENMP)
  static_cast<void>(engine);
  return true;
#else
  return engine == Engine::pool;
#endif
}

namespace detail {

inline std::atomic<int> engine_set{-1};  // by set_engine

inline Engine choose_engine() {
  const Engine all[] = {Engine::openmp, Engine::pool};
  if (const char* named = std::getenv("EIGAN_ENGINE")) {
    for (const Engine engine : all) {
      if (std::string_view(named) != to_string(engine)) continue;
      if (!supports(engine)) fail_data("EIGAN_ENGINE: this program has no OpenMP");
      return engine;
    }
    fail_data("EIGAN_ENGINE: expected openmp or pool, found ", printable(named));
  }
  return supports(Engine::openmp) ? Engine::openmp : Engine::pool;
}

}  // namespace detail

/// The one in use.
inline Engine active_engine() {
  const int set = detail::engine_set.load(std::memory_order_relaxed);
  if (set >= 0) return static_cast<Engine>(set);
  static const Engine chosen = detail::choose_engine();
  return chosen;
}

/// Takes another from the next call on, whatever the environment says. Throws std::invalid_argument where the program
/// does not have it.
inline void set_engine(Engine engine) {
  if (!supports(engine)) detail::fail_contract("eigan::set_engine: this program has no OpenMP");
  detail::engine_set.store(static_cast<int>(engine), std::memory_order_relaxed);
}

}  // namespace eigan

// ======== eigan/core/fork.hpp
// helpers_lost: is this a process that fork() made of one with threads?
//
// Such a child has the thread that called fork() and no other. g++'s OpenMP does not notice and waits for the parent's
// helpers for ever, so the child must not open a parallel region. A child of a parent without threads, such as a
// daemon, may. LLVM's OpenMP begins anew in every child by itself.

#if defined(_OPENMP) && defined(__GNUC__) && !defined(__clang__) && __has_include(<pthread.h>)
#include <pthread.h>
#if __has_include(<sys/single_threaded.h>)
#include <sys/single_threaded.h>
#endif

namespace eigan::detail {

inline bool lost = false;                        // written by a child while it has one thread
inline thread_local bool threads_before = true;  // at the last fork() of this thread; true where nobody tells

inline void before_fork() {
#if __has_include(<sys/single_threaded.h>)
  threads_before = __libc_single_threaded == 0;
#endif
}
inline void after_fork_in_child() {
  if (threads_before) lost = true;
}
// Before main: the program may have helpers that come from parallel regions of its own.
inline const bool watches_fork = pthread_atfork(before_fork, nullptr, after_fork_in_child) == 0;

inline bool helpers_lost() {
  return lost;
}

}  // namespace eigan::detail
#else
namespace eigan::detail {
inline bool helpers_lost() {
  return false;
}
}  // namespace eigan::detail
#endif

// ======== eigan/core/pool.hpp
// Pool: standard threads that help with a region's parts, where there is no OpenMP or a program prefers them
// (core/engine.hpp).
//
// The caller of a region and its helpers claim parts, each its own first, then whatever nobody has begun. Only a part
// that was claimed is waited for, so a helper that sleeps, or has no processor, costs no more than its help. Regions
// are numbered and a claim is a region's number: a helper that comes late finds all parts of its region claimed, and
// touches nothing of the next one.

// ======== eigan/core/region.hpp
// What regions are made of: their parts, the mark of a thread that is inside one, and what threads need of the system.

#include <version>

// WebAssembly, and standard libraries that were built without threads: a region is its one part.
#if (defined(__wasi__) && !defined(_REENTRANT)) || (defined(__EMSCRIPTEN__) && !defined(__EMSCRIPTEN_PTHREADS__)) || \
    defined(_LIBCPP_HAS_NO_THREADS) || (defined(_LIBCPP_HAS_THREADS) && !(_LIBCPP_HAS_THREADS + 0)) ||               \
    (defined(__GLIBCXX__) && !defined(_GLIBCXX_HAS_GTHREADS))
#define EIGAN_NO_THREADS
#endif

#if !defined(EIGAN_NO_THREADS)
#include <algorithm>
#include <atomic>
#include <thread>

#if defined(__unix__) || defined(__APPLE__)
#define EIGAN_POSIX_THREADS
#include <pthread.h>
#include <signal.h>
#endif
#endif

namespace eigan::detail {

/// A part of a region: f(context, part, parts).
using Part = void (*)(const void* context, int part, int parts);

/// Whether this thread is at work on a part. What it asks for then stays with it.
inline thread_local constinit bool inside_region = false;

struct InsideRegion {
  InsideRegion() { inside_region = true; }
  InsideRegion(const InsideRegion&) = delete;
  InsideRegion& operator=(const InsideRegion&) = delete;
  ~InsideRegion() { inside_region = outside; }
  const bool outside = inside_region;
};

#if !defined(EIGAN_NO_THREADS)

/// What a loop does that waits for another thread.
inline void pause_processor() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("isb" ::: "memory");  // `yield` does nothing on most processors
#else
  std::atomic_signal_fence(std::memory_order_seq_cst);
#endif
}

/// That the machine has.
inline int processors() {
  static const int all = static_cast<int>(std::max(std::thread::hardware_concurrency(), 1u));
  return all;
}

/// While it lives, threads are started with all signals blocked, so that a program's own threads handle them; but for
/// those that a thread's own fault raises.
class BlockedSignals {
 public:
  BlockedSignals() {
#if defined(EIGAN_POSIX_THREADS)
    sigset_t most;
    sigfillset(&most);
    for (const int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT}) sigdelset(&most, fault);
    pthread_sigmask(SIG_SETMASK, &most, &before_);
#endif
  }
  BlockedSignals(const BlockedSignals&) = delete;
  BlockedSignals& operator=(const BlockedSignals&) = delete;
  ~BlockedSignals() {
#if defined(EIGAN_POSIX_THREADS)
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
#endif
  }

 private:
#if defined(EIGAN_POSIX_THREADS)
  sigset_t before_;
#endif
};

#else

/// Nobody tells; OpenMP may have threads all the same.
inline int processors() {
  return std::numeric_limits<int>::max();
}

#endif

}  // namespace eigan::detail

#if !defined(EIGAN_NO_THREADS)

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <exception>
#include <new>
#include <thread>
#include <utility>

namespace eigan::detail {

class Pool {
 public:
  /// The calling one included; a region has no more parts.
  static constexpr int most_threads = 256;

  /// The process's own, null where there is no memory. It is never freed: late helpers look at it.
  static Pool* get() {
    Pool* pool = current.load(std::memory_order_acquire);
    if (pool != nullptr) return pool;
    Pool* const made = new (std::nothrow) Pool;
    if (made == nullptr || current.compare_exchange_strong(pool, made)) return made;
    delete made;
    return pool;
  }

  /// f(context, part, of) for part = 0, ..., of - 1, with `of` the number of parts or, where another thread has the
  /// helpers, 1. Of what parts throw, one exception reaches the caller when all have ended.
  void region(int parts, Part f, const void* context) {
    const InsideRegion inside;
    if (taken_.exchange(true, std::memory_order_acquire)) return f(context, 0, 1);
    parts = std::min(parts, most_threads);
    start_helpers(parts - 1);
    const Crowd::Time begin = crowd.begin();
    f_ = f, context_ = context;
    done_.store(0, std::memory_order_relaxed);
    const std::uint64_t region = ++number_ << 16 | static_cast<std::uint64_t>(parts);
    claim_[0].region.store(region, std::memory_order_relaxed);
    region_.store(region);
    for (int i = 0; i < std::min(parts - 1, helpers_); ++i) wake(helper_[static_cast<std::size_t>(i)]);
    compute(0, parts);
    const int own = 1 + work(region, parts - 1);
    const Crowd::Time own_end = Crowd::now();
    wait_for(static_cast<unsigned>(parts));
    if (parts <= processors()) crowd.record(begin, own_end, Crowd::now(), own, parts);
    failed_.store(false, std::memory_order_relaxed);
    const std::exception_ptr error = std::exchange(error_, nullptr);
    taken_.store(false, std::memory_order_release);
    if (error) rethrow(error);
  }

  /// Threads that have been started.
  int helpers() const { return helpers_; }

  /// Joins the helpers. What is computed later is computed by its caller.
  void end() {
    if (region_.load() == over) return;
    while (taken_.exchange(true, std::memory_order_acquire)) std::this_thread::yield();  // for good
    region_.store(over);
    for (int i = 0; i < helpers_; ++i) {
      Helper& helper = helper_[static_cast<std::size_t>(i)];
      wake(helper);
      helper.thread.join();
    }
    helpers_ = 0;
  }

  static inline std::atomic<Pool*> current{nullptr};

 private:
  // What one thread writes often lies on a cache line of its own.
  struct alignas(64) Helper {
    std::atomic<unsigned> asleep{0};
    std::thread thread;
  };
  struct alignas(64) Claim {
    std::atomic<std::uint64_t> region{0};  // the last in which this part was claimed
  };

#if defined(EIGAN_POSIX_THREADS)
  /// A child that fork() made has the calling thread and no other. It gets a pool of its own when it needs one.
  static void forget() {
    Pool* const parents = current.exchange(nullptr);
    if (parents != nullptr) parents->before_ = std::exchange(left_behind, parents);
  }
  static inline Pool* left_behind = nullptr;  // so that no memory counts as lost
  static inline const bool watches_fork = pthread_atfork(nullptr, nullptr, forget) == 0;
#endif

  static constexpr std::uint64_t over = ~std::uint64_t{0};  // a region that wants every helper
  static int parts_of(std::uint64_t region) {
    return static_cast<int>(region & 0xFFFF);
  }

  void start_helpers(int wanted) {
    if (helpers_ >= std::min(wanted, most_helpers_)) return;
    const BlockedSignals blocked;
    const auto start = [&] {
      for (; helpers_ < std::min(wanted, most_helpers_); ++helpers_)
        helper_[static_cast<std::size_t>(helpers_)].thread = std::thread([this, i = helpers_] { help(i); });
    };
#if defined(__cpp_exceptions)
    try {
      start();
    } catch (...) {  // the system grants no more
      most_helpers_ = helpers_;
    }
#else
    start();
#endif
  }

  void help(int index) {
    const InsideRegion inside;
    Helper& me = helper_[static_cast<std::size_t>(index)];
    std::uint64_t seen = 0;
    while ((seen = next_region(me, index, seen)) != over) work(seen, index + 1);
  }

  /// Waits for a region after `seen` that wants this helper. Looks for it some 80 microseconds, then sleeps.
  std::uint64_t next_region(Helper& me, int index, std::uint64_t seen) {
    const int patience = parts_of(seen) <= processors() ? 4000 : 1;
    for (int looks = 0;; ++looks) {
      std::uint64_t region = region_.load(std::memory_order_acquire);
      if (region != seen && index + 1 < parts_of(region)) return region;
      if (looks < patience) {
        pause_processor();
        continue;
      }
      me.asleep.store(1);
      if (region_.load() == region) me.asleep.wait(1);
      me.asleep.store(0, std::memory_order_relaxed);
      looks = 0;
    }
  }

  static void wake(Helper& helper) {
    if (helper.asleep.load() == 0) return;
    helper.asleep.store(0);
    helper.asleep.notify_one();
  }

  /// Computes parts that nobody has begun, from part `first` down and round; returns how many.
  int work(std::uint64_t region, int first) {
    const int parts = parts_of(region);
    int computed = 0;
    for (int i = 0; i < parts; ++i) {
      const int part = first >= i ? first - i : first - i + parts;
      std::atomic<std::uint64_t>& claim = claim_[static_cast<std::size_t>(part)].region;
      std::uint64_t last = claim.load(std::memory_order_relaxed);
      if (last < region && claim.compare_exchange_strong(last, region, std::memory_order_relaxed))
        compute(part, parts), ++computed;
    }
    return computed;
  }

  void compute(int part, int parts) {
#if defined(__cpp_exceptions)
    try {
      f_(context_, part, parts);
    } catch (...) {
      if (!failed_.exchange(true, std::memory_order_relaxed)) error_ = std::current_exception();
    }
#else
    f_(context_, part, parts);
#endif
    if (done_.fetch_add(1, std::memory_order_acq_rel) + 1 == static_cast<unsigned>(parts)) done_.notify_one();
  }

  void wait_for(unsigned parts) {
    for (int looks = 0;; ++looks) {
      const unsigned done = done_.load(std::memory_order_acquire);
      if (done == parts) return;
      if (looks < 2000)
        pause_processor();
      else
        done_.wait(done, std::memory_order_acquire);
    }
  }

  static void rethrow([[maybe_unused]] const std::exception_ptr& error) {
#if defined(__cpp_exceptions)
    std::rethrow_exception(error);
#endif
  }

  alignas(64) std::atomic<std::uint64_t> region_{0};  // number << 16 | parts
  Part f_ = nullptr;
  const void* context_ = nullptr;
  alignas(64) std::atomic<unsigned> done_{0};  // parts
  alignas(64) std::atomic<bool> taken_{false};
  std::atomic<bool> failed_{false};
  std::exception_ptr error_;
  std::uint64_t number_ = 0;
  int helpers_ = 0, most_helpers_ = most_threads - 1;
  std::array<Helper, most_threads - 1> helper_;
  std::array<Claim, most_threads> claim_;
  Pool* before_ = nullptr;
};

/// The end of the program, or of a library that is unloaded. A part that ends the program itself cannot wait for
/// itself.
struct EndOfPool {
  constexpr EndOfPool() = default;
  EndOfPool(const EndOfPool&) = delete;
  EndOfPool& operator=(const EndOfPool&) = delete;
  ~EndOfPool() {
    Pool* const pool = Pool::current.load(std::memory_order_acquire);
    if (pool != nullptr && !inside_region) pool->end();
  }
};
inline EndOfPool end_of_pool;

}  // namespace eigan::detail
#endif

// ======== eigan/core/processors.hpp
// How many processors this process may keep busy: by its affinity (taskset, a scheduler of jobs), and by the share that
// its control groups grant it (a container). Linux tells; elsewhere no limit is known.

#include <cmath>
#include <cstring>

#if defined(__linux__)
#include <sched.h>
#endif

namespace eigan::detail {

inline constexpr int no_limit = std::numeric_limits<int>::max();

/// The number of processors that the calling thread may run on, and threads that it starts.
inline int allowed_processors() {
#if defined(__linux__)
  cpu_set_t sets[8] = {};  // one has room for 1024
  if (sched_getaffinity(0, sizeof sets, sets) == 0) return std::max(CPU_COUNT_S(sizeof sets, sets), 1);
#endif
  return no_limit;
}

using OpenFile = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;
inline OpenFile open_to_read(const std::string& path) {
  return {std::fopen(path.c_str(), "r"), std::fclose};
}

/// How many numbers a file begins with, up to two.
inline int read_numbers(const std::string& path, double& first, double& second) {
  const OpenFile file = open_to_read(path);
  return file == nullptr ? 0 : std::fscanf(file.get(), "%lf %lf", &first, &second);
}

/// Processors that the control group with this folder may keep busy, such as 1.5; infinite without a limit.
inline double group_quota(const std::string& folder) {
  double quota = 0, period = 0, none = 0;
  const bool found =
      read_numbers(folder + "/cpu.max", quota, period) == 2 ||         // version 2: "150000 100000" or "max 100000"
      (read_numbers(folder + "/cpu.cfs_quota_us", quota, none) > 0 &&  // version 1: -1 without a limit
       read_numbers(folder + "/cpu.cfs_period_us", period, none) > 0);
  return found && quota > 0 && period > 0 ? quota / period : std::numeric_limits<double>::infinity();
}

/// The least quota of this process's groups and of those around them, to the nearest whole number. Inside a container a
/// group's path may be that of the host, of which only the end, or nothing, is there.
inline int granted_processors(const std::string& groups = "/proc/self/cgroup",
                              const std::string& root = "/sys/fs/cgroup") {
  double quota = no_limit;
  const OpenFile file = open_to_read(groups);
  char buffer[4096];
  while (file != nullptr && std::fgets(buffer, sizeof buffer, file.get()) != nullptr) {
    // "0::/path" in version 2, "4:cpu,cpuacct:/path" in version 1
    const std::string_view line(buffer, std::strcspn(buffer, "\n"));
    const std::size_t first = line.find(':'), second = line.find(':', first + 1);
    if (first == line.npos || second == line.npos) continue;
    const bool unified = second == first + 1;
    buffer[first] = buffer[second] = ',';  // ",cpu,cpuacct,"
    if (!unified && line.substr(first, second - first + 1).find(",cpu,") == line.npos) continue;
    const std::string top = unified ? root : root + "/cpu";
    for (std::string group(line.substr(second + 1)); group.starts_with('/'); group.resize(group.rfind('/')))
      quota = std::min(quota, group_quota(top + group));
    quota = std::min(quota, group_quota(top));
  }
  return std::max(static_cast<int>(std::lround(quota)), 1);
}

}  // namespace eigan::detail

#if defined(_OPENMP)
#include <omp.h>
#endif

namespace eigan {

/// How many threads a call may use.
struct Threads {
  /// At most; 0 for as many as the work is worth, of those that OMP_NUM_THREADS allows, with either engine, and that
  /// the process has processors for (its affinity, its control group).
  int count = 0;
};

namespace detail {

// Floating-point operations, of which a core does some 50 a nanosecond. A region costs a microsecond while the helpers
// are still looking for work, 60 once they sleep, and a time slice or more where other programs keep them from running.
// So by default work of up to 80 microseconds stays on the calling thread, and no thread gets less than 20.
inline constexpr double parallel_threshold = 4e6;
inline constexpr double work_per_thread = 1e6;
/// A caller who names a number of threads gets it, except where a region is sure to cost more than it saves.
inline constexpr double named_threshold = 400e3;
/// What a number costs that is read from memory or written there, for work that does little else.
inline constexpr double memory_access = 5;

/// How many of `most` threads work is worth by default: all, or else a power of two, because a run time whose team
/// changes its size from one region to the next starts and ends threads each time.
constexpr int worthwhile_threads(double work, int most) {
  if (work < parallel_threshold) return 1;
  const double threads = work / work_per_thread;
  return threads < most ? static_cast<int>(std::bit_floor(static_cast<unsigned>(threads))) : most;
}

/// Processors for the threads of a region that the calling thread would open.
inline int usable_processors() {
  static const int granted = granted_processors();
#if defined(_OPENMP)
  // Where OpenMP binds its threads to places, this one's own place says nothing of the others'.
  if (active_engine() == Engine::openmp && omp_get_proc_bind() != omp_proc_bind_false)
    return std::min(granted, omp_get_num_procs());
#endif
  return std::min(granted, allowed_processors());
}

/// By OMP_NUM_THREADS, or all processors.
inline int default_threads() {
#if defined(_OPENMP)
  return std::min(omp_get_max_threads(), usable_processors());
#elif defined(EIGAN_NO_THREADS)
  return 1;
#else
  static const int named = [] {
    const char* const text = std::getenv("OMP_NUM_THREADS");
    const int number = text != nullptr ? std::atoi(text) : 0;  // of a list the first
    return number > 0 ? number : no_limit;
  }();
  const int usable = usable_processors();
  return std::min(named, usable < no_limit ? usable : processors());
#endif
}

/// Whether what this thread asks for must stay with it. Throws Error where the environment asks for an engine that
/// there is not.
inline bool on_its_own() {
#if defined(EIGAN_NO_THREADS) && !defined(_OPENMP)
  return true;
#else
  if (inside_region) return true;
#if defined(_OPENMP)
  if (omp_in_parallel()) return true;
#endif
  if (active_engine() == Engine::openmp) return helpers_lost();
#if defined(EIGAN_NO_THREADS)
  return true;
#else
  return false;
#endif
#endif
}

/// For work of any size.
inline int most_threads(Threads threads) {
  if (threads.count == 1 || on_its_own()) return 1;
  return threads.count > 0 ? threads.count : default_threads();
}

inline int usable_threads(Threads threads, double work) {
  const bool named = threads.count > 0;
  if (work < (named ? named_threshold : parallel_threshold)) return 1;
  const int most = most_threads(threads);
  if (named || most == 1) return most;  // and no clock is read, which not every system has
  return crowd.is_felt(Crowd::now()) ? 1 : worthwhile_threads(work, most);
}

#if defined(_OPENMP)
/// The run time may grant fewer threads than were asked for.
inline void openmp_region(int parts, Part f, const void* context) {
  const Crowd::Time begin = crowd.begin();
  Crowd::Time own_end = begin;
  int granted = 1;
  const auto compute = [&] {
    f(context, omp_get_thread_num(), omp_get_num_threads());
    if (omp_get_thread_num() == 0) own_end = Crowd::now(), granted = omp_get_num_threads();
  };
#if defined(__cpp_exceptions)
  std::exception_ptr error;
#pragma omp parallel num_threads(parts)
  try {
    compute();
  } catch (...) {
#pragma omp critical(eigan_parallel_error)
    error = std::current_exception();
  }
  if (error) std::rethrow_exception(error);
#else
#pragma omp parallel num_threads(parts)
  compute();
#endif
  if (granted <= processors()) crowd.record(begin, own_end, Crowd::now(), 1, granted);
}
#endif

/// The region itself, one for all functions.
inline void parallel_region([[maybe_unused]] int parts, Part f, const void* context) {
#if defined(_OPENMP)
  if (active_engine() == Engine::openmp) return openmp_region(parts, f, context);
#endif
#if !defined(EIGAN_NO_THREADS)
  if (Pool* const pool = inside_region ? nullptr : Pool::get()) return pool->region(parts, f, context);
#endif
  f(context, 0, 1);
}

// What a benchmark wants to live as long as a region, and as each of its parts.
#if !defined(EIGAN_TIME_REGION)
#define EIGAN_TIME_REGION
#define EIGAN_TIME_PART
#endif

/// Calls f(part, parts) for part = 0, ..., parts - 1, with as many parts as were asked for or fewer, on as many threads
/// or fewer. What a part throws reaches the caller when all parts have ended; of several exceptions, one.
template <class F>
void parallel(int parts, const F& f) {
  if (parts <= 1) return f(0, 1);
  EIGAN_TIME_REGION
  const auto call = [](const void* context, int part, int of) {
    EIGAN_TIME_PART (*static_cast<const F*>(context))(part, of);
  };
  parallel_region(parts, call, &f);
}

/// Where part 0, ..., `of` begins, when [0, n) is divided equally.
constexpr Index part_begin(Index n, Index part, Index of) {
  return static_cast<Index>(std::int64_t{n} * part / of);  // Index may have 32 bits
}

/// The same, where the first of unequal parts are the longest. Part 0 is the caller's, by whose time the crowd judges
/// what a region saves: with nothing to do, or with one of three items beside a helper with two, it would see a loss.
constexpr Index range_begin(Index n, Index part, Index of) {
  return static_cast<Index>((std::int64_t{n} * part + of - 1) / of);
}

/// Calls f(first, last) for contiguous ranges of equal length that make up [0, n). `work`: floating-point operations in
/// all. There is a range for each usable thread, even where n is smaller; a single item stays on the calling thread,
/// whose caches may hold what it reads.
template <class F>
void parallel_ranges(Index n, double work, Threads threads, const F& f) {
  const int parts = n > 1 ? usable_threads(threads, work) : 1;
  if (n > 0 && parts == 1) return f(Index{0}, n);  // without the divisions, which small networks feel
  parallel(parts, [&](int part, int of) {
    const Index first = range_begin(n, part, of), last = range_begin(n, part + 1, of);
    if (first < last) f(first, last);
  });
}

/// Calls f(i) for each i in [0, n), with the ranges of parallel_ranges.
template <class F>
void parallel_for(Index n, double work, Threads threads, const F& f) {
  parallel_ranges(n, work, threads, [&](Index first, Index last) {
    for (Index i = first; i < last; ++i) f(i);
  });
}

}  // namespace detail

/// The number of threads that a large piece of work would use.
inline int thread_count(Threads threads = {}) {
  return detail::most_threads(threads);
}

}  // namespace eigan

// ======== eigan/core/planar.hpp
// from_planar and to_planar: images in PyTorch's order, all pixels of the first channel first, and in eigan's, pixel by
// pixel: planar[(c height + row) width + col] = x[c + channels (row width + col)].   Both: (channels height width) x
// batch

// ======== eigan/core/transpose.hpp
// transpose: a matrix in plain memory, columns as far apart as one likes: to(j, i) = from(i, j).
//
// Tiles of 16 x 16 read and write whole cache lines, for columns a power of two apart share a few places of the cache;
// a tile is made of 4 x 4 numbers, which four vectors hold.

namespace eigan::detail {

template <class T>
void transpose_four_by_four(const T* from, Index from_stride, T* to, Index to_stride) {
  typedef T Four __attribute__((vector_size(4 * sizeof(T))));  // NOLINT(modernize-use-using): an attribute
  Four a, b, c, d;
  std::memcpy(&a, from, sizeof a);
  std::memcpy(&b, from + from_stride, sizeof b);
  std::memcpy(&c, from + 2 * from_stride, sizeof c);
  std::memcpy(&d, from + 3 * from_stride, sizeof d);
  const Four ab = __builtin_shufflevector(a, b, 0, 4, 1, 5), ab_behind = __builtin_shufflevector(a, b, 2, 6, 3, 7);
  const Four cd = __builtin_shufflevector(c, d, 0, 4, 1, 5), cd_behind = __builtin_shufflevector(c, d, 2, 6, 3, 7);
  a = __builtin_shufflevector(ab, cd, 0, 1, 4, 5);
  b = __builtin_shufflevector(ab, cd, 2, 3, 6, 7);
  c = __builtin_shufflevector(ab_behind, cd_behind, 0, 1, 4, 5);
  d = __builtin_shufflevector(ab_behind, cd_behind, 2, 3, 6, 7);
  std::memcpy(to, &a, sizeof a);
  std::memcpy(to + to_stride, &b, sizeof b);
  std::memcpy(to + 2 * to_stride, &c, sizeof c);
  std::memcpy(to + 3 * to_stride, &d, sizeof d);
}

/// from: rows x cols, to: cols x rows, column-major; a column begins `stride` numbers behind the one before. They must
/// not overlap.
template <class T>
void transpose(const T* from, Index from_stride, Index rows, Index cols, T* to, Index to_stride) {
  constexpr Index tile = 16;
  for (Index top = 0; top < rows; top += tile)
    for (Index left = 0; left < cols; left += tile) {
      const Index bottom = std::min(rows, top + tile), right = std::min(cols, left + tile);
      const Index whole_rows = bottom - (bottom - top) % 4, whole_cols = right - (right - left) % 4;
      for (Index i = top; i < whole_rows; i += 4)
        for (Index j = left; j < whole_cols; j += 4)
          transpose_four_by_four(from + i + j * from_stride, from_stride, to + j + i * to_stride, to_stride);
      for (Index j = left; j < right; ++j)
        for (Index i = j < whole_cols ? whole_rows : top; i < bottom; ++i)
          to[j + i * to_stride] = from[i + j * from_stride];
    }
}

}  // namespace eigan::detail

namespace eigan {

namespace detail {
template <class T>
void check_planar(const ConstView<T>& from, const View<T>& to, Shape shape) {
  if (from.rows() != shape.size() || to.rows() != shape.size() || from.cols() != to.cols())
    fail_contract("eigan: images of ", shape.channels, " x ", shape.height, " x ", shape.width, " have ", shape.size(),
                  " rows; given are ", from.rows(), " x ", from.cols(), " and ", to.rows(), " x ", to.cols());
}
}  // namespace detail

/// Images in PyTorch's order to eigan's. The two must not overlap. Throws std::invalid_argument for other sizes.
template <class T>
void from_planar(std::type_identity_t<ConstView<T>> planar, View<T> x, Shape shape) {
  detail::check_planar<T>(planar, x, shape);
  for (Index j = 0; j < x.cols(); ++j)
    detail::transpose(planar.data() + j * planar.outerStride(), shape.pixels(), shape.pixels(), shape.channels,
                      x.data() + j * x.outerStride(), shape.channels);
}

/// Images in eigan's order to PyTorch's.
template <class T>
void to_planar(std::type_identity_t<ConstView<T>> x, View<T> planar, Shape shape) {
  detail::check_planar<T>(x, planar, shape);
  for (Index j = 0; j < x.cols(); ++j)
    detail::transpose(x.data() + j * x.outerStride(), shape.channels, shape.channels, shape.pixels(),
                      planar.data() + j * planar.outerStride(), shape.pixels());
}

}  // namespace eigan

// ======== eigan/core/random.hpp
// Filling matrices with random numbers from Rng. Element (i, j) depends on the generator's key, i and
// first_sample + j alone: a batch can be filled in parts, by anybody, with the same result. The distributions are
// our own, because the standard library's differ between vendors.

// ======== eigan/kernels/normal.hpp
// Normal numbers of a sample's stream (see core/rng.hpp), many at a time.

// ======== eigan/kernels/dispatch.hpp
// kernels<RowKernels<T>>(): one subject's table of kernels, for the processor at hand.
//
// Kernels are everything in eigan whose speed depends on the processor's vector instructions, plain loops over arrays.
// A subject is two files: rows.hpp declares a table of function pointers, rows.inc has their text, which is compiled
// for every instruction set (for_each_isa.inc). Inline code elsewhere never depends on -march, so two translation units
// with different flags agree on what they link. A program compiles the subjects that it includes, double where it is
// used.

// ======== eigan/kernels/isa.hpp
// Which instruction set the kernels use. Chosen once, when the program first needs a kernel, for the processor it
// runs on; flags such as -march do not matter. EIGAN_FORCE_ISA=portable|avx2|avx512 in the environment overrides.

namespace eigan {

/// The instruction sets that there are kernels for.
enum class Isa {
  portable,  ///< what every processor has
  avx2,      ///< with FMA
  avx512     ///< AVX-512F
};

/// As EIGAN_FORCE_ISA has it.
constexpr const char* to_string(Isa isa) {
  switch (isa) {
    case Isa::avx2:
      return "avx2";
    case Isa::avx512:
      return "avx512";
    case Isa::portable:
      break;
  }
  return "portable";
}

/// Whether this processor (and operating system) can run the kernels for `isa`.
inline bool supports(Isa isa) {
#if defined(__x86_64__)
  if (isa == Isa::avx2) return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  if (isa == Isa::avx512) return supports(Isa::avx2) && __builtin_cpu_supports("avx512f") != 0;
#endif
  return isa == Isa::portable;
}

namespace detail {
inline Isa choose_isa() {
  const Isa all[] = {Isa::avx512, Isa::avx2, Isa::portable};
  if (const char* forced = std::getenv("EIGAN_FORCE_ISA")) {
    for (const Isa isa : all) {
      if (std::string_view(forced) != to_string(isa)) continue;
      if (!supports(isa)) fail_data("EIGAN_FORCE_ISA: this processor has no ", to_string(isa));
      return isa;
    }
    fail_data("EIGAN_FORCE_ISA: expected portable, avx2 or avx512, found ", printable(forced));
  }
  for (const Isa isa : all)
    if (supports(isa)) return isa;
  return Isa::portable;
}
}  // namespace detail

/// The instruction set in use.
inline Isa active_isa() {
  static const Isa chosen = detail::choose_isa();
  return chosen;
}

}  // namespace eigan

// ======== eigan/kernels/for_each_isa.inc
// Compiles the text EIGAN_KERNELS, one subject's kernels, once for every instruction set, with
//   EIGAN_ISA           the namespace
//   EIGAN_TARGET        the function attribute that allows the instructions
//   EIGAN_VECTOR_BYTES  the register's width
//   EIGAN_X86_VECTORS   where fused multiply-add, square root and masked moves are x86 instructions
// Every function of such a text carries EIGAN_TARGET and calls nothing but its like, so no code of one set can be
// inlined into, or merged with, code for another. No #pragma once: every subject includes this file.

#define EIGAN_INLINE [[gnu::always_inline]] inline
#define EIGAN_NOINLINE [[gnu::noinline]] inline  // long ones: a single copy for all callers
#if defined(__clang__)
#define EIGAN_UNROLL _Pragma("unroll")
#define EIGAN_UNROLL_TWICE _Pragma("unroll(2)")
#else
#define EIGAN_UNROLL _Pragma("GCC unroll 16")
#define EIGAN_UNROLL_TWICE _Pragma("GCC unroll 2")
#endif

#define EIGAN_ISA portable
#if defined(__x86_64__)
// What every such processor has, although -march or -mavx2 allow this file more: of a program whose files have different
// flags the linker keeps any one of several bodies of a kernel.
#define EIGAN_TARGET [[gnu::target("arch=x86-64,no-sse3,no-popcnt,no-lzcnt,no-movbe,no-bmi,no-bmi2")]]
#else
#define EIGAN_TARGET
#endif
#define EIGAN_VECTOR_BYTES 16

// ======== eigan/kernels/vectors.inc
// Vectors of one instruction set: types, loads and stores, fused multiply-add. Compiled by for_each_isa.inc.
//
// The types are the compilers' own: + - * / and comparisons are element-wise. A product that is added to something is
// written as fma: from a * b + c a compiler may make one instruction or two, and the results would depend on its flags.

namespace eigan::detail::EIGAN_ISA {

template <class T>
struct Simd;
// U is V as it lies in memory: of any alignment, and allowed to be an array of T.
// NOLINTBEGIN(modernize-use-using): an attribute stands beside what it changes
template <>
struct Simd<float> {
  typedef float V __attribute__((vector_size(EIGAN_VECTOR_BYTES)));
  typedef float U __attribute__((vector_size(EIGAN_VECTOR_BYTES), aligned(alignof(float)), may_alias));
  typedef std::int32_t I __attribute__((vector_size(EIGAN_VECTOR_BYTES)));
  typedef std::uint16_t U16 __attribute__((vector_size(EIGAN_VECTOR_BYTES / 2)));
  typedef std::uint8_t U8 __attribute__((vector_size(EIGAN_VECTOR_BYTES / 4)));
};
template <>
struct Simd<double> {
  typedef double V __attribute__((vector_size(EIGAN_VECTOR_BYTES)));
  typedef double U __attribute__((vector_size(EIGAN_VECTOR_BYTES), aligned(alignof(double)), may_alias));
  typedef std::int64_t I __attribute__((vector_size(EIGAN_VECTOR_BYTES)));
  typedef long long Mask __attribute__((vector_size(EIGAN_VECTOR_BYTES)));  // as masked moves ask for it
  typedef std::uint16_t U16 __attribute__((vector_size(EIGAN_VECTOR_BYTES / 4)));
  typedef std::uint8_t U8 __attribute__((vector_size(EIGAN_VECTOR_BYTES / 8)));
};
// NOLINTEND(modernize-use-using)
template <class T>
using Vector = typename Simd<T>::V;
/// A number of elements as an array's bound, which has no sign.
consteval std::size_t extent(Index n) {
  return static_cast<std::size_t>(n);
}
template <class T>
inline constexpr Index lanes = EIGAN_VECTOR_BYTES / static_cast<Index>(sizeof(T));

template <class T>
EIGAN_TARGET EIGAN_INLINE Vector<T> load(const T* p) {
  return *reinterpret_cast<const typename Simd<T>::U*>(p);
}
template <class T>
EIGAN_TARGET EIGAN_INLINE void store(T* p, Vector<T> v) {
  *reinterpret_cast<typename Simd<T>::U*>(p) = v;
}
/// A vector of another type, from memory of any alignment.
template <class V, class T>
EIGAN_TARGET EIGAN_INLINE V load_as(const T* p) {
  V v;
  std::memcpy(&v, p, sizeof v);
  return v;
}
// load_part: the first `count` elements, zeros after them; what lies behind them is not touched. store_part likewise.
#if defined(EIGAN_X86_VECTORS) && EIGAN_VECTOR_BYTES == 64
EIGAN_TARGET EIGAN_INLINE Vector<float> load_part(const float* p, Index count) {
  return __builtin_ia32_loadups512_mask(p, Vector<float>{}, static_cast<std::uint16_t>((1u << count) - 1));
}
EIGAN_TARGET EIGAN_INLINE void store_part(float* p, Vector<float> v, Index count) {
  __builtin_ia32_storeups512_mask(p, v, static_cast<std::uint16_t>((1u << count) - 1));
}
#elif defined(EIGAN_X86_VECTORS)
/// All bits of the first 4 * count bytes, as a vector of the integers V.
template <class V>
EIGAN_TARGET EIGAN_INLINE V leading_words(Index count) {
  static constexpr std::int32_t bits[16] = {-1, -1, -1, -1, -1, -1, -1, -1};
  return load_as<V>(bits + 8 - count);
}
EIGAN_TARGET EIGAN_INLINE Vector<float> load_part(const float* p, Index count) {
  return __builtin_ia32_maskloadps256(reinterpret_cast<const Vector<float>*>(p), leading_words<Simd<float>::I>(count));
}
EIGAN_TARGET EIGAN_INLINE void store_part(float* p, Vector<float> v, Index count) {
  __builtin_ia32_maskstoreps256(reinterpret_cast<Vector<float>*>(p), leading_words<Simd<float>::I>(count), v);
}
EIGAN_TARGET EIGAN_INLINE Vector<double> load_part(const double* p, Index count) {
  return __builtin_ia32_maskloadpd256(reinterpret_cast<const Vector<double>*>(p),
                                      leading_words<Simd<double>::Mask>(2 * count));
}
EIGAN_TARGET EIGAN_INLINE void store_part(double* p, Vector<double> v, Index count) {
  __builtin_ia32_maskstorepd256(reinterpret_cast<Vector<double>*>(p), leading_words<Simd<double>::Mask>(2 * count), v);
}
#endif
#if !defined(EIGAN_X86_VECTORS) || EIGAN_VECTOR_BYTES == 64  // double has no AVX-512 kernels
template <class T>
EIGAN_TARGET EIGAN_INLINE Vector<T> load_part(const T* p, Index count) {
  T padded[lanes<T>] = {};
  for (Index i = 0; i < count; ++i) padded[i] = p[i];
  return load(padded);
}
template <class T>
EIGAN_TARGET EIGAN_INLINE void store_part(T* p, Vector<T> v, Index count) {
  T padded[lanes<T>];
  store(padded, v);
  for (Index i = 0; i < count; ++i) p[i] = padded[i];
}
#endif
template <class T>
EIGAN_TARGET EIGAN_INLINE Vector<T> broadcast(T x) {
  return x - Vector<T>{};
}

/// Keeps a loaded vector in its register. Without this g++ repeats the load for each use, as an operand of the
/// arithmetic, and the inner loops are bound by loads instead of by multiplications.
template <class V>
EIGAN_TARGET EIGAN_INLINE V in_register(V v) {
#if defined(EIGAN_X86_VECTORS)
  asm("" : "+v"(v));
#endif
  return v;
}

/// What a product that a sum follows goes through where every instruction set shall give the same bits: no compiler can
/// make a fused multiply-add of the two. Where a processor has none, there is nothing to prevent.
template <class V>
EIGAN_TARGET EIGAN_INLINE V rounded(V v) {
#if defined(EIGAN_X86_VECTORS)
  asm("" : "+v"(v));
#elif defined(__x86_64__) && EIGAN_VECTOR_BYTES == 16
  asm("" : "+x"(v));
#elif defined(__aarch64__) && EIGAN_VECTOR_BYTES == 16
  asm("" : "+w"(v));
#elif !defined(__wasm__)
  asm("" : "+m"(v));
#endif
  return v;
}

#if defined(EIGAN_X86_VECTORS) && __has_builtin(__builtin_elementwise_fma) && __has_builtin(__builtin_elementwise_sqrt)
template <class V>
EIGAN_TARGET EIGAN_INLINE V fma(V a, V b, V c) {
  return __builtin_elementwise_fma(a, b, c);
}
template <class V>
EIGAN_TARGET EIGAN_INLINE V square_root(V a) {
  return __builtin_elementwise_sqrt(a);
}
#elif defined(EIGAN_X86_VECTORS) && EIGAN_VECTOR_BYTES == 64
// The last argument: rounded as the caller's state has it.
#if defined(__clang__)
EIGAN_TARGET EIGAN_INLINE Vector<float> fma(Vector<float> a, Vector<float> b, Vector<float> c) {
  return __builtin_ia32_vfmaddps512_mask(a, b, c, std::uint16_t{0xFFFF}, 4);
}
EIGAN_TARGET EIGAN_INLINE Vector<float> square_root(Vector<float> a) {
  return __builtin_ia32_sqrtps512(a, 4);
}
#else
EIGAN_TARGET EIGAN_INLINE Vector<float> fma(Vector<float> a, Vector<float> b, Vector<float> c) {
  return __builtin_ia32_vfmaddps512_mask(a, b, c, -1, 4);
}
EIGAN_TARGET EIGAN_INLINE Vector<float> square_root(Vector<float> a) {
  return __builtin_ia32_sqrtps512_mask(a, Vector<float>{}, -1, 4);
}
#endif
#elif defined(EIGAN_X86_VECTORS)
EIGAN_TARGET EIGAN_INLINE Vector<float> fma(Vector<float> a, Vector<float> b, Vector<float> c) {
  return __builtin_ia32_vfmaddps256(a, b, c);
}
EIGAN_TARGET EIGAN_INLINE Vector<double> fma(Vector<double> a, Vector<double> b, Vector<double> c) {
  return __builtin_ia32_vfmaddpd256(a, b, c);
}
EIGAN_TARGET EIGAN_INLINE Vector<float> square_root(Vector<float> a) {
  return __builtin_ia32_sqrtps256(a);
}
EIGAN_TARGET EIGAN_INLINE Vector<double> square_root(Vector<double> a) {
  return __builtin_ia32_sqrtpd256(a);
}
#endif
#if defined(EIGAN_X86_VECTORS) || defined(__aarch64__)
EIGAN_TARGET EIGAN_INLINE float fma(float a, float b, float c) {
  return __builtin_fmaf(a, b, c);
}
EIGAN_TARGET EIGAN_INLINE double fma(double a, double b, double c) {
  return __builtin_fma(a, b, c);
}
#endif
#if defined(__aarch64__)  // has fused multiply-add in every processor
template <class V>
EIGAN_TARGET EIGAN_INLINE V fma(V a, V b, V c) {
  [[maybe_unused]] constexpr bool single = sizeof(a[0]) == sizeof(float);
#if __has_builtin(__builtin_elementwise_fma)
  return __builtin_elementwise_fma(a, b, c);
#elif defined(__clang__) && EIGAN_VECTOR_BYTES == 16
  using Bytes = __attribute__((neon_vector_type(16))) signed char;
  const Bytes ab = reinterpret_cast<Bytes>(a), bb = reinterpret_cast<Bytes>(b), cb = reinterpret_cast<Bytes>(c);
  // The last argument: float or double, as arm_neon.h has it.
  if constexpr (single)
    return reinterpret_cast<V>(__builtin_neon_vfmaq_v(cb, bb, ab, 41));
  else
    return reinterpret_cast<V>(__builtin_neon_vfmaq_v(cb, bb, ab, 42));
#elif EIGAN_VECTOR_BYTES == 16
  if constexpr (single)
    return __builtin_aarch64_fmav4sf(a, b, c);
  else
    return __builtin_aarch64_fmav2df(a, b, c);
#else
  for (unsigned i = 0; i < sizeof(V) / sizeof(a[0]); ++i) c[i] = fma(a[i], b[i], c[i]);
  return c;
#endif
}
#elif !defined(EIGAN_X86_VECTORS)
template <class V>
EIGAN_TARGET EIGAN_INLINE V fma(V a, V b, V c) {
  return a * b + c;
}
#endif
#if !defined(EIGAN_X86_VECTORS)
template <class V>
EIGAN_TARGET EIGAN_INLINE V square_root(V a) {
  // Not std::sqrt: that is a function of the file, not of this set.
  for (unsigned i = 0; i < sizeof(V) / sizeof(a[0]); ++i)
    if constexpr (sizeof(a[0]) == sizeof(float))
      a[i] = __builtin_sqrtf(a[i]);
    else
      a[i] = __builtin_sqrt(a[i]);
  return a;
}
#endif

/// Where a subject leaves its table: TableOf<RowKernels<T>>::table.
template <class Table>
struct TableOf;

/// Vector by vector: a loop over elements would become a call of memcpy. The last one may overlap the one before.
template <class T>
EIGAN_TARGET EIGAN_INLINE void copy(Index n, const T* from, T* to) {
  constexpr Index L = lanes<T>;
  Index i = 0;
  for (; i + L <= n; i += L) store(to + i, in_register(load(from + i)));
  if (i == n) return;
  if (n >= L)
    store(to + n - L, load(from + n - L));
  else
    store_part(to, load_part(from, n), n);
}

}  // namespace eigan::detail::EIGAN_ISA
#undef EIGAN_ISA
#undef EIGAN_TARGET
#undef EIGAN_VECTOR_BYTES

#if defined(__x86_64__)
#define EIGAN_X86_VECTORS

#define EIGAN_ISA avx2
#define EIGAN_TARGET [[gnu::target("avx2,fma")]]
#define EIGAN_VECTOR_BYTES 32

// ======== eigan/kernels/vectors.inc
// Vectors of one instruction set: types, loads and stores, fused multiply-add. Compiled by for_each_isa.inc.
//
// The types are the compilers' own: + - * / and comparisons are element-wise. A product that is added to something is
// written as fma: from a * b + c a compiler may make one instruction or two, and the results would depend on its flags.

namespace eigan::detail::EIGAN_ISA {

template <class T>
struct Simd;
// U is V as it lies in memory: of any alignment, and allowed to be an array of T.
// NOLINTBEGIN(modernize-use-using): an attribute stands beside what it changes
template <>
struct Simd<float> {
  typedef float V __attribute__((vector_size(EIGAN_VECTOR_BYTES)));
  typedef float U __attribute__((vector_size(EIGAN_VECTOR_BYTES), aligned(alignof(float)), may_alias));
  typedef std::int32_t I __attribute__((vector_size(EIGAN_VECTOR_BYTES)));
  typedef std::uint16_t U16 __attribute__((vector_size(EIGAN_VECTOR_BYTES / 2)));
  typedef std::uint8_t U8 __attribute__((vector_size(EIGAN_VECTOR_BYTES / 4)));
};
template <>
struct Simd<double> {
  typedef double V __attribute__((vector_size(EIGAN_VECTOR_BYTES)));
  typedef double U __attribute__((vector_size(EIGAN_VECTOR_BYTES), aligned(alignof(double)), may_alias));
  typedef std::int64_t I __attribute__((vector_size(EIGAN_VECTOR_BYTES)));
  typedef long long Mask __attribute__((vector_size(EIGAN_VECTOR_BYTES)));  // as masked moves ask for it
  typedef std::uint16_t U16 __attribute__((vector_size(EIGAN_VECTOR_BYTES / 4)));
  typedef std::uint8_t U8 __attribute__((vector_size(EIGAN_VECTOR_BYTES / 8)));
};
// NOLINTEND(modernize-use-using)
template <class T>
using Vector = typename Simd<T>::V;
/// A number of elements as an array's bound, which has no sign.
consteval std::size_t extent(Index n) {
  return static_cast<std::size_t>(n);
}
template <class T>
inline constexpr Index lanes = EIGAN_VECTOR_BYTES / static_cast<Index>(sizeof(T));

template <class T>
EIGAN_TARGET EIGAN_INLINE Vector<T> load(const T* p) {
  return *reinterpret_cast<const typename Simd<T>::U*>(p);
}
template <class T>
EIGAN_TARGET EIGAN_INLINE void store(T* p, Vector<T> v) {
  *reinterpret_cast<typename Simd<T>::U*>(p) = v;
}
/// A vector of another type, from memory of any alignment.
template <class V, class T>
EIGAN_TARGET EIGAN_INLINE V load_as(const T* p) {
  V v;
  std::memcpy(&v, p, sizeof v);
  return v;
}
// load_part: the first `count` elements, zeros after them; what lies behind them is not touched. store_part likewise.
#if defined(EIGAN_X86_VECTORS) && EIGAN_VECTOR_BYTES == 64
EIGAN_TARGET EIGAN_INLINE Vector<float> load_part(const float* p, Index count) {
  return __builtin_ia32_loadups512_mask(p, Vector<float>{}, static_cast<std::uint16_t>((1u << count) - 1));
}
EIGAN_TARGET EIGAN_INLINE void store_part(float* p, Vector<float> v, Index count) {
  __builtin_ia32_storeups512_mask(p, v, static_cast<std::uint16_t>((1u << count) - 1));
}
#elif defined(EIGAN_X86_VECTORS)
/// All bits of the first 4 * count bytes, as a vector of the integers V.
template <class V>
EIGAN_TARGET EIGAN_INLINE V leading_words(Index count) {
  static constexpr std::int32_t bits[16] = {-1, -1, -1, -1, -1, -1, -1, -1};
  return load_as<V>(bits + 8 - count);
}
EIGAN_TARGET EIGAN_INLINE Vector<float> load_part(const float* p, Index count) {
  return __builtin_ia32_maskloadps256(reinterpret_cast<const Vector<float>*>(p), leading_words<Simd<float>::I>(count));
}
EIGAN_TARGET EIGAN_INLINE void store_part(float* p, Vector<float> v, Index count) {
  __builtin_ia32_maskstoreps256(reinterpret_cast<Vector<float>*>(p), leading_words<Simd<float>::I>(count), v);
}
EIGAN_TARGET EIGAN_INLINE Vector<double> load_part(const double* p, Index count) {
  return __builtin_ia32_maskloadpd256(reinterpret_cast<const Vector<double>*>(p),
                                      leading_words<Simd<double>::Mask>(2 * count));
}
EIGAN_TARGET EIGAN_INLINE void store_part(double* p, Vector<double> v, Index count) {
  __builtin_ia32_maskstorepd256(reinterpret_cast<Vector<double>*>(p), leading_words<Simd<double>::Mask>(2 * count), v);
}
#endif
#if !defined(EIGAN_X86_VECTORS) || EIGAN_VECTOR_BYTES == 64  // double has no AVX-512 kernels
template <class T>
EIGAN_TARGET EIGAN_INLINE Vector<T> load_part(const T* p, Index count) {
  T padded[lanes<T>] = {};
  for (Index i = 0; i < count; ++i) padded[i] = p[i];
  return load(padded);
}
template <class T>
EIGAN_TARGET EIGAN_INLINE void store_part(T* p, Vector<T> v, Index count) {
  T padded[lanes<T>];
  store(padded, v);
  for (Index i = 0; i < count; ++i) p[i] = padded[i];
}
#endif
template <class T>
EIGAN_TARGET EIGAN_INLINE Vector<T> broadcast(T x) {
  return x - Vector<T>{};
}

/// Keeps a loaded vector in its register. Without this g++ repeats the load for each use, as an operand of the
/// arithmetic, and the inner loops are bound by loads instead of by multiplications.
template <class V>
EIGAN_TARGET EIGAN_INLINE V in_register(V v) {
#if defined(EIGAN_X86_VECTORS)
  asm("" : "+v"(v));
#endif
  return v;
}

/// What a product that a sum follows goes through where every instruction set shall give the same bits: no compiler can
/// make a fused multiply-add of the two. Where a processor has none, there is nothing to prevent.
template <class V>
EIGAN_TARGET EIGAN_INLINE V rounded(V v) {
#if defined(EIGAN_X86_VECTORS)
  asm("" : "+v"(v));
#elif defined(__x86_64__) && EIGAN_VECTOR_BYTES == 16
  asm("" : "+x"(v));
#elif defined(__aarch64__) && EIGAN_VECTOR_BYTES == 16
  asm("" : "+w"(v));
#elif !defined(__wasm__)
  asm("" : "+m"(v));
#endif
  return v;
}

#if defined(EIGAN_X86_VECTORS) && __has_builtin(__builtin_elementwise_fma) && __has_builtin(__builtin_elementwise_sqrt)
template <class V>
EIGAN_TARGET EIGAN_INLINE V fma(V a, V b, V c) {
  return __builtin_elementwise_fma(a, b, c);
}
template <class V>
EIGAN_TARGET EIGAN_INLINE V square_root(V a) {
  return __builtin_elementwise_sqrt(a);
}
#elif defined(EIGAN_X86_VECTORS) && EIGAN_VECTOR_BYTES == 64
// The last argument: rounded as the caller's state has it.
#if defined(__clang__)
EIGAN_TARGET EIGAN_INLINE Vector<float> fma(Vector<float> a, Vector<float> b, Vector<float> c) {
  return __builtin_ia32_vfmaddps512_mask(a, b, c, std::uint16_t{0xFFFF}, 4);
}
EIGAN_TARGET EIGAN_INLINE Vector<float> square_root(Vector<float> a) {
  return __builtin_ia32_sqrtps512(a, 4);
}
#else
EIGAN_TARGET EIGAN_INLINE Vector<float> fma(Vector<float> a, Vector<float> b, Vector<float> c) {
  return __builtin_ia32_vfmaddps512_mask(a, b, c, -1, 4);
}
EIGAN_TARGET EIGAN_INLINE Vector<float> square_root(Vector<float> a) {
  return __builtin_ia32_sqrtps512_mask(a, Vector<float>{}, -1, 4);
}
#endif
#elif defined(EIGAN_X86_VECTORS)
EIGAN_TARGET EIGAN_INLINE Vector<float> fma(Vector<float> a, Vector<float> b, Vector<float> c) {
  return __builtin_ia32_vfmaddps256(a, b, c);
}
EIGAN_TARGET EIGAN_INLINE Vector<double> fma(Vector<double> a, Vector<double> b, Vector<double> c) {
  return __builtin_ia32_vfmaddpd256(a, b, c);
}
EIGAN_TARGET EIGAN_INLINE Vector<float> square_root(Vector<float> a) {
  return __builtin_ia32_sqrtps256(a);
}
EIGAN_TARGET EIGAN_INLINE Vector<double> square_root(Vector<double> a) {
  return __builtin_ia32_sqrtpd256(a);
}
#endif
#if defined(EIGAN_X86_VECTORS) || defined(__aarch64__)
EIGAN_TARGET EIGAN_INLINE float fma(float a, float b, float c) {
  return __builtin_fmaf(a, b, c);
}
EIGAN_TARGET EIGAN_INLINE double fma(double a, double b, double c) {
  return __builtin_fma(a, b, c);
}
#endif
#if defined(__aarch64__)  // has fused multiply-add in every processor
template <class V>
EIGAN_TARGET EIGAN_INLINE V fma(V a, V b, V c) {
  [[maybe_unused]] constexpr bool single = sizeof(a[0]) == sizeof(float);
#if __has_builtin(__builtin_elementwise_fma)
  return __builtin_elementwise_fma(a, b, c);
#elif defined(__clang__) && EIGAN_VECTOR_BYTES == 16
  using Bytes = __attribute__((neon_vector_type(16))) signed char;
  const Bytes ab = reinterpret_cast<Bytes>(a), bb = reinterpret_cast<Bytes>(b), cb = reinterpret_cast<Bytes>(c);
  // The last argument: float or double, as arm_neon.h has it.
  if constexpr (single)
    return reinterpret_cast<V>(__builtin_neon_vfmaq_v(cb, bb, ab, 41));
  else
    return reinterpret_cast<V>(__builtin_neon_vfmaq_v(cb, bb, ab, 42));
#elif EIGAN_VECTOR_BYTES == 16
  if constexpr (single)
    return __builtin_aarch64_fmav4sf(a, b, c);
  else
    return __builtin_aarch64_fmav2df(a, b, c);
#else
  for (unsigned i = 0; i < sizeof(V) / sizeof(a[0]); ++i) c[i] = fma(a[i], b[i], c[i]);
  return c;
#endif
}
#elif !defined(EIGAN_X86_VECTORS)
template <class V>
EIGAN_TARGET EIGAN_INLINE V fma(V a, V b, V c) {
  return a * b + c;
}
#endif
#if !defined(EIGAN_X86_VECTORS)
template <class V>
EIGAN_TARGET EIGAN_INLINE V square_root(V a) {
  // Not std::sqrt: that is a function of the file, not of this set.
  for (unsigned i = 0; i < sizeof(V) / sizeof(a[0]); ++i)
    if constexpr (sizeof(a[0]) == sizeof(float))
      a[i] = __builtin_sqrtf(a[i]);
    else
      a[i] = __builtin_sqrt(a[i]);
  return a;
}
#endif

/// Where a subject leaves its table: TableOf<RowKernels<T>>::table.
template <class Table>
struct TableOf;

/// Vector by vector: a loop over elements would become a call of memcpy. The last one may overlap the one before.
template <class T>
EIGAN_TARGET EIGAN_INLINE void copy(Index n, const T* from, T* to) {
  constexpr Index L = lanes<T>;
  Index i = 0;
  for (; i + L <= n; i += L) store(to + i, in_register(load(from + i)));
  if (i == n) return;
  if (n >= L)
    store(to + n - L, load(from + n - L));
  else
    store_part(to, load_part(from, n), n);
}

}  // namespace eigan::detail::EIGAN_ISA
#undef EIGAN_ISA
#undef EIGAN_TARGET
#undef EIGAN_VECTOR_BYTES

#define EIGAN_ISA avx512
#define EIGAN_TARGET [[gnu::target("avx2,fma,avx512f")]]
#define EIGAN_VECTOR_BYTES 64

// ======== eigan/kernels/vectors.inc
// Vectors of one instruction set: types, loads and stores, fused multiply-add. Compiled by for_each_isa.inc.
//
// The types are the compilers' own: + - * / and comparisons are element-wise. A product that is added to something is
// written as fma: from a * b + c a compiler may make one instruction or two, and the results would depend on its flags.

namespace eigan::detail::EIGAN_ISA {

template <class T>
struct Simd;
// U is V as it lies in memory: of any alignment, and allowed to be an array of T.
// NOLINTBEGIN(modernize-use-using): an attribute stands beside what it changes
template <>
struct Simd<float> {
  typedef float V __attribute__((vector_size(EIGAN_VECTOR_BYTES)));
  typedef float U __attribute__((vector_size(EIGAN_VECTOR_BYTES), aligned(alignof(float)), may_alias));
  typedef std::int32_t I __attribute__((vector_size(EIGAN_VECTOR_BYTES)));
  typedef std::uint16_t U16 __attribute__((vector_size(EIGAN_VECTOR_BYTES / 2)));
  typedef std::uint8_t U8 __attribute__((vector_size(EIGAN_VECTOR_BYTES / 4)));
};
template <>
struct Simd<double> {
  typedef double V __attribute__((vector_size(EIGAN_VECTOR_BYTES)));
  typedef double U __attribute__((vector_size(EIGAN_VECTOR_BYTES), aligned(alignof(double)), may_alias));
  typedef std::int64_t I __attribute__((vector_size(EIGAN_VECTOR_BYTES)));
  typedef long long Mask __attribute__((vector_size(EIGAN_VECTOR_BYTES)));  // as masked moves ask for it
  typedef std::uint16_t U16 __attribute__((vector_size(EIGAN_VECTOR_BYTES / 4)));
  typedef std::uint8_t U8 __attribute__((vector_size(EIGAN_VECTOR_BYTES / 8)));
};
// NOLINTEND(modernize-use-using)
template <class T>
using Vector = typename Simd<T>::V;
/// A number of elements as an array's bound, which has no sign.
consteval std::size_t extent(Index n) {
  return static_cast<std::size_t>(n);
}
template <class T>
inline constexpr Index lanes = EIGAN_VECTOR_BYTES / static_cast<Index>(sizeof(T));

template <class T>
EIGAN_TARGET EIGAN_INLINE Vector<T> load(const T* p) {
  return *reinterpret_cast<const typename Simd<T>::U*>(p);
}
template <class T>
EIGAN_TARGET EIGAN_INLINE void store(T* p, Vector<T> v) {
  *reinterpret_cast<typename Simd<T>::U*>(p) = v;
}
/// A vector of another type, from memory of any alignment.
template <class V, class T>
EIGAN_TARGET EIGAN_INLINE V load_as(const T* p) {
  V v;
  std::memcpy(&v, p, sizeof v);
  return v;
}
// load_part: the first `count` elements, zeros after them; what lies behind them is not touched. store_part likewise.
#if defined(EIGAN_X86_VECTORS) && EIGAN_VECTOR_BYTES == 64
EIGAN_TARGET EIGAN_INLINE Vector<float> load_part(const float* p, Index count) {
  return __builtin_ia32_loadups512_mask(p, Vector<float>{}, static_cast<std::uint16_t>((1u << count) - 1));
}
EIGAN_TARGET EIGAN_INLINE void store_part(float* p, Vector<float> v, Index count) {
  __builtin_ia32_storeups512_mask(p, v, static_cast<std::uint16_t>((1u << count) - 1));
}
#elif defined(EIGAN_X86_VECTORS)
/// All bits of the first 4 * count bytes, as a vector of the integers V.
template <class V>
EIGAN_TARGET EIGAN_INLINE V leading_words(Index count) {
  static constexpr std::int32_t bits[16] = {-1, -1, -1, -1, -1, -1, -1, -1};
  return load_as<V>(bits + 8 - count);
}
EIGAN_TARGET EIGAN_INLINE Vector<float> load_part(const float* p, Index count) {
  return __builtin_ia32_maskloadps256(reinterpret_cast<const Vector<float>*>(p), leading_words<Simd<float>::I>(count));
}
EIGAN_TARGET EIGAN_INLINE void store_part(float* p, Vector<float> v, Index count) {
  __builtin_ia32_maskstoreps256(reinterpret_cast<Vector<float>*>(p), leading_words<Simd<float>::I>(count), v);
}
EIGAN_TARGET EIGAN_INLINE Vector<double> load_part(const double* p, Index count) {
  return __builtin_ia32_maskloadpd256(reinterpret_cast<const Vector<double>*>(p),
                                      leading_words<Simd<double>::Mask>(2 * count));
}
EIGAN_TARGET EIGAN_INLINE void store_part(double* p, Vector<double> v, Index count) {
  __builtin_ia32_maskstorepd256(reinterpret_cast<Vector<double>*>(p), leading_words<Simd<double>::Mask>(2 * count), v);
}
#endif
#if !defined(EIGAN_X86_VECTORS) || EIGAN_VECTOR_BYTES == 64  // double has no AVX-512 kernels
template <class T>
EIGAN_TARGET EIGAN_INLINE Vector<T> load_part(const T* p, Index count) {
  T padded[lanes<T>] = {};
  for (Index i = 0; i < count; ++i) padded[i] = p[i];
  return load(padded);
}
template <class T>
EIGAN_TARGET EIGAN_INLINE void store_part(T* p, Vector<T> v, Index count) {
  T padded[lanes<T>];
  store(padded, v);
  for (Index i = 0; i < count; ++i) p[i] = padded[i];
}
#endif
template <class T>
EIGAN_TARGET EIGAN_INLINE Vector<T> broadcast(T x) {
  return x - Vector<T>{};
}

/// Keeps a loaded vector in its register. Without this g++ repeats the load for each use, as an operand of the
/// arithmetic, and the inner loops are bound by loads instead of by multiplications.
template <class V>
EIGAN_TARGET EIGAN_INLINE V in_register(V v) {
#if defined(EIGAN_X86_VECTORS)
  asm("" : "+v"(v));
#endif
  return v;
}

/// What a product that a sum follows goes through where every instruction set shall give the same bits: no compiler can
/// make a fused multiply-add of the two. Where a processor has none, there is nothing to prevent.
template <class V>
EIGAN_TARGET EIGAN_INLINE V rounded(V v) {
#if defined(EIGAN_X86_VECTORS)
  asm("" : "+v"(v));
#elif defined(__x86_64__) && EIGAN_VECTOR_BYTES == 16
  asm("" : "+x"(v));
#elif defined(__aarch64__) && EIGAN_VECTOR_BYTES == 16
  asm("" : "+w"(v));
#elif !defined(__wasm__)
  asm("" : "+m"(v));
#endif
  return v;
}

#if defined(EIGAN_X86_VECTORS) && __has_builtin(__builtin_elementwise_fma) && __has_builtin(__builtin_elementwise_sqrt)
template <class V>
EIGAN_TARGET EIGAN_INLINE V fma(V a, V b, V c) {
  return __builtin_elementwise_fma(a, b, c);
}
template <class V>
EIGAN_TARGET EIGAN_INLINE V square_root(V a) {
  return __builtin_elementwise_sqrt(a);
}
#elif defined(EIGAN_X86_VECTORS) && EIGAN_VECTOR_BYTES == 64
// The last argument: rounded as the caller's state has it.
#if defined(__clang__)
EIGAN_TARGET EIGAN_INLINE Vector<float> fma(Vector<float> a, Vector<float> b, Vector<float> c) {
  return __builtin_ia32_vfmaddps512_mask(a, b, c, std::uint16_t{0xFFFF}, 4);
}
EIGAN_TARGET EIGAN_INLINE Vector<float> square_root(Vector<float> a) {
  return __builtin_ia32_sqrtps512(a, 4);
}
#else
EIGAN_TARGET EIGAN_INLINE Vector<float> fma(Vector<float> a, Vector<float> b, Vector<float> c) {
  return __builtin_ia32_vfmaddps512_mask(a, b, c, -1, 4);
}
EIGAN_TARGET EIGAN_INLINE Vector<float> square_root(Vector<float> a) {
  return __builtin_ia32_sqrtps512_mask(a, Vector<float>{}, -1, 4);
}
#endif
#elif defined(EIGAN_X86_VECTORS)
EIGAN_TARGET EIGAN_INLINE Vector<float> fma(Vector<float> a, Vector<float> b, Vector<float> c) {
  return __builtin_ia32_vfmaddps256(a, b, c);
}
EIGAN_TARGET EIGAN_INLINE Vector<double> fma(Vector<double> a, Vector<double> b, Vector<double> c) {
  return __builtin_ia32_vfmaddpd256(a, b, c);
}
EIGAN_TARGET EIGAN_INLINE Vector<float> square_root(Vector<float> a) {
  return __builtin_ia32_sqrtps256(a);
}
EIGAN_TARGET EIGAN_INLINE Vector<double> square_root(Vector<double> a) {
  return __builtin_ia32_sqrtpd256(a);
}
#endif
#if defined(EIGAN_X86_VECTORS) || defined(__aarch64__)
EIGAN_TARGET EIGAN_INLINE float fma(float a, float b, float c) {
  return __builtin_fmaf(a, b, c);
}
EIGAN_TARGET EIGAN_INLINE double fma(double a, double b, double c) {
  return __builtin_fma(a, b, c);
}
#endif
#if defined(__aarch64__)  // has fused multiply-add in every processor
template <class V>
EIGAN_TARGET EIGAN_INLINE V fma(V a, V b, V c) {
  [[maybe_unused]] constexpr bool single = sizeof(a[0]) == sizeof(float);
#if __has_builtin(__builtin_elementwise_fma)
  return __builtin_elementwise_fma(a, b, c);
#elif defined(__clang__) && EIGAN_VECTOR_BYTES == 16
  using Bytes = __attribute__((neon_vector_type(16))) signed char;
  const Bytes ab = reinterpret_cast<Bytes>(a), bb = reinterpret_cast<Bytes>(b), cb = reinterpret_cast<Bytes>(c);
  // The last argument: float or double, as arm_neon.h has it.
  if constexpr (single)
    return reinterpret_cast<V>(__builtin_neon_vfmaq_v(cb, bb, ab, 41));
  else
    return reinterpret_cast<V>(__builtin_neon_vfmaq_v(cb, bb, ab, 42));
#elif EIGAN_VECTOR_BYTES == 16
  if constexpr (single)
    return __builtin_aarch64_fmav4sf(a, b, c);
  else
    return __builtin_aarch64_fmav2df(a, b, c);
#else
  for (unsigned i = 0; i < sizeof(V) / sizeof(a[0]); ++i) c[i] = fma(a[i], b[i], c[i]);
  return c;
#endif
}
#elif !defined(EIGAN_X86_VECTORS)
template <class V>
EIGAN_TARGET EIGAN_INLINE V fma(V a, V b, V c) {
  return a * b + c;
}
#endif
#if !defined(EIGAN_X86_VECTORS)
template <class V>
EIGAN_TARGET EIGAN_INLINE V square_root(V a) {
  // Not std::sqrt: that is a function of the file, not of this set.
  for (unsigned i = 0; i < sizeof(V) / sizeof(a[0]); ++i)
    if constexpr (sizeof(a[0]) == sizeof(float))
      a[i] = __builtin_sqrtf(a[i]);
    else
      a[i] = __builtin_sqrt(a[i]);
  return a;
}
#endif

/// Where a subject leaves its table: TableOf<RowKernels<T>>::table.
template <class Table>
struct TableOf;

/// Vector by vector: a loop over elements would become a call of memcpy. The last one may overlap the one before.
template <class T>
EIGAN_TARGET EIGAN_INLINE void copy(Index n, const T* from, T* to) {
  constexpr Index L = lanes<T>;
  Index i = 0;
  for (; i + L <= n; i += L) store(to + i, in_register(load(from + i)));
  if (i == n) return;
  if (n >= L)
    store(to + n - L, load(from + n - L));
  else
    store_part(to, load_part(from, n), n);
}

}  // namespace eigan::detail::EIGAN_ISA
#undef EIGAN_ISA
#undef EIGAN_TARGET
#undef EIGAN_VECTOR_BYTES

#undef EIGAN_X86_VECTORS
#endif

#undef EIGAN_INLINE
#undef EIGAN_NOINLINE
#undef EIGAN_UNROLL
#undef EIGAN_UNROLL_TWICE

namespace eigan::detail {

template <class Table>
struct ScalarOf;
template <template <class> class Kernels, class T>
struct ScalarOf<Kernels<T>> {
  using type = T;
};

/// The kernels for one instruction set; tests compare them with each other.
template <class Table>
const Table& kernels_for(Isa isa) {
#if defined(__x86_64__)
  // double is for checking gradients; a third set of kernels for it would cost every user compile time.
  if constexpr (sizeof(typename ScalarOf<Table>::type) == sizeof(float))
    if (isa == Isa::avx512) return avx512::TableOf<Table>::table;
  if (isa != Isa::portable) return avx2::TableOf<Table>::table;
#endif
  static_cast<void>(isa);
  return portable::TableOf<Table>::table;
}

template <class Table>
const Table& kernels() {
  static const Table& chosen = kernels_for<Table>(active_isa());
  return chosen;
}

}  // namespace eigan::detail

// The kernels take longer to compile than most programs that use them. A program of many translation units can compile
// them in one of them, as it does with a library of the stb kind: that one defines EIGAN_COMPILE_KERNELS before it
// includes <eigan/kernels.hpp>, the others EIGAN_EXTERN_KERNELS. Each subject's header ends with this:
#if defined(EIGAN_COMPILE_KERNELS)
#define EIGAN_SHARE_KERNELS(Kernels)                                 \
  namespace eigan::detail {                                          \
  template const Kernels<float>& kernels_for<Kernels<float>>(Isa);   \
  template const Kernels<double>& kernels_for<Kernels<double>>(Isa); \
  }
#elif defined(EIGAN_EXTERN_KERNELS)
#define EIGAN_SHARE_KERNELS(Kernels)                                        \
  namespace eigan::detail {                                                 \
  extern template const Kernels<float>& kernels_for<Kernels<float>>(Isa);   \
  extern template const Kernels<double>& kernels_for<Kernels<double>>(Isa); \
  }
#else
#define EIGAN_SHARE_KERNELS(Kernels)
#endif

// ======== eigan/kernels/random.hpp
// Random numbers of a sample's stream (see core/rng.hpp), many at a time.

namespace eigan::detail {

template <class T>
struct DropoutKernels {
  /// y[i] = x[i] * scale where the i-th 16-bit number of the sample's stream is >= threshold, else 0.
  void (*dropout)(Index n, std::uint64_t key, std::uint64_t sample, std::uint32_t threshold, T scale, const T* x, T* y);
};

template <class T>
struct UniformKernels {
  /// y[i] = low + width * u, u uniform in [0, 1) from the sample's stream.
  void (*uniform)(Index n, std::uint64_t key, std::uint64_t sample, T low, T width, T* y);
};

}  // namespace eigan::detail

// ======== eigan/kernels/for_each_isa.inc
// Compiles the text EIGAN_KERNELS, one subject's kernels, once for every instruction set, with
//   EIGAN_ISA           the namespace
//   EIGAN_TARGET        the function attribute that allows the instructions
//   EIGAN_VECTOR_BYTES  the register's width
//   EIGAN_X86_VECTORS   where fused multiply-add, square root and masked moves are x86 instructions
// Every function of such a text carries EIGAN_TARGET and calls nothing but its like, so no code of one set can be
// inlined into, or merged with, code for another. No #pragma once: every subject includes this file.

#define EIGAN_INLINE [[gnu::always_inline]] inline
#define EIGAN_NOINLINE [[gnu::noinline]] inline  // long ones: a single copy for all callers
#if defined(__clang__)
#define EIGAN_UNROLL _Pragma("unroll")
#define EIGAN_UNROLL_TWICE _Pragma("unroll(2)")
#else
#define EIGAN_UNROLL _Pragma("GCC unroll 16")
#define EIGAN_UNROLL_TWICE _Pragma("GCC unroll 2")
#endif

#define EIGAN_ISA portable
#if defined(__x86_64__)
// What every such processor has, although -march or -mavx2 allow this file more: of a program whose files have different
// flags the linker keeps any one of several bodies of a kernel.
#define EIGAN_TARGET [[gnu::target("arch=x86-64,no-sse3,no-popcnt,no-lzcnt,no-movbe,no-bmi,no-bmi2")]]
#else
#define EIGAN_TARGET
#endif
#define EIGAN_VECTOR_BYTES 16

// ======== eigan/kernels/random.inc
// Random numbers: see random.hpp. Compiled by for_each_isa.inc.

namespace eigan::detail::EIGAN_ISA {

#if defined(EIGAN_X86_VECTORS)
/// Words in the low halves of 64-bit lanes.
using WideWords = std::uint64_t __attribute__((vector_size(EIGAN_VECTOR_BYTES)));
inline constexpr unsigned wide_words = EIGAN_VECTOR_BYTES / 8;
using Words = std::uint32_t __attribute__((vector_size(EIGAN_VECTOR_BYTES)));
/// The low 32 bits of each lane of a, then those of b.
EIGAN_TARGET EIGAN_INLINE Words low_words(WideWords a, WideWords b) {
  const Words first = reinterpret_cast<Words>(a), second = reinterpret_cast<Words>(b);
#if EIGAN_VECTOR_BYTES == 64
  return __builtin_shufflevector(first, second, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
#else
  return __builtin_shufflevector(first, second, 0, 2, 4, 6, 8, 10, 12, 14);
#endif
}
/// a b for the low 32 bits of each lane.
EIGAN_TARGET EIGAN_INLINE WideWords multiply_low_words(WideWords a, WideWords b) {
#if defined(__clang__)  // finds the instruction by itself
  return (a & 0xFFFFFFFFu) * (b & 0xFFFFFFFFu);
#else
  using Signed = std::int32_t __attribute__((vector_size(EIGAN_VECTOR_BYTES)));
#if EIGAN_VECTOR_BYTES == 64
  return reinterpret_cast<WideWords>(__builtin_ia32_pmuludq512_mask(
      reinterpret_cast<Signed>(a), reinterpret_cast<Signed>(b), Simd<double>::Mask{}, std::uint8_t{0xFF}));
#else
  return reinterpret_cast<WideWords>(
      __builtin_ia32_pmuludq256(reinterpret_cast<Signed>(a), reinterpret_cast<Signed>(b)));
#endif
#endif
}
#endif

/// The g-th group of 32 words of a sample's stream: see Rng::word for their order.
EIGAN_TARGET EIGAN_INLINE void philox_group(std::uint64_t key, std::uint64_t sample, std::uint64_t group,
                                            std::uint32_t* words) {
#if defined(EIGAN_X86_VECTORS)
  // Eight counters, in one register or two, each 32-bit word in the low half of a 64-bit lane.
  constexpr unsigned registers = 8 / wide_words;
  static constexpr std::uint64_t lane[8] = {0, 1, 2, 3, 4, 5, 6, 7};
  WideWords c[registers][4];
  EIGAN_UNROLL for (unsigned h = 0; h < registers; ++h) {
    c[h][0] = 8 * group + load_as<WideWords>(lane + h * wide_words);
    c[h][1] = c[h][0] >> 32;
    c[h][2] = WideWords{} + sample;
    c[h][3] = c[h][2] >> 32;
  }
  auto k0 = static_cast<std::uint32_t>(key);
  auto k1 = static_cast<std::uint32_t>(key >> 32);
  for (int round = 0; round < 10; ++round) {
    // NOLINTNEXTLINE(modernize-loop-convert): unrolled as the loop above
    EIGAN_UNROLL for (unsigned h = 0; h < registers; ++h) {
      const WideWords p0 = multiply_low_words(c[h][0], WideWords{} + 0xD2511F53);
      const WideWords p1 = multiply_low_words(c[h][2], WideWords{} + 0xCD9E8D57);
      // High halves may hold anything: products do not read them, and only low halves are stored.
      c[h][0] = (p1 >> 32) ^ c[h][1] ^ std::uint64_t{k0};
      c[h][2] = (p0 >> 32) ^ c[h][3] ^ std::uint64_t{k1};
      c[h][1] = p1;
      c[h][3] = p0;
    }
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  EIGAN_UNROLL for (unsigned i = 0; i < 2 * registers; ++i) {  // two registers, one after the other, fill one
    const unsigned a = 2 * i, b = 2 * i + 1;
    const Words ordered = low_words(c[a % registers][a / registers], c[b % registers][b / registers]);
    std::memcpy(words + 2 * wide_words * i, &ordered, sizeof ordered);
  }
#else
  // Rng::block once more: a call of it would lead out of this set.
  for (unsigned lane = 0; lane < 8; ++lane) {
    const std::uint64_t index = 8 * group + lane;
    auto c0 = static_cast<std::uint32_t>(index), c1 = static_cast<std::uint32_t>(index >> 32);
    auto c2 = static_cast<std::uint32_t>(sample), c3 = static_cast<std::uint32_t>(sample >> 32);
    auto k0 = static_cast<std::uint32_t>(key), k1 = static_cast<std::uint32_t>(key >> 32);
    for (int round = 0; round < 10; ++round, k0 += 0x9E3779B9u, k1 += 0xBB67AE85u) {
      const std::uint64_t p0 = std::uint64_t{0xD2511F53u} * c0, p1 = std::uint64_t{0xCD9E8D57u} * c2;
      c0 = static_cast<std::uint32_t>(p1 >> 32) ^ c1 ^ k0;
      c1 = static_cast<std::uint32_t>(p1);
      c2 = static_cast<std::uint32_t>(p0 >> 32) ^ c3 ^ k1;
      c3 = static_cast<std::uint32_t>(p0);
    }
    words[lane] = c0, words[8 + lane] = c1, words[16 + lane] = c2, words[24 + lane] = c3;
  }
#endif
}

template <class T>
EIGAN_TARGET inline void dropout(Index n, std::uint64_t key, std::uint64_t sample, std::uint32_t threshold, T scale,
                                 const T* x, T* y) {
  using V = Vector<T>;
  using I = typename Simd<T>::I;
  constexpr Index L = lanes<T>;
  using Element = std::remove_cvref_t<decltype(I{}[0])>;
  std::uint32_t words[32];
  std::uint16_t draws[64];
  for (Index first = 0; first < n; first += 64) {
    philox_group(key, sample, static_cast<std::uint64_t>(first / 64), words);
    std::memcpy(draws, words, sizeof words);
    const Index count = n - first < 64 ? n - first : 64;
    Index i = 0;
    for (; i + L <= count; i += L) {
      const I draw = __builtin_convertvector(load_as<typename Simd<T>::U16>(draws + i), I);
      store(y + first + i, draw >= static_cast<Element>(threshold) ? load(x + first + i) * scale : V{});
    }
    for (; i < count; ++i) y[first + i] = draws[i] >= threshold ? x[first + i] * scale : T(0);
  }
}

template <class T>
EIGAN_TARGET inline void uniform(Index n, std::uint64_t key, std::uint64_t sample, T low, T width, T* y) {
  std::uint32_t words[32];
  for (Index first = 0; first < n; first += 32) {
    philox_group(key, sample, static_cast<std::uint64_t>(first / 32), words);
    const Index count = n - first < 32 ? n - first : 32;
    Index i = 0;
    if constexpr (sizeof(T) == sizeof(float))
      for (; i + lanes<T> <= count; i += lanes<T>) {
        const Vector<T> u =
            __builtin_convertvector((load_as<typename Simd<T>::I>(words + i) >> 8) & 0xFFFFFF, Vector<T>);
        store(y + first + i, fma(broadcast(width), u * T(0x1p-24), broadcast(low)));
      }
    for (; i < count; ++i)
      y[first + i] = fma(width, static_cast<T>(static_cast<std::int32_t>(words[i] >> 8)) * T(0x1p-24), low);
  }
}

template <class T>
struct TableOf<DropoutKernels<T>> {
  static constexpr DropoutKernels<T> table{.dropout = dropout<T>};
};
template <class T>
struct TableOf<UniformKernels<T>> {
  static constexpr UniformKernels<T> table{.uniform = uniform<T>};
};

}  // namespace eigan::detail::EIGAN_ISA
#undef EIGAN_ISA
#undef EIGAN_TARGET
#undef EIGAN_VECTOR_BYTES

#if defined(__x86_64__)
#define EIGAN_X86_VECTORS

#define EIGAN_ISA avx2
#define EIGAN_TARGET [[gnu::target("avx2,fma")]]
#define EIGAN_VECTOR_BYTES 32

// ======== eigan/kernels/random.inc
// Random numbers: see random.hpp. Compiled by for_each_isa.inc.

namespace eigan::detail::EIGAN_ISA {

#if defined(EIGAN_X86_VECTORS)
/// Words in the low halves of 64-bit lanes.
using WideWords = std::uint64_t __attribute__((vector_size(EIGAN_VECTOR_BYTES)));
inline constexpr unsigned wide_words = EIGAN_VECTOR_BYTES / 8;
using Words = std::uint32_t __attribute__((vector_size(EIGAN_VECTOR_BYTES)));
/// The low 32 bits of each lane of a, then those of b.
EIGAN_TARGET EIGAN_INLINE Words low_words(WideWords a, WideWords b) {
  const Words first = reinterpret_cast<Words>(a), second = reinterpret_cast<Words>(b);
#if EIGAN_VECTOR_BYTES == 64
  return __builtin_shufflevector(first, second, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
#else
  return __builtin_shufflevector(first, second, 0, 2, 4, 6, 8, 10, 12, 14);
#endif
}
/// a b for the low 32 bits of each lane.
EIGAN_TARGET EIGAN_INLINE WideWords multiply_low_words(WideWords a, WideWords b) {
#if defined(__clang__)  // finds the instruction by itself
  return (a & 0xFFFFFFFFu) * (b & 0xFFFFFFFFu);
#else
  using Signed = std::int32_t __attribute__((vector_size(EIGAN_VECTOR_BYTES)));
#if EIGAN_VECTOR_BYTES == 64
  return reinterpret_cast<WideWords>(__builtin_ia32_pmuludq512_mask(
      reinterpret_cast<Signed>(a), reinterpret_cast<Signed>(b), Simd<double>::Mask{}, std::uint8_t{0xFF}));
#else
  return reinterpret_cast<WideWords>(
      __builtin_ia32_pmuludq256(reinterpret_cast<Signed>(a), reinterpret_cast<Signed>(b)));
#endif
#endif
}
#endif

/// The g-th group of 32 words of a sample's stream: see Rng::word for their order.
EIGAN_TARGET EIGAN_INLINE void philox_group(std::uint64_t key, std::uint64_t sample, std::uint64_t group,
                                            std::uint32_t* words) {
#if defined(EIGAN_X86_VECTORS)
  // Eight counters, in one register or two, each 32-bit word in the low half of a 64-bit lane.
  constexpr unsigned registers = 8 / wide_words;
  static constexpr std::uint64_t lane[8] = {0, 1, 2, 3, 4, 5, 6, 7};
  WideWords c[registers][4];
  EIGAN_UNROLL for (unsigned h = 0; h < registers; ++h) {
    c[h][0] = 8 * group + load_as<WideWords>(lane + h * wide_words);
    c[h][1] = c[h][0] >> 32;
    c[h][2] = WideWords{} + sample;
    c[h][3] = c[h][2] >> 32;
  }
  auto k0 = static_cast<std::uint32_t>(key);
  auto k1 = static_cast<std::uint32_t>(key >> 32);
  for (int round = 0; round < 10; ++round) {
    // NOLINTNEXTLINE(modernize-loop-convert): unrolled as the loop above
    EIGAN_UNROLL for (unsigned h = 0; h < registers; ++h) {
      const WideWords p0 = multiply_low_words(c[h][0], WideWords{} + 0xD2511F53);
      const WideWords p1 = multiply_low_words(c[h][2], WideWords{} + 0xCD9E8D57);
      // High halves may hold anything: products do not read them, and only low halves are stored.
      c[h][0] = (p1 >> 32) ^ c[h][1] ^ std::uint64_t{k0};
      c[h][2] = (p0 >> 32) ^ c[h][3] ^ std::uint64_t{k1};
      c[h][1] = p1;
      c[h][3] = p0;
    }
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  EIGAN_UNROLL for (unsigned i = 0; i < 2 * registers; ++i) {  // two registers, one after the other, fill one
    const unsigned a = 2 * i, b = 2 * i + 1;
    const Words ordered = low_words(c[a % registers][a / registers], c[b % registers][b / registers]);
    std::memcpy(words + 2 * wide_words * i, &ordered, sizeof ordered);
  }
#else
  // Rng::block once more: a call of it would lead out of this set.
  for (unsigned lane = 0; lane < 8; ++lane) {
    const std::uint64_t index = 8 * group + lane;
    auto c0 = static_cast<std::uint32_t>(index), c1 = static_cast<std::uint32_t>(index >> 32);
    auto c2 = static_cast<std::uint32_t>(sample), c3 = static_cast<std::uint32_t>(sample >> 32);
    auto k0 = static_cast<std::uint32_t>(key), k1 = static_cast<std::uint32_t>(key >> 32);
    for (int round = 0; round < 10; ++round, k0 += 0x9E3779B9u, k1 += 0xBB67AE85u) {
      const std::uint64_t p0 = std::uint64_t{0xD2511F53u} * c0, p1 = std::uint64_t{0xCD9E8D57u} * c2;
      c0 = static_cast<std::uint32_t>(p1 >> 32) ^ c1 ^ k0;
      c1 = static_cast<std::uint32_t>(p1);
      c2 = static_cast<std::uint32_t>(p0 >> 32) ^ c3 ^ k1;
      c3 = static_cast<std::uint32_t>(p0);
    }
    words[lane] = c0, words[8 + lane] = c1, words[16 + lane] = c2, words[24 + lane] = c3;
  }
#endif
}

template <class T>
EIGAN_TARGET inline void dropout(Index n, std::uint64_t key, std::uint64_t sample, std::uint32_t threshold, T scale,
                                 const T* x, T* y) {
  using V = Vector<T>;
  using I = typename Simd<T>::I;
  constexpr Index L = lanes<T>;
  using Element = std::remove_cvref_t<decltype(I{}[0])>;
  std::uint32_t words[32];
  std::uint16_t draws[64];
  for (Index first = 0; first < n; first += 64) {
    philox_group(key, sample, static_cast<std::uint64_t>(first / 64), words);
    std::memcpy(draws, words, sizeof words);
    const Index count = n - first < 64 ? n - first : 64;
    Index i = 0;
    for (; i + L <= count; i += L) {
      const I draw = __builtin_convertvector(load_as<typename Simd<T>::U16>(draws + i), I);
      store(y + first + i, draw >= static_cast<Element>(threshold) ? load(x + first + i) * scale : V{});
    }
    for (; i < count; ++i) y[first + i] = draws[i] >= threshold ? x[first + i] * scale : T(0);
  }
}

template <class T>
EIGAN_TARGET inline void uniform(Index n, std::uint64_t key, std::uint64_t sample, T low, T width, T* y) {
  std::uint32_t words[32];
  for (Index first = 0; first < n; first += 32) {
    philox_group(key, sample, static_cast<std::uint64_t>(first / 32), words);
    const Index count = n - first < 32 ? n - first : 32;
    Index i = 0;
    if constexpr (sizeof(T) == sizeof(float))
      for (; i + lanes<T> <= count; i += lanes<T>) {
        const Vector<T> u =
            __builtin_convertvector((load_as<typename Simd<T>::I>(words + i) >> 8) & 0xFFFFFF, Vector<T>);
        store(y + first + i, fma(broadcast(width), u * T(0x1p-24), broadcast(low)));
      }
    for (; i < count; ++i)
      y[first + i] = fma(width, static_cast<T>(static_cast<std::int32_t>(words[i] >> 8)) * T(0x1p-24), low);
  }
}

template <class T>
struct TableOf<DropoutKernels<T>> {
  static constexpr DropoutKernels<T> table{.dropout = dropout<T>};
};
template <class T>
struct TableOf<UniformKernels<T>> {
  static constexpr UniformKernels<T> table{.uniform = uniform<T>};
};

}  // namespace eigan::detail::EIGAN_ISA
#undef EIGAN_ISA
#undef EIGAN_TARGET
#undef EIGAN_VECTOR_BYTES

#define EIGAN_ISA avx512
#define EIGAN_TARGET [[gnu::target("avx2,fma,avx512f")]]
#define EIGAN_VECTOR_BYTES 64

// ======== eigan/kernels/random.inc
// Random numbers: see random.hpp. Compiled by for_each_isa.inc.

namespace eigan::detail::EIGAN_ISA {

#if defined(EIGAN_X86_VECTORS)
/// Words in the low halves of 64-bit lanes.
using WideWords = std::uint64_t __attribute__((vector_size(EIGAN_VECTOR_BYTES)));
inline constexpr unsigned wide_words = EIGAN_VECTOR_BYTES / 8;
using Words = std::uint32_t __attribute__((vector_size(EIGAN_VECTOR_BYTES)));
/// The low 32 bits of each lane of a, then those of b.
EIGAN_TARGET EIGAN_INLINE Words low_words(WideWords a, WideWords b) {
  const Words first = reinterpret_cast<Words>(a), second = reinterpret_cast<Words>(b);
#if EIGAN_VECTOR_BYTES == 64
  return __builtin_shufflevector(first, second, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
#else
  return __builtin_shufflevector(first, second, 0, 2, 4, 6, 8, 10, 12, 14);
#endif
}
/// a b for the low 32 bits of each lane.
EIGAN_TARGET EIGAN_INLINE WideWords multiply_low_words(WideWords a, WideWords b) {
#if defined(__clang__)  // finds the instruction by itself
  return (a & 0xFFFFFFFFu) * (b & 0xFFFFFFFFu);
#else
  using Signed = std::int32_t __attribute__((vector_size(EIGAN_VECTOR_BYTES)));
#if EIGAN_VECTOR_BYTES == 64
  return reinterpret_cast<WideWords>(__builtin_ia32_pmuludq512_mask(
      reinterpret_cast<Signed>(a), reinterpret_cast<Signed>(b), Simd<double>::Mask{}, std::uint8_t{0xFF}));
#else
  return reinterpret_cast<WideWords>(
      __builtin_ia32_pmuludq256(reinterpret_cast<Signed>(a), reinterpret_cast<Signed>(b)));
#endif
#endif
}
#endif

/// The g-th group of 32 words of a sample's stream: see Rng::word for their order.
EIGAN_TARGET EIGAN_INLINE void philox_group(std::uint64_t key, std::uint64_t sample, std::uint64_t group,
                                            std::uint32_t* words) {
#if defined(EIGAN_X86_VECTORS)
  // Eight counters, in one register or two, each 32-bit word in the low half of a 64-bit lane.
  constexpr unsigned registers = 8 / wide_words;
  static constexpr std::uint64_t lane[8] = {0, 1, 2, 3, 4, 5, 6, 7};
  WideWords c[registers][4];
  EIGAN_UNROLL for (unsigned h = 0; h < registers; ++h) {
    c[h][0] = 8 * group + load_as<WideWords>(lane + h * wide_words);
    c[h][1] = c[h][0] >> 32;
    c[h][2] = WideWords{} + sample;
    c[h][3] = c[h][2] >> 32;
  }
  auto k0 = static_cast<std::uint32_t>(key);
  auto k1 = static_cast<std::uint32_t>(key >> 32);
  for (int round = 0; round < 10; ++round) {
    // NOLINTNEXTLINE(modernize-loop-convert): unrolled as the loop above
    EIGAN_UNROLL for (unsigned h = 0; h < registers; ++h) {
      const WideWords p0 = multiply_low_words(c[h][0], WideWords{} + 0xD2511F53);
      const WideWords p1 = multiply_low_words(c[h][2], WideWords{} + 0xCD9E8D57);
      // High halves may hold anything: products do not read them, and only low halves are stored.
      c[h][0] = (p1 >> 32) ^ c[h][1] ^ std::uint64_t{k0};
      c[h][2] = (p0 >> 32) ^ c[h][3] ^ std::uint64_t{k1};
      c[h][1] = p1;
      c[h][3] = p0;
    }
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  EIGAN_UNROLL for (unsigned i = 0; i < 2 * registers; ++i) {  // two registers, one after the other, fill one
    const unsigned a = 2 * i, b = 2 * i + 1;
    const Words ordered = low_words(c[a % registers][a / registers], c[b % registers][b / registers]);
    std::memcpy(words + 2 * wide_words * i, &ordered, sizeof ordered);
  }
#else
  // Rng::block once more: a call of it would lead out of this set.
  for (unsigned lane = 0; lane < 8; ++lane) {
    const std::uint64_t index = 8 * group + lane;
    auto c0 = static_cast<std::uint32_t>(index), c1 = static_cast<std::uint32_t>(index >> 32);
    auto c2 = static_cast<std::uint32_t>(sample), c3 = static_cast<std::uint32_t>(sample >> 32);
    auto k0 = static_cast<std::uint32_t>(key), k1 = static_cast<std::uint32_t>(key >> 32);
    for (int round = 0; round < 10; ++round, k0 += 0x9E3779B9u, k1 += 0xBB67AE85u) {
      const std::uint64_t p0 = std::uint64_t{0xD2511F53u} * c0, p1 = std::uint64_t{0xCD9E8D57u} * c2;
      c0 = static_cast<std::uint32_t>(p1 >> 32) ^ c1 ^ k0;
      c1 = static_cast<std::uint32_t>(p1);
      c2 = static_cast<std::uint32_t>(p0 >> 32) ^ c3 ^ k1;
      c3 = static_cast<std::uint32_t>(p0);
    }
    words[lane] = c0, words[8 + lane] = c1, words[16 + lane] = c2, words[24 + lane] = c3;
  }
#endif
}

template <class T>
EIGAN_TARGET inline void dropout(Index n, std::uint64_t key, std::uint64_t sample, std::uint32_t threshold, T scale,
                                 const T* x, T* y) {
  using V = Vector<T>;
  using I = typename Simd<T>::I;
  constexpr Index L = lanes<T>;
  using Element = std::remove_cvref_t<decltype(I{}[0])>;
  std::uint32_t words[32];
  std::uint16_t draws[64];
  for (Index first = 0; first < n; first += 64) {
    philox_group(key, sample, static_cast<std::uint64_t>(first / 64), words);
    std::memcpy(draws, words, sizeof words);
    const Index count = n - first < 64 ? n - first : 64;
    Index i = 0;
    for (; i + L <= count; i += L) {
      const I draw = __builtin_convertvector(load_as<typename Simd<T>::U16>(draws + i), I);
      store(y + first + i, draw >= static_cast<Element>(threshold) ? load(x + first + i) * scale : V{});
    }
    for (; i < count; ++i) y[first + i] = draws[i] >= threshold ? x[first + i] * scale : T(0);
  }
}

template <class T>
EIGAN_TARGET inline void uniform(Index n, std::uint64_t key, std::uint64_t sample, T low, T width, T* y) {
  std::uint32_t words[32];
  for (Index first = 0; first < n; first += 32) {
    philox_group(key, sample, static_cast<std::uint64_t>(first / 32), words);
    const Index count = n - first < 32 ? n - first : 32;
    Index i = 0;
    if constexpr (sizeof(T) == sizeof(float))
      for (; i + lanes<T> <= count; i += lanes<T>) {
        const Vector<T> u =
            __builtin_convertvector((load_as<typename Simd<T>::I>(words + i) >> 8) & 0xFFFFFF, Vector<T>);
        store(y + first + i, fma(broadcast(width), u * T(0x1p-24), broadcast(low)));
      }
    for (; i < count; ++i)
      y[first + i] = fma(width, static_cast<T>(static_cast<std::int32_t>(words[i] >> 8)) * T(0x1p-24), low);
  }
}

template <class T>
struct TableOf<DropoutKernels<T>> {
  static constexpr DropoutKernels<T> table{.dropout = dropout<T>};
};
template <class T>
struct TableOf<UniformKernels<T>> {
  static constexpr UniformKernels<T> table{.uniform = uniform<T>};
};

}  // namespace eigan::detail::EIGAN_ISA
#undef EIGAN_ISA
#undef EIGAN_TARGET
#undef EIGAN_VECTOR_BYTES

#undef EIGAN_X86_VECTORS
#endif

#undef EIGAN_INLINE
#undef EIGAN_NOINLINE
#undef EIGAN_UNROLL
#undef EIGAN_UNROLL_TWICE
EIGAN_SHARE_KERNELS(DropoutKernels)
EIGAN_SHARE_KERNELS(UniformKernels)

namespace eigan::detail {

template <class T>
struct NormalKernels {
  /// y[i] = mean + deviation * z[i], z normal, by the pairs of words that core/random.hpp describes. In float the same
  /// bits from every set of kernels; z is within 4e-7 of its value, relatively.
  void (*normal)(Index n, std::uint64_t key, std::uint64_t sample, T mean, T deviation, T* y);
};

}  // namespace eigan::detail

// ======== eigan/kernels/for_each_isa.inc
// Compiles the text EIGAN_KERNELS, one subject's kernels, once for every instruction set, with
//   EIGAN_ISA           the namespace
//   EIGAN_TARGET        the function attribute that allows the instructions
//   EIGAN_VECTOR_BYTES  the register's width
//   EIGAN_X86_VECTORS   where fused multiply-add, square root and masked moves are x86 instructions
// Every function of such a text carries EIGAN_TARGET and calls nothing but its like, so no code of one set can be
// inlined into, or merged with, code for another. No #pragma once: every subject includes this file.

#define EIGAN_INLINE [[gnu::always_inline]] inline
#define EIGAN_NOINLINE [[gnu::noinline]] inline  // long ones: a single copy for all callers
#if defined(__clang__)
#define EIGAN_UNROLL _Pragma("unroll")
#define EIGAN_UNROLL_TWICE _Pragma("unroll(2)")
#else
#define EIGAN_UNROLL _Pragma("GCC unroll 16")
#define EIGAN_UNROLL_TWICE _Pragma("GCC unroll 2")
#endif

#define EIGAN_ISA portable
#if defined(__x86_64__)
// What every such processor has, although -march or -mavx2 allow this file more: of a program whose files have different
// flags the linker keeps any one of several bodies of a kernel.
#define EIGAN_TARGET [[gnu::target("arch=x86-64,no-sse3,no-popcnt,no-lzcnt,no-movbe,no-bmi,no-bmi2")]]
#else
#define EIGAN_TARGET
#endif
#define EIGAN_VECTOR_BYTES 16

// ======== eigan/kernels/normal.inc
// Normal numbers by Box and Muller's transformation: see normal.hpp. Compiled by for_each_isa.inc.
//
// Seeds shall give the same numbers on every machine, so float is made of operations that all round alike: no fused
// multiply-add, which some processors lack, and nothing of the standard library. tests/kernels/normal_test.cpp states
// the error and holds the bits.

namespace eigan::detail::EIGAN_ISA {

/// c0 + x (c1 + x (c2 + ...)), each product rounded.
EIGAN_TARGET EIGAN_INLINE Vector<float> polynomial(Vector<float>, float last) {
  return broadcast(last);
}
template <class... Rest>
EIGAN_TARGET EIGAN_INLINE Vector<float> polynomial(Vector<float> x, float first, Rest... rest) {
  return rounded(x * polynomial(x, rest...)) + first;
}

/// sqrt(-2 log u), where u is (k + 1/2) 2^-31 and k the upper 31 bits of a word.
EIGAN_TARGET EIGAN_INLINE Vector<float> normal_radius(Simd<float>::I word) {
  using V = Vector<float>;
  using I = Simd<float>::I;
  const I k = (word >> 1) & 0x7FFFFFFF;
  const V u = (__builtin_convertvector(k, V) + 0.5f) * 0x1p-31f;
  const V rest = (__builtin_convertvector(k ^ 0x7FFFFFFF, V) + 0.5f) * 0x1p-31f;  // 1 - u, without its cancellation
  // u = 2^e (1 + f), 1 + f in [sqrt 1/2, sqrt 2).
  constexpr std::int32_t root_half = 0x3F3504F3;
  const I bits = load_as<I>(&u) - root_half;
  const I e = bits >> 23, one_and_f = (bits & 0x7FFFFF) + root_half;
  const V f = e == 0 ? -rest : load_as<V>(&one_and_f) - 1.0f;
  // -2 log(1 + f) = f q(f), q fitted to within 2^-24.9.
  const V q = polynomial(f, -2.0f, 0.999999821f, -0.666679025f, 0.500035107f, -0.399241447f, 0.33141017f, -0.298359483f,
                         0.286150455f, -0.174696878f);
  return square_root(rounded(__builtin_convertvector(e, V) * -1.38629436f) + rounded(f * q));
}

/// cos and sin of an angle: the lower 29 bits are where in an eighth of the circle, the upper three say in which.
EIGAN_TARGET EIGAN_INLINE void normal_direction(Simd<float>::I word, Vector<float>& x, Vector<float>& y) {
  using V = Vector<float>;
  using I = Simd<float>::I;
  const V t = (__builtin_convertvector(word & 0x1FFFFFFF, V) + 0.5f) * 0x1p-29f, t2 = t * t;
  // Of pi/4 t, fitted to within 2^-28 and 2^-33.
  const V sine = t * polynomial(t2, 0.785398185f, -0.0807454363f, 2.49000103e-3f, -3.5950452e-5f);
  const V cosine = polynomial(t2, 1.0f, -0.308425128f, 0.015854327f, -3.25940084e-4f, 3.53033806e-6f);
  const I swap = (word & 0x20000000) != 0;
  x = swap ? sine : cosine;
  y = swap ? cosine : sine;
  const I sign = I{} + std::numeric_limits<std::int32_t>::min();
  const I x_bits = load_as<I>(&x) ^ (word & sign), y_bits = load_as<I>(&y) ^ ((word << 1) & sign);
  x = load_as<V>(&x_bits);
  y = load_as<V>(&y_bits);
}

/// 32 numbers from a group of 32 words.
EIGAN_TARGET EIGAN_INLINE void normal_group(const std::uint32_t* words, float mean, float deviation, float* y) {
  using V = Vector<float>;
  using I = Simd<float>::I;
  for (Index i = 0; i < 16; i += lanes<float>) {
    const V radius = normal_radius(load_as<I>(words + i));
    V cosine, sine;
    normal_direction(load_as<I>(words + 16 + i), cosine, sine);
    store(y + i, rounded(radius * cosine * deviation) + mean);
    store(y + 16 + i, rounded(radius * sine * deviation) + mean);
  }
}
/// The same in double, which checks gradients, by the standard library.
EIGAN_TARGET EIGAN_INLINE void normal_group(const std::uint32_t* words, double mean, double deviation, double* y) {
  for (unsigned i = 0; i < 16; ++i) {
    const std::uint32_t angle = words[16 + i];
    const double u = ((words[i] >> 1) + 0.5) * 0x1p-31;
    const double radius = std::sqrt(-2 * (u < 0.5 ? std::log(u) : std::log1p(u - 1)));
    const double t = ((angle & 0x1FFFFFFF) + 0.5) * (0.78539816339744830962 * 0x1p-29);
    const double cosine = std::cos(t), sine = std::sin(t);
    const bool swap = (angle & 0x20000000) != 0;
    const double x = radius * (swap ? sine : cosine), z = radius * (swap ? cosine : sine);
    y[i] = fma(deviation, (angle & 0x80000000) != 0 ? -x : x, mean);
    y[16 + i] = fma(deviation, (angle & 0x40000000) != 0 ? -z : z, mean);
  }
}

template <class T>
EIGAN_TARGET inline void normal(Index n, std::uint64_t key, std::uint64_t sample, T mean, T deviation, T* y) {
  std::uint32_t words[32];
  T part[32];
  for (Index first = 0; first < n; first += 32) {
    philox_group(key, sample, static_cast<std::uint64_t>(first / 32), words);
    const bool whole = n - first >= 32;
    normal_group(words, mean, deviation, whole ? y + first : part);
    if (!whole) copy(n - first, part, y + first);
  }
}

template <class T>
struct TableOf<NormalKernels<T>> {
  static constexpr NormalKernels<T> table{.normal = normal<T>};
};

}  // namespace eigan::detail::EIGAN_ISA
#undef EIGAN_ISA
#undef EIGAN_TARGET
#undef EIGAN_VECTOR_BYTES

#if defined(__x86_64__)
#define EIGAN_X86_VECTORS

#define EIGAN_ISA avx2
#define EIGAN_TARGET [[gnu::target("avx2,fma")]]
#define EIGAN_VECTOR_BYTES 32

// ======== eigan/kernels/normal.inc
// Normal numbers by Box and Muller's transformation: see normal.hpp. Compiled by for_each_isa.inc.
//
// Seeds shall give the same numbers on every machine, so float is made of operations that all round alike: no fused
// multiply-add, which some processors lack, and nothing of the standard library. tests/kernels/normal_test.cpp states
// the error and holds the bits.

namespace eigan::detail::EIGAN_ISA {

/// c0 + x (c1 + x (c2 + ...)), each product rounded.
EIGAN_TARGET EIGAN_INLINE Vector<float> polynomial(Vector<float>, float last) {
  return broadcast(last);
}
template <class... Rest>
EIGAN_TARGET EIGAN_INLINE Vector<float> polynomial(Vector<float> x, float first, Rest... rest) {
  return rounded(x * polynomial(x, rest...)) + first;
}

/// sqrt(-2 log u), where u is (k + 1/2) 2^-31 and k the upper 31 bits of a word.
EIGAN_TARGET EIGAN_INLINE Vector<float> normal_radius(Simd<float>::I word) {
  using V = Vector<float>;
  using I = Simd<float>::I;
  const I k = (word >> 1) & 0x7FFFFFFF;
  const V u = (__builtin_convertvector(k, V) + 0.5f) * 0x1p-31f;
  const V rest = (__builtin_convertvector(k ^ 0x7FFFFFFF, V) + 0.5f) * 0x1p-31f;  // 1 - u, without its cancellation
  // u = 2^e (1 + f), 1 + f in [sqrt 1/2, sqrt 2).
  constexpr std::int32_t root_half = 0x3F3504F3;
  const I bits = load_as<I>(&u) - root_half;
  const I e = bits >> 23, one_and_f = (bits & 0x7FFFFF) + root_half;
  const V f = e == 0 ? -rest : load_as<V>(&one_and_f) - 1.0f;
  // -2 log(1 + f) = f q(f), q fitted to within 2^-24.9.
  const V q = polynomial(f, -2.0f, 0.999999821f, -0.666679025f, 0.500035107f, -0.399241447f, 0.33141017f, -0.298359483f,
                         0.286150455f, -0.174696878f);
  return square_root(rounded(__builtin_convertvector(e, V) * -1.38629436f) + rounded(f * q));
}

/// cos and sin of an angle: the lower 29 bits are where in an eighth of the circle, the upper three say in which.
EIGAN_TARGET EIGAN_INLINE void normal_direction(Simd<float>::I word, Vector<float>& x, Vector<float>& y) {
  using V = Vector<float>;
  using I = Simd<float>::I;
  const V t = (__builtin_convertvector(word & 0x1FFFFFFF, V) + 0.5f) * 0x1p-29f, t2 = t * t;
  // Of pi/4 t, fitted to within 2^-28 and 2^-33.
  const V sine = t * polynomial(t2, 0.785398185f, -0.0807454363f, 2.49000103e-3f, -3.5950452e-5f);
  const V cosine = polynomial(t2, 1.0f, -0.308425128f, 0.015854327f, -3.25940084e-4f, 3.53033806e-6f);
  const I swap = (word & 0x20000000) != 0;
  x = swap ? sine : cosine;
  y = swap ? cosine : sine;
  const I sign = I{} + std::numeric_limits<std::int32_t>::min();
  const I x_bits = load_as<I>(&x) ^ (word & sign), y_bits = load_as<I>(&y) ^ ((word << 1) & sign);
  x = load_as<V>(&x_bits);
  y = load_as<V>(&y_bits);
}

/// 32 numbers from a group of 32 words.
EIGAN_TARGET EIGAN_INLINE void normal_group(const std::uint32_t* words, float mean, float deviation, float* y) {
  using V = Vector<float>;
  using I = Simd<float>::I;
  for (Index i = 0; i < 16; i += lanes<float>) {
    const V radius = normal_radius(load_as<I>(words + i));
    V cosine, sine;
    normal_direction(load_as<I>(words + 16 + i), cosine, sine);
    store(y + i, rounded(radius * cosine * deviation) + mean);
    store(y + 16 + i, rounded(radius * sine * deviation) + mean);
  }
}
/// The same in double, which checks gradients, by the standard library.
EIGAN_TARGET EIGAN_INLINE void normal_group(const std::uint32_t* words, double mean, double deviation, double* y) {
  for (unsigned i = 0; i < 16; ++i) {
    const std::uint32_t angle = words[16 + i];
    const double u = ((words[i] >> 1) + 0.5) * 0x1p-31;
    const double radius = std::sqrt(-2 * (u < 0.5 ? std::log(u) : std::log1p(u - 1)));
    const double t = ((angle & 0x1FFFFFFF) + 0.5) * (0.78539816339744830962 * 0x1p-29);
    const double cosine = std::cos(t), sine = std::sin(t);
    const bool swap = (angle & 0x20000000) != 0;
    const double x = radius * (swap ? sine : cosine), z = radius * (swap ? cosine : sine);
    y[i] = fma(deviation, (angle & 0x80000000) != 0 ? -x : x, mean);
    y[16 + i] = fma(deviation, (angle & 0x40000000) != 0 ? -z : z, mean);
  }
}

template <class T>
EIGAN_TARGET inline void normal(Index n, std::uint64_t key, std::uint64_t sample, T mean, T deviation, T* y) {
  std::uint32_t words[32];
  T part[32];
  for (Index first = 0; first < n; first += 32) {
    philox_group(key, sample, static_cast<std::uint64_t>(first / 32), words);
    const bool whole = n - first >= 32;
    normal_group(words, mean, deviation, whole ? y + first : part);
    if (!whole) copy(n - first, part, y + first);
  }
}

template <class T>
struct TableOf<NormalKernels<T>> {
  static constexpr NormalKernels<T> table{.normal = normal<T>};
};

}  // namespace eigan::detail::EIGAN_ISA
#undef EIGAN_ISA
#undef EIGAN_TARGET
#undef EIGAN_VECTOR_BYTES

#define EIGAN_ISA avx512
#define EIGAN_TARGET [[gnu::target("avx2,fma,avx512f")]]
#define EIGAN_VECTOR_BYTES 64

// ======== eigan/kernels/normal.inc
// Normal numbers by Box and Muller's transformation: see normal.hpp. Compiled by for_each_isa.inc.
//
// Seeds shall give the same numbers on every machine, so float is made of operations that all round alike: no fused
// multiply-add, which some processors lack, and nothing of the standard library. tests/kernels/normal_test.cpp states
// the error and holds the bits.

namespace eigan::detail::EIGAN_ISA {

/// c0 + x (c1 + x (c2 + ...)), each product rounded.
EIGAN_TARGET EIGAN_INLINE Vector<float> polynomial(Vector<float>, float last) {
  return broadcast(last);
}
template <class... Rest>
EIGAN_TARGET EIGAN_INLINE Vector<float> polynomial(Vector<float> x, float first, Rest... rest) {
  return rounded(x * polynomial(x, rest...)) + first;
}

/// sqrt(-2 log u), where u is (k + 1/2) 2^-31 and k the upper 31 bits of a word.
EIGAN_TARGET EIGAN_INLINE Vector<float> normal_radius(Simd<float>::I word) {
  using V = Vector<float>;
  using I = Simd<float>::I;
  const I k = (word >> 1) & 0x7FFFFFFF;
  const V u = (__builtin_convertvector(k, V) + 0.5f) * 0x1p-31f;
  const V rest = (__builtin_convertvector(k ^ 0x7FFFFFFF, V) + 0.5f) * 0x1p-31f;  // 1 - u, without its cancellation
  // u = 2^e (1 + f), 1 + f in [sqrt 1/2, sqrt 2).
  constexpr std::int32_t root_half = 0x3F3504F3;
  const I bits = load_as<I>(&u) - root_half;
  const I e = bits >> 23, one_and_f = (bits & 0x7FFFFF) + root_half;
  const V f = e == 0 ? -rest : load_as<V>(&one_and_f) - 1.0f;
  // -2 log(1 + f) = f q(f), q fitted to within 2^-24.9.
  const V q = polynomial(f, -2.0f, 0.999999821f, -0.666679025f, 0.500035107f, -0.399241447f, 0.33141017f, -0.298359483f,
                         0.286150455f, -0.174696878f);
  return square_root(rounded(__builtin_convertvector(e, V) * -1.38629436f) + rounded(f * q));
}

/// cos and sin of an angle: the lower 29 bits are where in an eighth of the circle, the upper three say in which.
EIGAN_TARGET EIGAN_INLINE void normal_direction(Simd<float>::I word, Vector<float>& x, Vector<float>& y) {
  using V = Vector<float>;
  using I = Simd<float>::I;
  const V t = (__builtin_convertvector(word & 0x1FFFFFFF, V) + 0.5f) * 0x1p-29f, t2 = t * t;
  // Of pi/4 t, fitted to within 2^-28 and 2^-33.
  const V sine = t * polynomial(t2, 0.785398185f, -0.0807454363f, 2.49000103e-3f, -3.5950452e-5f);
  const V cosine = polynomial(t2, 1.0f, -0.308425128f, 0.015854327f, -3.25940084e-4f, 3.53033806e-6f);
  const I swap = (word & 0x20000000) != 0;
  x = swap ? sine : cosine;
  y = swap ? cosine : sine;
  const I sign = I{} + std::numeric_limits<std::int32_t>::min();
  const I x_bits = load_as<I>(&x) ^ (word & sign), y_bits = load_as<I>(&y) ^ ((word << 1) & sign);
  x = load_as<V>(&x_bits);
  y = load_as<V>(&y_bits);
}

/// 32 numbers from a group of 32 words.
EIGAN_TARGET EIGAN_INLINE void normal_group(const std::uint32_t* words, float mean, float deviation, float* y) {
  using V = Vector<float>;
  using I = Simd<float>::I;
  for (Index i = 0; i < 16; i += lanes<float>) {
    const V radius = normal_radius(load_as<I>(words + i));
    V cosine, sine;
    normal_direction(load_as<I>(words + 16 + i), cosine, sine);
    store(y + i, rounded(radius * cosine * deviation) + mean);
    store(y + 16 + i, rounded(radius * sine * deviation) + mean);
  }
}
/// The same in double, which checks gradients, by the standard library.
EIGAN_TARGET EIGAN_INLINE void normal_group(const std::uint32_t* words, double mean, double deviation, double* y) {
  for (unsigned i = 0; i < 16; ++i) {
    const std::uint32_t angle = words[16 + i];
    const double u = ((words[i] >> 1) + 0.5) * 0x1p-31;
    const double radius = std::sqrt(-2 * (u < 0.5 ? std::log(u) : std::log1p(u - 1)));
    const double t = ((angle & 0x1FFFFFFF) + 0.5) * (0.78539816339744830962 * 0x1p-29);
    const double cosine = std::cos(t), sine = std::sin(t);
    const bool swap = (angle & 0x20000000) != 0;
    const double x = radius * (swap ? sine : cosine), z = radius * (swap ? cosine : sine);
    y[i] = fma(deviation, (angle & 0x80000000) != 0 ? -x : x, mean);
    y[16 + i] = fma(deviation, (angle & 0x40000000) != 0 ? -z : z, mean);
  }
}

template <class T>
EIGAN_TARGET inline void normal(Index n, std::uint64_t key, std::uint64_t sample, T mean, T deviation, T* y) {
  std::uint32_t words[32];
  T part[32];
  for (Index first = 0; first < n; first += 32) {
    philox_group(key, sample, static_cast<std::uint64_t>(first / 32), words);
    const bool whole = n - first >= 32;
    normal_group(words, mean, deviation, whole ? y + first : part);
    if (!whole) copy(n - first, part, y + first);
  }
}

template <class T>
struct TableOf<NormalKernels<T>> {
  static constexpr NormalKernels<T> table{.normal = normal<T>};
};

}  // namespace eigan::detail::EIGAN_ISA
#undef EIGAN_ISA
#undef EIGAN_TARGET
#undef EIGAN_VECTOR_BYTES

#undef EIGAN_X86_VECTORS
#endif

#undef EIGAN_INLINE
#undef EIGAN_NOINLINE
#undef EIGAN_UNROLL
#undef EIGAN_UNROLL_TWICE
EIGAN_SHARE_KERNELS(NormalKernels)

namespace eigan {

/// Uniform in [low, high), on a grid of (high - low) 2^-24. Where T cannot tell the last grid points from high, as
/// float cannot in [1, 2), rounding may give high itself.
template <class T>
void fill_uniform(View<T> out, double low, double high, Rng rng, Index first_sample = 0) {
  for (Index j = 0; j < out.cols(); ++j)
    detail::kernels<detail::UniformKernels<T>>().uniform(
        out.rows(), rng.key(), static_cast<std::uint64_t>(first_sample + j), static_cast<T>(low),
        static_cast<T>(high - low), out.data() + j * out.outerStride());
}

/// Normal with the given mean and standard deviation, by Box and Muller's transformation.
///
/// Words i and 16 + i of a group of 32, w and a, give elements i and 16 + i of the same 32: sqrt(-2 log u) times the
/// cosine and the sine of an angle, with u = ((w >> 1) + 1/2) 2^-31; the angle is, from a's highest bit down, a sign of
/// the cosine, one of the sine, whether the two change places, and a place in an eighth of the circle. So numbers reach
/// to 6.66 deviations. In float every operation is exactly rounded: all machines and instruction sets give the same
/// bits, within 4e-7 of the exact value for mean 0, relatively.
template <class T>
void fill_normal(View<T> out, double mean, double deviation, Rng rng, Index first_sample = 0) {
  for (Index j = 0; j < out.cols(); ++j)
    detail::kernels<detail::NormalKernels<T>>().normal(
        out.rows(), rng.key(), static_cast<std::uint64_t>(first_sample + j), static_cast<T>(mean),
        static_cast<T>(deviation), out.data() + j * out.outerStride());
}

}  // namespace eigan

// ======== eigan/core/shape_text.hpp
// shape_text: a shape as messages and summaries write it.

namespace eigan {

/// "784" for a vector, "3 x 64 x 48" for channels x height x width.
inline std::string shape_text(Shape shape) {
  return shape.is_vector() ? detail::concat(shape.channels)
                           : detail::concat(shape.channels, " x ", shape.height, " x ", shape.width);
}

}  // namespace eigan

// ======== eigan/gan/gradient_penalty.hpp
// GradientPenalty: keeps the slope of a discriminator D under control. With g_j = d(sum of D's outputs)/dx at sample j:
//   R1        gamma / 2 mean_j |g_j|^2        at real samples (Mescheder, Geiger, Nowozin 2018)
//   WGAN-GP   lambda mean_j (|g_j| - 1)^2     between real and generated ones (Gulrajani et al. 2017)
// Their gradients are second derivatives. With a direction u_j held fixed, <g, u> is D's derivative in the direction u,
// and both penalties' gradients are those of <g, u>: u_j = gamma / batch g_j, or 2 lambda / batch (1 - 1 / |g_j|) g_j,
// 0 where g_j is. So (x, u) goes forward through the network and (0, 1) back. What the way back of g left at each level
// is the second half of that; the first half, the curvature, is empty for networks that are linear piece by piece.

// ======== eigan/net/basic_model.hpp
// BasicModel<T>: a model of any network: its list of steps, its parameters and state, and the passes over them.
//
// A pass runs over tiles of samples, the weight gradients over blocks of parameters; neither depends on the number of
// threads, so the results do not either, to the last bit.

// ======== eigan/net/check_fit.hpp
// What a model and its passes refuse before they begin: a network that is not finished, and buffers, inputs, outputs
// and memory that do not fit it. Each function throws std::invalid_argument with what is expected and what is given.

// ======== eigan/net/steps.hpp
// Steps<T>: a network as passes see it: a flat list. Level 0 is the input (0, 1, ... where there are several), every
// step reads one or more levels in front of it and writes the next. Sequential, Residual and the others append
// themselves to such a list; what is no such composition can add its steps by hand:
//
//   Steps<float> steps({Shape{3, 8, 8}});
//   const auto a = steps.add(Conv2d<3, 3, 3, 1, 1>{}, 0, "conv");
//   steps.sum({0, a}, "sum");
//
// BasicModel<float>(std::make_shared<Steps<float>>(steps), "a name", Rng(1)) is its model.

// ======== eigan/net/step.hpp
// Step<T>: one entry of the list that a network is to passes: a layer, or a join of several levels, and where its
// parameters, its state and what it prepares lie in the network's buffers. net/steps.hpp is the list.

// ======== eigan/net/layer_table.hpp
// LayerTable<T>: a layer as passes see it: what kind it is, and a function pointer for each thing that it can do. The
// functions of a layer's type are instantiated here, once, whatever networks it stands in.
//
// What a layer lacks does what it would mean: forward_train is forward where nothing is drawn, a layer without parts is
// one part, a parametric layer without blocks is one block.

// ======== eigan/net/must_be_a_layer.hpp
// MustBeALayer<L, Position>: what a network asks of a type that it takes for a layer, with the compiler's words for
// what is missing. A misspelt or mistyped optional member must not be passed over in silence: a type with one function
// of a kind of core/layer.hpp must have all functions of that kind.

namespace eigan::detail {

template <class L, std::size_t... Position>
struct MustBeAParametricLayer {
  static_assert(ParametricLayer<L>,
                "eigan: this layer has param_size() but lacks init or backward_params as the concept "
                "eigan::ParametricLayer asks for them. The template arguments are the type and its place in a "
                "Sequential");
};

template <class L>
concept has_forward_train = requires(const L layer, ParamsOf<L, float> p, ConstView<float> x, View<float> y,
                                     Draw draw) {
  layer.forward_train(p, x, y, draw);
}
|| requires {
  &L::forward_train;
}
|| requires {
  &L::template forward_train<float>;
};
template <class L>
concept has_update_state = requires {
  &L::update_state;
}
|| requires {
  &L::template update_state<float>;
};
template <class L>
concept takes_update_state = requires(const L layer, std::span<const float> p, std::span<float> s) {
  layer.update_state(p, s);
};
template <class L>
concept has_statistics = requires {
  &L::template update_statistics<float>;
}
|| requires {
  &L::update_statistics;
}
|| requires {
  &L::template merge_statistics<float>;
}
|| requires {
  &L::merge_statistics;
};
template <class L>
concept has_block_count = requires(const L layer) {
  layer.block_count();
};
template <class L>
concept has_part_count = requires(const L layer) {
  layer.part_count();
};
template <class L>
concept has_prepared_size = requires(const L layer) {
  layer.prepared_size();
};
template <class L>
concept has_state = requires(const L layer) {
  layer.state_size();
};
template <class L>
concept is_declared_coupled = requires {
  requires L::coupled;
};

/// Position: none, or one, of a layer in a Sequential.
template <class L, std::size_t... Position>
struct MustBeALayer {
  static_assert(
      ElementwiseLayer<L> || SizedLayer<L>,
      "eigan: this type states neither `elementwise = true` nor `input` and `output`, and has no output_shape "
      "and at; see the concept eigan::Layer. The template arguments are the type and its place in a Sequential");
  static_assert(Layer<L>,
                "eigan: this type lacks forward or backward_input as the concept eigan::Layer asks for them. The "
                "template arguments are the type and its place in a Sequential");
  static_assert(!has_forward_train<L> || StochasticLayer<L>,
                "eigan: this layer has forward_train, but not as the concept eigan::StochasticLayer asks for it, or no "
                "backward_input_train. The template arguments are the type and its place in a Sequential");
  static_assert(!has_block_count<L> || BlockedLayer<L>,
                "eigan: this layer has block_count(), but not the rest that the concept eigan::BlockedLayer asks for. "
                "The template arguments are the type and its place in a Sequential");
  static_assert(!has_part_count<L> || PartedLayer<L>,
                "eigan: this layer has part_count(), but lacks forward_parts or backward_input_parts as the concept "
                "eigan::PartedLayer asks for them. The template arguments are the type and its place in a Sequential");
  static_assert(!is_declared_coupled<L> || PartedLayer<L>,
                "eigan: this layer is coupled, but has no parts, which alone see the whole batch; see the concept "
                "eigan::BatchCoupledLayer. The template arguments are the type and its place in a Sequential");
  static_assert(!(StochasticLayer<L> && BatchCoupledLayer<L>),
                "eigan: this layer is both coupled and stochastic: its parts, which see the whole batch, are given no "
                "random numbers. Make two layers of it. The template arguments are the type and its place in a "
                "Sequential");
  static_assert(!has_prepared_size<L> || PreparedLayer<L>,
                "eigan: this layer has prepared_size(), but no prepare as the concept eigan::PreparedLayer asks for "
                "it. The template arguments are the type and its place in a Sequential");
  static_assert(!has_state<L> || StatefulLayer<L>,
                "eigan: this layer has state_size(), but lacks states, init_state or prepare, where its state is read, "
                "as the concept eigan::StatefulLayer asks for them. The template arguments are the type and its place "
                "in a Sequential");
  static_assert(!has_update_state<L> || (StatefulLayer<L> && takes_update_state<L>),
                "eigan: this layer has update_state, but no state, or does not take (p, s), its parameters and its "
                "state, as spans; see the concept eigan::StatefulLayer. The template arguments are the type and its "
                "place in a Sequential");
  static_assert(!has_statistics<L> || StatisticsLayer<L>,
                "eigan: this layer has update_statistics or merge_statistics, but not all that the concept "
                "eigan::StatisticsLayer asks for. The template arguments are the type and its place in a Sequential");
  static constexpr bool parametric = requires(const L layer) { layer.param_size(); };
  static_assert(sizeof(std::conditional_t<parametric, MustBeAParametricLayer<L, Position...>, L>) > 0);
};

}  // namespace eigan::detail

namespace eigan::detail {

/// Of which kinds a layer is.
struct LayerTraits {
  bool elementwise, parametric, stochastic, coupled, parted, statistics, tangent, curved, reads_x, reads_y;
  bool operator==(const LayerTraits&) const = default;
};

/// `l` points to the layer; p are its parameters, q what was prepared from them.
template <class T>
struct LayerTable {
  using P = Prepared<T>;
  using C = ConstView<T>;
  using V = View<T>;
  LayerTraits traits;
  Index (*param_size)(const void* l);
  Index (*state_size)(const void* l);
  Index (*prepared_size)(const void* l);
  Index (*part_count)(const void* l);
  Index (*block_count)(const void* l);
  std::pair<Index, Index> (*block_range)(const void* l, Index block);
  Index (*gradient_splits)(const void* l, Index batch);
  double (*operations)(const void* l);
  Spec (*spec)(const void* l);
  std::vector<Parameter> (*parameters)(const void* l);
  std::vector<Parameter> (*states)(const void* l);
  void (*init)(const void* l, std::span<T> p, Rng rng);
  void (*init_state)(const void* l, std::span<T> s);
  void (*prepare)(const void* l, std::span<const T> p, std::span<const T> s, std::span<T> q, Phase phase);
  void (*update_state)(const void* l, std::span<const T> p, std::span<T> s, C x, double momentum);
  void (*merge_statistics)(const void* l, std::span<T> s, C x, Index seen);
  void (*forward)(const void* l, P p, C x, V y);
  void (*forward_train)(const void* l, P p, C x, V y, Draw draw);
  void (*forward_parts)(const void* l, P p, C x, V y, Index first, Index last);
  void (*backward_input)(const void* l, P p, C x, C y, C dy, V dx, Draw draw);
  void (*backward_input_parts)(const void* l, P p, C x, C y, C dy, V dx, Index first, Index last);
  void (*backward_params)(const void* l, P p, C x, C y, C dy, std::span<T> dp, Index first, Index last);
  void (*forward_tangent)(const void* l, P p, C x, C y, C tx, V ty, Draw draw);
  void (*add_curvature)(const void* l, P p, C x, C y, C tx, C dty, V dx);
  void (*backward_params_tangent)(const void* l, P p, C x, C y, C tx, C dty, std::span<T> dp);
};

/// How a layer of type L fills in the table.
template <class L, class T>
struct LayerFunctions {
  static_assert(sizeof(MustBeALayer<L>) > 0);
  using P = Prepared<T>;
  using C = ConstView<T>;
  using V = View<T>;
  static constexpr bool parametric = ParametricLayer<L, T>, stochastic = StochasticLayer<L, T>,
                        parted = PartedLayer<L, T>;
  static constexpr bool curved = requires(const L layer, ParamsOf<L, T> p, C c, V v) {
    layer.add_curvature(p, c, c, c, c, v);
  };

  static const L& layer(const void* l) { return *static_cast<const L*>(l); }
  static ParamsOf<L, T> params(const P& p) {
    if constexpr (PreparedLayer<L, T>)
      return p;
    else
      return p.params;
  }

  static Index param_size(const void* l) { return param_size_of(layer(l)); }
  static Index state_size([[maybe_unused]] const void* l) {
    if constexpr (StatefulLayer<L, T>)
      return layer(l).state_size();
    else
      return 0;
  }
  static Index prepared_size([[maybe_unused]] const void* l) {
    if constexpr (PreparedLayer<L, T>)
      return layer(l).prepared_size();
    else
      return 0;
  }
  static Index part_count([[maybe_unused]] const void* l) {
    if constexpr (parted)
      return layer(l).part_count();
    else
      return 1;
  }
  static Index block_count([[maybe_unused]] const void* l) {
    if constexpr (BlockedLayer<L, T>)
      return layer(l).block_count();
    else
      return parametric ? 1 : 0;
  }
  static std::pair<Index, Index> block_range(const void* l, [[maybe_unused]] Index block) {
    if constexpr (BlockedLayer<L, T>)
      return layer(l).block_range(block);
    else
      return {0, param_size(l)};
  }
  static Index gradient_splits([[maybe_unused]] const void* l, [[maybe_unused]] Index batch) {
    if constexpr (requires { layer(l).gradient_splits(batch); })
      return layer(l).gradient_splits(batch);
    else
      return 1;
  }
  static double operations(const void* l) {
    if constexpr (requires { layer(l).operations(); })
      return layer(l).operations();
    else
      return 2.0 * static_cast<double>(param_size(l));
  }
  static Spec spec(const void* l) { return spec_of(layer(l)); }
  static std::vector<Parameter> parameters(const void* l) { return parameters_of(layer(l)); }
  static std::vector<Parameter> states([[maybe_unused]] const void* l) {
    if constexpr (StatefulLayer<L, T>)
      return layer(l).states();
    else
      return {};
  }

  static void init([[maybe_unused]] const void* l, [[maybe_unused]] std::span<T> p, [[maybe_unused]] Rng rng) {
    if constexpr (parametric) layer(l).init(p, rng);
  }
  static void init_state([[maybe_unused]] const void* l, [[maybe_unused]] std::span<T> s) {
    if constexpr (StatefulLayer<L, T>) layer(l).init_state(s);
  }
  static void prepare([[maybe_unused]] const void* l, [[maybe_unused]] std::span<const T> p,
                      [[maybe_unused]] std::span<const T> s, [[maybe_unused]] std::span<T> q,
                      [[maybe_unused]] Phase phase) {
    if constexpr (PreparedLayer<L, T>) layer(l).prepare(p, s, q, phase);
  }
  static void update_state([[maybe_unused]] const void* l, [[maybe_unused]] std::span<const T> p,
                           [[maybe_unused]] std::span<T> s, [[maybe_unused]] C x, [[maybe_unused]] double momentum) {
    if constexpr (StatisticsLayer<L, T>) layer(l).update_statistics(s, x, momentum);
    if constexpr (requires { layer(l).update_state(p, s); }) layer(l).update_state(p, s);
  }
  static void merge_statistics([[maybe_unused]] const void* l, [[maybe_unused]] std::span<T> s, [[maybe_unused]] C x,
                               [[maybe_unused]] Index seen) {
    if constexpr (StatisticsLayer<L, T>) layer(l).merge_statistics(s, x, seen);
  }
  static void forward(const void* l, P p, C x, V y) { layer(l).forward(params(p), x, y); }
  static void forward_train(const void* l, P p, C x, V y, [[maybe_unused]] Draw draw) {
    if constexpr (stochastic)
      layer(l).forward_train(params(p), x, y, draw);
    else
      layer(l).forward(params(p), x, y);
  }
  static void forward_parts(const void* l, P p, C x, V y, [[maybe_unused]] Index first, [[maybe_unused]] Index last) {
    if constexpr (parted)
      layer(l).forward_parts(params(p), x, y, first, last);
    else
      layer(l).forward(params(p), x, y);
  }
  static void backward_input(const void* l, P p, C x, C y, C dy, V dx, [[maybe_unused]] Draw draw) {
    if constexpr (stochastic)
      layer(l).backward_input_train(params(p), x, y, dy, dx, draw);
    else
      layer(l).backward_input(params(p), x, y, dy, dx);
  }
  static void backward_input_parts(const void* l, P p, C x, C y, C dy, V dx, [[maybe_unused]] Index first,
                                   [[maybe_unused]] Index last) {
    if constexpr (parted)
      layer(l).backward_input_parts(params(p), x, y, dy, dx, first, last);
    else
      layer(l).backward_input(params(p), x, y, dy, dx);
  }
  static void backward_params([[maybe_unused]] const void* l, [[maybe_unused]] P p, [[maybe_unused]] C x,
                              [[maybe_unused]] C y, [[maybe_unused]] C dy, [[maybe_unused]] std::span<T> dp,
                              [[maybe_unused]] Index first, [[maybe_unused]] Index last) {
    if constexpr (BlockedLayer<L, T>)
      layer(l).backward_params_blocks(params(p), x, y, dy, dp, first, last);
    else if constexpr (parametric)
      layer(l).backward_params(params(p), x, y, dy, dp);
  }
  static void forward_tangent([[maybe_unused]] const void* l, [[maybe_unused]] P p, [[maybe_unused]] C x,
                              [[maybe_unused]] C y, [[maybe_unused]] C tx, [[maybe_unused]] V ty,
                              [[maybe_unused]] Draw draw) {
    if constexpr (!TangentLayer<L, T>)
      return;
    else if constexpr (!ElementwiseLayer<L>)
      layer(l).forward_tangent(params(p), x, y, tx, ty);
    else  // a diagonal Jacobian is its own transpose
      backward_input(l, p, x, y, tx, ty, draw);
  }
  static void add_curvature([[maybe_unused]] const void* l, [[maybe_unused]] P p, [[maybe_unused]] C x,
                            [[maybe_unused]] C y, [[maybe_unused]] C tx, [[maybe_unused]] C dty,
                            [[maybe_unused]] V dx) {
    if constexpr (curved) layer(l).add_curvature(params(p), x, y, tx, dty, dx);
  }
  static void backward_params_tangent([[maybe_unused]] const void* l, [[maybe_unused]] P p, [[maybe_unused]] C x,
                                      [[maybe_unused]] C y, [[maybe_unused]] C tx, [[maybe_unused]] C dty,
                                      [[maybe_unused]] std::span<T> dp) {
    if constexpr (TangentLayer<L, T> && parametric) layer(l).backward_params_tangent(params(p), x, y, tx, dty, dp);
  }

  static constexpr LayerTable<T> table{.traits = {.elementwise = ElementwiseLayer<L>,
                                                  .parametric = parametric,
                                                  .stochastic = stochastic,
                                                  .coupled = BatchCoupledLayer<L, T>,
                                                  .parted = parted,
                                                  .statistics = StatisticsLayer<L, T>,
                                                  .tangent = TangentLayer<L, T>,
                                                  .curved = curved,
                                                  .reads_x = backward_reads_x<L>(),
                                                  .reads_y = backward_reads_y<L>()},
                                       .param_size = param_size,
                                       .state_size = state_size,
                                       .prepared_size = prepared_size,
                                       .part_count = part_count,
                                       .block_count = block_count,
                                       .block_range = block_range,
                                       .gradient_splits = gradient_splits,
                                       .operations = operations,
                                       .spec = spec,
                                       .parameters = parameters,
                                       .states = states,
                                       .init = init,
                                       .init_state = init_state,
                                       .prepare = prepare,
                                       .update_state = update_state,
                                       .merge_statistics = merge_statistics,
                                       .forward = forward,
                                       .forward_train = forward_train,
                                       .forward_parts = forward_parts,
                                       .backward_input = backward_input,
                                       .backward_input_parts = backward_input_parts,
                                       .backward_params = backward_params,
                                       .forward_tangent = forward_tangent,
                                       .add_curvature = add_curvature,
                                       .backward_params_tangent = backward_params_tangent};
};

}  // namespace eigan::detail

namespace eigan {

/// What a step does.
enum class StepKind {
  layer,         ///< its layer
  sum,           ///< adds the levels it reads
  concatenation  ///< puts their channels side by side, vectors at every pixel
};

/// One step of a network: a layer or a join, and where its numbers lie.
template <class T>
struct Step {
  StepKind kind;                                 ///< of which kind it is
  std::vector<std::size_t> reads;                ///< one level for a layer, several for a join
  std::size_t writes;                            ///< the level that it makes
  std::string name;                              ///< of the layer in the network: "2.body.0"
  const detail::LayerTable<T>* table = nullptr;  ///< the layer's functions; none for a join
  std::shared_ptr<const void> layer = nullptr;   ///< the layer
  double operations = 0;                         ///< of a forward pass for one sample, in floating-point operations
  Index offset = 0;                              ///< of its parameters
  Index size = 0;                                ///< how many parameters it has
  Index state_offset = 0;                        ///< of its state
  Index state_size = 0;                          ///< how many numbers of state it has
  Index prepared_offset = 0;                     ///< of what is made ready once a pass
  Index prepared_size = 0;                       ///< how many numbers that are

  /// Of which kinds its layer is; of none where it joins.
  const detail::LayerTraits& traits() const {
    static constexpr detail::LayerTraits join{};
    return table == nullptr ? join : table->traits;
  }
  /// The layer's description, or the join's name.
  Spec spec() const {
    return table != nullptr ? table->spec(layer.get()) : Spec{kind == StepKind::sum ? "sum" : "concatenation"};
  }
  /// Parts that a thread can compute by itself.
  Index part_count() const { return table == nullptr ? 1 : table->part_count(layer.get()); }
  /// The step's part of a parameter-shaped buffer.
  template <class U>
  std::span<U> slice(std::span<U> all) const {
    return all.subspan(static_cast<std::size_t>(offset), static_cast<std::size_t>(size));
  }
  /// The step's part of a buffer of states.
  template <class U>
  std::span<U> state_slice(std::span<U> all) const {
    return all.subspan(static_cast<std::size_t>(state_offset), static_cast<std::size_t>(state_size));
  }
  /// The step's part of what is prepared.
  template <class U>
  std::span<U> prepared_slice(std::span<U> all) const {
    return all.subspan(static_cast<std::size_t>(prepared_offset), static_cast<std::size_t>(prepared_size));
  }
};

}  // namespace eigan

namespace eigan {

/// The list.
template <class T>
class Steps {
 public:
  /// Of inputs of these shapes, one at least, and no steps yet.
  explicit Steps(std::vector<Shape> inputs) : levels_(std::move(inputs)), inputs_(levels_.size()) {
    if (levels_.empty()) detail::fail_contract("eigan::Steps: needs at least one input");
    for (const Shape& shape : levels_)
      if (!shape || !fits_memory(shape))
        detail::fail_contract("eigan: an input cannot have the shape ", shape_text(shape));
  }

  /// Adds a layer behind level `from`; returns the level that it makes. Throws std::invalid_argument, naming the layer,
  /// if it does not take what that level gives.
  template <class L>
  std::size_t add(const L& layer, std::size_t from, std::string name) {
    check_reads({from}, name);
    const Shape in = levels_[from], out = detail::output_shape_of(layer, in);
    if (!out)
      detail::fail_contract("eigan: this layer does not take what the layer before gives: layer ", name, ", ",
                            detail::spec_of(layer).text(), ", expects ", expected(layer), " and receives ",
                            shape_text(in));
    check_memory(out, name);  // before the layer is placed, which multiplies sizes
    if constexpr (ShapedLayer<L>)
      return add_placed(layer.at(in), from, out, std::move(name));
    else
      return add_placed(layer, from, out, std::move(name));
  }
  /// The sum of levels of one shape.
  std::size_t sum(std::vector<std::size_t> levels, std::string name) {
    check_reads(levels, name);
    for (const std::size_t level : levels)
      if (levels_[level] != levels_[levels.front()])
        detail::fail_contract("eigan: a sum needs equal shapes: ", name, " receives ",
                              shape_text(levels_[levels.front()]), " and ", shape_text(levels_[level]));
    const Shape out = levels_[levels.front()];
    return push({StepKind::sum, std::move(levels), 0, std::move(name)}, out);
  }
  /// The channels of levels of one height and width side by side; a vector among images is repeated at every pixel.
  std::size_t concatenate(std::vector<std::size_t> levels, std::string name) {
    check_reads(levels, name);
    const auto is_image = [&](std::size_t level) { return !levels_[level].is_vector(); };
    const auto image = std::find_if(levels.begin(), levels.end(), is_image);
    Shape out = image == levels.end() ? Shape{} : levels_[*image];
    out.channels = 0;
    for (const std::size_t level : levels) {
      const Shape& in = levels_[level];
      if (!in.is_vector() && (in.height != out.height || in.width != out.width))
        detail::fail_contract("eigan: images side by side need one height and width: ", name, " receives ",
                              shape_text(levels_[*image]), " and ", shape_text(in));
      if (!checked_add(out.channels, in.channels, out.channels)) out.channels = std::numeric_limits<Index>::max();
    }
    return push({StepKind::concatenation, std::move(levels), 0, std::move(name)}, out);
  }

  /// The shapes of all levels.
  const std::vector<Shape>& levels() const { return levels_; }
  /// The steps, each behind those whose levels it reads.
  const std::vector<Step<T>>& steps() const { return steps_; }
  /// How many of the first levels are inputs.
  std::size_t inputs() const { return inputs_; }
  /// How many parameters there are, and numbers of state, and such as are prepared for a pass.
  Index param_size() const { return params_; }
  Index state_size() const { return states_; }
  Index prepared_size() const { return prepared_; }
  /// Whether a training pass draws random numbers.
  bool stochastic() const {
    return std::any_of(steps_.begin(), steps_.end(), [](const Step<T>& step) { return step.traits().stochastic; });
  }
  /// Steps that read a level.
  Index readers(std::size_t level) const {
    Index count = 0;
    for (const Step<T>& step : steps_) count += std::count(step.reads.begin(), step.reads.end(), level);
    return count;
  }

  /// Every tensor to train, named as torch.nn.Sequential names it: "0.weight".
  std::vector<Parameter> parameters() const {
    return collect([](const Step<T>& s) { return s.table->parameters(s.layer.get()); }, &Step<T>::offset);
  }
  /// Every tensor of the state: "1.running_mean".
  std::vector<Parameter> states() const {
    return collect([](const Step<T>& s) { return s.table->states(s.layer.get()); }, &Step<T>::state_offset);
  }

 private:
  void check_reads(const std::vector<std::size_t>& levels, const std::string& name) const {
    if (levels.empty()) detail::fail_contract("eigan::Steps: ", name, " must read a level");
    for (const std::size_t level : levels)
      if (level >= levels_.size())
        detail::fail_contract("eigan::Steps: ", name, " cannot read level ", level, " of ", levels_.size());
  }
  template <class L>
  static std::string expected(const L& layer) {
    if constexpr (requires { layer.expects(); })
      return layer.expects();
    else if constexpr (SizedLayer<L>)
      return detail::concat(detail::input_of(layer));
    else
      return "another shape";
  }
  template <class L>
  std::size_t add_placed(L layer, std::size_t from, Shape out, std::string name) {
    Step<T> step{StepKind::layer, {from}, 0, std::move(name), &detail::LayerFunctions<L, T>::table};
    step.layer = std::make_shared<const L>(std::move(layer));
    const auto place = [&](Index& total, Index& offset, Index& size, Index (*size_of)(const void*)) {
      offset = total, size = size_of(step.layer.get());
      if (size < 0 || !checked_add(total, size, total) || total > std::numeric_limits<Index>::max() / 8)
        detail::fail_contract("eigan: more parameters than any memory holds, with layer ", step.name, ", ",
                              step.spec().text());
    };
    place(params_, step.offset, step.size, step.table->param_size);
    place(states_, step.state_offset, step.state_size, step.table->state_size);
    place(prepared_, step.prepared_offset, step.prepared_size, step.table->prepared_size);
    step.operations = step.table->operations(step.layer.get());
    return push(std::move(step), out);
  }
  /// What a step reads and writes for a sample: where it does little else, that is its time.
  double numbers(const Step<T>& step, Shape out) const {
    auto sum = static_cast<double>(out.size());
    for (const std::size_t level : step.reads) sum += static_cast<double>(levels_[level].size());
    return sum;
  }
  static void check_memory(Shape out, const std::string& name) {
    if (!fits_memory(out))
      detail::fail_contract("eigan: layer ", name, " would give more numbers than any memory holds");
  }
  std::size_t push(Step<T> step, Shape out) {
    check_memory(out, step.name);
    for (const Step<T>& other : steps_)
      if (other.name == step.name) detail::fail_contract("eigan::Steps: there are two steps named ", step.name);
    step.operations = std::max(step.operations, detail::memory_access * numbers(step, out));
    step.writes = levels_.size();
    levels_.push_back(out);
    steps_.push_back(std::move(step));
    return levels_.size() - 1;
  }
  template <class F>
  std::vector<Parameter> collect(const F& tensors, Index Step<T>::*offset) const {
    std::vector<Parameter> all;
    for (const Step<T>& step : steps_) {
      if (step.table == nullptr) continue;
      for (Parameter p : tensors(step)) {
        p.name = step.name + '.' + p.name;
        p.offset += step.*offset;
        all.push_back(std::move(p));
      }
    }
    return all;
  }

  std::vector<Shape> levels_;
  std::size_t inputs_;
  std::vector<Step<T>> steps_;
  Index params_ = 0, states_ = 0, prepared_ = 0;
};

namespace detail {
/// Whether memory that was made for one network fits another.
template <class T>
bool same_layout(const Steps<T>& a, const Steps<T>& b) {
  const auto same = [](const Step<T>& s, const Step<T>& t) {
    return s.kind == t.kind && s.reads == t.reads && s.traits() == t.traits() && s.size == t.size &&
           s.prepared_size == t.prepared_size;
  };
  return a.levels() == b.levels() && a.inputs() == b.inputs() &&
         std::equal(a.steps().begin(), a.steps().end(), b.steps().begin(), b.steps().end(), same);
}

/// The place and the number of the parameters of layer number `layer`, which may be a composition. Throws
/// std::invalid_argument if there is none of that number.
template <class T>
std::pair<Index, Index> params_of_layer(const Steps<T>& net, std::size_t layer) {
  const std::string name = std::to_string(layer);
  Index first = -1, size = 0;
  for (const Step<T>& step : net.steps()) {
    if (step.name != name && !step.name.starts_with(name + '.')) continue;
    if (first < 0) first = step.offset;
    size += step.size;
  }
  if (first < 0) fail_contract("eigan::Model::params: the network has no layer ", layer);
  return {first, size};
}

}  // namespace detail
}  // namespace eigan

// ======== eigan/net/tape.hpp
// Tape: one forward pass remembered: every level of a network, and room for the gradients on the way back.
//
// A tape belongs to one network shape and is allocated once, for batches up to a capacity. It remembers exactly one
// pass: views taken from it hold until the next forward pass on the same tape. Inputs are not copied; they must outlive
// the backward pass. Two passes alive at once are two tapes. After a forward pass the loss writes output_gradient(),
// then one backward pass consumes it; anything else is refused.

// ======== eigan/net/memory_plan.hpp
// plan_memory: which levels of a network share memory in a training pass, and which steps add to a gradient.
//
// Activations: an element-wise layer writes over its input, and a sum over the last level it reads, if that is no input
// of the network, nobody else reads it, neither its maker nor this layer reads it on the way back, and this layer takes
// no statistics of it behind the pass.
// Gradients: an element-wise layer without parameters turns dy into dx in place, and a sum hands dy down as it is, if
// nobody else reads that level. Of several readers of a level, the first on the way back assigns its gradient and the
// others add theirs, in the list's order: the sum has the same bits for any number of threads.

#include <numeric>

namespace eigan::detail {

struct MemoryPlan {
  std::vector<std::size_t> activation, gradient;  ///< of each level: the level whose memory it has, itself if its own
  std::vector<std::vector<bool>> adds;            ///< of each step and each level it reads
  Index spare_features = 0;                       ///< the widest level to which a layer adds; 0 if none does
};

/// `separate`: every level has memory of its own.
template <class T>
MemoryPlan plan_memory(const Steps<T>& net, bool separate) {
  const std::size_t levels = net.levels().size();
  MemoryPlan plan{std::vector<std::size_t>(levels), std::vector<std::size_t>(levels), {}, 0};
  std::iota(plan.activation.begin(), plan.activation.end(), std::size_t{0});
  std::iota(plan.gradient.begin(), plan.gradient.end(), std::size_t{0});
  const auto has_one_reader = [&](std::size_t level) { return level >= net.inputs() && net.readers(level) == 1; };

  std::vector<bool> maker_reads(levels, true);  // on the way back; of an input: the caller keeps it
  for (const Step<T>& step : net.steps()) {
    const std::size_t from = step.reads.back();
    const detail::LayerTraits& layer = step.traits();
    const bool in_place = step.kind == StepKind::sum || (layer.elementwise && !layer.reads_x && !layer.statistics);
    if (!separate && in_place && has_one_reader(from) && !maker_reads[from])
      plan.activation[step.writes] = plan.activation[from];
    maker_reads[step.writes] = step.kind == StepKind::layer && step.traits().reads_y;
  }

  std::vector<bool> assigned(levels, false);
  plan.adds.resize(net.steps().size());
  for (std::size_t s = net.steps().size(); s-- > 0;) {
    const Step<T>& step = net.steps()[s];
    for (const std::size_t from : step.reads) {
      plan.adds[s].push_back(assigned[from]);
      assigned[from] = true;
      if (plan.adds[s].back() && step.kind == StepKind::layer)
        plan.spare_features = std::max(plan.spare_features, net.levels()[from].size());
    }
    const std::size_t from = step.reads.back();
    const bool in_place = step.kind == StepKind::sum || (step.traits().elementwise && !step.traits().parametric);
    if (!separate && in_place && has_one_reader(from)) plan.gradient[from] = plan.gradient[step.writes];
  }
  return plan;
}

}  // namespace eigan::detail

namespace eigan {

/// The memory of one forward pass and of the way back.
template <class T = float>
class Tape {
 public:
  /// Allocates for batches of up to `capacity` samples. `separate`: no level shares the memory of another.
  Tape(std::shared_ptr<const Steps<T>> steps, Index capacity, bool separate = false)
      : steps_(std::move(steps)), capacity_(capacity), prepared_(steps_->prepared_size()) {
    if (capacity <= 0) detail::fail_contract("eigan::Tape: the capacity must be positive, is ", capacity);
    const detail::MemoryPlan plan = detail::plan_memory(*steps_, separate);
    const std::size_t levels = steps_->levels().size(), inputs = steps_->inputs();
    inputs_.resize(inputs), activations_.resize(levels), gradients_.resize(levels), wanted_.resize(levels);
    needed_.reserve(steps_->steps().size());  // so that no way back ends halfway for want of memory
    const auto place = [&](std::vector<View<T>>& views, const std::vector<std::size_t>& shares, std::size_t level) {
      if (shares[level] != level) return views[level].rebind(views[shares[level]]);
      memory_.emplace_back(steps_->levels()[level].size(), capacity);
      views[level].rebind(memory_.back().view());
    };
    for (std::size_t level = inputs; level < levels; ++level) place(activations_, plan.activation, level);
    for (std::size_t level = levels; level-- > inputs;) place(gradients_, plan.gradient, level);
    adds_ = plan.adds;
    Index partials = 0;
    for (const Step<T>& step : steps_->steps()) {
      const Index splits = step.size > 0 ? step.table->gradient_splits(step.layer.get(), capacity) : 1;
      most_splits_.push_back(splits), partial_offsets_.push_back(partials);
      if (splits > 1) partials += splits * step.size;
    }
    partials_ = Buffer<T>(partials);
    spare_stride_ = padded_stride<T>(plan.spare_features);
    if (plan.spare_features > 0) spare_ = Buffer<T>(spare_stride_ * capacity);
  }

  /// The network that it was made for.
  const Steps<T>& steps() const { return *steps_; }
  /// How many samples it has room for.
  Index capacity() const { return capacity_; }
  /// Samples in the remembered pass; 0 before the first, and where the last has failed.
  Index batch() const { return state_ == State::empty ? 0 : batch_; }
  /// Where the remembered pass's random numbers come from, so that its masks can be drawn again.
  Draw draw() const { return {rng_, first_sample_}; }

  /// The remembered pass's input, which is the caller's.
  ConstView<T> input(std::size_t i = 0) const { return inputs_[i]; }
  /// All of them.
  std::span<const ConstView<T>> inputs() const { return inputs_; }
  /// The network's output: features x batch.
  ConstView<T> output() const { return activation(activations_.size() - 1); }
  /// Where the loss writes its gradient with respect to the output before a backward pass, which consumes it: layers
  /// may pass it down in place, so a second backward pass wants it written again.
  View<T> output_gradient() {
    check_passed();
    state_ = State::ready;
    return gradient(gradients_.size() - 1);
  }

  /// To read it, through a constant tape: that says nothing of a loss that has written. Meant between the loss and the
  /// backward pass, which consumes it.
  ConstView<T> output_gradient() const {
    check_passed();
    return gradients_.back().columns(0, batch_);
  }

  /// A level as it stands: a layer that works in place has overwritten the level in front of it.
  ConstView<T> activation(std::size_t level) const {
    return level < inputs_.size() ? inputs_[level] : ConstView<T>(activations_[level].columns(0, batch_));
  }
  /// A level, for the step that computes it.
  View<T> writable_activation(std::size_t level) { return activations_[level].columns(0, batch_); }
  /// The gradient with respect to a level.
  View<T> gradient(std::size_t level) { return gradients_[level].columns(0, batch_); }

  /// Lets the output live in the caller's memory, e.g. in another network's input: features x capacity or more. Forgets
  /// the pass, whose output the way back may read.
  void bind_output(View<T> y) {
    if (y.rows() != activations_.back().rows())
      detail::fail_contract("eigan::Tape::bind_output: expected ", activations_.back().rows(), " features, got ",
                            y.rows());
    state_ = State::empty;
    activations_.back().rebind(y);
    capacity_ = std::min<Index>(gradients_.back().cols(), y.cols());
  }

  // What passes need; programs do not.

  /// The network of the remembered pass, which may be another than steps() of the same sizes; null before the first.
  const Steps<T>* passed() const { return passed_.get(); }

  /// Starts a new pass over the columns of the inputs, a range of views. It is remembered from finish() on: a pass that
  /// throws leaves none.
  template <class Inputs>
  void begin(const Inputs& inputs, Draw draw, const std::shared_ptr<const Steps<T>>& network) {
    if (passed_ != network) passed_ = network;
    auto kept = inputs_.begin();
    for (const ConstView<T>& input : inputs) (kept++)->rebind(input);
    batch_ = inputs_[0].cols();
    rng_ = draw.rng, first_sample_ = draw.first_sample;
    state_ = State::empty;
  }
  /// Every level has been written.
  void finish() { state_ = State::passed; }
  /// Starts the way back. Throws std::invalid_argument where there is nothing to go back over, or no gradient. dx:
  /// where the inputs' gradients go, an empty view where nobody wants it. Marks what of the rest must be computed.
  void begin_backward(std::span<const View<T>> dx) {
    check_ready();
    bool others = needed_.empty();  // than those wanted of the pass before
    for (std::size_t i = 0; i < inputs_.size(); ++i) {
      const bool wanted = i < dx.size() && dx[i].data() != nullptr;
      others |= wanted != wanted_[i];
      wanted_[i] = wanted;
      if (wanted) gradients_[i].rebind(dx[i]);
    }
    if (others) mark_needed();
    state_ = State::consumed;
  }
  /// Throws std::invalid_argument unless a backward pass may follow.
  void check_ready() const {
    if (state_ == State::empty) detail::fail_contract("eigan::Model: backward without a forward pass on this tape");
    if (state_ == State::passed)
      detail::fail_contract("eigan::Model: backward before a loss has written tape.output_gradient()");
    if (state_ == State::consumed)
      detail::fail_contract(
          "eigan::Model: a second backward on one pass: the first has consumed tape.output_gradient(), "
          "which a loss must write again");
  }
  /// Whether the level's gradient must be computed.
  bool wanted(std::size_t level) const { return wanted_[level]; }
  /// Whether the way back goes through step number `step`: whether the gradient of a level that it reads is wanted.
  bool needed(std::size_t step) const { return needed_[step]; }
  /// Whether step number `step` adds to the gradient of the level that it reads as number `read`, another step having
  /// assigned it.
  bool adds(std::size_t step, std::size_t read) const { return adds_[step][read]; }
  /// Room for a gradient that is to be added to `level`'s, one for each sample.
  View<T> spare(std::size_t level) { return View<T>(spare_.data(), gradients_[level].rows(), batch_, spare_stride_); }
  /// Into how many runs of samples the pass is cut for the gradient of a step.
  Index splits(std::size_t step) const {
    if (most_splits_[step] == 1) return 1;
    const Step<T>& s = steps_->steps()[step];
    return std::min(s.table->gradient_splits(s.layer.get(), batch_), most_splits_[step]);
  }
  /// Where run i's gradient goes.
  std::span<T> partial(std::size_t step, Index i) {
    const Index size = steps_->steps()[step].size;
    return std::span<T>(partials_).subspan(static_cast<std::size_t>(partial_offsets_[step] + i * size),
                                           static_cast<std::size_t>(size));
  }
  /// What the layers have prepared for the pass.
  std::span<T> prepared() { return prepared_; }
  std::span<const T> prepared() const { return prepared_; }

 private:
  void check_passed() const {
    if (state_ == State::empty)
      detail::fail_contract(
          "eigan::Tape::output_gradient: before a forward pass on this tape, which decides how many samples it has; "
          "keep model.forward's result in a variable before the loss is called");
  }

  /// What the inputs' wishes mean for the other levels, and for the steps.
  void mark_needed() {
    needed_.clear();
    for (const Step<T>& step : steps_->steps()) {
      const auto wanted = [&](std::size_t level) { return wanted_[level]; };
      needed_.push_back(std::any_of(step.reads.begin(), step.reads.end(), wanted));
      wanted_[step.writes] = step.size > 0 || needed_.back();
    }
  }

  enum class State { empty, passed, ready, consumed };

  std::shared_ptr<const Steps<T>> steps_, passed_;
  std::vector<BufferMatrix<T>> memory_;
  std::vector<ConstView<T>> inputs_;
  std::vector<View<T>> activations_, gradients_;
  std::vector<std::vector<bool>> adds_;
  std::vector<bool> wanted_, needed_;  // levels, steps
  std::vector<Index> most_splits_, partial_offsets_;
  Buffer<T> partials_, spare_;
  Index spare_stride_ = 0;
  Index capacity_;
  Index batch_ = 0;
  Buffer<T> prepared_;
  Rng rng_{0};
  Index first_sample_ = 0;
  State state_ = State::empty;
};

}  // namespace eigan

namespace eigan::detail {

/// A network of at least one step, each level of which is read by another, but for the output.
template <class T>
void check_complete(const Steps<T>& net) {
  if (net.steps().empty()) fail_contract("eigan::Model: needs at least one layer");
  for (std::size_t level = 0; level + 1 < net.levels().size(); ++level) {
    if (net.readers(level) > 0) continue;
    if (level < net.inputs())
      fail_contract("eigan::Model: given are the shapes of ", net.inputs(),
                    " inputs, the network does not read number ", level);
    fail_contract("eigan::Model: nobody reads level ", level, ", the output of ",
                  net.steps()[level - net.inputs()].name);
  }
}

/// As many parameters as the network has, and numbers of state, or none of these.
template <class T>
void check_buffers(const Steps<T>& net, Index params, Index state) {
  if (params != net.param_size())
    fail_contract("eigan::Model: the network has ", net.param_size(), " parameters, given are ", params);
  if (state != 0 && state != net.state_size())
    fail_contract("eigan::Model: the network's state has ", net.state_size(), " numbers, given are ", state);
}

/// Inputs of the network, a range of views, of one number of samples.
template <class T, class Inputs>
void check_inputs(const Steps<T>& net, const Inputs& inputs) {
  if (inputs.size() != net.inputs())
    fail_contract("eigan::Model: this network has ", net.inputs(), " inputs, given are ", inputs.size());
  const Index samples = inputs.begin()->cols();
  std::size_t i = 0;
  for (const ConstView<T>& input : inputs) {
    const Index features = net.levels()[i].size();
    if (input.rows() != features)
      fail_contract("eigan::Model: a sample of the input must have ", features, " features, has ", input.rows());
    if (input.cols() != samples)
      fail_contract("eigan::Model: all inputs must have ", samples, " samples, input ", i, " has ", input.cols());
    ++i;
  }
}

/// The first batch normalisation of vectors, if there is one. In training one sample does not do for it: of a single
/// value the mean is that value, and the output beta, whatever goes in.
template <class T>
const Step<T>* normalises_vectors(const Steps<T>& net) {
  for (const Step<T>& step : net.steps())
    if (step.traits().coupled && step.traits().statistics && net.levels()[step.reads[0]].is_vector()) return &step;
  return nullptr;
}

/// Samples of which there is a variance where one is wanted. Otherwise `function` refuses them.
template <class T>
void check_variance(const Steps<T>& net, Index samples, const char* function) {
  if (samples != 1) return;
  if (const Step<T>* const step = normalises_vectors(net))
    fail_contract(function, ": layer ", step->name, ", ", step->spec().text(),
                  ": expected more than 1 value of each channel in training, found a batch of 1");
}

/// A batch that the tape has room for, and of which there is a variance where one is wanted.
template <class T>
void check_batch(const Steps<T>& net, const Tape<T>& tape, Index batch) {
  check_variance(net, batch, "eigan::Model::forward");
  if (batch < 1 || batch > tape.capacity())
    fail_contract("eigan::Model::forward: this tape holds 1 to ", tape.capacity(), " samples, the input has ", batch);
}

/// Memory that is written beside all inputs, which are read at the same time or later.
template <class T, class Inputs>
void check_apart(const View<T>& written, const Inputs& inputs, const char* what) {
  std::size_t i = 0;
  for (const ConstView<T>& input : inputs) {
    if (overlap<T>(written, input)) fail_contract("eigan::Model::", what, " lies over the memory of input ", i);
    ++i;
  }
}

/// Room for the output of so many samples.
template <class T>
void check_output(const Steps<T>& net, const View<T>& y, Index samples) {
  const Index features = net.levels().back().size();
  if (y.rows() != features || y.cols() != samples)
    fail_contract("eigan::Model::infer: y must be ", features, " x ", samples, ", is ", y.rows(), " x ", y.cols());
}

/// Room for the gradient of each input that anybody wants: of the first ones, where there are fewer views than inputs.
template <class T>
void check_input_gradients(const Steps<T>& net, std::span<const View<T>> dx, const Tape<T>& tape) {
  const Index samples = tape.batch();
  if (dx.size() > net.inputs())
    fail_contract("eigan::Model::backward_inputs: this network has ", net.inputs(), " inputs, given are ", dx.size(),
                  " gradients");
  for (std::size_t i = 0; i < dx.size(); ++i) {
    const Index features = net.levels()[i].size();
    if (dx[i].data() != nullptr && (dx[i].rows() != features || dx[i].cols() != samples))
      fail_contract("eigan::Model::backward_input: dx must be ", features, " x ", samples, ", is ", dx[i].rows(), " x ",
                    dx[i].cols());
    check_apart(dx[i], tape.inputs(), "backward_input: dx");
    if (overlap<T>(dx[i], tape.output_gradient()))
      fail_contract("eigan::Model::backward_input: dx lies over the gradient of the output");
  }
}

/// A tape or a scratch (`what`) that was made for this network, or for another of the same sizes.
template <class T>
void check_made_for(const Steps<T>& net, const Steps<T>& other, const char* what) {
  if (&other != &net && !same_layout(other, net)) fail_contract(what, " was made for a network of other sizes");
}

/// A tape whose pass was this network's, or that of another whose layers have the same settings.
template <class T>
void check_pass_of(const Steps<T>& net, const Tape<T>& tape) {
  if (tape.passed() == &net) return;
  for (std::size_t s = 0; s < net.steps().size(); ++s) {
    const Step<T>&mine = net.steps()[s], &other = tape.passed()->steps()[s];
    if (mine.kind == StepKind::layer && mine.spec().text() != other.spec().text())
      fail_contract("eigan::Model: the forward pass on this tape was another network's: layer ", mine.name,
                    ": expected ", mine.spec().text(), ", found ", other.spec().text());
  }
}

/// A network that draws no random numbers.
template <class T>
void check_deterministic(const Steps<T>& net) {
  if (net.stochastic())
    fail_contract("eigan::Model::forward: this network has a layer that draws random numbers in training; pass an Rng");
}

}  // namespace eigan::detail

// ======== eigan/net/gradients.hpp
// Gradients: adds the parameters' gradients of a pass, each over the whole batch.
//
// The work is cut into blocks of consecutive parameters; where a layer has few parameters and much work, into runs of
// samples whose gradients are computed by themselves and added in order. Neither cut depends on the number of threads.
// A thread takes a contiguous share of the operations; it computes blocks of one layer together, a run of them, because
// their products read the same activations, but no more at a time than a core's cache holds of the gradient until the
// optimiser reads it.

namespace eigan::detail {

class Gradients {
 public:
  template <class T>
  explicit Gradients(const Steps<T>& net) {
    for (std::size_t s = 0; s < net.steps().size(); ++s) {
      const Step<T>& step = net.steps()[s];
      if (step.size == 0) continue;
      const Index count = step.table->block_count(step.layer.get());
      for (Index i = 0; i < count; ++i) {
        const auto [first, last] = step.table->block_range(step.layer.get(), i);
        const double share = static_cast<double>(last - first) / static_cast<double>(step.size);
        blocks_.push_back({s, i, step.offset + first, step.offset + last, share * step.operations});
        operations_ += share * step.operations;
      }
    }
  }

  /// Adds to grad. after(first, count) is called behind each finished piece of it, on any thread.
  template <class T, class After>
  void add(const Steps<T>& net, std::span<const T> params, Tape<T>& tape, std::span<T> grad, Threads threads,
           const After& after) const {
    const auto batch = static_cast<double>(tape.batch());
    // A single piece stays on the calling thread, which would have nothing to do but wait.
    const bool single = blocks_.size() == 1 && tape.splits(blocks_[0].step) == 1;
    parallel(single ? 1 : usable_threads(threads, operations_ * batch), [&](int part, int of) {
      const double begin = operations_ * part / of, end = operations_ * (part + 1) / of;
      double done = 0;  // operations of what stands in front
      const auto is_mine = [&](double operations) {
        const double middle = done + operations / 2;
        return (middle > begin || part == 0) && (middle <= end || part + 1 == of);
      };
      for (std::size_t b = 0; b < blocks_.size();) {
        const Step<T>& step = net.steps()[blocks_[b].step];
        if (const Index splits = tape.splits(blocks_[b].step); splits > 1) {
          std::size_t next = b;
          double operations = 0;
          for (; next < blocks_.size() && blocks_[next].step == blocks_[b].step; ++next)
            operations += blocks_[next].operations;
          for (Index i = 0; i < splits; ++i, done += operations / static_cast<double>(splits))
            if (is_mine(operations / static_cast<double>(splits)))
              compute(step, params, tape, tape.partial(blocks_[b].step, i), 0, block_count(step), i, splits);
          b = next;
          continue;
        }
        std::size_t next = b;
        if (!is_mine(blocks_[b].operations)) {
          done += blocks_[b++].operations;
          continue;
        }
        do done += blocks_[next++].operations;
        while (next < blocks_.size() && blocks_[next].step == blocks_[b].step && is_mine(blocks_[next].operations) &&
               blocks_[next].last - blocks_[b].first <= most_in_a_run);
        compute(step, params, tape, step.slice(grad), blocks_[b].index, blocks_[next - 1].index + 1, 0, 1);
        after(blocks_[b].first, blocks_[next - 1].last - blocks_[b].first);
        b = next;
      }
    });
    for (std::size_t s = 0; s < net.steps().size(); ++s) {
      const Step<T>& step = net.steps()[s];
      const Index splits = step.size > 0 ? tape.splits(s) : 1;
      if (splits < 2) continue;
      const std::span<T> dp = step.slice(grad);
      for (Index i = 0; i < splits; ++i) {
        const std::span<const T> partial = tape.partial(s, i);
        for (std::size_t k = 0; k < dp.size(); ++k) dp[k] += partial[k];
      }
      after(step.offset, step.size);
    }
  }

 private:
  struct Block {
    std::size_t step;
    Index index;
    Index first, last;  // parameters of the network
    double operations;  // for one sample
  };
  static constexpr Index most_in_a_run = 131072;  // parameters

  template <class T>
  static Index block_count(const Step<T>& step) {
    return step.table->block_count(step.layer.get());
  }
  /// Adds the gradient of some blocks to dp, over run `split` of `splits` runs of samples. A run's dp begins at zero.
  template <class T>
  static void compute(const Step<T>& step, std::span<const T> params, Tape<T>& tape, std::span<T> dp, Index first,
                      Index last, Index split, Index splits) {
    const Index sample = part_begin(tape.batch(), split, splits);
    const Index count = part_begin(tape.batch(), split + 1, splits) - sample;
    if (splits > 1) std::fill(dp.begin(), dp.end(), T(0));
    if (count == 0) return;
    step.table->backward_params(
        step.layer.get(), {step.slice(params), step.prepared_slice(std::as_const(tape).prepared())},
        tape.activation(step.reads[0]).columns(sample, count), tape.activation(step.writes).columns(sample, count),
        tape.gradient(step.writes).columns(sample, count), dp, first, last);
  }

  std::vector<Block> blocks_;
  double operations_ = 0;  // for one sample
};

}  // namespace eigan::detail

// ======== eigan/net/inference.hpp
// Inference: a network's output and nothing else. Tiles of samples go through all steps, each tile by itself; where
// there are fewer tiles than threads, one step after the other, cut into the layers' own parts.

// ======== eigan/net/join.hpp
// Joins: the steps of a network that read several levels: a sum, and channels side by side. x and y are features x
// batch; inside a column channels run fastest, so that side by side means pixel by pixel, a1 a2 b1 | a3 a4 b2 | ...
// Backward: a sum hands dy to all that it read; channels side by side each get their own. Where another reader of a
// level has already written its gradient, `adds` says to add.

namespace eigan::detail {

/// y = x, or y += x, where y may be x itself.
template <class T>
void assign_or_add(const ConstView<T>& x, View<T> y, bool adds) {
  if (adds)
    y += x;
  else if (y.data() != x.data())
    y = x;
}

/// x's channels into channels [first, first + x's) of y, which has y_shape; a vector goes to every pixel.
template <class T>
void put_channels(const ConstView<T>& x, Shape x_shape, View<T> y, Shape y_shape, Index first) {
  const Index step = x_shape.is_vector() ? 0 : x_shape.channels;
  for (Index j = 0; j < x.cols(); ++j) {
    const T* from = x.data() + j * x.outerStride();
    T* to = y.data() + j * y.outerStride() + first;
    for (Index pixel = 0; pixel < y_shape.pixels(); ++pixel, from += step, to += y_shape.channels)
      std::copy_n(from, x_shape.channels, to);
  }
}

/// The way back: those channels of dy into dx, or added to it; a vector gets the sum over the pixels.
template <class T>
void take_channels(const ConstView<T>& dy, Shape y_shape, Index first, View<T> dx, Shape x_shape, bool adds) {
  const bool repeated = x_shape.is_vector() && !y_shape.is_vector();
  if (repeated && !adds) dx.setZero();
  for (Index j = 0; j < dx.cols(); ++j) {
    const T* from = dy.data() + j * dy.outerStride() + first;
    T* to = dx.data() + j * dx.outerStride();
    for (Index pixel = 0; pixel < y_shape.pixels(); ++pixel, from += y_shape.channels) {
      if (adds || repeated)
        for (Index c = 0; c < x_shape.channels; ++c) to[c] += from[c];
      else
        std::copy_n(from, x_shape.channels, to);
      to += repeated ? 0 : x_shape.channels;
    }
  }
}

/// y of a join whose inputs are x(level). A sum begins with the last of them, over which y may lie.
template <class T, class X>
void join(const Steps<T>& net, const Step<T>& step, View<T> y, const X& x) {
  if (step.kind == StepKind::sum) {
    for (std::size_t read = step.reads.size(); read-- > 0;)
      assign_or_add<T>(x(step.reads[read]), y, read + 1 < step.reads.size());
    return;
  }
  Index channel = 0;
  for (const std::size_t level : step.reads) {
    put_channels<T>(x(level), net.levels()[level], y, net.levels()[step.writes], channel);
    channel += net.levels()[level].channels;
  }
}

/// The way back: dy into, or added to, the gradient of each level that the join reads. dx(read) is that gradient, an
/// empty view where nobody wants it, adds(read) whether to add.
template <class T, class DX, class Adds>
void join_backward(const Steps<T>& net, const Step<T>& step, const ConstView<T>& dy, const DX& dx, const Adds& adds) {
  Index channel = 0;
  for (std::size_t read = 0; read < step.reads.size(); ++read) {
    const Shape shape = net.levels()[step.reads[read]];
    const View<T> to = dx(read);
    if (to.data() != nullptr) {
      if (step.kind == StepKind::sum)
        assign_or_add<T>(dy, to, adds(read));
      else
        take_channels<T>(dy, net.levels()[step.writes], channel, to, shape, adds(read));
    }
    channel += shape.channels;
  }
}

}  // namespace eigan::detail

// ======== eigan/net/scratch.hpp
// Scratch: the working memory of one inference at a time. A model is shared by all threads; a scratch is not.
//
// A level lives from the step that makes it to the last one that reads it, and its place is then used again: a chain of
// layers alternates between two places, an element-wise layer works in place.

namespace eigan {

/// What Model::infer works in.
template <class T = float>
class Scratch {
 public:
  /// For tiles of up to `tile` samples. Throws std::invalid_argument for a tile of none, and std::bad_alloc or
  /// std::bad_array_new_length, as Buffer does, for more than any memory holds.
  Scratch(std::shared_ptr<const Steps<T>> steps, Index tile)
      : steps_(std::move(steps)), tile_(tile), prepared_(steps_->prepared_size()), views_(steps_->levels().size()) {
    if (tile < 1) detail::fail_contract("eigan::Scratch: a tile must have at least one sample, has ", tile);
    const Steps<T>& net = *steps_;
    std::vector<std::size_t> last_reader(net.levels().size(), 0);
    for (std::size_t s = 0; s < net.steps().size(); ++s)
      for (const std::size_t level : net.steps()[s].reads) last_reader[level] = s;
    place_.assign(net.levels().size(), none);
    std::vector<Index> sizes;
    std::vector<std::size_t> free;
    for (std::size_t s = 0; s < net.steps().size(); ++s) {
      const Step<T>& step = net.steps()[s];
      const std::size_t from = step.reads.back();
      const bool in_place = (step.kind == StepKind::sum || step.traits().elementwise) && place_[from] != none &&
                            last_reader[from] == s && std::count(step.reads.begin(), step.reads.end(), from) == 1;
      if (in_place) {
        place_[step.writes] = place_[from];
      } else {
        if (free.empty()) free.push_back(sizes.size()), sizes.push_back(0);
        place_[step.writes] = free.back(), free.pop_back();
      }
      Index& size = sizes[place_[step.writes]];
      size = std::max(size, product_or_most(padded_stride<T>(net.levels()[step.writes].size()), tile));
      for (std::size_t read = 0; read < step.reads.size(); ++read) {
        const std::size_t level = step.reads[read];
        const bool again = std::find(step.reads.begin(), step.reads.begin() + static_cast<Index>(read), level) !=
                           step.reads.begin() + static_cast<Index>(read);
        if (!again && place_[level] != none && last_reader[level] == s && place_[level] != place_[step.writes])
          free.push_back(place_[level]);
      }
    }
    for (const Index size : sizes) memory_.emplace_back(size);
  }

  /// The network that it was made for.
  const Steps<T>& steps() const { return *steps_; }
  /// Samples of a tile, at most.
  Index tile() const { return tile_; }
  /// What the layers have prepared.
  std::span<T> prepared() { return prepared_; }

  /// A level's place, for so many samples.
  View<T> level(std::size_t level, Index samples) {
    const Index features = steps_->levels()[level].size();
    return {memory_[place_[level]].data(), features, samples, padded_stride<T>(features)};
  }
  /// What each level is in the tile at hand: its place, or the caller's memory for inputs and output.
  std::vector<View<T>>& views() { return views_; }

 private:
  static constexpr std::size_t none = static_cast<std::size_t>(-1);
  std::shared_ptr<const Steps<T>> steps_;
  Index tile_;
  Buffer<T> prepared_;
  std::vector<std::size_t> place_;
  std::vector<Buffer<T>> memory_;
  std::vector<View<T>> views_;
};

}  // namespace eigan

// ======== eigan/net/tiling.hpp
// Tiling: how a batch is cut into tiles of samples, which travel through many steps while they are in cache.
//
// A sample's result does not depend on the tile that it is in, so widths may follow the number of threads.

namespace eigan::detail {

class Tiling {
 public:
  template <class T>
  explicit Tiling(const Steps<T>& net) {
    constexpr Index cache = 1 << 20;  // bytes of a core's own second-level cache
    Index parameters = 0, features = 1;
    for (const Step<T>& step : net.steps())
      parameters = std::max(parameters, step.size), operations_ += step.operations;
    for (const Shape& level : net.levels()) features = std::max(features, level.size());
    // Weights larger than the cache are read anew for each tile, so that wider tiles serve them better.
    const Index wide = parameters * Index{sizeof(T)} > cache ? 128 : 32;
    widest_ = std::clamp<Index>(cache / Index{sizeof(T)} / features, 1, wide);
  }

  /// Samples of a tile, at most.
  Index widest() const { return widest_; }
  /// Samples of a tile where so many threads share a batch.
  Index width(Index batch, Index threads) const {
    constexpr Index few = 8;  // columns that the products compute together
    if (batch <= few && few <= widest_) return few;
    const auto divide_up = [](Index a, Index b) { return (a + b - 1) / b; };
    const Index share = std::max<Index>(divide_up(batch, threads), 1);
    const Index even = divide_up(share, divide_up(share, widest_));  // as many tiles for each thread
    const Index rounded = divide_up(even, few) * few;
    const Index longest = std::min(divide_up(count(batch, rounded), threads) * rounded, batch);
    const bool fair = even <= few || longest <= share + share / 8;  // 100 on two: 25 each, not 64 and 36
    return rounded <= widest_ && fair ? rounded : even;
  }
  /// Floating-point operations of a forward pass.
  double work(Index batch) const { return operations_ * static_cast<double>(batch); }
  /// Tiles of a batch.
  static Index count(Index batch, Index width) { return (batch + width - 1) / width; }

 private:
  Index widest_;
  double operations_ = 0;
};

}  // namespace eigan::detail

namespace eigan::detail {

/// For the steps before number `end`. Throws std::invalid_argument where a layer lacks what only training gives, such
/// as statistics.
template <class T>
void prepare_inference(const Steps<T>& net, std::span<const T> params, std::span<const T> state, std::span<T> prepared,
                       std::size_t end) {
  for (const Step<T>& step : std::span(net.steps()).first(end))
    if (step.prepared_size > 0)
      step.table->prepare(step.layer.get(), step.slice(params), step.state_slice(state), step.prepared_slice(prepared),
                          Phase::inference);
}

template <class T>
class Inference {
 public:
  Inference(const Steps<T>& net, std::span<const T> params, std::span<const T> prepared,
            std::span<const ConstView<T>> inputs, View<T> output)
      : net_(net), params_(params), prepared_(prepared), inputs_(inputs), output_(output) {}

  /// Samples [first, first + count), on this thread.
  void tile(Scratch<T>& scratch, Index first, Index count) const {
    begin(scratch, first, count);
    for (const Step<T>& step : net_.steps()) forward(step, scratch.views());
  }
  /// Samples [first, first + count) by parts, on several threads, no further than step number `end`.
  void tile(Scratch<T>& scratch, Index first, Index count, Threads threads, std::size_t end) const {
    begin(scratch, first, count);
    for (const Step<T>& step : std::span(net_.steps()).first(end)) {
      const auto& views = scratch.views();
      // Of a layer that couples samples the parts are training's.
      if (step.kind != StepKind::layer || step.traits().coupled || step.part_count() == 1) {
        forward(step, views);
        continue;
      }
      parallel_ranges(step.part_count(), step.operations * static_cast<double>(count), threads,
                      [&](Index from, Index to) {
                        step.table->forward_parts(step.layer.get(), params_of(step), views[step.reads[0]],
                                                  views[step.writes], from, to);
                      });
    }
  }

 private:
  Prepared<T> params_of(const Step<T>& step) const { return {step.slice(params_), step.prepared_slice(prepared_)}; }

  void begin(Scratch<T>& scratch, Index first, Index count) const {
    auto& views = scratch.views();
    for (std::size_t level = 0; level < views.size(); ++level) {
      if (level < inputs_.size()) {  // only read; one type of view serves all levels
        const ConstView<T>& x = inputs_[level];
        views[level].rebind({const_cast<T*>(x.data()) + first * x.outerStride(), x.rows(), count, x.outerStride()});
      } else if (level + 1 == views.size()) {
        views[level].rebind(output_.columns(first, count));
      } else {
        views[level].rebind(scratch.level(level, count));
      }
    }
  }

  void forward(const Step<T>& step, const std::vector<View<T>>& views) const {
    const View<T>& y = views[step.writes];
    if (step.kind == StepKind::layer)
      return step.table->forward(step.layer.get(), params_of(step), views[step.reads[0]], y);
    join(net_, step, y, [&](std::size_t level) { return ConstView<T>(views[level]); });
  }

  const Steps<T>& net_;
  std::span<const T> params_, prepared_;
  std::span<const ConstView<T>> inputs_;
  View<T> output_;
};

/// All samples, on several threads where that pays.
template <class T>
void infer(const std::shared_ptr<const Steps<T>>& steps, std::span<const T> params, std::span<const T> state,
           const Tiling& tiling, std::span<const ConstView<T>> inputs, View<T> y, Threads threads) {
  const std::size_t end = steps->steps().size();
  const Index batch = y.cols();
  const int parts = usable_threads(threads, tiling.work(batch));
  const Index tile = tiling.width(batch, parts), tiles = Tiling::count(batch, tile);
  const bool by_parts = parts > 1 && tiles < parts;
  std::vector<Scratch<T>> scratches;
  for (int i = 0; i < (by_parts ? 1 : parts); ++i) scratches.emplace_back(steps, tile);
  prepare_inference(*steps, params, state, scratches[0].prepared(), end);
  const Inference<T> inference(*steps, params, scratches[0].prepared(), inputs, y);
  const auto count = [&](Index i) { return std::min(tile, batch - i * tile); };
  if (by_parts) {
    for (Index i = 0; i < tiles; ++i) inference.tile(scratches[0], i * tile, count(i), threads, end);
    return;
  }
  parallel(parts, [&](int part, int of) {
    for (Index i = range_begin(tiles, part, of); i < range_begin(tiles, part + 1, of); ++i)
      inference.tile(scratches[static_cast<std::size_t>(part)], i * tile, count(i));
  });
}

}  // namespace eigan::detail

// ======== eigan/net/pass.hpp
// Pass: the forward pass over a network's steps, and the way back from the output's gradient to the levels' gradients.
//
// A pass is a row of stages. A stage is a run of steps through which tiles of samples travel independently; it ends
// where a layer wants to see the whole batch, which is a stage of parts. Where there are fewer tiles than threads, a
// stage is one step, cut into the layer's own parts. Who computes an item never changes its bits.

namespace eigan::detail {

template <class T>
class Pass {
 public:
  Pass(const Steps<T>& net, std::span<const T> params, std::span<const T> state, const Tiling& tiling, Tape<T>& tape,
       Threads threads)
      : net_(net),
        params_(params),
        state_(state),
        tiling_(tiling),
        tape_(tape),
        threads_(threads),
        batch_(tape.input().cols()) {}

  void forward() {
    prepare();
    const std::size_t end = net_.steps().size();
    for (std::size_t first = 0; first < end;) {
      std::size_t last = first;
      while (last < end && !net_.steps()[last].traits().coupled) ++last;
      stage(first, last, Up{*this});
      if (last < end) parts(last, Up{*this});
      first = last + 1;
    }
  }

  /// From the output down to whatever the tape wants.
  void backward() {
    for (std::size_t last = net_.steps().size(); last > 0;) {
      std::size_t first = last;
      while (first > 0 && !net_.steps()[first - 1].traits().coupled) --first;
      stage(first, last, Down{*this});
      if (first > 0) parts(first - 1, Down{*this}), --first;
      last = first;
    }
  }

 private:
  // The two directions: a step for some samples, a step's parts for all of them, and in which order a run is walked.
  struct Up {
    Pass& pass;
    bool needed(std::size_t) const { return true; }
    static constexpr bool reversed = false;
    void step(std::size_t s, Index first, Index count) const { pass.forward_step(s, first, count); }
    void parts(std::size_t s, Index first, Index last, Index part) const { pass.forward_parts(s, first, last, part); }
    void finish(std::size_t) const {}
  };
  struct Down {
    Pass& pass;
    bool needed(std::size_t s) const { return pass.tape_.needed(s); }
    static constexpr bool reversed = true;
    void step(std::size_t s, Index first, Index count) const { pass.backward_step(s, first, count); }
    void parts(std::size_t s, Index first, Index last, Index part) const { pass.backward_parts(s, first, last, part); }
    void finish(std::size_t s) const {
      if (pass.layer_adds(s)) pass.add_spare(s, 0, pass.batch_);
    }
  };

  /// Each thread has consecutive steps that write about as many numbers.
  void prepare() {
    if (net_.prepared_size() == 0) return;
    constexpr double operations = 16;  // that a product does while a number is copied
    const auto all = static_cast<double>(net_.prepared_size());
    parallel(usable_threads(threads_, operations * all), [&](int part, int of) {
      double done = 0;
      for (const Step<T>& step : net_.steps()) {
        const auto size = static_cast<double>(step.prepared_size);
        const double middle = done + size / 2;
        done += size;
        if (size > 0 && middle >= all * part / of && middle < all * (part + 1) / of)
          step.table->prepare(step.layer.get(), step.slice(params_), step.state_slice(state_),
                              step.prepared_slice(tape_.prepared()), Phase::training);
      }
    });
  }

  template <class Direction>
  void stage(std::size_t first, std::size_t last, const Direction& direction) {
    const double work = work_of(first, last);
    const Index threads = usable_threads(threads_, work), width = tiling_.width(batch_, threads);
    const auto walk = [&](const auto& f) {
      for (std::size_t i = 0; i < last - first; ++i) {
        const std::size_t s = Direction::reversed ? last - 1 - i : first + i;
        if (direction.needed(s)) f(s);
      }
    };
    if (threads > 1 && Tiling::count(batch_, width) < threads) return walk([&](std::size_t s) { parts(s, direction); });
    parallel_for(Tiling::count(batch_, width), work, threads_, [&](Index tile) {
      walk([&](std::size_t s) { direction.step(s, tile * width, std::min(width, batch_ - tile * width)); });
    });
  }

  /// One step, by parts.
  template <class Direction>
  void parts(std::size_t s, const Direction& direction) {
    const Step<T>& step = net_.steps()[s];
    if (!direction.needed(s)) return;
    if (step.kind != StepKind::layer || step.traits().stochastic) return direction.step(s, 0, batch_);
    const bool by_pixels = step.traits().elementwise && !step.traits().parted && !step.traits().parametric;
    const Shape shape = net_.levels()[step.writes];
    const Index part = by_pixels ? rows_of_part(shape) : 0;
    const Index of = by_pixels ? (shape.size() + part - 1) / part : step.part_count();
    parallel_ranges(of, work_of(s, s + 1), threads_,
                    [&](Index first, Index last) { direction.parts(s, first, last, part); });
    direction.finish(s);
  }

  double work_of(std::size_t first, std::size_t last) const {
    double operations = 0;
    for (std::size_t s = first; s < last; ++s) operations += net_.steps()[s].operations;
    return operations * static_cast<double>(batch_);
  }
  Prepared<T> params_of(const Step<T>& step) const {
    return {step.slice(params_), step.prepared_slice(std::span<const T>(tape_.prepared()))};
  }
  /// A stream of its own for a layer that draws; the others need not wait for it.
  Draw draw_of(std::size_t s, Index first) const {
    const Draw draw = tape_.draw();
    return {net_.steps()[s].traits().stochastic ? draw.rng.fold_in(s) : draw.rng, draw.first_sample + first};
  }

  void forward_step(std::size_t s, Index first, Index count) {
    const Step<T>& step = net_.steps()[s];
    const View<T> y = tape_.writable_activation(step.writes).columns(first, count);
    if (step.kind == StepKind::layer)
      return step.table->forward_train(step.layer.get(), params_of(step),
                                       tape_.activation(step.reads[0]).columns(first, count), y, draw_of(s, first));
    join(net_, step, y, [&](std::size_t level) { return tape_.activation(level).columns(first, count); });
  }

  void forward_parts(std::size_t s, Index first, Index last, Index part) {
    const Step<T>& step = net_.steps()[s];
    const ConstView<T> x = tape_.activation(step.reads[0]);
    const View<T> y = tape_.writable_activation(step.writes);
    if (part == 0) return step.table->forward_parts(step.layer.get(), params_of(step), x, y, first, last);
    step.table->forward(step.layer.get(), params_of(step), rows(x, first, last, part), rows(y, first, last, part));
  }

  bool layer_adds(std::size_t s) const { return net_.steps()[s].kind == StepKind::layer && tape_.adds(s, 0); }
  /// Where a layer's dx goes: to the level's gradient, or beside it to be added.
  View<T> target(std::size_t s) {
    const std::size_t level = net_.steps()[s].reads[0];
    return layer_adds(s) ? tape_.spare(level) : tape_.gradient(level);
  }
  void add_spare(std::size_t s, Index first, Index count) {
    const std::size_t level = net_.steps()[s].reads[0];
    tape_.gradient(level).columns(first, count) += tape_.spare(level).columns(first, count);
  }

  void backward_step(std::size_t s, Index first, Index count) {
    const Step<T>& step = net_.steps()[s];
    const ConstView<T> dy = tape_.gradient(step.writes).columns(first, count);
    if (step.kind == StepKind::layer) {
      step.table->backward_input(
          step.layer.get(), params_of(step), tape_.activation(step.reads[0]).columns(first, count),
          tape_.activation(step.writes).columns(first, count), dy, target(s).columns(first, count), draw_of(s, first));
      if (layer_adds(s)) add_spare(s, first, count);
      return;
    }
    join_backward(
        net_, step, dy,
        [&](std::size_t read) {
          const std::size_t level = step.reads[read];
          return tape_.wanted(level) ? tape_.gradient(level).columns(first, count) : View<T>();
        },
        [&](std::size_t read) { return tape_.adds(s, read); });
  }

  void backward_parts(std::size_t s, Index first, Index last, Index part) {
    const Step<T>& step = net_.steps()[s];
    const ConstView<T> x = tape_.activation(step.reads[0]), y = tape_.activation(step.writes);
    const ConstView<T> dy = tape_.gradient(step.writes);
    const View<T> dx = target(s);
    if (part == 0)
      return step.table->backward_input_parts(step.layer.get(), params_of(step), x, y, dy, dx, first, last);
    step.table->backward_input(step.layer.get(), params_of(step), rows(x, first, last, part),
                               rows(y, first, last, part), rows(dy, first, last, part), rows(dx, first, last, part),
                               draw_of(s, 0));
  }

  /// Element-wise layers where samples are few: a part is whole pixels, some 4096 numbers.
  static Index rows_of_part(Shape shape) { return shape.channels * std::max<Index>(1, 4096 / shape.channels); }
  /// Parts [first, last) of so many rows each.
  template <class V>
  static V rows(V m, Index first, Index last, Index part) {
    const Index row = first * part;
    return V(m.data() + row, std::min(last * part, m.rows()) - row, m.cols(), m.outerStride());
  }

  const Steps<T>& net_;
  std::span<const T> params_, state_;
  const Tiling& tiling_;
  Tape<T>& tape_;
  Threads threads_;
  Index batch_;  // of a pass that has not ended yet the tape does not tell
};

}  // namespace eigan::detail

namespace eigan {

/// What every Model<Net, T> is.
template <class T = float>
class BasicModel {
 public:
  /// With freshly initialised parameters. architecture: one line, equal for models that can exchange parameters.
  BasicModel(std::shared_ptr<const Steps<T>> steps, std::string architecture, Rng rng)
      : BasicModel(steps, std::move(architecture), Buffer<T>(steps->param_size()), {}) {
    for (std::size_t s = 0; s < steps_->steps().size(); ++s) {
      const Step<T>& step = steps_->steps()[s];
      if (step.size > 0) step.table->init(step.layer.get(), step.slice(params()), rng.fold_in(s));
    }
  }
  /// With the parameters given. An empty state is as at the beginning.
  BasicModel(std::shared_ptr<const Steps<T>> steps, std::string architecture, Buffer<T> params, Buffer<T> state)
      : steps_(std::move(steps)),
        architecture_(std::move(architecture)),
        params_(std::move(params)),
        state_(std::move(state)),
        tiling_(*steps_),
        gradients_(*steps_) {
    detail::check_complete(*steps_);
    detail::check_buffers(*steps_, params_.size(), state_.size());
    if (state_.size() == 0 && state_size() > 0) {
      state_ = Buffer<T>(state_size());
      for (const Step<T>& step : steps_->steps())
        if (step.state_size > 0) step.table->init_state(step.layer.get(), step.state_slice(this->state()));
    }
  }

  /// The list of steps.
  const Steps<T>& steps() const { return *steps_; }
  /// The shape of a sample going in, and coming out.
  Shape input_shape(std::size_t i = 0) const { return steps_->levels()[i]; }
  Shape output_shape() const { return steps_->levels().back(); }
  /// Features of a sample going in, and coming out.
  Index input_size(std::size_t i = 0) const { return input_shape(i).size(); }
  Index output_size() const { return output_shape().size(); }
  /// The number of parameters, and of numbers in the state.
  Index param_size() const { return steps_->param_size(); }
  Index state_size() const { return steps_->state_size(); }

  /// All parameters, layer after layer.
  std::span<T> params() { return params_; }
  std::span<const T> params() const { return params_; }
  /// The parameters of the network's layer number `layer`, which may be a composition. Throws std::invalid_argument if
  /// there is none of that number.
  std::span<T> params(std::size_t layer) { return slice_of(layer, params()); }
  std::span<const T> params(std::size_t layer) const { return slice_of(layer, params()); }
  /// What no optimiser changes: running statistics.
  std::span<T> state() { return state_; }
  std::span<const T> state() const { return state_; }
  /// The tensors in params(): names, places, shapes.
  std::vector<Parameter> parameters() const { return steps_->parameters(); }
  /// The tensors in state().
  std::vector<Parameter> states() const { return steps_->states(); }
  /// One line, equal for models that can exchange parameters.
  const std::string& architecture() const { return architecture_; }

  /// A copy. It is a word of its own, because it allocates.
  BasicModel clone() const { return {steps_, architecture_, copy_of(params()), copy_of(state())}; }
  /// The same network with freshly initialised parameters.
  BasicModel fresh(Rng rng) const { return {steps_, architecture_, rng}; }

  /// A tape for batches of up to `capacity` samples.
  Tape<T> tape(Index capacity) const { return {steps_, capacity}; }
  /// A tape without levels that share memory, for penalties, which look at all of them after the way back.
  Tape<T> separate_tape(Index capacity) const { return {steps_, capacity, true}; }
  /// Working memory for infer, one per thread.
  Scratch<T> scratch() const { return scratch(tiling_.widest()); }
  /// Working memory for tiles of so many samples.
  Scratch<T> scratch(Index tile) const { return {steps_, tile}; }
  /// A buffer of the parameters' length: a gradient, a moment, an average.
  Buffer<T> zeros() const { return Buffer<T>(param_size()); }

  /// A forward pass for training: remembers on the tape what backward needs. x: input_size x batch, not copied.
  /// Layers that draw random numbers draw them from `rng`, so every pass wants its own: `rng.fold_in(step)`.
  ConstView<T> forward(Tape<T>& tape, LastingView<T> x, Rng rng, Threads threads = {}) const {
    return pass(tape, std::array{x}, {rng, 0}, threads);
  }
  /// A forward pass of a network without randomness.
  ConstView<T> forward(Tape<T>& tape, LastingView<T> x, Threads threads = {}) const {
    detail::check_deterministic(*steps_);
    return forward(tape, x, Rng(0), threads);
  }
  /// A forward pass of a network of several inputs.
  ConstView<T> forward(Tape<T>& tape, std::initializer_list<LastingView<T>> inputs, Rng rng,
                       Threads threads = {}) const {
    return pass(tape, inputs, {rng, 0}, threads);
  }
  ConstView<T> forward(Tape<T>& tape, std::initializer_list<LastingView<T>> inputs, Threads threads = {}) const {
    detail::check_deterministic(*steps_);
    return forward(tape, inputs, Rng(0), threads);
  }
  /// A forward pass of any number of inputs. Its first sample is number draw.first_sample: a part of a batch that is
  /// computed elsewhere draws what the whole batch would.
  ConstView<T> forward(Tape<T>& tape, std::span<const ConstView<T>> inputs, Draw draw, Threads threads = {}) const {
    return pass(tape, inputs, draw, threads);
  }

  /// The gradient with respect to the input alone; the caller has written tape.output_gradient(). Assigns dx, which
  /// lies over no input.
  void backward_input(Tape<T>& tape, View<T> dx, Threads threads = {}) const {
    backward_inputs(tape, std::array{dx}, threads);
  }
  /// The gradients with respect to several inputs, the first and so on; an empty view stands for one that nobody wants.
  void backward_inputs(Tape<T>& tape, std::span<const View<T>> dx, Threads threads = {}) const {
    check_ready(tape);
    detail::check_input_gradients(*steps_, dx, tape);
    propagate(tape, dx, threads);
  }

  /// What follows each finished piece of the gradient, [first, first + count): nothing, unless an optimiser wants to
  /// use it while it is in cache.
  struct Nothing {
    void operator()(Index /*first*/, Index /*count*/) const {}  ///< does nothing
  };

  /// Adds the gradient with respect to the parameters to `grad`; the gradient with respect to the input is not
  /// computed. `after_block(first, count)` is called after each piece, on any thread; it may change those parameters.
  /// Where a layer throws, part of the gradient has been added.
  template <class AfterBlock = Nothing>
  void backward_params(Tape<T>& tape, std::span<T> grad, Threads threads = {},
                       const AfterBlock& after_block = {}) const {
    check_backward(tape, grad);
    propagate(tape, {}, threads);
    gradients_.add(*steps_, params(), tape, grad, threads, after_block);
  }
  /// Throws std::invalid_argument if backward_params would refuse this tape or this gradient.
  void check_backward(const Tape<T>& tape, std::span<const T> grad) const {
    check_ready(tape);
    if (std::ssize(grad) != param_size())
      detail::fail_contract("eigan::Model: the gradient must have ", param_size(), " elements, has ", grad.size());
  }

  /// Throws std::invalid_argument unless these are inputs of the network, of one number of samples.
  void check_inputs(std::span<const ConstView<T>> inputs) const { detail::check_inputs(*steps_, inputs); }

  /// Both: assigns dx and adds to grad.
  void backward(Tape<T>& tape, std::span<T> grad, View<T> dx, Threads threads = {}) const {
    check_backward(tape, grad);
    backward_input(tape, dx, threads);
    gradients_.add(*steps_, params(), tape, grad, threads, Nothing{});
  }

  /// Inference on one thread: y = net(x), dropout off. x: input_size x n, y: output_size x n, any n, not over x.
  void infer(ConstView<T> x, View<T> y, Scratch<T>& scratch) const { infer(std::array{x}, y, scratch); }
  /// Inference from several inputs.
  void infer(std::span<const ConstView<T>> inputs, View<T> y, Scratch<T>& scratch) const {
    check_inputs(inputs);
    detail::check_made_for(*steps_, scratch.steps(), "eigan::Model::infer: this scratch");
    detail::check_output(*steps_, y, inputs[0].cols());
    detail::check_apart(y, inputs, "infer: y");
    detail::prepare_inference(*steps_, params(), state(), scratch.prepared(), steps_->steps().size());
    const detail::Inference<T> inference(*steps_, params(), scratch.prepared(), inputs, y);
    const Index tile = scratch.tile();
    for (Index first = 0; first < y.cols(); first += tile)
      inference.tile(scratch, first, std::min(tile, y.cols() - first));
  }

  /// Inference into a new matrix, on several threads where that pays.
  Matrix<T> infer(ConstView<T> x, Threads threads = {}) const { return infer(std::array{x}, threads); }
  Matrix<T> infer(std::initializer_list<ConstView<T>> inputs, Threads threads = {}) const {
    return infer(std::span(inputs.begin(), inputs.size()), threads);
  }
  Matrix<T> infer(std::span<const ConstView<T>> inputs, Threads threads = {}) const {
    check_inputs(inputs);
    Matrix<T> y(output_size(), inputs[0].cols());
    detail::infer<T>(steps_, params(), state(), tiling_, inputs, y, threads);
    return y;
  }

 protected:
  const std::shared_ptr<const Steps<T>>& shared_steps() const { return steps_; }
  static Buffer<T> copy_of(std::span<const T> values) {
    Buffer<T> copy(std::ssize(values));
    std::copy(values.begin(), values.end(), copy.begin());
    return copy;
  }

 private:
  /// `inputs`: a range of views.
  template <class Inputs>
  ConstView<T> pass(Tape<T>& tape, const Inputs& inputs, Draw draw, Threads threads) const {
    check_tape(tape);
    detail::check_inputs(*steps_, inputs);
    detail::check_batch(*steps_, tape, inputs.begin()->cols());
    tape.begin(inputs, draw, steps_);
    detail::check_apart(tape.writable_activation(steps_->steps().size() + steps_->inputs() - 1), tape.inputs(),
                        "forward: the tape's output");
    detail::Pass<T>(*steps_, params(), state(), tiling_, tape, threads).forward();
    tape.finish();
    return tape.output();
  }
  void propagate(Tape<T>& tape, std::span<const View<T>> dx, Threads threads) const {
    tape.begin_backward(dx);
    detail::Pass<T>(*steps_, params(), state(), tiling_, tape, threads).backward();
  }
  void check_tape(const Tape<T>& tape) const {
    detail::check_made_for(*steps_, tape.steps(), "eigan::Model: this tape");
  }
  void check_ready(const Tape<T>& tape) const {
    check_tape(tape);
    tape.check_ready();
    detail::check_pass_of(*steps_, tape);
  }

  template <class U>
  std::span<U> slice_of(std::size_t layer, std::span<U> all) const {
    const auto [first, size] = detail::params_of_layer(*steps_, layer);
    return all.subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(size));
  }

  std::shared_ptr<const Steps<T>> steps_;
  std::string architecture_;
  Buffer<T> params_, state_;
  detail::Tiling tiling_;
  detail::Gradients gradients_;
};

}  // namespace eigan

// ======== eigan/optim/check_update.hpp
// What every optimiser refuses: settings that are negative or no numbers, buffers that are not as long as its own, and
// ranges that do not lie in them.

// ======== eigan/core/finite.hpp
// is_finite, is_nan, at_least: questions about one number, answered by its bits. -ffast-math lets a compiler take it
// that there is no NaN, and !(x >= 0) then no longer refuses one.

namespace eigan::detail {

constexpr std::uint64_t magnitude_bits(double x) {
  return std::bit_cast<std::uint64_t>(x) << 1 >> 1;
}
inline constexpr std::uint64_t infinity_bits = std::uint64_t{0x7FF} << 52;

/// Whether x is neither infinite nor NaN.
constexpr bool is_finite(double x) {
  return magnitude_bits(x) < infinity_bits;
}
constexpr bool is_nan(double x) {
  return magnitude_bits(x) > infinity_bits;
}
/// x >= low; false for a NaN.
constexpr bool at_least(double x, double low) {
  return !is_nan(x) && x >= low;
}

}  // namespace eigan::detail

namespace eigan::detail {

/// Throws std::invalid_argument unless 0 <= value < infinity, in T as well.
template <class T>
void check_setting(const char* optimizer, const char* setting, double value) {
  if (!(at_least(value, 0) && is_finite(static_cast<double>(static_cast<T>(value)))))
    fail_contract(optimizer, ": ", setting, " must be >= 0 and finite, is ", value);
}
/// Throws std::invalid_argument unless 0 <= value < 1.
inline void check_share(const char* optimizer, const char* setting, double value) {
  if (!(at_least(value, 0) && value < 1)) fail_contract(optimizer, ": ", setting, " must be in [0, 1), is ", value);
}

/// Throws std::invalid_argument unless there are `size` parameters and gradients and [first, first + count) is a range
/// of them. `optimizer`: its name for the message.
template <class T>
void check_update(const char* optimizer, Index size, std::span<T> params, std::span<const T> grad, Index first,
                  Index count) {
  if (std::ssize(params) != size || params.size() != grad.size())
    fail_contract(optimizer, ": expected ", size, " parameters and gradients, got ", params.size(), " and ",
                  grad.size());
  if (first < 0 || count < 0 || count > size - first)
    fail_contract(optimizer, ": there are ", size, " parameters, asked to update ", count, " from ", first);
}

}  // namespace eigan::detail

namespace eigan {

/// The memory of a penalty on a model's slope with respect to its first input.
template <class T = float>
class GradientPenalty {
 public:
  /// For batches of up to `capacity` samples. Throws std::invalid_argument, naming it, for a layer that has no tangent,
  /// such as a batch normalisation.
  GradientPenalty(const BasicModel<T>& model, Index capacity)
      : tape_(model.separate_tape(capacity)), slope_(model.input_size(), capacity), x_(model.input_size(), capacity) {
    const Steps<T>& net = model.steps();
    for (const Step<T>& step : net.steps()) {
      if (step.kind == StepKind::layer && !step.traits().tangent)
        detail::fail_contract("eigan::GradientPenalty: expected layers with a tangent, found layer ", step.name, ", ",
                              step.spec().text());
      curved_ = curved_ || step.traits().curved;
    }
    Index widest = 0;
    for (const Shape& level : net.levels()) {
      widest = std::max(widest, level.size());
      tangents_.emplace_back(level.size(), capacity);
      adjoints_.emplace_back(curved_ ? level.size() : 0, capacity);
    }
    if (curved_) spare_ = BufferMatrix<T>(widest, capacity);
  }

  /// Adds R1's gradient to `grad`, as a discriminator_step that follows expects it in its workspace, and returns the
  /// penalty. real: all inputs of the model. Dropout masks come from `rng`.
  T add_r1(const BasicModel<T>& model, std::span<const ConstView<T>> real, T gamma, std::span<T> grad, Rng rng,
           Threads threads = {}) {
    detail::check_setting<T>("eigan::GradientPenalty", "gamma", static_cast<double>(gamma));
    return add(model, real, grad, rng, threads, [&](double norm, double batch) {
      return Direction{static_cast<double>(gamma) / batch, static_cast<double>(gamma) / 2 * norm * norm};
    });
  }
  T add_r1(const BasicModel<T>& model, std::type_identity_t<ConstView<T>> real, T gamma, std::span<T> grad, Rng rng,
           Threads threads = {}) {
    return add_r1(model, std::array{real}, gamma, grad, rng, threads);
  }

  /// Adds WGAN-GP's gradient. Each sample lies between a real and a generated one, at a place that `rng` draws. Further
  /// inputs are the real samples'.
  T add_wgan_gp(const BasicModel<T>& model, std::span<const ConstView<T>> real, std::type_identity_t<ConstView<T>> fake,
                T lambda, std::span<T> grad, Rng rng, Threads threads = {}) {
    detail::check_setting<T>("eigan::GradientPenalty", "lambda", static_cast<double>(lambda));
    model.check_inputs(real);
    const Index batch = real[0].cols();
    if (fake.cols() != batch || fake.rows() != real[0].rows())
      detail::fail_contract("eigan::GradientPenalty: real samples are ", real[0].rows(), " x ", batch,
                            ", generated ones ", fake.rows(), " x ", fake.cols());
    if (batch > x_.cols() || real[0].rows() != x_.rows())
      detail::fail_contract("eigan::GradientPenalty: holds up to ", x_.cols(), " samples of ", x_.rows(),
                            " features, got ", batch, " of ", real[0].rows());
    View<T> x = x_.view().columns(0, batch);
    for (Index j = 0; j < batch; ++j) {
      const auto at = static_cast<T>(rng.fold_in(0).uniform(0, j));
      x.col(j) = at * real[0].col(j) + (1 - at) * fake.col(j);
    }
    inputs_.resize(real.size());
    for (std::size_t i = 0; i < real.size(); ++i) inputs_[i].rebind(i == 0 ? ConstView<T>(x) : real[i]);
    return add(model, inputs_, grad, rng.fold_in(1), threads, [&](double norm, double n) {
      const double excess = norm - 1;
      return Direction{norm > 0 ? 2 * static_cast<double>(lambda) / n * excess / norm : 0,
                       static_cast<double>(lambda) * excess * excess};
    });
  }
  T add_wgan_gp(const BasicModel<T>& model, std::type_identity_t<ConstView<T>> real,
                std::type_identity_t<ConstView<T>> fake, T lambda, std::span<T> grad, Rng rng, Threads threads = {}) {
    return add_wgan_gp(model, std::array{real}, fake, lambda, grad, rng, threads);
  }

 private:
  struct Direction {
    double factor;   // u_j = factor g_j
    double penalty;  // of the sample
  };

  template <class F>
  T add(const BasicModel<T>& model, std::span<const ConstView<T>> inputs, std::span<T> grad, Rng rng, Threads threads,
        const F& direction) {
    model.forward(tape_, inputs, {rng, 0}, threads);
    tape_.output_gradient().setOnes();
    model.check_backward(tape_, grad);
    const Index batch = tape_.batch();
    View<T> slope = slope_.view().columns(0, batch);
    model.backward_input(tape_, slope, threads);

    double sum = 0;
    for (Index j = 0; j < batch; ++j) {
      double squares = 0;
      for (Index i = 0; i < slope.rows(); ++i)
        squares += static_cast<double>(slope(i, j)) * static_cast<double>(slope(i, j));
      const Direction u = direction(std::sqrt(squares), static_cast<double>(batch));
      sum += u.penalty;
      View<T> tangent = tangents_[0].view();  // in double: next to a slope of 0 the factor is too large for a float
      for (Index i = 0; i < slope.rows(); ++i)
        tangent(i, j) = static_cast<T>(static_cast<double>(slope(i, j)) * u.factor);
    }
    const Steps<T>& net = model.steps();
    constexpr Index tile = 32;
    double work = 0;
    for (const Step<T>& step : net.steps()) work += 2 * step.operations * static_cast<double>(batch);
    detail::parallel_for((batch + tile - 1) / tile, work, threads, [&](Index i) {
      const Index first = i * tile, count = std::min(tile, batch - first);
      send_tangents(model, first, count);
      if (curved_) return_adjoints(model, first, count);
    });
    detail::parallel_for(static_cast<Index>(net.steps().size()), work, threads, [&](Index s) {
      const Step<T>& step = net.steps()[static_cast<std::size_t>(s)];
      if (step.size > 0) add_params(model, step, step.slice(grad));
    });
    return static_cast<T>(sum / static_cast<double>(batch));
  }

  Prepared<T> params_of(const BasicModel<T>& model, const Step<T>& step) const {
    return {step.slice(model.params()), step.prepared_slice(tape_.prepared())};
  }
  View<T> tangent(std::size_t level, Index first, Index count) { return tangents_[level].view().columns(first, count); }
  View<T> adjoint(std::size_t level, Index first, Index count) { return adjoints_[level].view().columns(first, count); }

  /// The tangents of some samples, through all steps.
  void send_tangents(const BasicModel<T>& model, Index first, Index count) {
    const Steps<T>& net = model.steps();
    for (std::size_t s = 0; s < net.steps().size(); ++s) {
      const Step<T>& step = net.steps()[s];
      const View<T> ty = tangent(step.writes, first, count);
      const auto tx = [&](std::size_t level) { return ConstView<T>(tangent(level, first, count)); };
      if (step.kind != StepKind::layer) {
        detail::join(net, step, ty, tx);
        continue;
      }
      step.table->forward_tangent(step.layer.get(), params_of(model, step),
                                  tape_.activation(step.reads[0]).columns(first, count),
                                  tape_.activation(step.writes).columns(first, count), tx(step.reads[0]), ty,
                                  {tape_.draw().rng.fold_in(s), tape_.draw().first_sample + first});
    }
  }

  /// The adjoints of x, from the curvature of the layers behind.
  void return_adjoints(const BasicModel<T>& model, Index first, Index count) {
    const Steps<T>& net = model.steps();
    for (std::size_t level = 0; level < net.levels().size(); ++level) adjoint(level, first, count).setZero();
    for (std::size_t s = net.steps().size(); s-- > 0;) {
      const Step<T>& step = net.steps()[s];
      const ConstView<T> dy = adjoint(step.writes, first, count);
      if (step.kind != StepKind::layer) {
        detail::join_backward(
            net, step, dy, [&](std::size_t read) { return adjoint(step.reads[read], first, count); },
            [](std::size_t) { return true; });
        continue;
      }
      const std::size_t level = step.reads[0];
      const ConstView<T> x = tape_.activation(level).columns(first, count);
      const ConstView<T> y = tape_.activation(step.writes).columns(first, count);
      View<T> spare = spare_.view().columns(first, count);
      View<T> dx(spare.data(), x.rows(), count, spare.outerStride());
      step.table->backward_input(step.layer.get(), params_of(model, step), x, y, dy, dx,
                                 {tape_.draw().rng.fold_in(s), tape_.draw().first_sample + first});
      step.table->add_curvature(step.layer.get(), params_of(model, step), x, y, tangent(level, first, count),
                                tape_.gradient(step.writes).columns(first, count), dx);
      adjoint(level, first, count) += dx;
    }
  }

  void add_params(const BasicModel<T>& model, const Step<T>& step, std::span<T> dp) {
    const Index batch = tape_.batch();
    const ConstView<T> x = tape_.activation(step.reads[0]), y = tape_.activation(step.writes);
    step.table->backward_params_tangent(step.layer.get(), params_of(model, step), x, y,
                                        tangent(step.reads[0], 0, batch), tape_.gradient(step.writes), dp);
    if (curved_)
      step.table->backward_params(step.layer.get(), params_of(model, step), x, y, adjoint(step.writes, 0, batch), dp, 0,
                                  step.table->block_count(step.layer.get()));
  }

  Tape<T> tape_;
  BufferMatrix<T> slope_, x_;
  std::vector<BufferMatrix<T>> tangents_, adjoints_;
  BufferMatrix<T> spare_;
  std::vector<ConstView<T>> inputs_;
  bool curved_ = false;
};

}  // namespace eigan

// ======== eigan/gan/image_pool.hpp
// ImagePool: generated samples of the past for a discriminator to be shown again, so that it does not forget what the
// generator did before and the two do not go round in circles (Shrivastava et al. 2017; CycleGAN keeps 50).

// ======== eigan/data/batches.hpp
// Batches: a data set cut into shuffled mini-batches, a new shuffle every epoch.
//
// The order is a pure function of the generator and the epoch, so training can resume at any batch of any epoch by
// asking for it. The shuffle is Fisher and Yates's with integers of our own, the same on every platform.

namespace eigan {

/// The `i`-th integer of a stream of integers uniform in [0, bound), without bias (Lemire, "Fast random integer
/// generation in an interval", 2019: the upper half of word x bound, a few words refused).
constexpr std::uint32_t uniform_below(const Rng& rng, std::uint64_t i, std::uint32_t bound) {
  const std::uint32_t refused = (0u - bound) % bound;  // 2^32 mod bound
  for (std::uint64_t attempt = 0;; ++attempt) {
    const std::uint64_t product = std::uint64_t{rng.block(i, attempt)[0]} * bound;
    if (static_cast<std::uint32_t>(product) >= refused) return static_cast<std::uint32_t>(product >> 32);
  }
}

/// Which images make which batch.
class Batches {
 public:
  /// Batches of `batch_size` out of images 0 to count - 1; the last one of an epoch holds what remains.
  /// Stands at epoch 0.
  Batches(Index count, Index batch_size, const Rng& rng) : batch_size_(std::min(batch_size, count)), rng_(rng) {
    if (count < 1 || !std::in_range<std::uint32_t>(count) || batch_size < 1) {
      detail::fail_contract("Batches: ", count, " images in batches of ", batch_size,
                            ", expected 1 to 2^32 - 1 images and at least 1 a batch");
    }
    order_.resize(static_cast<std::size_t>(count));
    start_epoch(0);
  }

  /// Shuffles for `epoch`. Allocates nothing.
  void start_epoch(Index epoch) {
    const Rng rng = rng_.fold_in(static_cast<std::uint64_t>(epoch));
    std::iota(order_.begin(), order_.end(), 0u);
    for (auto i = static_cast<std::uint32_t>(order_.size()); i-- > 1;) {
      std::swap(order_[i], order_[uniform_below(rng, i, i + 1)]);
    }
  }

  /// Batches an epoch.
  Index size() const { return (count() + batch_size_ - 1) / batch_size_; }

  /// The image numbers of batch 0 to size() - 1 of this epoch; valid until the next start_epoch.
  std::span<const std::uint32_t> indices(Index batch) const {
    if (batch < 0 || batch >= size()) detail::fail_contract("Batches: batch ", batch, " of ", size());
    const Index first = batch * batch_size_;
    const Index length = first + batch_size_ <= count() ? batch_size_ : count() - first;
    return std::span(order_).subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(length));
  }

 private:
  Index count() const { return static_cast<Index>(order_.size()); }

  Index batch_size_;
  Rng rng_;
  std::vector<std::uint32_t> order_;
};

}  // namespace eigan

namespace eigan {

/// Up to `capacity` samples; with a capacity of 0 it does nothing.
template <class T = float>
class ImagePool {
 public:
  /// For samples of `features` numbers. Throws std::invalid_argument for a negative capacity, or one above 2^30.
  ImagePool(Index features, Index capacity) : features_(features), capacity_(capacity) {
    if (features < 1 || capacity < 0 || capacity > Index{1} << 30)
      detail::fail_contract("eigan::ImagePool: expected a capacity of 0 to 2^30 samples of 1 feature or more, got ",
                            capacity, " of ", features);
    samples_ = Buffer<T>(features * capacity);
  }

  /// How many it holds.
  Index size() const { return static_cast<Index>(size_); }
  /// How many samples it holds at most.
  Index capacity() const { return capacity_; }

  /// One sample after the other: while there is room, a copy stays in the pool; then, with probability 1/2, the sample
  /// goes into the pool and one that was there comes out in its place. samples: features x batch. `rng` must differ
  /// from call to call.
  void exchange(View<T> samples, Rng rng) {
    if (samples.rows() != features_)
      detail::fail_contract("eigan::ImagePool: expected samples of ", features_, " features, got ", samples.rows());
    for (Index j = 0; j < samples.cols() && capacity_ > 0; ++j) {
      T* const sample = samples.data() + j * samples.outerStride();
      if (size_ < capacity_) {
        std::copy_n(sample, features_, place(size_++));
      } else if (const Index chosen = uniform_below(rng, static_cast<std::uint64_t>(j), twice(capacity_));
                 chosen < capacity_) {
        std::swap_ranges(sample, sample + features_, place(chosen));
      }
    }
  }

  /// Names everything that exchanges change: for checkpoints (io/checkpoint.hpp).
  template <class Visit>
  void visit_state(Visit&& visit) {
    visit("size", size_, 0, static_cast<std::int64_t>(capacity_));
    visit("samples", samples_);
  }

 private:
  static std::uint32_t twice(Index n) { return static_cast<std::uint32_t>(2 * n); }
  T* place(Index i) { return samples_.data() + i * features_; }

  Index features_, capacity_;
  std::int64_t size_ = 0;
  Buffer<T> samples_;
};

}  // namespace eigan

// ======== eigan/gan/least_squares_loss.hpp
// LeastSquaresLoss: the adversarial losses of Mao et al. 2017 (LSGAN) on the discriminator's outputs D(.), in means
// over all outputs,
//   discriminator   mean (D(real) - real_label)^2 + mean D(fake)^2
//   generator       mean (D(fake) - 1)^2
// as CycleGAN has them, without the halves of the first paper. The gradient does not vanish where D is sure.

namespace eigan {

/// A loss for the steps in gan/steps.hpp.
struct LeastSquaresLoss {
  double real_label = 1;  ///< the target for real samples

  /// What the discriminator wants of its outputs for real samples. Returns the loss and assigns the gradient.
  template <class T>
  T real(ConstView<T> outputs, View<T> gradient) const {
    return from(static_cast<T>(real_label), outputs, gradient);
  }
  /// What the discriminator wants of its outputs for generated samples.
  template <class T>
  T fake(ConstView<T> outputs, View<T> gradient) const {
    return from(T(0), outputs, gradient);
  }
  /// What the generator wants of the outputs for its samples.
  template <class T>
  T generator(ConstView<T> outputs, View<T> gradient) const {
    return from(T(1), outputs, gradient);
  }

 private:
  template <class T>
  static T from(T target, const ConstView<T>& outputs, View<T> gradient) {
    const T scale = T(1) / static_cast<T>(outputs.size());
    double sum = 0;
    for (Index j = 0; j < outputs.cols(); ++j)
      for (Index i = 0; i < outputs.rows(); ++i) {
        const T difference = outputs(i, j) - target;
        sum = std::fma(static_cast<double>(difference), static_cast<double>(difference), sum);
        gradient(i, j) = 2 * scale * difference;
      }
    return static_cast<T>(sum) * scale;
  }
};

}  // namespace eigan

// ======== eigan/gan/losses.hpp
// NonSaturatingLoss: the adversarial losses of Goodfellow et al. 2014 on the discriminator's logits D(.),
//   discriminator   bce(D(real), real_label) + bce(D(fake), 0)
//   generator       bce(D(fake), 1)      "flipped labels": maximise log D(G(z)) instead of minimising log(1 - D(G(z)))
// real_label below 1 is one-sided label smoothing (Salimans et al. 2016); the generator's target is not smoothed.
// Any type with these three functions is a loss for the steps in gan/steps.hpp.

// ======== eigan/losses/bce_with_logits.hpp
// BCEWithLogits: binary cross entropy of sigmoid(z) against targets t in [0, 1], mean over all elements:
//   L = mean( max(z, 0) - t z + log(1 + e^-|z|) )          dz = (sigmoid(z) - t) / count
// Finite for every finite logit, and what it tends to at infinite ones: 0 where the target is met, else infinite. A
// smoothed label is just a target of 0.9. (torch.nn.BCEWithLogitsLoss)

// ======== eigan/losses/loss.hpp
// What the losses share. A loss is a function: it returns the mean over the batch and assigns the gradient with
// respect to its first argument, usually straight into Tape::output_gradient(); without a place for the gradient it
// returns the mean alone, for validation. Samples may be weighted. Sums run in double, and what is multiplied and added
// is written as std::fma: otherwise the compiler's flags would decide on one rounding or two.

// ======== eigan/losses/sample_weights.hpp
// SampleWeights: how much each sample of a batch counts in a loss's mean. Of samples' losses l_j and weights w_j:
//   L = sum_j w_j l_j / sum_j w_j
// so a sample of weight 2 counts as the same sample twice, and one of weight 0 not at all. Class weights are those of
// the samples' labels. (scikit-learn's sample_weight; torch.nn.CrossEntropyLoss's weight, which goes by the class.)

#include <ranges>

namespace eigan {

/// One weight a sample, which somebody else owns, or none: then all samples count alike.
template <class T>
class SampleWeights {
 public:
  /// All samples count alike.
  SampleWeights() = default;
  /// Numbers in contiguous memory, such as std::vector<float>.
  template <std::ranges::contiguous_range Range>
  requires std::same_as<std::ranges::range_value_t<Range>, T> SampleWeights(
      const Range& weights)  // NOLINT(google-explicit-constructor): numbers are where weights are expected
      : weights_(std::ranges::data(weights), static_cast<std::size_t>(std::ranges::size(weights))), given_(true) {}

  /// Whether there are any.
  bool given() const { return given_; }
  /// The weight of sample j; 1 where no weights were given.
  T operator[](Index j) const { return given_ ? weights_[static_cast<std::size_t>(j)] : T(1); }
  /// The sum. Throws std::invalid_argument unless there is one weight for each of so many samples, none of them
  /// negative or not finite, and not all of them 0. `loss`: its name for the message.
  double sum(const char* loss, Index samples) const {
    if (!given_) return static_cast<double>(samples);
    if (std::ssize(weights_) != samples)
      detail::fail_contract("eigan::", loss, ": expected ", samples, " sample weights, got ", weights_.size());
    double sum = 0;
    for (std::size_t j = 0; j < weights_.size(); ++j) {
      const auto w = static_cast<double>(weights_[j]);
      if (!(detail::at_least(w, 0) && detail::is_finite(w)))
        detail::fail_contract("eigan::", loss, ": sample weight ", j, " must be >= 0 and finite, is ", w);
      sum += w;
    }
    if (!(sum > 0)) detail::fail_contract("eigan::", loss, ": the sample weights are all 0");
    return sum;
  }

 private:
  std::span<const T> weights_;
  bool given_ = false;
};

}  // namespace eigan

namespace eigan {

/// Over what a loss is averaged that leaves the choice, as in PyTorch.
enum class Reduction {
  mean,      ///< over all elements
  batchmean  ///< over the samples, whose elements are summed up
};

namespace detail {

/// Where a gradient goes that nobody wants.
struct NoGradient {
  struct Nowhere {
    template <class T>
    void operator=(const T&) const {}
  };
  Nowhere operator()(Index /*row*/, Index /*column*/) const { return {}; }
};

template <class A, class B>
void check_loss_shapes(const char* loss, const A& a, const B& b) {
  if (a.rows() != b.rows() || a.cols() != b.cols() || a.size() == 0)
    fail_contract("eigan::", loss, ": shapes must be equal and not empty, are ", a.rows(), " x ", a.cols(), " and ",
                  b.rows(), " x ", b.cols());
}
template <class A>
void check_loss_shapes(const char* loss, const A& a, NoGradient) {
  if (a.size() == 0) fail_contract("eigan::", loss, ": the batch is empty, ", a.rows(), " x ", a.cols());
}

/// The mean that a loss takes: over the samples, by their weights, and over a number of terms each.
template <class T>
class LossMean {
 public:
  LossMean(const char* loss, Index samples, Index terms, const SampleWeights<T>& weights)
      : weights_(weights), whole_(weights.sum(loss, samples) * static_cast<double>(terms)), share_(1 / T(whole_)) {}

  /// A sample's weight, by which its terms go into the sum.
  double weight(Index j) const { return static_cast<double>(weights_[j]); }
  /// What a term of sample j counts in the mean: the factor of its gradient.
  T share(Index j) const {
    return weights_.given() ? static_cast<T>(static_cast<double>(weights_[j]) / whole_) : share_;
  }
  /// The mean, of the sum of weighted terms.
  T of(double sum) const { return weights_.given() ? static_cast<T>(sum / whole_) : static_cast<T>(sum) * share_; }

 private:
  SampleWeights<T> weights_;
  double whole_;
  T share_;
};

}  // namespace detail
}  // namespace eigan

namespace eigan {
namespace detail {
/// max(z, 0) - t z, which is |z| times the distance from t to where z points.
template <class T>
T logit_excess(T z, T t) {
  if (!std::isinf(z)) return std::fma(-t, z, std::max(z, T(0)));
  const T distance = std::abs(T(z > 0) - t);
  return distance == 0 ? T(0) : distance * std::abs(z);
}

template <class T, class Target, class Gradient>
T bce_with_logits(const ConstView<T>& z, const Target& target, Gradient dz, const SampleWeights<T>& weights) {
  check_loss_shapes("bce_with_logits", z, dz);
  const LossMean<T> mean("bce_with_logits", z.cols(), z.rows(), weights);
  double sum = 0;
  for (Index j = 0; j < z.cols(); ++j) {
    const double weight = mean.weight(j);
    const T share = mean.share(j);
    for (Index i = 0; i < z.rows(); ++i) {
      const T zij = z(i, j), t = target(i, j);
      const T e = std::exp(-std::abs(zij));
      sum = std::fma(weight, static_cast<double>(logit_excess(zij, t) + std::log1p(e)), sum);
      dz(i, j) = ((zij >= T(0) ? T(1) : e) / (T(1) + e) - t) * share;
    }
  }
  return mean.of(sum);
}
}  // namespace detail

/// One target for all elements. Returns the loss and assigns dz.
template <class T>
T bce_with_logits(std::type_identity_t<ConstView<T>> z, std::type_identity_t<T> target, View<T> dz,
                  std::type_identity_t<SampleWeights<T>> weights = {}) {
  return detail::bce_with_logits<T>(
      z, [target](Index, Index) { return target; }, dz, weights);
}
/// A target for each element, of the same shape as z.
template <class T>
T bce_with_logits(std::type_identity_t<ConstView<T>> z, std::type_identity_t<ConstView<T>> target, View<T> dz,
                  std::type_identity_t<SampleWeights<T>> weights = {}) {
  detail::check_loss_shapes("bce_with_logits", z, target);
  return detail::bce_with_logits<T>(z, target, dz, weights);
}
/// The loss alone.
template <class T>
T bce_with_logits(std::type_identity_t<ConstView<T>> z, std::type_identity_t<T> target,
                  std::type_identity_t<SampleWeights<T>> weights = {}) {
  return detail::bce_with_logits<T>(
      z, [target](Index, Index) { return target; }, detail::NoGradient{}, weights);
}
template <class T>
T bce_with_logits(std::type_identity_t<ConstView<T>> z, std::type_identity_t<ConstView<T>> target,
                  std::type_identity_t<SampleWeights<T>> weights = {}) {
  detail::check_loss_shapes("bce_with_logits", z, target);
  return detail::bce_with_logits<T>(z, target, detail::NoGradient{}, weights);
}

}  // namespace eigan

namespace eigan {

/// The losses of the original paper.
struct NonSaturatingLoss {
  double real_label = 1;  ///< the target for real samples

  /// What the discriminator wants of the logits of real samples. Returns the loss and assigns the gradient.
  template <class T>
  T real(ConstView<T> logits, View<T> gradient) const {
    return bce_with_logits<T>(logits, static_cast<T>(real_label), gradient);
  }
  /// What the discriminator wants of the logits of generated samples.
  template <class T>
  T fake(ConstView<T> logits, View<T> gradient) const {
    return bce_with_logits<T>(logits, T(0), gradient);
  }
  /// What the generator wants of the logits of its samples.
  template <class T>
  T generator(ConstView<T> logits, View<T> gradient) const {
    return bce_with_logits<T>(logits, T(1), gradient);
  }
};

}  // namespace eigan

// ======== eigan/gan/networks.hpp
// Generator and Discriminator: the fully connected networks of the original GAN (Goodfellow et al. 2014), with leaky
// ReLU and dropout on every hidden layer. The generator ends in tanh, images in [-1, 1]; the discriminator in one
// logit.
//
//   Generator<100, 32, 64, 128, 784>            Linear LeakyReLU Dropout | ... | Linear Tanh
//   NormalizedGenerator<64, 256, 512, 784>      Linear BatchNorm1d LeakyReLU | ... | Linear Tanh
//   Discriminator<784, 128, 64, 32, 1>          Linear LeakyReLU Dropout | ... | Linear
//
// Batch normalisation in the generator, against a discriminator without dropout but with a GradientPenalty, gives far
// better samples (docs/quality.md).

// ======== eigan/layers/batch_norm.hpp
// BatchNorm1d and BatchNorm2d: each feature, or each channel of an image, is centred and scaled by its mean and
// variance over the batch and all pixels (Ioffe and Szegedy 2015).
//   y = gamma x^ + beta,    x^ = (x - mean) / sqrt(var + eps)        x, y: shape x batch;  all else per channel
// Backward:  dgamma += sum dy x^,   dbeta += sum dy,   dx = gamma / sqrt(var + eps) (dy - mean(dy) - x^ mean(dy x^)).
// At inference mean and var are constants, kept in the state as PyTorch names them: running_mean, running_var. A pass
// leaves them alone; update_statistics averages them over training batches as PyTorch does, estimate_statistics takes
// them from as many samples as one likes, for the weights as they are (Wu and Johnson 2021).

// ======== eigan/layers/channels.hpp
// Channels: what normalisations of channels share. The channels of a shape in parts of 16, for threads to share, of
// which a call computes up to 64 together, by the row kernels, over the pixels of a batch or of one sample:
//   y = gamma x^ + beta,    x^ = r (x - mean),   r = 1 / sqrt(var + eps)
//   dx = gamma r (dy - mean(dy) - x^ mean(x^ dy)),    dgamma += sum dy x^,    dbeta += sum dy
// The means are computed anew by each function: reading x twice costs less than a place to keep them would.

// ======== eigan/kernels/rows.hpp
// Functions of a batch's rows, which are features or an image's channels: moments, products with a gradient, scaling.
// For normalisations.
//
// Whatever is subtracted from x is a number near it and comes first: 1e4 + 0.1 keeps 3 digits of its 0.1, the
// difference from 1e4 loses none of them. So a mean is two numbers, a `center`, which is subtracted, and what is left,
// `rest`. A row's result depends on that row alone, not on how many rows a call has.

namespace eigan::detail {

/// Rows of pixels of samples: element (i, pixel j, sample s) is data[i + j * pixel + s * sample].
template <class T>
struct Pixels {
  T* data;
  Index pixel;
  Index sample;
};

template <class T>
struct RowKernels {
  /// For each of m rows over n pixels of `samples` samples: center + rest is the mean, variance the mean squared
  /// distance from it.
  void (*row_moments)(Index m, Index n, Index samples, Pixels<const T> x, T* center, T* rest, T* variance);
  /// sums[i] += sum of dy(i, .) and products[i] += sum of dy(i, .) (x(i, .) - center[i]).
  void (*add_row_products)(Index m, Index n, Index samples, Pixels<const T> x, const T* center, Pixels<const T> dy,
                           T* sums, T* products);
  /// y(i, .) = a[i] (x(i, .) - center[i]) + c[i].
  void (*scale_rows)(Index m, Index n, Index samples, Pixels<const T> x, const T* center, const T* a, const T* c,
                     Pixels<T> y);
  /// z(i, .) = a[i] x(i, .) + b[i] (y(i, .) - center[i]) + c[i]; z may be x or y.
  void (*combine_rows)(Index m, Index n, Index samples, Pixels<const T> x, const T* a, Pixels<const T> y,
                       const T* center, const T* b, const T* c, Pixels<T> z);
};

template <class T>
const RowKernels<T>& row_kernels() {
  return kernels<RowKernels<T>>();
}

}  // namespace eigan::detail

// ======== eigan/kernels/for_each_isa.inc
// Compiles the text EIGAN_KERNELS, one subject's kernels, once for every instruction set, with
//   EIGAN_ISA           the namespace
//   EIGAN_TARGET        the function attribute that allows the instructions
//   EIGAN_VECTOR_BYTES  the register's width
//   EIGAN_X86_VECTORS   where fused multiply-add, square root and masked moves are x86 instructions
// Every function of such a text carries EIGAN_TARGET and calls nothing but its like, so no code of one set can be
// inlined into, or merged with, code for another. No #pragma once: every subject includes this file.

#define EIGAN_INLINE [[gnu::always_inline]] inline
#define EIGAN_NOINLINE [[gnu::noinline]] inline  // long ones: a single copy for all callers
#if defined(__clang__)
#define EIGAN_UNROLL _Pragma("unroll")
#define EIGAN_UNROLL_TWICE _Pragma("unroll(2)")
#else
#define EIGAN_UNROLL _Pragma("GCC unroll 16")
#define EIGAN_UNROLL_TWICE _Pragma("GCC unroll 2")
#endif

#define EIGAN_ISA portable
#if defined(__x86_64__)
// What every such processor has, although -march or -mavx2 allow this file more: of a program whose files have different
// flags the linker keeps any one of several bodies of a kernel.
#define EIGAN_TARGET [[gnu::target("arch=x86-64,no-sse3,no-popcnt,no-lzcnt,no-movbe,no-bmi,no-bmi2")]]
#else
#define EIGAN_TARGET
#endif
#define EIGAN_VECTOR_BYTES 16

// ======== eigan/kernels/rows.inc
// Rows over a batch: see rows.hpp. Compiled by for_each_isa.inc.

namespace eigan::detail::EIGAN_ISA {

/// f.of<N>(i, count) for strips of N vectors of rows from row i: of four, whose sums do not wait for each other, then
/// of one, `count` of whose rows are real.
template <class T, class F>
EIGAN_TARGET EIGAN_INLINE void for_each_strip(Index m, const F& f) {
  constexpr Index L = lanes<T>;
  Index i = 0;
  for (; i + 4 * L <= m; i += 4 * L) f.template of<4>(i, L);
  if (i + 2 * L <= m) {
    f.template of<2>(i, L);
    i += 2 * L;
  }
  for (; i < m; i += L) f.template of<1>(i, m - i < L ? m - i : L);
}
/// Vector k of a strip of N; only one that stands alone may be a part.
template <unsigned N, class T>
EIGAN_TARGET EIGAN_INLINE Vector<T> load_rows(const T* p, unsigned k, Index count) {
  if (N > 1 || count == lanes<T>) return load(p + k * lanes<T>);
  return load_part(p, count);
}
template <unsigned N, class T>
EIGAN_TARGET EIGAN_INLINE void store_rows(T* p, Vector<T> v, unsigned k, Index count) {
  if (N > 1 || count == lanes<T>)
    store(p + k * lanes<T>, v);
  else
    store_part(p, v, count);
}

/// Sums are taken over runs of pixels and then added up: rounding grows with the length of a sum.
struct Runs {
  static constexpr Index longest = 256;
  Index n, samples;
  EIGAN_TARGET EIGAN_INLINE Index each() const { return (n + longest - 1) / longest; }
  EIGAN_TARGET EIGAN_INLINE Index count() const { return samples * each(); }
  EIGAN_TARGET EIGAN_INLINE Index length(Index run) const {
    const Index left = n - run % each() * longest;
    return left < longest ? left : longest;
  }
  template <class T>
  EIGAN_TARGET EIGAN_INLINE T* first(Index run, Pixels<T> x) const {
    return x.data + run / each() * x.sample + run % each() * longest * x.pixel;
  }
};

// Functions of a strip as types: a lambda could not be given the target.
template <class T>
struct RowMoments {
  Index n, samples;
  Pixels<const T> x;
  T *center, *rest, *variance;
  template <unsigned N>
  EIGAN_TARGET EIGAN_INLINE void of(Index i, Index count) const {
    // The centre is the mean of a sixteenth of the samples. What its distance from the mean of all adds to the squares
    // is then at most 16 times the variance, for that distance spreads the rows itself: four bits are lost at worst.
    const Index few = (samples + 15) / 16;
    Vector<T> middle[N] = {}, sum[N] = {}, square[N] = {};
    const Runs some{n, few}, all{n, samples};
    for (Index r = 0; r < some.count(); ++r) {
      Vector<T> part[N] = {};
      const T* p = some.first(r, x) + i;
      for (Index j = some.length(r); j > 0; --j, p += x.pixel) {
        EIGAN_UNROLL for (unsigned k = 0; k < N; ++k) part[k] += load_rows<N>(p, k, count);
      }
      EIGAN_UNROLL for (unsigned k = 0; k < N; ++k) middle[k] += part[k];
    }
    EIGAN_UNROLL for (unsigned k = 0; k < N; ++k) middle[k] = middle[k] / static_cast<T>(n * few);
    for (Index r = 0; r < all.count(); ++r) {
      Vector<T> part[N] = {}, squares[N] = {};
      const T* p = all.first(r, x) + i;
      for (Index j = all.length(r); j > 0; --j, p += x.pixel) {
        EIGAN_UNROLL for (unsigned k = 0; k < N; ++k) {
          const Vector<T> d = load_rows<N>(p, k, count) - middle[k];
          part[k] += d;
          squares[k] = fma(d, d, squares[k]);
        }
      }
      EIGAN_UNROLL for (unsigned k = 0; k < N; ++k) {
        sum[k] += part[k];
        square[k] += squares[k];
      }
    }
    const auto size = static_cast<T>(n * samples);
    EIGAN_UNROLL for (unsigned k = 0; k < N; ++k) {
      const Vector<T> mean = sum[k] / size;
      store_rows<N>(center + i, middle[k], k, count);
      store_rows<N>(rest + i, mean, k, count);
      const Vector<T> v = fma(-mean, mean, square[k] / size);
      store_rows<N>(variance + i, v < T(0) ? Vector<T>{} : v, k, count);
    }
  }
};
template <class T>
EIGAN_TARGET inline void row_moments(Index m, Index n, Index samples, Pixels<const T> x, T* center, T* rest,
                                     T* variance) {
  for_each_strip<T>(m, RowMoments<T>{n, samples, x, center, rest, variance});
}

template <class T>
struct AddRowProducts {
  Index n, samples;
  Pixels<const T> x;
  const T* center;
  Pixels<const T> dy;
  T *sums, *products;
  template <unsigned N>
  EIGAN_TARGET EIGAN_INLINE void of(Index i, Index count) const {
    Vector<T> middle[N], sum[N], product[N];
    EIGAN_UNROLL for (unsigned k = 0; k < N; ++k) {
      middle[k] = load_rows<N>(center + i, k, count);
      sum[k] = load_rows<N>(sums + i, k, count);
      product[k] = load_rows<N>(products + i, k, count);
    }
    const Runs all{n, samples};
    for (Index r = 0; r < all.count(); ++r) {
      Vector<T> part[N] = {}, parts[N] = {};
      const T* p = all.first(r, x) + i;
      const T* q = all.first(r, dy) + i;
      for (Index j = all.length(r); j > 0; --j, p += x.pixel, q += dy.pixel) {
        EIGAN_UNROLL for (unsigned k = 0; k < N; ++k) {
          const Vector<T> d = load_rows<N>(q, k, count);
          part[k] += d;
          parts[k] = fma(d, load_rows<N>(p, k, count) - middle[k], parts[k]);
        }
      }
      EIGAN_UNROLL for (unsigned k = 0; k < N; ++k) {
        sum[k] += part[k];
        product[k] += parts[k];
      }
    }
    EIGAN_UNROLL for (unsigned k = 0; k < N; ++k) {
      store_rows<N>(sums + i, sum[k], k, count);
      store_rows<N>(products + i, product[k], k, count);
    }
  }
};
template <class T>
EIGAN_TARGET inline void add_row_products(Index m, Index n, Index samples, Pixels<const T> x, const T* center,
                                          Pixels<const T> dy, T* sums, T* products) {
  for_each_strip<T>(m, AddRowProducts<T>{n, samples, x, center, dy, sums, products});
}

template <class T>
struct ScaleRows {
  Index n, samples;
  Pixels<const T> x;
  const T *center, *a, *c;
  Pixels<T> y;
  template <unsigned N>
  EIGAN_TARGET EIGAN_INLINE void of(Index i, Index count) const {
    Vector<T> middle[N], factor[N], shift[N];
    EIGAN_UNROLL for (unsigned k = 0; k < N; ++k) {
      middle[k] = load_rows<N>(center + i, k, count);
      factor[k] = load_rows<N>(a + i, k, count);
      shift[k] = load_rows<N>(c + i, k, count);
    }
    for (Index s = 0; s < samples; ++s) {
      const T* p = x.data + s * x.sample + i;
      T* q = y.data + s * y.sample + i;
      for (Index j = 0; j < n; ++j, p += x.pixel, q += y.pixel) {
        EIGAN_UNROLL for (unsigned k = 0; k < N; ++k) {
          store_rows<N>(q, fma(factor[k], load_rows<N>(p, k, count) - middle[k], shift[k]), k, count);
        }
      }
    }
  }
};
template <class T>
EIGAN_TARGET inline void scale_rows(Index m, Index n, Index samples, Pixels<const T> x, const T* center, const T* a,
                                    const T* c, Pixels<T> y) {
  for_each_strip<T>(m, ScaleRows<T>{n, samples, x, center, a, c, y});
}

template <class T>
struct CombineRows {
  Index n, samples;
  Pixels<const T> x;
  const T* a;
  Pixels<const T> y;
  const T *center, *b, *c;
  Pixels<T> z;
  template <unsigned N>
  EIGAN_TARGET EIGAN_INLINE void of(Index i, Index count) const {
    Vector<T> middle[N], of_x[N], of_y[N], shift[N];
    EIGAN_UNROLL for (unsigned k = 0; k < N; ++k) {
      middle[k] = load_rows<N>(center + i, k, count);
      of_x[k] = load_rows<N>(a + i, k, count);
      of_y[k] = load_rows<N>(b + i, k, count);
      shift[k] = load_rows<N>(c + i, k, count);
    }
    for (Index s = 0; s < samples; ++s) {
      const T* p = x.data + s * x.sample + i;
      const T* q = y.data + s * y.sample + i;
      T* r = z.data + s * z.sample + i;
      for (Index j = 0; j < n; ++j, p += x.pixel, q += y.pixel, r += z.pixel) {
        EIGAN_UNROLL for (unsigned k = 0; k < N; ++k) {
          const Vector<T> centred = load_rows<N>(q, k, count) - middle[k];
          store_rows<N>(r, fma(of_x[k], load_rows<N>(p, k, count), fma(of_y[k], centred, shift[k])), k, count);
        }
      }
    }
  }
};
template <class T>
EIGAN_TARGET inline void combine_rows(Index m, Index n, Index samples, Pixels<const T> x, const T* a, Pixels<const T> y,
                                      const T* center, const T* b, const T* c, Pixels<T> z) {
  for_each_strip<T>(m, CombineRows<T>{n, samples, x, a, y, center, b, c, z});
}

template <class T>
struct TableOf<RowKernels<T>> {
  static constexpr RowKernels<T> table{
      .row_moments = row_moments<T>,
      .add_row_products = add_row_products<T>,
      .scale_rows = scale_rows<T>,
      .combine_rows = combine_rows<T>,
  };
};

}  // namespace eigan::detail::EIGAN_ISA
#undef EIGAN_ISA
#undef EIGAN_TARGET
#undef EIGAN_VECTOR_BYTES

#if defined(__x86_64__)
#define EIGAN_X86_VECTORS

#define EIGAN_ISA avx2
#define EIGAN_TARGET [[gnu::target("avx2,fma")]]
#define EIGAN_VECTOR_BYTES 32

// ======== eigan/kernels/rows.inc
// Rows over a batch: see rows.hpp. Compiled by for_each_isa.inc.

namespace eigan::detail::EIGAN_ISA {

/// f.of<N>(i, count) for strips of N vectors of rows from row i: of four, whose sums do not wait for each other, then
/// of one, `count` of whose rows are real.
template <class T, class F>
EIGAN_TARGET EIGAN_INLINE void for_each_strip(Index m, const F& f) {
  constexpr Index L = lanes<T>;
  Index i = 0;
  for (; i + 4 * L <= m; i += 4 * L) f.template of<4>(i, L);
  if (i + 2 * L <= m) {
    f.template of<2>(i, L);
    i += 2 * L;
  }
  for (; i < m; i += L) f.template of<1>(i, m - i < L ? m - i : L);
}
/// Vector k of a strip of N; only one that stands alone may be a part.
template <unsigned N, class T>
EIGAN_TARGET EIGAN_INLINE Vector<T> load_rows(const T* p, unsigned k, Index count) {
  if (N > 1 || count == lanes<T>) return load(p + k * lanes<T>);
  return load_part(p, count);
}
template <unsigned N, class T>
EIGAN_TARGET EIGAN_INLINE void store_rows(T* p, Vector<T> v, unsigned k, Index count) {
  if (N > 1 || count == lanes<T>)
    store(p + k * lanes<T>, v);
  else
    store_part(p, v, count);
}

/// Sums are taken over runs of pixels and then added up: rounding grows with the length of a sum.
struct Runs {
  static constexpr Index longest = 256;
  Index n, samples;
  EIGAN_TARGET EIGAN_INLINE Index each() const { return (n + longest - 1) / longest; }
  EIGAN_TARGET EIGAN_INLINE Index count() const { return samples * each(); }
  EIGAN_TARGET EIGAN_INLINE Index length(Index run) const {
    const Index left = n - run % each() * longest;
    return left < longest ? left : longest;
  }
  template <class T>
  EIGAN_TARGET EIGAN_INLINE T* first(Index run, Pixels<T> x) const {
    return x.data + run / each() * x.sample + run % each() * longest * x.pixel;
  }
};

// Functions of a strip as types: a lambda could not be given the target.
template <class T>
struct RowMoments {
  Index n, samples;
  Pixels<const T> x;
  T *center, *rest, *variance;
  template <unsigned N>
  EIGAN_TARGET EIGAN_INLINE void of(Index i, Index count) const {
    // The centre is the mean of a sixteenth of the samples. What its distance from the mean of all adds to the squares
    // is then at most 16 times the variance, for that distance spreads the rows itself: four bits are lost at worst.
    const Index few = (samples + 15) / 16;
    Vector<T> middle[N] = {}, sum[N] = {}, square[N] = {};
    const Runs some{n, few}, all{n, samples};
    for (Index r = 0; r < some.count(); ++r) {
      Vector<T> part[N] = {};
      const T* p = some.first(r, x) + i;
      for (Index j = some.length(r); j > 0; --j, p += x.pixel) {
        EIGAN_UNROLL for (unsigned k = 0; k < N; ++k) part[k] += load_rows<N>(p, k, count);
      }
      EIGAN_UNROLL for (unsigned k = 0; k < N; ++k) middle[k] += part[k];
    }
    EIGAN_UNROLL for (unsigned k = 0; k < N; ++k) middle[k] = middle[k] / static_cast<T>(n * few);
    for (Index r = 0; r < all.count(); ++r) {
      Vector<T> part[N] = {}, squares[N] = {};
      const T* p = all.first(r, x) + i;
      for (Index j = all.length(r); j > 0; --j, p += x.pixel) {
        EIGAN_UNROLL for (unsigned k = 0; k < N; ++k) {
          const Vector<T> d = load_rows<N>(p, k, count) - middle[k];
          part[k] += d;
          squares[k] = fma(d, d, squares[k]);
        }
      }
      EIGAN_UNROLL for (unsigned k = 0; k < N; ++k) {
        sum[k] += part[k];
        square[k] += squares[k];
      }
    }
    const auto size = static_cast<T>(n * samples);
    EIGAN_UNROLL for (unsigned k = 0; k < N; ++k) {
      const Vector<T> mean = sum[k] / size;
      store_rows<N>(center + i, middle[k], k, count);
      store_rows<N>(rest + i, mean, k, count);
      const Vector<T> v = fma(-mean, mean, square[k] / size);
      store_rows<N>(variance + i, v < T(0) ? Vector<T>{} : v, k, count);
    }
  }
};
template <class T>
EIGAN_TARGET inline void row_moments(Index m, Index n, Index samples, Pixels<const T> x, T* center, T* rest,
                                     T* variance) {
  for_each_strip<T>(m, RowMoments<T>{n, samples, x, center, rest, variance});
}

template <class T>
struct AddRowProducts {
  Index n, samples;
  Pixels<const T> x;
  const T* center;
  Pixels<const T> dy;
  T *sums, *products;
  template <unsigned N>
  EIGAN_TARGET EIGAN_INLINE void of(Index i, Index count) const {
    Vector<T> middle[N], sum[N], product[N];
    EIGAN_UNROLL for (unsigned k = 0; k < N; ++k) {
      middle[k] = load_rows<N>(center + i, k, count);
      sum[k] = load_rows<N>(sums + i, k, count);
      product[k] = load_rows<N>(products + i, k, count);
    }
    const Runs all{n, samples};
    for (Index r = 0; r < all.count(); ++r) {
      Vector<T> part[N] = {}, parts[N] = {};
      const T* p = all.first(r, x) + i;
      const T* q = all.first(r, dy) + i;
      for (Index j = all.length(r); j > 0; --j, p += x.pixel, q += dy.pixel) {
        EIGAN_UNROLL for (unsigned k = 0; k < N; ++k) {
          const Vector<T> d = load_rows<N>(q, k, count);
          part[k] += d;
          parts[k] = fma(d, load_rows<N>(p, k, count) - middle[k], parts[k]);
        }
      }
      EIGAN_UNROLL for (unsigned k = 0; k < N; ++k) {
        sum[k] += part[k];
        product[k] += parts[k];
      }
    }
    EIGAN_UNROLL for (unsigned k = 0; k < N; ++k) {
      store_rows<N>(sums + i, sum[k], k, count);
      store_rows<N>(products + i, product[k], k, count);
    }
  }
};
template <class T>
EIGAN_TARGET inline void add_row_products(Index m, Index n, Index samples, Pixels<const T> x, const T* center,
                                          Pixels<const T> dy, T* sums, T* products) {
  for_each_strip<T>(m, AddRowProducts<T>{n, samples, x, center, dy, sums, products});
}

template <class T>
struct ScaleRows {
  Index n, samples;
  Pixels<const T> x;
  const T *center, *a, *c;
  Pixels<T> y;
  template <unsigned N>
  EIGAN_TARGET EIGAN_INLINE void of(Index i, Index count) const {
    Vector<T> middle[N], factor[N], shift[N];
    EIGAN_UNROLL for (unsigned k = 0; k < N; ++k) {
      middle[k] = load_rows<N>(center + i, k, count);
      factor[k] = load_rows<N>(a + i, k, count);
      shift[k] = load_rows<N>(c + i, k, count);
    }
    for (Index s = 0; s < samples; ++s) {
      const T* p = x.data + s * x.sample + i;
      T* q = y.data + s * y.sample + i;
      for (Index j = 0; j < n; ++j, p += x.pixel, q += y.pixel) {
        EIGAN_UNROLL for (unsigned k = 0; k < N; ++k) {
          store_rows<N>(q, fma(factor[k], load_rows<N>(p, k, count) - middle[k], shift[k]), k, count);
        }
      }
    }
  }
};
template <class T>
EIGAN_TARGET inline void scale_rows(Index m, Index n, Index samples, Pixels<const T> x, const T* center, const T* a,
                                    const T* c, Pixels<T> y) {
  for_each_strip<T>(m, ScaleRows<T>{n, samples, x, center, a, c, y});
}

template <class T>
struct CombineRows {
  Index n, samples;
  Pixels<const T> x;
  const T* a;
  Pixels<const T> y;
  const T *center, *b, *c;
  Pixels<T> z;
  template <unsigned N>
  EIGAN_TARGET EIGAN_INLINE void of(Index i, Index count) const {
    Vector<T> middle[N], of_x[N], of_y[N], shift[N];
    EIGAN_UNROLL for (unsigned k = 0; k < N; ++k) {
      middle[k] = load_rows<N>(center + i, k, count);
      of_x[k] = load_rows<N>(a + i, k, count);
      of_y[k] = load_rows<N>(b + i, k, count);
      shift[k] = load_rows<N>(c + i, k, count);
    }
    for (Index s = 0; s < samples; ++s) {
      const T* p = x.data + s * x.sample + i;
      const T* q = y.data + s * y.sample + i;
      T* r = z.data + s * z.sample + i;
      for (Index j = 0; j < n; ++j, p += x.pixel, q += y.pixel, r += z.pixel) {
        EIGAN_UNROLL for (unsigned k = 0; k < N; ++k) {
          const Vector<T> centred = load_rows<N>(q, k, count) - middle[k];
          store_rows<N>(r, fma(of_x[k], load_rows<N>(p, k, count), fma(of_y[k], centred, shift[k])), k, count);
        }
      }
    }
  }
};
template <class T>
EIGAN_TARGET inline void combine_rows(Index m, Index n, Index samples, Pixels<const T> x, const T* a, Pixels<const T> y,
                                      const T* center, const T* b, const T* c, Pixels<T> z) {
  for_each_strip<T>(m, CombineRows<T>{n, samples, x, a, y, center, b, c, z});
}

template <class T>
struct TableOf<RowKernels<T>> {
  static constexpr RowKernels<T> table{
      .row_moments = row_moments<T>,
      .add_row_products = add_row_products<T>,
      .scale_rows = scale_rows<T>,
      .combine_rows = combine_rows<T>,
  };
};

}  // namespace eigan::detail::EIGAN_ISA
#undef EIGAN_ISA
#undef EIGAN_TARGET
#undef EIGAN_VECTOR_BYTES

#define EIGAN_ISA avx512
#define EIGAN_TARGET [[gnu::target("avx2,fma,avx512f")]]
#define EIGAN_VECTOR_BYTES 64

// ======== eigan/kernels/rows.inc
// Rows over a batch: see rows.hpp. Compiled by for_each_isa.inc.

namespace eigan::detail::EIGAN_ISA {

/// f.of<N>(i, count) for strips of N vectors of rows from row i: of four, whose sums do not wait for each other, then
/// of one, `count` of whose rows are real.
template <class T, class F>
EIGAN_TARGET EIGAN_INLINE void for_each_strip(Index m, const F& f) {
  constexpr Index L = lanes<T>;
  Index i = 0;
  for (; i + 4 * L <= m; i += 4 * L) f.template of<4>(i, L);
  if (i + 2 * L <= m) {
    f.template of<2>(i, L);
    i += 2 * L;
  }
  for (; i < m; i += L) f.template of<1>(i, m - i < L ? m - i : L);
}
/// Vector k of a strip of N; only one that stands alone may be a part.
template <unsigned N, class T>
EIGAN_TARGET EIGAN_INLINE Vector<T> load_rows(const T* p, unsigned k, Index count) {
  if (N > 1 || count == lanes<T>) return load(p + k * lanes<T>);
  return load_part(p, count);
}
template <unsigned N, class T>
EIGAN_TARGET EIGAN_INLINE void store_rows(T* p, Vector<T> v, unsigned k, Index count) {
  if (N > 1 || count == lanes<T>)
    store(p + k * lanes<T>, v);
  else
    store_part(p, v, count);
}

/// Sums are taken over runs of pixels and then added up: rounding grows with the length of a sum.
struct Runs {
  static constexpr Index longest = 256;
  Index n, samples;
  EIGAN_TARGET EIGAN_INLINE Index each() const { return (n + longest - 1) / longest; }
  EIGAN_TARGET EIGAN_INLINE Index count() const { return samples * each(); }
  EIGAN_TARGET EIGAN_INLINE Index length(Index run) const {
    const Index left = n - run % each() * longest;
    return left < longest ? left : longest;
  }
  template <class T>
  EIGAN_TARGET EIGAN_INLINE T* first(Index run, Pixels<T> x) const {
    return x.data + run / each() * x.sample + run % each() * longest * x.pixel;
  }
};

// Functions of a strip as types: a lambda could not be given the target.
template <class T>
struct RowMoments {
  Index n, samples;
  Pixels<const T> x;
  T *center, *rest, *variance;
  template <unsigned N>
  EIGAN_TARGET EIGAN_INLINE void of(Index i, Index count) const {
    // The centre is the mean of a sixteenth of the samples. What its distance from the mean of all adds to the squares
    // is then at most 16 times the variance, for that distance spreads the rows itself: four bits are lost at worst.
    const Index few = (samples + 15) / 16;
    Vector<T> middle[N] = {}, sum[N] = {}, square[N] = {};
    const Runs some{n, few}, all{n, samples};
    for (Index r = 0; r < some.count(); ++r) {
      Vector<T> part[N] = {};
      const T* p = some.first(r, x) + i;
      for (Index j = some.length(r); j > 0; --j, p += x.pixel) {
        EIGAN_UNROLL for (unsigned k = 0; k < N; ++k) part[k] += load_rows<N>(p, k, count);
      }
      EIGAN_UNROLL for (unsigned k = 0; k < N; ++k) middle[k] += part[k];
    }
    EIGAN_UNROLL for (unsigned k = 0; k < N; ++k) middle[k] = middle[k] / static_cast<T>(n * few);
    for (Index r = 0; r < all.count(); ++r) {
      Vector<T> part[N] = {}, squares[N] = {};
      const T* p = all.first(r, x) + i;
      for (Index j = all.length(r); j > 0; --j, p += x.pixel) {
        EIGAN_UNROLL for (unsigned k = 0; k < N; ++k) {
          const Vector<T> d = load_rows<N>(p, k, count) - middle[k];
          part[k] += d;
          squares[k] = fma(d, d, squares[k]);
        }
      }
      EIGAN_UNROLL for (unsigned k = 0; k < N; ++k) {
        sum[k] += part[k];
        square[k] += squares[k];
      }
    }
    const auto size = static_cast<T>(n * samples);
    EIGAN_UNROLL for (unsigned k = 0; k < N; ++k) {
      const Vector<T> mean = sum[k] / size;
      store_rows<N>(center + i, middle[k], k, count);
      store_rows<N>(rest + i, mean, k, count);
      const Vector<T> v = fma(-mean, mean, square[k] / size);
      store_rows<N>(variance + i, v < T(0) ? Vector<T>{} : v, k, count);
    }
  }
};
template <class T>
EIGAN_TARGET inline void row_moments(Index m, Index n, Index samples, Pixels<const T> x, T* center, T* rest,
                                     T* variance) {
  for_each_strip<T>(m, RowMoments<T>{n, samples, x, center, rest, variance});
}

template <class T>
struct AddRowProducts {
  Index n, samples;
  Pixels<const T> x;
  const T* center;
  Pixels<const T> dy;
  T *sums, *products;
  template <unsigned N>
  EIGAN_TARGET EIGAN_INLINE void of(Index i, Index count) const {
    Vector<T> middle[N], sum[N], product[N];
    EIGAN_UNROLL for (unsigned k = 0; k < N; ++k) {
      middle[k] = load_rows<N>(center + i, k, count);
      sum[k] = load_rows<N>(sums + i, k, count);
      product[k] = load_rows<N>(products + i, k, count);
    }
    const Runs all{n, samples};
    for (Index r = 0; r < all.count(); ++r) {
      Vector<T> part[N] = {}, parts[N] = {};
      const T* p = all.first(r, x) + i;
      const T* q = all.first(r, dy) + i;
      for (Index j = all.length(r); j > 0; --j, p += x.pixel, q += dy.pixel) {
        EIGAN_UNROLL for (unsigned k = 0; k < N; ++k) {
          const Vector<T> d = load_rows<N>(q, k, count);
          part[k] += d;
          parts[k] = fma(d, load_rows<N>(p, k, count) - middle[k], parts[k]);
        }
      }
      EIGAN_UNROLL for (unsigned k = 0; k < N; ++k) {
        sum[k] += part[k];
        product[k] += parts[k];
      }
    }
    EIGAN_UNROLL for (unsigned k = 0; k < N; ++k) {
      store_rows<N>(sums + i, sum[k], k, count);
      store_rows<N>(products + i, product[k], k, count);
    }
  }
};
template <class T>
EIGAN_TARGET inline void add_row_products(Index m, Index n, Index samples, Pixels<const T> x, const T* center,
                                          Pixels<const T> dy, T* sums, T* products) {
  for_each_strip<T>(m, AddRowProducts<T>{n, samples, x, center, dy, sums, products});
}

template <class T>
struct ScaleRows {
  Index n, samples;
  Pixels<const T> x;
  const T *center, *a, *c;
  Pixels<T> y;
  template <unsigned N>
  EIGAN_TARGET EIGAN_INLINE void of(Index i, Index count) const {
    Vector<T> middle[N], factor[N], shift[N];
    EIGAN_UNROLL for (unsigned k = 0; k < N; ++k) {
      middle[k] = load_rows<N>(center + i, k, count);
      factor[k] = load_rows<N>(a + i, k, count);
      shift[k] = load_rows<N>(c + i, k, count);
    }
    for (Index s = 0; s < samples; ++s) {
      const T* p = x.data + s * x.sample + i;
      T* q = y.data + s * y.sample + i;
      for (Index j = 0; j < n; ++j, p += x.pixel, q += y.pixel) {
        EIGAN_UNROLL for (unsigned k = 0; k < N; ++k) {
          store_rows<N>(q, fma(factor[k], load_rows<N>(p, k, count) - middle[k], shift[k]), k, count);
        }
      }
    }
  }
};
template <class T>
EIGAN_TARGET inline void scale_rows(Index m, Index n, Index samples, Pixels<const T> x, const T* center, const T* a,
                                    const T* c, Pixels<T> y) {
  for_each_strip<T>(m, ScaleRows<T>{n, samples, x, center, a, c, y});
}

template <class T>
struct CombineRows {
  Index n, samples;
  Pixels<const T> x;
  const T* a;
  Pixels<const T> y;
  const T *center, *b, *c;
  Pixels<T> z;
  template <unsigned N>
  EIGAN_TARGET EIGAN_INLINE void of(Index i, Index count) const {
    Vector<T> middle[N], of_x[N], of_y[N], shift[N];
    EIGAN_UNROLL for (unsigned k = 0; k < N; ++k) {
      middle[k] = load_rows<N>(center + i, k, count);
      of_x[k] = load_rows<N>(a + i, k, count);
      of_y[k] = load_rows<N>(b + i, k, count);
      shift[k] = load_rows<N>(c + i, k, count);
    }
    for (Index s = 0; s < samples; ++s) {
      const T* p = x.data + s * x.sample + i;
      const T* q = y.data + s * y.sample + i;
      T* r = z.data + s * z.sample + i;
      for (Index j = 0; j < n; ++j, p += x.pixel, q += y.pixel, r += z.pixel) {
        EIGAN_UNROLL for (unsigned k = 0; k < N; ++k) {
          const Vector<T> centred = load_rows<N>(q, k, count) - middle[k];
          store_rows<N>(r, fma(of_x[k], load_rows<N>(p, k, count), fma(of_y[k], centred, shift[k])), k, count);
        }
      }
    }
  }
};
template <class T>
EIGAN_TARGET inline void combine_rows(Index m, Index n, Index samples, Pixels<const T> x, const T* a, Pixels<const T> y,
                                      const T* center, const T* b, const T* c, Pixels<T> z) {
  for_each_strip<T>(m, CombineRows<T>{n, samples, x, a, y, center, b, c, z});
}

template <class T>
struct TableOf<RowKernels<T>> {
  static constexpr RowKernels<T> table{
      .row_moments = row_moments<T>,
      .add_row_products = add_row_products<T>,
      .scale_rows = scale_rows<T>,
      .combine_rows = combine_rows<T>,
  };
};

}  // namespace eigan::detail::EIGAN_ISA
#undef EIGAN_ISA
#undef EIGAN_TARGET
#undef EIGAN_VECTOR_BYTES

#undef EIGAN_X86_VECTORS
#endif

#undef EIGAN_INLINE
#undef EIGAN_NOINLINE
#undef EIGAN_UNROLL
#undef EIGAN_UNROLL_TWICE
EIGAN_SHARE_KERNELS(RowKernels)

namespace eigan::detail {

/// A number for each channel of a group.
template <class T>
struct Group {
  static constexpr Index most = 64;
  T values[most];
  constexpr T& operator[](Index i) { return values[i]; }
  constexpr const T& operator[](Index i) const { return values[i]; }
};

/// Consecutive channels, which are computed together.
struct Run {
  Index first, count;
};

class Channels {
 public:
  explicit constexpr Channels(Shape shape) : shape_(shape) {}

  constexpr Shape shape() const { return shape_; }
  Index count() const { return shape_.channels; }

  static constexpr Index part = 16;
  Index parts() const { return (count() + part - 1) / part; }
  /// f(run) for the parts [from, to).
  template <class F>
  void for_each_run(Index from, Index to, const F& f) const {
    const Index last = std::min(to * part, count());
    for (Index first = from * part; first < last; first += Group<int>::most)
      f(Run{first, std::min(Group<int>::most, last - first)});
  }

  /// center + rest is the mean.
  template <class T>
  struct Moments {
    Group<T> center, rest, variance;
    T inverse_deviation(Index i, double eps) const { return 1 / std::sqrt(variance[i] + static_cast<T>(eps)); }
  };
  template <class T>
  Moments<T> moments(Run run, const ConstView<T>& x) const {
    Moments<T> m;
    const auto at = place(x, run);
    row_kernels<T>().row_moments(run.count, at.n, at.samples, at.pixels, m.center.values, m.rest.values,
                                 m.variance.values);
    return m;
  }
  /// The means over the same pixels of dy and of dy (x - mean).
  template <class T>
  struct Products {
    Group<T> mean, product;
  };
  template <class T>
  Products<T> products(Run run, const ConstView<T>& x, const Moments<T>& of_x, const ConstView<T>& dy) const {
    Products<T> with{};
    const auto at = place(x, run);
    row_kernels<T>().add_row_products(run.count, at.n, at.samples, at.pixels, of_x.center.values, place(dy, run).pixels,
                                      with.mean.values, with.product.values);
    const T share = 1 / static_cast<T>(at.n * at.samples);
    for (Index i = 0; i < run.count; ++i) {
      with.mean[i] *= share;
      with.product[i] = std::fma(-of_x.rest[i], with.mean[i], with.product[i] * share);
    }
    return with;
  }
  /// Adds the sums over the pixels.
  template <class T>
  void add_sums(Run run, const ConstView<T>& x, T* sums) const {
    constexpr Group<T> zero{};
    Group<T> products{};
    const auto at = place(x, run);
    row_kernels<T>().add_row_products(run.count, at.n, at.samples, at.pixels, zero.values, at.pixels, sums,
                                      products.values);
  }
  /// y = a (x - center) + c.
  template <class T>
  void scale(Run run, const ConstView<T>& x, const T* center, const T* a, const T* c, View<T> y) const {
    const auto at = place(x, run);
    row_kernels<T>().scale_rows(run.count, at.n, at.samples, at.pixels, center, a, c, place(y, run).pixels);
  }
  /// z = a x + b (y - center) + c.
  template <class T>
  void combine(Run run, const ConstView<T>& x, const Group<T>& a, const ConstView<T>& y, const Group<T>& center,
               const Group<T>& b, const Group<T>& c, View<T> z) const {
    const auto at = place(x, run);
    row_kernels<T>().combine_rows(run.count, at.n, at.samples, at.pixels, a.values, place(y, run).pixels, center.values,
                                  b.values, c.values, place(z, run).pixels);
  }

  /// z += b (y - center) + c.
  template <class T>
  void add(Run run, const ConstView<T>& y, const Group<T>& center, const Group<T>& b, const Group<T>& c,
           View<T> z) const {
    Group<T> one;
    std::fill_n(one.values, run.count, T(1));
    combine(run, ConstView<T>(z), one, y, center, b, c, z);
  }

  /// y from x, both whole; gamma and beta are those of the run. Without them they are 1 and 0.
  template <class T>
  void normalise(Run run, const ConstView<T>& x, double eps, const T* gamma, const T* beta, View<T> y) const {
    const Moments<T> m = moments(run, x);
    Group<T> a, c;
    for (Index i = 0; i < run.count; ++i) {
      a[i] = (gamma == nullptr ? 1 : gamma[i]) * m.inverse_deviation(i, eps);
      c[i] = std::fma(-m.rest[i], a[i], beta == nullptr ? 0 : beta[i]);
    }
    scale(run, x, m.center.values, a.values, c.values, y);
  }
  template <class T>
  void normalise_backward(Run run, const ConstView<T>& x, double eps, const T* gamma, const ConstView<T>& dy,
                          View<T> dx) const {
    const Moments<T> m = moments(run, x);
    const Products<T> with = products(run, x, m, dy);
    Group<T> a, b, c;
    for (Index i = 0; i < run.count; ++i) {
      const T r = m.inverse_deviation(i, eps);
      a[i] = (gamma == nullptr ? 1 : gamma[i]) * r;
      b[i] = -a[i] * with.product[i] * (r * r);
      c[i] = std::fma(-b[i], m.rest[i], -a[i] * with.mean[i]);
    }
    combine(run, dy, a, x, m.center, b, c, dx);
  }
  template <class T>
  void add_params(Run run, const ConstView<T>& x, double eps, const ConstView<T>& dy, T* dgamma, T* dbeta) const {
    const Moments<T> m = moments(run, x);
    const Products<T> with = products(run, x, m, dy);
    const auto n = static_cast<T>(x.cols() * shape_.pixels());
    for (Index i = 0; i < run.count; ++i) {
      dgamma[i] = std::fma(n * with.product[i], m.inverse_deviation(i, eps), dgamma[i]);
      dbeta[i] = std::fma(n, with.mean[i], dbeta[i]);
    }
  }

 private:
  /// A batch from a run's first channel on. A vector's samples count as pixels, the kernels' inner loop.
  template <class T>
  struct Place {
    Index n, samples;
    Pixels<T> pixels;
  };
  template <class T>
  Place<T> place(T* data, Index cols, Index stride) const {
    if (shape_.is_vector()) return {cols, 1, {data, stride, 0}};
    return {shape_.pixels(), cols, {data, count(), stride}};
  }
  template <class T>
  Place<const T> place(const ConstView<T>& x, Run run) const {
    return place(x.data() + run.first, x.cols(), x.outerStride());
  }
  template <class T>
  Place<T> place(View<T> x, Run run) const {
    return place(x.data() + run.first, x.cols(), x.outerStride());
  }

  Shape shape_;
};

/// Throws std::invalid_argument unless a normalisation can have `count` features or channels (`stated`: what its type
/// says) and eps.
inline void check_normalisation(const char* name, const char* what, Index stated, Index count, double eps) {
  if (count <= 0 || count > most_size || (stated != dynamic && stated != count))
    fail_contract("eigan::", name, "<", stated_text(stated), ">: cannot have ", count, " ", what,
                  ", expected 1 to 2^31 - 1 and what the type states");
  if (!(is_finite(eps) && eps > 0)) fail_contract("eigan::", name, ": eps must be > 0, is ", eps);
}

}  // namespace eigan::detail

namespace eigan {
namespace placed {

/// Batch normalisation where it stands: channels over pixels.
class BatchNorm {
 public:
  static constexpr Index input = dynamic, output = dynamic;
  static constexpr bool coupled = true;
  static constexpr bool backward_reads_y = false;

  /// `name`, a literal, is that of the description.
  constexpr BatchNorm(const char* name, Shape shape, double eps) : name_(name), channels_(shape), eps_(eps) {}

  /// Of one sample.
  constexpr Shape shape() const { return channels_.shape(); }
  Index input_size() const { return shape().size(); }
  Index output_size() const { return shape().size(); }
  /// What is added to the variance.
  double eps() const { return eps_; }
  /// x is read twice, y written.
  double operations() const { return 3 * detail::memory_access * static_cast<double>(input_size()); }
  Spec spec() const {
    return {name_,
            {{"num_features", channels_.count()}, {"eps", eps_}},
            detail::concat("::eigan::", name_, "<", channels_.count(), ">")};
  }

  Index param_size() const { return 2 * channels_.count(); }
  std::vector<Parameter> parameters() const {
    const Index c = channels_.count();
    return {{"weight", 0, c, 1, 1}, {"bias", c, c, 1, 1}};
  }
  template <class T>
  void init(std::span<T> p, Rng) const {
    std::fill_n(std::fill_n(p.data(), channels_.count(), T(1)), channels_.count(), T(0));
  }

  Index state_size() const { return 2 * channels_.count() + 1; }
  std::vector<Parameter> states() const {
    const Index c = channels_.count();
    return {{"running_mean", 0, c, 1, 1},
            {"running_var", c, c, 1, 1},
            {.name = "num_batches_tracked", .offset = 2 * c, .rows = 1, .cols = 1, .rank = 0, .integer = true}};
  }
  template <class T>
  void init_state(std::span<T> s) const {
    *std::fill_n(std::fill_n(s.data(), channels_.count(), T(0)), channels_.count(), T(1)) = T(0);
  }
  /// Counts a batch; its variance is divided by the number of its pixels less one, as PyTorch keeps it. In float the
  /// count stops at 2^24, which changes nothing: it is written to files, and asked whether it is 0.
  template <class T>
  void update_statistics(std::span<T> s, ConstView<T> x, double momentum) const {
    const Index c = channels_.count();
    const auto n = static_cast<T>(x.cols() * shape().pixels());
    const T unbiased = n / std::max(n - 1, T(1)), share = static_cast<T>(momentum);
    const auto average = [&](T& kept, T found) { kept = momentum == 1 ? found : kept + share * (found - kept); };
    channels_.for_each_run(0, channels_.parts(), [&](detail::Run run) {
      const auto batch = channels_.moments(run, x);
      T* const mean = s.data() + run.first;
      for (Index i = 0; i < run.count; ++i) {
        average(mean[i], batch.center[i] + batch.rest[i]);
        average(mean[c + i], batch.variance[i] * unbiased);
      }
    });
    s.data()[2 * c] += 1;
  }
  /// Statistics of x and of the `seen` samples in s together, as one batch (Chan, Golub and LeVeque 1979).
  template <class T>
  void merge_statistics(std::span<T> s, ConstView<T> x, Index seen) const {
    const Index c = channels_.count();
    if (seen == 0) {
      s.data()[2 * c] = 0;
      return update_statistics(s, x, 1);
    }
    const auto before = static_cast<double>(seen * shape().pixels()),
               more = static_cast<double>(x.cols() * shape().pixels());
    const double all = before + more;
    channels_.for_each_run(0, channels_.parts(), [&](detail::Run run) {
      const auto batch = channels_.moments(run, x);
      for (Index i = 0; i < run.count; ++i) {
        T &mean = s.data()[run.first + i], &variance = s.data()[c + run.first + i];
        const double step = static_cast<double>(batch.center[i] + batch.rest[i]) - static_cast<double>(mean);
        const double squares = static_cast<double>(variance) * (before - 1) +
                               static_cast<double>(batch.variance[i]) * more + step * step * before * more / all;
        mean = static_cast<T>(static_cast<double>(mean) + step * more / all);
        variance = static_cast<T>(squares / (all - 1));
      }
    });
  }

  /// Whether anybody has set them: batches were counted, or the numbers are not those that init_state writes. A count
  /// may be missing where others wrote the file.
  template <class T>
  bool has_statistics(std::span<const T> s) const {
    const Index c = channels_.count();
    const auto is_not = [](T value) { return [value](T number) { return number != value; }; };
    const T* const mean = s.data();
    const T* const variance = mean + c;
    return variance[c] > 0 || std::any_of(mean, variance, is_not(0)) || std::any_of(variance, variance + c, is_not(1));
  }

  // Inference: an affine map of each channel. The running mean and gamma / sqrt(var + eps) are made ready once a pass.

  Index prepared_size() const { return 2 * channels_.count(); }
  template <class T>
  void prepare(std::span<const T> p, std::span<const T> s, std::span<T> q, Phase phase) const {
    if (phase == Phase::training) return;
    const Index c = channels_.count();
    if (!has_statistics(s))
      detail::fail_contract("eigan::", name_, ": inference with statistics that nobody has set; call ",
                            "estimate_statistics(model, samples) after training, or update_statistics(model, tape, ",
                            "momentum) behind each training pass");
    std::copy_n(s.data(), c, q.data());
    for (Index i = 0; i < c; ++i) q.data()[c + i] = p.data()[i] / std::sqrt(s.data()[c + i] + static_cast<T>(eps_));
  }
  template <class T>
  void forward(Prepared<T> p, ConstView<T> x, View<T> y) const {
    const Index c = channels_.count();
    channels_.scale({0, c}, x, p.prepared.data(), p.prepared.data() + c, p.params.data() + c, y);
  }
  template <class T>
  void backward_input(Prepared<T> p, ConstView<T>, ConstView<T>, ConstView<T> dy, View<T> dx) const {
    constexpr detail::Group<T> zero{};
    const T* const scale = p.prepared.data() + channels_.count();
    channels_.for_each_run(0, channels_.parts(), [&](detail::Run run) {
      channels_.scale(run, dy, zero.values, scale + run.first, zero.values, dx);
    });
  }

  // Training, over the whole batch, in parts of consecutive channels.

  Index part_count() const { return channels_.parts(); }
  template <class T>
  void forward_parts(Prepared<T> p, ConstView<T> x, View<T> y, Index first, Index last) const {
    channels_.for_each_run(first, last, [&](detail::Run run) {
      const T* const gamma = p.params.data() + run.first;
      channels_.normalise(run, x, eps_, gamma, gamma + channels_.count(), y);
    });
  }
  template <class T>
  void backward_input_parts(Prepared<T> p, ConstView<T> x, ConstView<T>, ConstView<T> dy, View<T> dx, Index first,
                            Index last) const {
    channels_.for_each_run(first, last, [&](detail::Run run) {
      channels_.normalise_backward(run, x, eps_, p.params.data() + run.first, dy, dx);
    });
  }
  template <class T>
  void backward_params(Prepared<T>, ConstView<T> x, ConstView<T>, ConstView<T> dy, std::span<T> dp) const {
    channels_.for_each_run(0, channels_.parts(), [&](detail::Run run) {
      T* const dgamma = dp.data() + run.first;
      channels_.add_params(run, x, eps_, dy, dgamma, dgamma + channels_.count());
    });
  }

 private:
  const char* name_;
  detail::Channels channels_;
  double eps_;
};

}  // namespace placed

/// Batch normalisation of vectors. `BatchNorm1d<256>`, or `BatchNorm1d<>(256)` with their length given at run time.
template <Index Features = dynamic>
class BatchNorm1d : public placed::BatchNorm {
  static_assert(Features > 0 || Features == dynamic, "eigan::BatchNorm1d: features are positive or dynamic");

 public:
  static constexpr Index input = Features, output = Features;

  /// The features that the type states, eps 1e-5.
  constexpr BatchNorm1d() requires(Features != dynamic) : BatchNorm("BatchNorm1d", {Features}, 1e-5) {}
  /// Throws std::invalid_argument unless 0 < features < 2^31, as the type says where it does, and eps > 0.
  explicit BatchNorm1d(Index features, double eps = 1e-5) : BatchNorm("BatchNorm1d", {features}, eps) {
    detail::check_normalisation("BatchNorm1d", "features", Features, features, eps);
  }

  constexpr Shape output_shape(Shape in) const { return in == shape() ? in : Shape{}; }
  std::string expects() const { return detail::concat(shape().channels, " features"); }
  /// Itself, as the class that all sizes share.
  placed::BatchNorm at(Shape) const { return *this; }
};

/// Batch normalisation of images' channels. `BatchNorm2d<64>`, or `BatchNorm2d<>(64)`.
template <Index Channels = dynamic>
class BatchNorm2d {
  static_assert(Channels > 0 || Channels == dynamic, "eigan::BatchNorm2d: channels are positive or dynamic");

 public:
  /// The channels that the type states, eps 1e-5.
  constexpr BatchNorm2d() requires(Channels != dynamic) : channels_(Channels) {}
  /// Throws std::invalid_argument unless 0 < channels < 2^31, as the type says where it does, and eps > 0.
  explicit BatchNorm2d(Index channels, double eps = 1e-5) : channels_(channels), eps_(eps) {
    detail::check_normalisation("BatchNorm2d", "channels", Channels, channels, eps);
  }

  constexpr Shape output_shape(Shape in) const { return in && in.channels == channels_ ? in : Shape{}; }
  std::string expects() const { return detail::concat(channels_, " channels"); }
  Spec spec() const { return at({channels_}).spec(); }
  /// The layer over the pixels of `in`.
  placed::BatchNorm at(Shape in) const { return {"BatchNorm2d", in, eps_}; }

 private:
  Index channels_;
  double eps_ = 1e-5;
};

static_assert(BatchCoupledLayer<placed::BatchNorm> && StatisticsLayer<placed::BatchNorm> &&
              ParametricLayer<placed::BatchNorm, double> && ShapedLayer<BatchNorm1d<3>> && ShapedLayer<BatchNorm2d<3>>);

}  // namespace eigan

// ======== eigan/layers/dropout.hpp
// Dropout: in training y = m x / (1 - p), m = 0 with probability p and 1 otherwise; at inference y = x.
// Backward: dx = m dy / (1 - p), with the mask drawn again: it is a function of the pass's generator, the sample and
// the feature, and is never stored. (Srivastava et al. 2014, "inverted": the scale is applied in training.)
// A mask bit takes 16 random bits: p is rounded to a multiple of 2^-16, in the scale as well.

namespace eigan {

/// y = m x / (1 - p) in training, y = x at inference.
class Dropout {
 public:
  static constexpr bool elementwise = true;
  static constexpr bool backward_reads_x = false;
  static constexpr bool backward_reads_y = false;
  static constexpr bool piecewise_linear = true;

  /// p = 0.5.
  constexpr Dropout() = default;
  /// p: the probability of zeroing an element. Throws std::invalid_argument unless 0 <= p < 1.
  explicit Dropout(double p) : p_(p) {
    if (!(detail::at_least(p, 0) && p < 1)) detail::fail_contract("eigan::Dropout: p must be in [0, 1), is ", p);
    if (threshold() == draws) detail::fail_contract("eigan::Dropout: p is too close to 1: ", p);
  }

  /// The probability of zeroing an element.
  double p() const { return p_; }
  Spec spec() const { return {"Dropout", {{"p", p_}}, "::eigan::Dropout"}; }

  template <class T>
  void forward(std::span<const T>, ConstView<T> x, View<T> y) const {
    if (y.data() != x.data()) y = x;
  }
  template <class T>
  void backward_input(std::span<const T>, ConstView<T>, ConstView<T>, ConstView<T> dy, View<T> dx) const {
    if (dx.data() != dy.data()) dx = dy;
  }

  template <class T>
  void forward_train(std::span<const T>, ConstView<T> x, View<T> y, Draw draw) const {
    mask<T>(x, y, draw);
  }
  template <class T>
  void backward_input_train(std::span<const T>, ConstView<T>, ConstView<T>, ConstView<T> dy, View<T> dx,
                            Draw draw) const {
    mask<T>(dy, dx, draw);
  }

 private:
  template <class T>
  void mask(const ConstView<T>& in, View<T> out, Draw draw) const {
    if (threshold() == 0) {
      if (out.data() != in.data()) out = in;
      return;
    }
    const T scale = static_cast<T>(double{draws} / (draws - threshold()));
    for (Index j = 0; j < out.cols(); ++j)
      detail::kernels<detail::DropoutKernels<T>>().dropout(
          out.rows(), draw.rng.key(), static_cast<std::uint64_t>(draw.first_sample + j), threshold(), scale,
          in.data() + j * in.outerStride(), out.data() + j * out.outerStride());
  }

  static constexpr std::uint32_t draws = 1 << 16;
  /// Of all draws, those below this are dropped.
  std::uint32_t threshold() const { return static_cast<std::uint32_t>(std::lround(p_ * draws)); }

  double p_ = 0.5;
};

static_assert(StochasticLayer<Dropout> && TangentLayer<Dropout>);

}  // namespace eigan

// ======== eigan/layers/leaky_relu.hpp
// LeakyReLU: y = x for x >= 0, slope x below.     Backward: dx = dy where x > 0, slope dy elsewhere.
//
// Element-wise; for slope >= 0 the signs of x and y agree, so backward reads y alone. As in torch.nn.LeakyReLU the
// slope is 0.01 unless given, and the gradient at 0 is slope dy.

// ======== eigan/layers/elementwise.hpp
// What element-wise layers share. Views may be padded apart, so kernels are handed their columns.

// ======== eigan/kernels/elementwise.hpp
// Element-wise functions of n numbers, and gradients through them: a table each, so that a program compiles those that
// it uses. Any input may be the output itself.

// ======== eigan/kernels/map.hpp
// What element-wise kernels share: loops over elements, and the exponential function.

// ======== eigan/kernels/for_each_isa.inc
// Compiles the text EIGAN_KERNELS, one subject's kernels, once for every instruction set, with
//   EIGAN_ISA           the namespace
//   EIGAN_TARGET        the function attribute that allows the instructions
//   EIGAN_VECTOR_BYTES  the register's width
//   EIGAN_X86_VECTORS   where fused multiply-add, square root and masked moves are x86 instructions
// Every function of such a text carries EIGAN_TARGET and calls nothing but its like, so no code of one set can be
// inlined into, or merged with, code for another. No #pragma once: every subject includes this file.

#define EIGAN_INLINE [[gnu::always_inline]] inline
#define EIGAN_NOINLINE [[gnu::noinline]] inline  // long ones: a single copy for all callers
#if defined(__clang__)
#define EIGAN_UNROLL _Pragma("unroll")
#define EIGAN_UNROLL_TWICE _Pragma("unroll(2)")
#else
#define EIGAN_UNROLL _Pragma("GCC unroll 16")
#define EIGAN_UNROLL_TWICE _Pragma("GCC unroll 2")
#endif

#define EIGAN_ISA portable
#if defined(__x86_64__)
// What every such processor has, although -march or -mavx2 allow this file more: of a program whose files have different
// flags the linker keeps any one of several bodies of a kernel.
#define EIGAN_TARGET [[gnu::target("arch=x86-64,no-sse3,no-popcnt,no-lzcnt,no-movbe,no-bmi,no-bmi2")]]
#else
#define EIGAN_TARGET
#endif
#define EIGAN_VECTOR_BYTES 16

// ======== eigan/kernels/map.inc
// Loops over elements, and the exponential function: what element-wise kernels share. Compiled by for_each_isa.inc.

namespace eigan::detail::EIGAN_ISA {

/// y[i] = f(in[i]...), a vector at a time; the last part is computed in a zero-padded vector. Any input may be y
/// itself.
template <class T, class F, class... In>
EIGAN_TARGET EIGAN_INLINE void map(Index n, F f, T* y, const In*... in) {
  constexpr Index L = lanes<T>;
  Index i = 0;
  for (; i + L <= n; i += L) store(y + i, f(load(in + i)...));
  if (i < n) store_part(y + i, f(load_part(in + i, n - i)...), n - i);
}

using FloatVector = Simd<float>::V;

/// t = k ln 2 + r, |r| <= ln 2 / 2, for t in [-104, 88]: returns r. `half`: 1/2 with the sign of t.
EIGAN_TARGET EIGAN_INLINE FloatVector reduce_exp(FloatVector t, FloatVector half, Simd<float>::I& k) {
  k = __builtin_convertvector(fma(t, broadcast(1.44269504f), half), Simd<float>::I);
  const FloatVector kf = __builtin_convertvector(k, FloatVector);
  // ln 2 in two parts; k times the first is exact.
  return fma(kf, broadcast(2.12194440e-4f), fma(kf, broadcast(-0.693359375f), t));
}
EIGAN_TARGET EIGAN_INLINE FloatVector reduce_exp(FloatVector t, Simd<float>::I& k) {
  return reduce_exp(t, t < 0.0f ? broadcast(-0.5f) : broadcast(0.5f), k);
}

/// e^r - 1, by Taylor's series of (e^r - 1 - r) / r^2 to r^5: the first term left out is below 2^-26 of the result.
EIGAN_TARGET EIGAN_INLINE FloatVector expm1_of_rest(FloatVector r) {
  FloatVector q = fma(r, broadcast(1.0f / 5040), broadcast(1.0f / 720));
  q = fma(q, r, broadcast(1.0f / 120));
  q = fma(q, r, broadcast(1.0f / 24));
  q = fma(q, r, broadcast(1.0f / 6));
  q = fma(q, r, broadcast(1.0f / 2));
  return fma(q, r * r, r);
}
/// 2^k, a normal number.
EIGAN_TARGET EIGAN_INLINE FloatVector power_of_two(Simd<float>::I k) {
  const Simd<float>::I bits = (k + 127) << 23;
  return load_as<FloatVector>(&bits);
}

/// e^(k ln 2 + r) - 1 = 2^k (e^r - 1) + (2^k - 1).
EIGAN_TARGET EIGAN_INLINE void expand_exp(FloatVector r, Simd<float>::I k, FloatVector& fraction, FloatVector& power) {
  fraction = expm1_of_rest(r);
  // 2^k as a product of two powers, so that results below the smallest normal number come out right.
  const Simd<float>::I half = k >> 1;
  power = power_of_two(half) * power_of_two(k - half);
}

/// e^t - 1 = power fraction + (power - 1), t in [-104, 88].
EIGAN_TARGET EIGAN_INLINE void split_exp(FloatVector t, FloatVector& fraction, FloatVector& power) {
  Simd<float>::I k;
  const FloatVector r = reduce_exp(t, k);
  expand_exp(r, k, fraction, power);
}
/// The same for t in [0, 88], with fewer instructions.
EIGAN_TARGET EIGAN_INLINE void split_exp_above(FloatVector t, FloatVector& fraction, FloatVector& power) {
  Simd<float>::I k;
  fraction = expm1_of_rest(reduce_exp(t, broadcast(0.5f), k));
  power = power_of_two(k);
}

}  // namespace eigan::detail::EIGAN_ISA
#undef EIGAN_ISA
#undef EIGAN_TARGET
#undef EIGAN_VECTOR_BYTES

#if defined(__x86_64__)
#define EIGAN_X86_VECTORS

#define EIGAN_ISA avx2
#define EIGAN_TARGET [[gnu::target("avx2,fma")]]
#define EIGAN_VECTOR_BYTES 32

// ======== eigan/kernels/map.inc
// Loops over elements, and the exponential function: what element-wise kernels share. Compiled by for_each_isa.inc.

namespace eigan::detail::EIGAN_ISA {

/// y[i] = f(in[i]...), a vector at a time; the last part is computed in a zero-padded vector. Any input may be y
/// itself.
template <class T, class F, class... In>
EIGAN_TARGET EIGAN_INLINE void map(Index n, F f, T* y, const In*... in) {
  constexpr Index L = lanes<T>;
  Index i = 0;
  for (; i + L <= n; i += L) store(y + i, f(load(in + i)...));
  if (i < n) store_part(y + i, f(load_part(in + i, n - i)...), n - i);
}

using FloatVector = Simd<float>::V;

/// t = k ln 2 + r, |r| <= ln 2 / 2, for t in [-104, 88]: returns r. `half`: 1/2 with the sign of t.
EIGAN_TARGET EIGAN_INLINE FloatVector reduce_exp(FloatVector t, FloatVector half, Simd<float>::I& k) {
  k = __builtin_convertvector(fma(t, broadcast(1.44269504f), half), Simd<float>::I);
  const FloatVector kf = __builtin_convertvector(k, FloatVector);
  // ln 2 in two parts; k times the first is exact.
  return fma(kf, broadcast(2.12194440e-4f), fma(kf, broadcast(-0.693359375f), t));
}
EIGAN_TARGET EIGAN_INLINE FloatVector reduce_exp(FloatVector t, Simd<float>::I& k) {
  return reduce_exp(t, t < 0.0f ? broadcast(-0.5f) : broadcast(0.5f), k);
}

/// e^r - 1, by Taylor's series of (e^r - 1 - r) / r^2 to r^5: the first term left out is below 2^-26 of the result.
EIGAN_TARGET EIGAN_INLINE FloatVector expm1_of_rest(FloatVector r) {
  FloatVector q = fma(r, broadcast(1.0f / 5040), broadcast(1.0f / 720));
  q = fma(q, r, broadcast(1.0f / 120));
  q = fma(q, r, broadcast(1.0f / 24));
  q = fma(q, r, broadcast(1.0f / 6));
  q = fma(q, r, broadcast(1.0f / 2));
  return fma(q, r * r, r);
}
/// 2^k, a normal number.
EIGAN_TARGET EIGAN_INLINE FloatVector power_of_two(Simd<float>::I k) {
  const Simd<float>::I bits = (k + 127) << 23;
  return load_as<FloatVector>(&bits);
}

/// e^(k ln 2 + r) - 1 = 2^k (e^r - 1) + (2^k - 1).
EIGAN_TARGET EIGAN_INLINE void expand_exp(FloatVector r, Simd<float>::I k, FloatVector& fraction, FloatVector& power) {
  fraction = expm1_of_rest(r);
  // 2^k as a product of two powers, so that results below the smallest normal number come out right.
  const Simd<float>::I half = k >> 1;
  power = power_of_two(half) * power_of_two(k - half);
}

/// e^t - 1 = power fraction + (power - 1), t in [-104, 88].
EIGAN_TARGET EIGAN_INLINE void split_exp(FloatVector t, FloatVector& fraction, FloatVector& power) {
  Simd<float>::I k;
  const FloatVector r = reduce_exp(t, k);
  expand_exp(r, k, fraction, power);
}
/// The same for t in [0, 88], with fewer instructions.
EIGAN_TARGET EIGAN_INLINE void split_exp_above(FloatVector t, FloatVector& fraction, FloatVector& power) {
  Simd<float>::I k;
  fraction = expm1_of_rest(reduce_exp(t, broadcast(0.5f), k));
  power = power_of_two(k);
}

}  // namespace eigan::detail::EIGAN_ISA
#undef EIGAN_ISA
#undef EIGAN_TARGET
#undef EIGAN_VECTOR_BYTES

#define EIGAN_ISA avx512
#define EIGAN_TARGET [[gnu::target("avx2,fma,avx512f")]]
#define EIGAN_VECTOR_BYTES 64

// ======== eigan/kernels/map.inc
// Loops over elements, and the exponential function: what element-wise kernels share. Compiled by for_each_isa.inc.

namespace eigan::detail::EIGAN_ISA {

/// y[i] = f(in[i]...), a vector at a time; the last part is computed in a zero-padded vector. Any input may be y
/// itself.
template <class T, class F, class... In>
EIGAN_TARGET EIGAN_INLINE void map(Index n, F f, T* y, const In*... in) {
  constexpr Index L = lanes<T>;
  Index i = 0;
  for (; i + L <= n; i += L) store(y + i, f(load(in + i)...));
  if (i < n) store_part(y + i, f(load_part(in + i, n - i)...), n - i);
}

using FloatVector = Simd<float>::V;

/// t = k ln 2 + r, |r| <= ln 2 / 2, for t in [-104, 88]: returns r. `half`: 1/2 with the sign of t.
EIGAN_TARGET EIGAN_INLINE FloatVector reduce_exp(FloatVector t, FloatVector half, Simd<float>::I& k) {
  k = __builtin_convertvector(fma(t, broadcast(1.44269504f), half), Simd<float>::I);
  const FloatVector kf = __builtin_convertvector(k, FloatVector);
  // ln 2 in two parts; k times the first is exact.
  return fma(kf, broadcast(2.12194440e-4f), fma(kf, broadcast(-0.693359375f), t));
}
EIGAN_TARGET EIGAN_INLINE FloatVector reduce_exp(FloatVector t, Simd<float>::I& k) {
  return reduce_exp(t, t < 0.0f ? broadcast(-0.5f) : broadcast(0.5f), k);
}

/// e^r - 1, by Taylor's series of (e^r - 1 - r) / r^2 to r^5: the first term left out is below 2^-26 of the result.
EIGAN_TARGET EIGAN_INLINE FloatVector expm1_of_rest(FloatVector r) {
  FloatVector q = fma(r, broadcast(1.0f / 5040), broadcast(1.0f / 720));
  q = fma(q, r, broadcast(1.0f / 120));
  q = fma(q, r, broadcast(1.0f / 24));
  q = fma(q, r, broadcast(1.0f / 6));
  q = fma(q, r, broadcast(1.0f / 2));
  return fma(q, r * r, r);
}
/// 2^k, a normal number.
EIGAN_TARGET EIGAN_INLINE FloatVector power_of_two(Simd<float>::I k) {
  const Simd<float>::I bits = (k + 127) << 23;
  return load_as<FloatVector>(&bits);
}

/// e^(k ln 2 + r) - 1 = 2^k (e^r - 1) + (2^k - 1).
EIGAN_TARGET EIGAN_INLINE void expand_exp(FloatVector r, Simd<float>::I k, FloatVector& fraction, FloatVector& power) {
  fraction = expm1_of_rest(r);
  // 2^k as a product of two powers, so that results below the smallest normal number come out right.
  const Simd<float>::I half = k >> 1;
  power = power_of_two(half) * power_of_two(k - half);
}

/// e^t - 1 = power fraction + (power - 1), t in [-104, 88].
EIGAN_TARGET EIGAN_INLINE void split_exp(FloatVector t, FloatVector& fraction, FloatVector& power) {
  Simd<float>::I k;
  const FloatVector r = reduce_exp(t, k);
  expand_exp(r, k, fraction, power);
}
/// The same for t in [0, 88], with fewer instructions.
EIGAN_TARGET EIGAN_INLINE void split_exp_above(FloatVector t, FloatVector& fraction, FloatVector& power) {
  Simd<float>::I k;
  fraction = expm1_of_rest(reduce_exp(t, broadcast(0.5f), k));
  power = power_of_two(k);
}

}  // namespace eigan::detail::EIGAN_ISA
#undef EIGAN_ISA
#undef EIGAN_TARGET
#undef EIGAN_VECTOR_BYTES

#undef EIGAN_X86_VECTORS
#endif

#undef EIGAN_INLINE
#undef EIGAN_NOINLINE
#undef EIGAN_UNROLL
#undef EIGAN_UNROLL_TWICE

namespace eigan::detail {

template <class T>
struct ReluKernels {
  void (*forward)(Index n, const T* x, T* y);
};

template <class T>
struct LeakyReluKernels {
  void (*forward)(Index n, T slope, const T* x, T* y);
  void (*backward)(Index n, T slope, const T* y, const T* dy, T* dx);
};

template <class T>
struct TanhKernels {
  void (*forward)(Index n, const T* x, T* y);
  void (*backward)(Index n, const T* y, const T* dy, T* dx);
};

template <class T>
struct SigmoidKernels {
  void (*forward)(Index n, const T* x, T* y);
  void (*backward)(Index n, const T* y, const T* dy, T* dx);
};

template <class T>
struct PixelKernels {
  /// y[i] = pixels[i] / 127.5 - 1.
  void (*convert)(Index n, const std::uint8_t* pixels, T* y);
};

}  // namespace eigan::detail

// ======== eigan/kernels/for_each_isa.inc
// Compiles the text EIGAN_KERNELS, one subject's kernels, once for every instruction set, with
//   EIGAN_ISA           the namespace
//   EIGAN_TARGET        the function attribute that allows the instructions
//   EIGAN_VECTOR_BYTES  the register's width
//   EIGAN_X86_VECTORS   where fused multiply-add, square root and masked moves are x86 instructions
// Every function of such a text carries EIGAN_TARGET and calls nothing but its like, so no code of one set can be
// inlined into, or merged with, code for another. No #pragma once: every subject includes this file.

#define EIGAN_INLINE [[gnu::always_inline]] inline
#define EIGAN_NOINLINE [[gnu::noinline]] inline  // long ones: a single copy for all callers
#if defined(__clang__)
#define EIGAN_UNROLL _Pragma("unroll")
#define EIGAN_UNROLL_TWICE _Pragma("unroll(2)")
#else
#define EIGAN_UNROLL _Pragma("GCC unroll 16")
#define EIGAN_UNROLL_TWICE _Pragma("GCC unroll 2")
#endif

#define EIGAN_ISA portable
#if defined(__x86_64__)
// What every such processor has, although -march or -mavx2 allow this file more: of a program whose files have different
// flags the linker keeps any one of several bodies of a kernel.
#define EIGAN_TARGET [[gnu::target("arch=x86-64,no-sse3,no-popcnt,no-lzcnt,no-movbe,no-bmi,no-bmi2")]]
#else
#define EIGAN_TARGET
#endif
#define EIGAN_VECTOR_BYTES 16

// ======== eigan/kernels/elementwise.inc
// Element-wise functions: see elementwise.hpp. Compiled by for_each_isa.inc.

namespace eigan::detail::EIGAN_ISA {

template <class T>
struct Relu {
  EIGAN_TARGET EIGAN_INLINE Vector<T> operator()(Vector<T> x) const { return x < T(0) ? Vector<T>{} : x; }
};
template <class T>
EIGAN_TARGET inline void relu(Index n, const T* x, T* y) {
  map(n, Relu<T>{}, y, x);
}

template <class T>
struct LeakyRelu {
  T slope;
  EIGAN_TARGET EIGAN_INLINE Vector<T> operator()(Vector<T> x) const { return x < T(0) ? slope * x : x; }
};
template <class T>
EIGAN_TARGET inline void leaky_relu(Index n, T slope, const T* x, T* y) {
  map(n, LeakyRelu<T>{slope}, y, x);
}

template <class T>
struct LeakyReluBackward {
  T slope;
  EIGAN_TARGET EIGAN_INLINE Vector<T> operator()(Vector<T> y, Vector<T> dy) const { return y > T(0) ? dy : slope * dy; }
};
template <class T>
EIGAN_TARGET inline void leaky_relu_backward(Index n, T slope, const T* y, const T* dy, T* dx) {
  map(n, LeakyReluBackward<T>{slope}, dx, y, dy);
}

/// tanh |x| = (e^(2|x|) - 1) / (e^(2|x|) + 1); tests/kernels/elementwise_test.cpp states the error.
struct TanhFloat {
  EIGAN_TARGET EIGAN_INLINE Simd<float>::V operator()(Simd<float>::V x) const {
    using V = Simd<float>::V;
    const V magnitude = x < 0.0f ? -x : x;
    const V t = magnitude < 9.5f ? magnitude + magnitude : broadcast(19.0f);
    V fraction, power;
    split_exp_above(t, fraction, power);
    const V expm1 = fma(power, fraction, power - 1.0f);
    const V y = expm1 / (expm1 + 2.0f);
    const V with_sign = x < 0.0f ? -y : y;
    // Zeros keep their sign, and a NaN stays one.
    return magnitude > 0.0f ? with_sign : x;
  }
};

/// With z = e^-|x|: sigmoid(x) = 1 / (1 + z) for x >= 0 and z / (1 + z) below, accurate at both ends.
struct SigmoidFloat {
  EIGAN_TARGET EIGAN_INLINE Simd<float>::V operator()(Simd<float>::V x) const {
    using V = Simd<float>::V;
    const V t = x < 0.0f ? x : -x;
    V fraction, power;
    split_exp(t > -104.0f ? t : broadcast(-104.0f), fraction, power);
    const V z = fma(power, fraction, power);
    const V y = (x < 0.0f ? z : broadcast(1.0f)) / (z + 1.0f);
    return x == x ? y : x;  // NOLINT(misc-redundant-expression): a NaN is not
  }
};

template <class T>
EIGAN_TARGET inline void tanh(Index n, const T* x, T* y) {
  if constexpr (sizeof(T) == sizeof(float))
    map(n, TanhFloat{}, y, x);
  else
    for (Index i = 0; i < n; ++i) y[i] = __builtin_tanh(x[i]);
}
template <class T>
EIGAN_TARGET inline void sigmoid(Index n, const T* x, T* y) {
  if constexpr (sizeof(T) == sizeof(float))
    map(n, SigmoidFloat{}, y, x);
  else
    for (Index i = 0; i < n; ++i) {
      const T z = __builtin_exp(x[i] < 0 ? x[i] : -x[i]);
      y[i] = (x[i] < 0 ? z : T(1)) / (T(1) + z);
    }
}

template <class T>
struct TanhBackward {
  EIGAN_TARGET EIGAN_INLINE Vector<T> operator()(Vector<T> y, Vector<T> dy) const {
    return dy * fma(-y, y, broadcast(T(1)));
  }
};
template <class T>
EIGAN_TARGET inline void tanh_backward(Index n, const T* y, const T* dy, T* dx) {
  map(n, TanhBackward<T>{}, dx, y, dy);
}

template <class T>
struct SigmoidBackward {
  EIGAN_TARGET EIGAN_INLINE Vector<T> operator()(Vector<T> y, Vector<T> dy) const { return dy * (y * (T(1) - y)); }
};
template <class T>
EIGAN_TARGET inline void sigmoid_backward(Index n, const T* y, const T* dy, T* dx) {
  map(n, SigmoidBackward<T>{}, dx, y, dy);
}

template <class T>
EIGAN_TARGET inline void pixels(Index n, const std::uint8_t* pixels, T* y) {
  using U8 = typename Simd<T>::U8;
  using U16 = typename Simd<T>::U16;
  using I = typename Simd<T>::I;
  constexpr Index L = lanes<T>;
  // A reciprocal would be a multiplication, but 255 must give exactly 1.
  Index i = 0;
  for (; i + L <= n; i += L) {
    // Twice as wide with each step: g++ 12 takes any other conversion apart.
    const I whole = __builtin_convertvector(__builtin_convertvector(load_as<U8>(pixels + i), U16), I);
    store(y + i, __builtin_convertvector(whole, Vector<T>) / T(127.5) - T(1));
  }
  for (; i < n; ++i) y[i] = static_cast<T>(pixels[i]) / T(127.5) - T(1);
}

template <class T>
struct TableOf<ReluKernels<T>> {
  static constexpr ReluKernels<T> table{.forward = relu<T>};
};
template <class T>
struct TableOf<LeakyReluKernels<T>> {
  static constexpr LeakyReluKernels<T> table{.forward = leaky_relu<T>, .backward = leaky_relu_backward<T>};
};
template <class T>
struct TableOf<TanhKernels<T>> {
  static constexpr TanhKernels<T> table{.forward = tanh<T>, .backward = tanh_backward<T>};
};
template <class T>
struct TableOf<SigmoidKernels<T>> {
  static constexpr SigmoidKernels<T> table{.forward = sigmoid<T>, .backward = sigmoid_backward<T>};
};
template <class T>
struct TableOf<PixelKernels<T>> {
  static constexpr PixelKernels<T> table{.convert = pixels<T>};
};

}  // namespace eigan::detail::EIGAN_ISA
#undef EIGAN_ISA
#undef EIGAN_TARGET
#undef EIGAN_VECTOR_BYTES

#if defined(__x86_64__)
#define EIGAN_X86_VECTORS

#define EIGAN_ISA avx2
#define EIGAN_TARGET [[gnu::target("avx2,fma")]]
#define EIGAN_VECTOR_BYTES 32

// ======== eigan/kernels/elementwise.inc
// Element-wise functions: see elementwise.hpp. Compiled by for_each_isa.inc.

namespace eigan::detail::EIGAN_ISA {

template <class T>
struct Relu {
  EIGAN_TARGET EIGAN_INLINE Vector<T> operator()(Vector<T> x) const { return x < T(0) ? Vector<T>{} : x; }
};
template <class T>
EIGAN_TARGET inline void relu(Index n, const T* x, T* y) {
  map(n, Relu<T>{}, y, x);
}

template <class T>
struct LeakyRelu {
  T slope;
  EIGAN_TARGET EIGAN_INLINE Vector<T> operator()(Vector<T> x) const { return x < T(0) ? slope * x : x; }
};
template <class T>
EIGAN_TARGET inline void leaky_relu(Index n, T slope, const T* x, T* y) {
  map(n, LeakyRelu<T>{slope}, y, x);
}

template <class T>
struct LeakyReluBackward {
  T slope;
  EIGAN_TARGET EIGAN_INLINE Vector<T> operator()(Vector<T> y, Vector<T> dy) const { return y > T(0) ? dy : slope * dy; }
};
template <class T>
EIGAN_TARGET inline void leaky_relu_backward(Index n, T slope, const T* y, const T* dy, T* dx) {
  map(n, LeakyReluBackward<T>{slope}, dx, y, dy);
}

/// tanh |x| = (e^(2|x|) - 1) / (e^(2|x|) + 1); tests/kernels/elementwise_test.cpp states the error.
struct TanhFloat {
  EIGAN_TARGET EIGAN_INLINE Simd<float>::V operator()(Simd<float>::V x) const {
    using V = Simd<float>::V;
    const V magnitude = x < 0.0f ? -x : x;
    const V t = magnitude < 9.5f ? magnitude + magnitude : broadcast(19.0f);
    V fraction, power;
    split_exp_above(t, fraction, power);
    const V expm1 = fma(power, fraction, power - 1.0f);
    const V y = expm1 / (expm1 + 2.0f);
    const V with_sign = x < 0.0f ? -y : y;
    // Zeros keep their sign, and a NaN stays one.
    return magnitude > 0.0f ? with_sign : x;
  }
};

/// With z = e^-|x|: sigmoid(x) = 1 / (1 + z) for x >= 0 and z / (1 + z) below, accurate at both ends.
struct SigmoidFloat {
  EIGAN_TARGET EIGAN_INLINE Simd<float>::V operator()(Simd<float>::V x) const {
    using V = Simd<float>::V;
    const V t = x < 0.0f ? x : -x;
    V fraction, power;
    split_exp(t > -104.0f ? t : broadcast(-104.0f), fraction, power);
    const V z = fma(power, fraction, power);
    const V y = (x < 0.0f ? z : broadcast(1.0f)) / (z + 1.0f);
    return x == x ? y : x;  // NOLINT(misc-redundant-expression): a NaN is not
  }
};

template <class T>
EIGAN_TARGET inline void tanh(Index n, const T* x, T* y) {
  if constexpr (sizeof(T) == sizeof(float))
    map(n, TanhFloat{}, y, x);
  else
    for (Index i = 0; i < n; ++i) y[i] = __builtin_tanh(x[i]);
}
template <class T>
EIGAN_TARGET inline void sigmoid(Index n, const T* x, T* y) {
  if constexpr (sizeof(T) == sizeof(float))
    map(n, SigmoidFloat{}, y, x);
  else
    for (Index i = 0; i < n; ++i) {
      const T z = __builtin_exp(x[i] < 0 ? x[i] : -x[i]);
      y[i] = (x[i] < 0 ? z : T(1)) / (T(1) + z);
    }
}

template <class T>
struct TanhBackward {
  EIGAN_TARGET EIGAN_INLINE Vector<T> operator()(Vector<T> y, Vector<T> dy) const {
    return dy * fma(-y, y, broadcast(T(1)));
  }
};
template <class T>
EIGAN_TARGET inline void tanh_backward(Index n, const T* y, const T* dy, T* dx) {
  map(n, TanhBackward<T>{}, dx, y, dy);
}

template <class T>
struct SigmoidBackward {
  EIGAN_TARGET EIGAN_INLINE Vector<T> operator()(Vector<T> y, Vector<T> dy) const { return dy * (y * (T(1) - y)); }
};
template <class T>
EIGAN_TARGET inline void sigmoid_backward(Index n, const T* y, const T* dy, T* dx) {
  map(n, SigmoidBackward<T>{}, dx, y, dy);
}

template <class T>
EIGAN_TARGET inline void pixels(Index n, const std::uint8_t* pixels, T* y) {
  using U8 = typename Simd<T>::U8;
  using U16 = typename Simd<T>::U16;
  using I = typename Simd<T>::I;
  constexpr Index L = lanes<T>;
  // A reciprocal would be a multiplication, but 255 must give exactly 1.
  Index i = 0;
  for (; i + L <= n; i += L) {
    // Twice as wide with each step: g++ 12 takes any other conversion apart.
    const I whole = __builtin_convertvector(__builtin_convertvector(load_as<U8>(pixels + i), U16), I);
    store(y + i, __builtin_convertvector(whole, Vector<T>) / T(127.5) - T(1));
  }
  for (; i < n; ++i) y[i] = static_cast<T>(pixels[i]) / T(127.5) - T(1);
}

template <class T>
struct TableOf<ReluKernels<T>> {
  static constexpr ReluKernels<T> table{.forward = relu<T>};
};
template <class T>
struct TableOf<LeakyReluKernels<T>> {
  static constexpr LeakyReluKernels<T> table{.forward = leaky_relu<T>, .backward = leaky_relu_backward<T>};
};
template <class T>
struct TableOf<TanhKernels<T>> {
  static constexpr TanhKernels<T> table{.forward = tanh<T>, .backward = tanh_backward<T>};
};
template <class T>
struct TableOf<SigmoidKernels<T>> {
  static constexpr SigmoidKernels<T> table{.forward = sigmoid<T>, .backward = sigmoid_backward<T>};
};
template <class T>
struct TableOf<PixelKernels<T>> {
  static constexpr PixelKernels<T> table{.convert = pixels<T>};
};

}  // namespace eigan::detail::EIGAN_ISA
#undef EIGAN_ISA
#undef EIGAN_TARGET
#undef EIGAN_VECTOR_BYTES

#define EIGAN_ISA avx512
#define EIGAN_TARGET [[gnu::target("avx2,fma,avx512f")]]
#define EIGAN_VECTOR_BYTES 64

// ======== eigan/kernels/elementwise.inc
// Element-wise functions: see elementwise.hpp. Compiled by for_each_isa.inc.

namespace eigan::detail::EIGAN_ISA {

template <class T>
struct Relu {
  EIGAN_TARGET EIGAN_INLINE Vector<T> operator()(Vector<T> x) const { return x < T(0) ? Vector<T>{} : x; }
};
template <class T>
EIGAN_TARGET inline void relu(Index n, const T* x, T* y) {
  map(n, Relu<T>{}, y, x);
}

template <class T>
struct LeakyRelu {
  T slope;
  EIGAN_TARGET EIGAN_INLINE Vector<T> operator()(Vector<T> x) const { return x < T(0) ? slope * x : x; }
};
template <class T>
EIGAN_TARGET inline void leaky_relu(Index n, T slope, const T* x, T* y) {
  map(n, LeakyRelu<T>{slope}, y, x);
}

template <class T>
struct LeakyReluBackward {
  T slope;
  EIGAN_TARGET EIGAN_INLINE Vector<T> operator()(Vector<T> y, Vector<T> dy) const { return y > T(0) ? dy : slope * dy; }
};
template <class T>
EIGAN_TARGET inline void leaky_relu_backward(Index n, T slope, const T* y, const T* dy, T* dx) {
  map(n, LeakyReluBackward<T>{slope}, dx, y, dy);
}

/// tanh |x| = (e^(2|x|) - 1) / (e^(2|x|) + 1); tests/kernels/elementwise_test.cpp states the error.
struct TanhFloat {
  EIGAN_TARGET EIGAN_INLINE Simd<float>::V operator()(Simd<float>::V x) const {
    using V = Simd<float>::V;
    const V magnitude = x < 0.0f ? -x : x;
    const V t = magnitude < 9.5f ? magnitude + magnitude : broadcast(19.0f);
    V fraction, power;
    split_exp_above(t, fraction, power);
    const V expm1 = fma(power, fraction, power - 1.0f);
    const V y = expm1 / (expm1 + 2.0f);
    const V with_sign = x < 0.0f ? -y : y;
    // Zeros keep their sign, and a NaN stays one.
    return magnitude > 0.0f ? with_sign : x;
  }
};

/// With z = e^-|x|: sigmoid(x) = 1 / (1 + z) for x >= 0 and z / (1 + z) below, accurate at both ends.
struct SigmoidFloat {
  EIGAN_TARGET EIGAN_INLINE Simd<float>::V operator()(Simd<float>::V x) const {
    using V = Simd<float>::V;
    const V t = x < 0.0f ? x : -x;
    V fraction, power;
    split_exp(t > -104.0f ? t : broadcast(-104.0f), fraction, power);
    const V z = fma(power, fraction, power);
    const V y = (x < 0.0f ? z : broadcast(1.0f)) / (z + 1.0f);
    return x == x ? y : x;  // NOLINT(misc-redundant-expression): a NaN is not
  }
};

template <class T>
EIGAN_TARGET inline void tanh(Index n, const T* x, T* y) {
  if constexpr (sizeof(T) == sizeof(float))
    map(n, TanhFloat{}, y, x);
  else
    for (Index i = 0; i < n; ++i) y[i] = __builtin_tanh(x[i]);
}
template <class T>
EIGAN_TARGET inline void sigmoid(Index n, const T* x, T* y) {
  if constexpr (sizeof(T) == sizeof(float))
    map(n, SigmoidFloat{}, y, x);
  else
    for (Index i = 0; i < n; ++i) {
      const T z = __builtin_exp(x[i] < 0 ? x[i] : -x[i]);
      y[i] = (x[i] < 0 ? z : T(1)) / (T(1) + z);
    }
}

template <class T>
struct TanhBackward {
  EIGAN_TARGET EIGAN_INLINE Vector<T> operator()(Vector<T> y, Vector<T> dy) const {
    return dy * fma(-y, y, broadcast(T(1)));
  }
};
template <class T>
EIGAN_TARGET inline void tanh_backward(Index n, const T* y, const T* dy, T* dx) {
  map(n, TanhBackward<T>{}, dx, y, dy);
}

template <class T>
struct SigmoidBackward {
  EIGAN_TARGET EIGAN_INLINE Vector<T> operator()(Vector<T> y, Vector<T> dy) const { return dy * (y * (T(1) - y)); }
};
template <class T>
EIGAN_TARGET inline void sigmoid_backward(Index n, const T* y, const T* dy, T* dx) {
  map(n, SigmoidBackward<T>{}, dx, y, dy);
}

template <class T>
EIGAN_TARGET inline void pixels(Index n, const std::uint8_t* pixels, T* y) {
  using U8 = typename Simd<T>::U8;
  using U16 = typename Simd<T>::U16;
  using I = typename Simd<T>::I;
  constexpr Index L = lanes<T>;
  // A reciprocal would be a multiplication, but 255 must give exactly 1.
  Index i = 0;
  for (; i + L <= n; i += L) {
    // Twice as wide with each step: g++ 12 takes any other conversion apart.
    const I whole = __builtin_convertvector(__builtin_convertvector(load_as<U8>(pixels + i), U16), I);
    store(y + i, __builtin_convertvector(whole, Vector<T>) / T(127.5) - T(1));
  }
  for (; i < n; ++i) y[i] = static_cast<T>(pixels[i]) / T(127.5) - T(1);
}

template <class T>
struct TableOf<ReluKernels<T>> {
  static constexpr ReluKernels<T> table{.forward = relu<T>};
};
template <class T>
struct TableOf<LeakyReluKernels<T>> {
  static constexpr LeakyReluKernels<T> table{.forward = leaky_relu<T>, .backward = leaky_relu_backward<T>};
};
template <class T>
struct TableOf<TanhKernels<T>> {
  static constexpr TanhKernels<T> table{.forward = tanh<T>, .backward = tanh_backward<T>};
};
template <class T>
struct TableOf<SigmoidKernels<T>> {
  static constexpr SigmoidKernels<T> table{.forward = sigmoid<T>, .backward = sigmoid_backward<T>};
};
template <class T>
struct TableOf<PixelKernels<T>> {
  static constexpr PixelKernels<T> table{.convert = pixels<T>};
};

}  // namespace eigan::detail::EIGAN_ISA
#undef EIGAN_ISA
#undef EIGAN_TARGET
#undef EIGAN_VECTOR_BYTES

#undef EIGAN_X86_VECTORS
#endif

#undef EIGAN_INLINE
#undef EIGAN_NOINLINE
#undef EIGAN_UNROLL
#undef EIGAN_UNROLL_TWICE
EIGAN_SHARE_KERNELS(ReluKernels)
EIGAN_SHARE_KERNELS(LeakyReluKernels)
EIGAN_SHARE_KERNELS(TanhKernels)
EIGAN_SHARE_KERNELS(SigmoidKernels)
EIGAN_SHARE_KERNELS(PixelKernels)

namespace eigan::detail {

/// f(n, out column, in column) for every column of `out`.
template <class T, class F>
void for_each_column(View<T> out, const ConstView<T>& in, const F& f) {
  for (Index j = 0; j < out.cols(); ++j)
    f(out.rows(), out.data() + j * out.outerStride(), in.data() + j * in.outerStride());
}
/// f(n, out column, in1 column, in2 column) for every column of `out`.
template <class T, class F>
void for_each_column(View<T> out, const ConstView<T>& in1, const ConstView<T>& in2, const F& f) {
  for (Index j = 0; j < out.cols(); ++j)
    f(out.rows(), out.data() + j * out.outerStride(), in1.data() + j * in1.outerStride(),
      in2.data() + j * in2.outerStride());
}

/// dx += f''(v) tx dty, where second(v) is f'' as a function of what the layer keeps, x or y. A loop and no kernel:
/// only penalties come here. std::fma, so that the result does not depend on the compiler's flags.
template <class T, class F>
void add_curvature(const ConstView<T>& v, const ConstView<T>& tx, const ConstView<T>& dty, View<T> dx,
                   const F& second) {
  for (Index j = 0; j < dx.cols(); ++j)
    for (Index i = 0; i < dx.rows(); ++i) dx(i, j) = std::fma(second(v(i, j)) * tx(i, j), dty(i, j), dx(i, j));
}

}  // namespace eigan::detail

namespace eigan {

/// y = x for x >= 0, slope x below.
class LeakyReLU {
 public:
  static constexpr bool elementwise = true;
  static constexpr bool backward_reads_x = false;
  static constexpr bool piecewise_linear = true;

  /// The slope 0.01.
  constexpr LeakyReLU() = default;
  /// Throws std::invalid_argument unless 0 <= negative_slope <= 1e30.
  explicit LeakyReLU(double negative_slope) : slope_(negative_slope) {
    if (!(detail::at_least(slope_, 0) && slope_ <= 1e30))
      detail::fail_contract("eigan::LeakyReLU: negative_slope must be at least 0 and at most 1e30, is ", slope_);
  }

  /// The slope below 0.
  double negative_slope() const { return slope_; }
  Spec spec() const { return {"LeakyReLU", {{"negative_slope", slope_}}, "::eigan::LeakyReLU"}; }

  template <class T>
  void forward(std::span<const T>, ConstView<T> x, View<T> y) const {
    detail::for_each_column(y, x, [s = static_cast<T>(slope_)](Index n, T* yj, const T* xj) {
      detail::kernels<detail::LeakyReluKernels<T>>().forward(n, s, xj, yj);
    });
  }

  template <class T>
  void backward_input(std::span<const T>, ConstView<T>, ConstView<T> y, ConstView<T> dy, View<T> dx) const {
    detail::for_each_column(dx, y, dy, [s = static_cast<T>(slope_)](Index n, T* dxj, const T* yj, const T* dyj) {
      detail::kernels<detail::LeakyReluKernels<T>>().backward(n, s, yj, dyj, dxj);
    });
  }

 private:
  double slope_ = 0.01;
};

static_assert(TangentLayer<LeakyReLU>);

}  // namespace eigan

// ======== eigan/layers/linear.hpp
// Linear: y = w x + b.     w: out x in, b: out.    x: in x batch, y: out x batch.
//
// Backward:  dx = w^T dy,   dw += dy x^T,   db += sum over the batch of dy.
// Parameters: the weight, column-major (one input feature's weights are contiguous), then the bias. As in
// torch.nn.Linear, both start uniform in [-1/sqrt(in), 1/sqrt(in)) (there: kaiming_uniform_ with a = sqrt 5).

// ======== eigan/init/initializers.hpp
// How weights start, by the formulas of torch.nn.init, where he_uniform and he_normal are kaiming_uniform_ and
// kaiming_normal_; w is out x in, so fan_in = cols, fan_out = rows.
//
// He's gain is sqrt 2 for ReLU and sqrt(2 / (1 + slope^2)) for leaky ReLU (Glorot and Bengio 2010; He et al. 2015).

namespace eigan::init {

/// The gain that keeps the variance through a leaky ReLU; slope 0 is ReLU.
inline double leaky_relu_gain(double negative_slope = 0) {
  return std::sqrt(2 / (1 + negative_slope * negative_slope));
}

/// U[-a, a) with a = gain sqrt(6 / (fan_in + fan_out)).
template <class T>
void xavier_uniform(View<T> w, Rng rng, double gain = 1) {
  const double a = gain * std::sqrt(6 / static_cast<double>(w.rows() + w.cols()));
  fill_uniform(w, -a, a, rng);
}
/// N(0, gain^2 2 / (fan_in + fan_out)).
template <class T>
void xavier_normal(View<T> w, Rng rng, double gain = 1) {
  fill_normal(w, 0, gain * std::sqrt(2 / static_cast<double>(w.rows() + w.cols())), rng);
}
/// U[-a, a) with a = gain sqrt(3 / fan_in).
template <class T>
void he_uniform(View<T> w, Rng rng, double gain = leaky_relu_gain()) {
  const double a = gain * std::sqrt(3 / static_cast<double>(w.cols()));
  fill_uniform(w, -a, a, rng);
}
/// N(0, gain^2 / fan_in).
template <class T>
void he_normal(View<T> w, Rng rng, double gain = leaky_relu_gain()) {
  fill_normal(w, 0, gain / std::sqrt(static_cast<double>(w.cols())), rng);
}

/// torch.nn.Linear's own start: kaiming_uniform_ with a = sqrt 5 makes the weight uniform in +-1/sqrt(fan_in), and
/// the bias has the same range.
template <class T>
void linear_default(View<T> w, View<T> b, Rng rng) {
  const double a = 1 / std::sqrt(static_cast<double>(w.cols()));
  fill_uniform(w, -a, a, rng.fold_in(0));
  fill_uniform(b, -a, a, rng.fold_in(1));
}

}  // namespace eigan::init

// ======== eigan/kernels/gemm.hpp
// The three matrix products of a dense layer, on views. One kernel call each; no memory is allocated.
//
//   affine            y  = w x + bias       forward
//   product           y  = w x              its derivative in a direction x
//   transposed        dx = w^T dy           gradient with respect to the input
//   add_outer         dw += dy x^T          gradient with respect to the weight
//
// The kernels read w as it lies (out x in, column-major); none needs a transposed copy. tests/core/gemm_test.cpp
// compares each with its plain Eigen expression.

// ======== eigan/kernels/products.hpp
// The matrix products of a dense layer on plain arrays; kernels/gemm.hpp has them on views.

// ======== eigan/kernels/strided.hpp
// A matrix as kernels take it.

namespace eigan::detail {

/// Element (i, j) is data[i * row + j * col].
template <class T>
struct Strided {
  T* data;
  Index row;
  Index col;
};

}  // namespace eigan::detail

// ======== eigan/kernels/thread_memory.hpp
// thread_memory: where a kernel puts the copies it works on. They are too large for a small stack (64 KiB in
// WebAssembly, 128 KiB for musl's threads) and made too often for an allocation each time, so a thread keeps one piece
// until it ends.

namespace eigan::detail {

/// One thread's piece. The pointer needs no destructor, so reading it is one load; Free, which frees the piece, is made
/// with the first one. A thread that computes on while it ends gets a new piece, which nobody frees.
struct ThreadMemory {
  static constexpr std::align_val_t alignment{64};
  static constinit inline thread_local void* data = nullptr;
  static constinit inline thread_local std::size_t size = 0;

  struct Free {
    Free() = default;
    Free(const Free&) = delete;
    Free& operator=(const Free&) = delete;
    ~Free() {
      ::operator delete(data, alignment);
      data = nullptr;
      size = 0;
    }
  };

  [[gnu::noinline, gnu::cold]] static void grow(std::size_t bytes) {
#if !defined(__wasi__) || defined(_REENTRANT)  // one thread: its end is the program's
    static thread_local Free at_the_end;
    static_cast<void>(at_the_end);
#endif
    ::operator delete(data, alignment);
    data = nullptr;
    size = 0;
    data = ::operator new(bytes, alignment);
    size = bytes;
  }
};

/// At least `bytes` on a cache line, the calling thread's own. They hold anything, and last until a kernel on this
/// thread asks for more than the most so far. Throws std::bad_alloc.
inline void* thread_memory(std::size_t bytes) {
  if (ThreadMemory::size < bytes) ThreadMemory::grow(bytes);
  return ThreadMemory::data;
}

}  // namespace eigan::detail

namespace eigan::detail {

// A product packs its own operands, and all dense layers ask product_kernels() alone. So kernels that round operands
// to bf16 while they pack them (AVX512-BF16, AMX) would be one more table of this type, picked there.
template <class T>
struct ProductKernels {
  /// c = init + a b over k terms.  a: m x k, columns contiguous (a.row == 1).  b: k x n, any strides.
  /// init: m x n with contiguous columns; init.col == 0 repeats one column (a bias).  c: m x n, c.row == 1.
  void (*multiply)(Index m, Index n, Index k, Strided<const T> a, Strided<const T> b, Strided<const T> init,
                   Strided<T> c);
  /// c = a^T b.  a: k x m, b: k x n, c: m x n, all with contiguous columns.
  void (*multiply_transposed)(Index m, Index n, Index k, Strided<const T> a, Strided<const T> b, Strided<T> c);
  /// sums[i] += sum over columns of a(i, j).  a: m x n, columns contiguous.
  void (*add_row_sums)(Index m, Index n, Strided<const T> a, T* sums);
};

template <class T>
const ProductKernels<T>& product_kernels() {
  return kernels<ProductKernels<T>>();
}

}  // namespace eigan::detail

// ======== eigan/kernels/for_each_isa.inc
// Compiles the text EIGAN_KERNELS, one subject's kernels, once for every instruction set, with
//   EIGAN_ISA           the namespace
//   EIGAN_TARGET        the function attribute that allows the instructions
//   EIGAN_VECTOR_BYTES  the register's width
//   EIGAN_X86_VECTORS   where fused multiply-add, square root and masked moves are x86 instructions
// Every function of such a text carries EIGAN_TARGET and calls nothing but its like, so no code of one set can be
// inlined into, or merged with, code for another. No #pragma once: every subject includes this file.

#define EIGAN_INLINE [[gnu::always_inline]] inline
#define EIGAN_NOINLINE [[gnu::noinline]] inline  // long ones: a single copy for all callers
#if defined(__clang__)
#define EIGAN_UNROLL _Pragma("unroll")
#define EIGAN_UNROLL_TWICE _Pragma("unroll(2)")
#else
#define EIGAN_UNROLL _Pragma("GCC unroll 16")
#define EIGAN_UNROLL_TWICE _Pragma("GCC unroll 2")
#endif

#define EIGAN_ISA portable
#if defined(__x86_64__)
// What every such processor has, although -march or -mavx2 allow this file more: of a program whose files have different
// flags the linker keeps any one of several bodies of a kernel.
#define EIGAN_TARGET [[gnu::target("arch=x86-64,no-sse3,no-popcnt,no-lzcnt,no-movbe,no-bmi,no-bmi2")]]
#else
#define EIGAN_TARGET
#endif
#define EIGAN_VECTOR_BYTES 16

// ======== eigan/kernels/products.inc
// Matrix products: see products.hpp. Compiled by for_each_isa.inc.

// ======== eigan/kernels/dots.inc
// c = a^T b, as dot products. A part of products.inc.

namespace eigan::detail::EIGAN_ISA {

// Four accumulators become four neighbouring sums, always added in the same tree.
#if defined(EIGAN_X86_VECTORS)
using EightFloats = float __attribute__((vector_size(32)));
/// The sums of neighbours: two of a, two of b, two of a, two of b.
EIGAN_TARGET EIGAN_INLINE EightFloats add_neighbours(EightFloats a, EightFloats b) {
  return __builtin_shufflevector(a, b, 0, 2, 8, 10, 4, 6, 12, 14) +
         __builtin_shufflevector(a, b, 1, 3, 9, 11, 5, 7, 13, 15);
}
EIGAN_TARGET EIGAN_INLINE void store_sums(EightFloats s0, EightFloats s1, EightFloats s2, EightFloats s3, float* out) {
  const EightFloats t = add_neighbours(add_neighbours(s0, s1), add_neighbours(s2, s3));
  const auto sums = __builtin_shufflevector(t, t, 0, 1, 2, 3) + __builtin_shufflevector(t, t, 4, 5, 6, 7);
  std::memcpy(out, &sums, sizeof sums);
}
#if EIGAN_VECTOR_BYTES == 64
EIGAN_TARGET EIGAN_INLINE EightFloats halves(Vector<float> s) {
  return __builtin_shufflevector(s, s, 0, 1, 2, 3, 4, 5, 6, 7) +
         __builtin_shufflevector(s, s, 8, 9, 10, 11, 12, 13, 14, 15);
}
EIGAN_TARGET EIGAN_INLINE void store_sums(Vector<float> s0, Vector<float> s1, Vector<float> s2, Vector<float> s3,
                                          float* out) {
  store_sums(halves(s0), halves(s1), halves(s2), halves(s3), out);
}
#endif
#endif
template <class T>
EIGAN_TARGET EIGAN_INLINE T sum_of(Vector<T> v) {
  T sum = v[0];
  for (Index i = 1; i < lanes<T>; ++i) sum += v[i];
  return sum;
}
template <class V, class T>
EIGAN_TARGET EIGAN_INLINE void store_sums(V s0, V s1, V s2, V s3, T* out) {
  out[0] = sum_of<T>(s0);
  out[1] = sum_of<T>(s1);
  out[2] = sum_of<T>(s2);
  out[3] = sum_of<T>(s3);
}

/// Four columns of a against NR columns of b: 4 NR dot products of length k.
template <class T, Index NR>
EIGAN_TARGET EIGAN_INLINE void dot_block(Index k, const T* a, Index a_col, const T* b, Index b_col, T* c, Index c_col) {
  using V = Vector<T>;
  constexpr Index L = lanes<T>;
  V sum[extent(NR)][4] = {};
  Index p = 0;
  for (; p + L <= k; p += L) {
    V bv[extent(NR)];
    EIGAN_UNROLL for (Index j = 0; j < NR; ++j) bv[j] = in_register(load(b + j * b_col + p));
    EIGAN_UNROLL for (Index i = 0; i < 4; ++i) {
      const V av = in_register(load(a + i * a_col + p));
      EIGAN_UNROLL for (Index j = 0; j < NR; ++j) sum[j][i] = fma(av, bv[j], sum[j][i]);
    }
  }
  if (p < k) {
    V bv[extent(NR)];
    EIGAN_UNROLL for (Index j = 0; j < NR; ++j) bv[j] = load_part(b + j * b_col + p, k - p);
    EIGAN_UNROLL for (Index i = 0; i < 4; ++i) {
      const V av = load_part(a + i * a_col + p, k - p);
      EIGAN_UNROLL for (Index j = 0; j < NR; ++j) sum[j][i] = fma(av, bv[j], sum[j][i]);
    }
  }
  EIGAN_UNROLL for (Index j = 0; j < NR; ++j) store_sums(sum[j][0], sum[j][1], sum[j][2], sum[j][3], c + j * c_col);
}

template <class T>
EIGAN_TARGET EIGAN_INLINE T dot(Index k, const T* a, const T* b) {
  constexpr Index L = lanes<T>;
  Vector<T> sum = {};
  Index p = 0;
  for (; p + L <= k; p += L) sum = fma(load(a + p), load(b + p), sum);
  if (p < k) sum = fma(load_part(a + p, k - p), load_part(b + p, k - p), sum);
  T sums[4];
  store_sums(sum, sum, sum, sum, sums);
  return sums[0];
}

/// c = a^T b, as dot products of columns, each in lanes and added up in the same tree.
template <class T>
EIGAN_TARGET inline void multiply_transposed(Index m, Index n, Index k, Strided<const T> a, Strided<const T> b,
                                             Strided<T> c) {
  // As many columns of a as half of a first-level cache holds, so that each column of b is read once for all of them.
  const Index fit = 16384 / static_cast<Index>(sizeof(T)) / (k > 0 ? k : 1) / 4 * 4;
  const Index group = fit < 4 ? 4 : fit;
  Index i = 0;
  for (Index end = 0; i + 4 <= m; i = end) {
    end = m - i < group ? i + (m - i) / 4 * 4 : i + group;
    Index j = 0;
    for (; j + 3 <= n; j += 3)
      for (Index q = i; q < end; q += 4)
        dot_block<T, 3>(k, a.data + q * a.col, a.col, b.data + j * b.col, b.col, c.data + j * c.col + q, c.col);
    for (; j < n; ++j)
      for (Index q = i; q < end; q += 4)
        dot_block<T, 1>(k, a.data + q * a.col, a.col, b.data + j * b.col, b.col, c.data + j * c.col + q, c.col);
  }
  // The columns of a that are left, one at a time, each against four of b: one sum alone would wait for itself.
  for (; i < m; ++i) {
    Index j = 0;
    for (; j + 4 <= n; j += 4) {
      T sums[4];
      dot_block<T, 1>(k, b.data + j * b.col, b.col, a.data + i * a.col, 0, sums, 0);
      for (Index q = 0; q < 4; ++q) c.data[(j + q) * c.col + i] = sums[q];
    }
    for (; j < n; ++j) c.data[j * c.col + i] = dot(k, a.data + i * a.col, b.data + j * b.col);
  }
}

}  // namespace eigan::detail::EIGAN_ISA

// ======== eigan/kernels/strips.inc
// Strips of a product: so few rows of the result that all their sums stay in registers. A part of products.inc.

namespace eigan::detail::EIGAN_ISA {

// Registers of accumulators: strip_vectors x block_columns of them, plus a strip's vectors, plus one broadcast.
inline constexpr Index strip_vectors = 3;
inline constexpr Index block_columns = EIGAN_VECTOR_BYTES == 64 ? 8 : 4;
/// A packed strip takes 24 kB: half of a first-level cache of 48 kB, three quarters of one of 32 kB.
template <class T>
inline constexpr Index strip_terms = 24576 / (strip_vectors * EIGAN_VECTOR_BYTES);

/// MV vectors of rows by NR columns of c = init + a b: outer products over k, all sums in registers.
template <class T, Index MV, Index NR>
EIGAN_TARGET EIGAN_INLINE void multiply_block(Index k, const T* a, Index a_col, const T* b, Index b_row, Index b_col,
                                              const T* init, Index init_col, T* c, Index c_col) {
  using V = Vector<T>;
  constexpr Index L = lanes<T>;
  V sum[extent(NR)][extent(MV)];
  EIGAN_UNROLL for (Index j = 0; j < NR; ++j) {
    EIGAN_UNROLL for (Index i = 0; i < MV; ++i) sum[j][i] = load(init + j * init_col + i * L);
  }
  // Twice, because how such a short loop happens to lie in the code changes its speed by some percent.
  EIGAN_UNROLL_TWICE
  for (Index p = 0; p < k; ++p) {
    V av[extent(MV)];
    EIGAN_UNROLL for (Index i = 0; i < MV; ++i) av[i] = in_register(load(a + i * L));
    EIGAN_UNROLL for (Index j = 0; j < NR; ++j) {
      const V bv = broadcast(b[j * b_col]);
      EIGAN_UNROLL for (Index i = 0; i < MV; ++i) sum[j][i] = fma(av[i], bv, sum[j][i]);
    }
    a += a_col;
    b += b_row;
  }
  EIGAN_UNROLL for (Index j = 0; j < NR; ++j) {
    EIGAN_UNROLL for (Index i = 0; i < MV; ++i) store(c + j * c_col + i * L, sum[j][i]);
  }
}

/// The right operand as strips read it: element (p, j) of a block of columns is block[p * row + j * col].
template <class T>
struct Right {
  const T* data;
  Index row, col;
  Index block;  // from one block of block_columns to the next
  EIGAN_TARGET EIGAN_INLINE Right from(Index column) const {
    constexpr Index width = block_columns;
    return {data + column / width * block + column % width * col, row, col, block};
  }
};

/// All columns of one strip of MV vectors of rows, `rows` of which are real. A block whose last rows do not fill a
/// vector passes init and c through a full-sized copy.
template <class T, Index MV, Index NR>
EIGAN_TARGET inline void multiply_strip(Index rows, Index n, Index k, const T* a, Index a_col, Right<T> b,
                                        Strided<const T> init, Strided<T> c) {
  constexpr Index height = MV * lanes<T>;
  T copy[extent(NR * height)] = {};
  const bool whole = rows == height;
  Index j = 0;
  for (; j + NR <= n; j += NR) {
    const T* start = init.data + j * init.col;
    T* result = c.data + j * c.col;
    // The sums of the next block or, at the last whole one, the first of the next strip: they lie in short pieces, far
    // apart, where the processor does not fetch ahead by itself, and nothing can be multiplied before they are there.
    if (init.col > 0) {
      const T* upcoming = j + 2 * NR <= n ? start + NR * init.col : init.data + height;
      EIGAN_UNROLL for (Index q = 0; q < NR; ++q) {
        __builtin_prefetch(upcoming + q * init.col, 1);
        __builtin_prefetch(upcoming + q * init.col + height - 1, 1);
      }
    }
    if (!whole)
      for (Index q = 0; q < NR; ++q)
        for (Index i = 0; i < rows; ++i) copy[q * height + i] = start[q * init.col + i];
    multiply_block<T, MV, NR>(k, a, a_col, b.from(j).data, b.row, b.col, whole ? start : copy,
                              whole ? init.col : height, whole ? result : copy, whole ? c.col : height);
    if (!whole)
      for (Index q = 0; q < NR; ++q)
        for (Index i = 0; i < rows; ++i) result[q * c.col + i] = copy[q * height + i];
  }
  if constexpr (NR > 1)
    if (j < n)
      multiply_strip<T, MV, NR / 2>(rows, n - j, k, a, a_col, b.from(j), {init.data + j * init.col, 1, init.col},
                                    {c.data + j * c.col, 1, c.col});
}

/// How many vectors of rows the next strip has, of `left` that remain: no strip of one, if avoidable.
EIGAN_TARGET EIGAN_INLINE Index strip_size(Index left) {
  return left == strip_vectors + 1 ? 2 : left < strip_vectors ? left : strip_vectors;
}

/// Copies `terms` columns of a strip, `rows` of which are real, one after the other; zeros stand for the missing rows.
/// Vector by vector: a loop over elements would become a call of memcpy for every column.
template <class T, Index MV>
EIGAN_TARGET EIGAN_INLINE void gather_strip(Index rows, Index terms, const T* a, Index a_col, T* packed) {
  constexpr Index L = lanes<T>;
  if (rows >= MV * L) {  // the usual case, without a question for each vector
    for (Index q = 0; q < terms; ++q) {
      EIGAN_UNROLL for (Index r = 0; r < MV; ++r) store(packed + r * L, in_register(load(a + r * L)));
      a += a_col;
      packed += MV * L;
    }
    return;
  }
  for (Index q = 0; q < terms; ++q) {
    EIGAN_UNROLL for (Index r = 0; r < MV; ++r) {
      const Index left = rows - r * L;
      store(packed + r * L, in_register(left >= L ? load(a + r * L) : load_part(a + r * L, left)));
    }
    a += a_col;
    packed += MV * L;
  }
}

/// Strips whose columns are copied together at a time, so that a cache line two strips share is fetched once.
inline constexpr Index block_strips = 4;
template <class T>
inline constexpr Index packed_elements = strip_terms<T> * strip_vectors * lanes<T> * block_strips;

/// c = init + a b for so few terms that a strip of them stays in the first-level cache. packed: packed_elements.
template <class T>
EIGAN_TARGET EIGAN_NOINLINE void multiply_terms(Index m, Index n, Index terms, Strided<const T> a, Right<T> b,
                                                Strided<const T> init, Strided<T> c, T* packed) {
  constexpr Index L = lanes<T>;
  // Columns of a are copied together where that pays: far ones cost a page each, and those an even number of cache
  // lines apart share few cache sets, from 512 bytes on too few for a strip. Enough columns of b must read the copy.
  const Index column_bytes = a.col * static_cast<Index>(sizeof(T));
  const bool gather = column_bytes % 128 == 0 ? column_bytes >= 512 && n >= 16 : column_bytes >= 2048 && n >= 48;
  const Index vectors = (m + L - 1) / L;
  for (Index first = 0, end = 0; first < vectors; first = end) {
    for (Index s = 0; s < (gather ? block_strips : 1) && end < vectors; ++s) end += strip_size(vectors - end);
    const bool copied = gather || end * L > m;  // rows that do not fill a vector are filled up in the copy
    // A few columns at a time, for what two strips share to be in the first-level cache still.
    constexpr Index few = 16;
    for (Index p = 0; copied && p < terms; p += few) {
      T* to = packed;
      for (Index v = first, size = 0; v < end; v += size) {
        size = strip_size(vectors - v);
        const Index count = terms - p < few ? terms - p : few;
        const T* columns = a.data + p * a.col + v * L;
        if (size == 3)
          gather_strip<T, 3>(m - v * L, count, columns, a.col, to + p * size * L);
        else if (size == 2)
          gather_strip<T, 2>(m - v * L, count, columns, a.col, to + p * size * L);
        else
          gather_strip<T, 1>(m - v * L, count, columns, a.col, to + p * size * L);
        to += terms * size * L;
      }
    }
    const T* from = packed;
    for (Index v = first, size = 0; v < end; v += size) {
      size = strip_size(vectors - v);
      const Index i = v * L, rows = m - i < size * L ? m - i : size * L;
      const T* strip = copied ? from : a.data + i;
      const Index strip_col = copied ? size * L : a.col;
      const Strided<const T> start{init.data + i, 1, init.col};
      const Strided<T> result{c.data + i, 1, c.col};
      if (size == 3)
        multiply_strip<T, 3, block_columns>(rows, n, terms, strip, strip_col, b, start, result);
      else if (size == 2)
        multiply_strip<T, 2, block_columns>(rows, n, terms, strip, strip_col, b, start, result);
      else
        multiply_strip<T, 1, block_columns>(rows, n, terms, strip, strip_col, b, start, result);
      from += terms * size * L;
    }
  }
}

}  // namespace eigan::detail::EIGAN_ISA

namespace eigan::detail::EIGAN_ISA {

/// A panel of b: it stays in the second-level cache.
template <class T>
inline constexpr Index panel_elements = 131072 / static_cast<Index>(sizeof(T));

/// Copies `columns` of b's columns, which lie side by side, block after block: a block's terms follow each other.
/// A cache line of b at a time.
template <class T>
EIGAN_TARGET EIGAN_INLINE void gather_panel(Index columns, Index terms, const T* b, Index b_row, T* panel) {
  constexpr Index width = block_columns, line = 64 / static_cast<Index>(sizeof(T));
  constexpr std::size_t bytes = sizeof(T) * static_cast<std::size_t>(block_columns);
  for (Index j = 0; j < columns; j += line) {
    const Index end = columns - j < line ? columns : j + line;
    for (Index p = 0; p < terms; ++p) {
      Index q = j;
      for (; q + width <= end; q += width)
        std::memcpy(panel + q * terms + p * width, b + p * b_row + q, bytes);
      for (Index rest = q; rest < end; ++rest) panel[q * terms + p * width + rest - q] = b[p * b_row + rest];
    }
  }
}

/// c = init + a b, `width` columns of b at a time, which are first copied to `panel` where there is one.
template <class T>
EIGAN_TARGET EIGAN_INLINE void multiply_pieces(Index m, Index n, Index k, Strided<const T> a, Strided<const T> b,
                                               Strided<const T> init, Strided<T> c, Index width, T* packed, T* panel) {
  for (Index p = 0; p < k || p == 0; p += strip_terms<T>) {
    const Index terms = k - p < strip_terms<T> ? k - p : strip_terms<T>;
    if (p > 0) init = {c.data, 1, c.col};  // the sum so far
    for (Index j = 0; j < n; j += width) {
      const Index columns = n - j < width ? n - j : width;
      const T* const from = b.data + p * b.row + j * b.col;
      if (panel) gather_panel(columns, terms, from, b.row, panel);
      multiply_terms<T>(m, columns, terms, {a.data + p * a.col, 1, a.col},
                        panel ? Right<T>{panel, block_columns, 1, terms * block_columns}
                              : Right<T>{from, b.row, b.col, block_columns * b.col},
                        {init.data + j * init.col, 1, init.col}, {c.data + j * c.col, 1, c.col}, packed);
    }
  }
}

/// c = start + NC columns of a times NC elements of b.
template <class T, Index NC>
EIGAN_TARGET EIGAN_INLINE void add_columns(Index m, const T* a, Index a_col, const T* b, Index b_row, const T* start,
                                           T* c) {
  constexpr Index L = lanes<T>;
  Vector<T> bv[extent(NC)];
  EIGAN_UNROLL for (Index q = 0; q < NC; ++q) bv[q] = broadcast(b[q * b_row]);
  Index i = 0;
  for (; i + L <= m; i += L) {
    Vector<T> sum = load(start + i);
    EIGAN_UNROLL for (Index q = 0; q < NC; ++q) sum = fma(load(a + q * a_col + i), bv[q], sum);
    store(c + i, sum);
  }
  if (i < m) {
    Vector<T> sum = load_part(start + i, m - i);
    EIGAN_UNROLL for (Index q = 0; q < NC; ++q) sum = fma(load_part(a + q * a_col + i, m - i), bv[q], sum);
    store_part(c + i, sum, m - i);
  }
}

/// c = init + a b for one column of b: the columns of a are read from end to end, as the processor fetches ahead, and
/// the sums stay in the first-level cache. Each is added up in the same order as in multiply_block.
template <class T>
EIGAN_TARGET inline void multiply_vector(Index m, Index k, Strided<const T> a, Strided<const T> b, const T* init,
                                         T* c) {
  Index p = 0;
  for (; p + 8 <= k; p += 8)
    add_columns<T, 8>(m, a.data + p * a.col, a.col, b.data + p * b.row, b.row, p == 0 ? init : c, c);
  for (; p < k; ++p) add_columns<T, 1>(m, a.data + p * a.col, a.col, b.data + p * b.row, b.row, p == 0 ? init : c, c);
  if (k == 0) copy(m, init, c);
}

/// c = init + a b; c may be init. Each element is added up term by term, in order, whichever way is taken.
template <class T>
EIGAN_TARGET inline void multiply(Index m, Index n, Index k, Strided<const T> a, Strided<const T> b,
                                  Strided<const T> init, Strided<T> c) {
  if (n == 1) {
    multiply_vector(m, k, a, b, init.data, c.data);
    return;
  }
  if (k == 1) {  // an outer product: nothing is used twice but a, and c is best passed from end to end
    for (Index j = 0; j < n; ++j)
      add_columns<T, 1>(m, a.data, a.col, b.data + j * b.col, b.row, init.data + j * init.col, c.data + j * c.col);
    return;
  }
  constexpr auto bytes = static_cast<std::size_t>(packed_elements<T> + panel_elements<T>)*sizeof(T);
  T* const packed = static_cast<T*>(thread_memory(bytes));
  // Of a b whose rows lie apart, a block of columns takes a cache line for each term. These lines evict each other, or
  // the strip, where they are many, or where they are some power of two apart and share few cache sets. Enough rows of
  // a must read the copy.
  const bool crowded = b.row * static_cast<Index>(sizeof(T)) % 1024 == 0 && k >= 16;
  const bool often_read = m >= 4 * strip_vectors * lanes<T> && n >= 8;
  if (b.col == 1 && (crowded || k >= 192) && often_read) {
    const Index most = k < strip_terms<T> ? k : strip_terms<T>;
    multiply_pieces(m, n, k, a, b, init, c, panel_elements<T> / most / block_columns * block_columns, packed,
                    packed + packed_elements<T>);
  } else {
    constexpr Index width = 256;  // as many columns as should stay in the second-level cache
    multiply_pieces<T>(m, n, k, a, b, init, c, width, packed, nullptr);
  }
}

template <class T>
EIGAN_TARGET inline void add_row_sums(Index m, Index n, Strided<const T> a, T* sums) {
  constexpr Index L = lanes<T>;
  Index i = 0;
  for (; i + L <= m; i += L) {
    Vector<T> sum = load(sums + i);
    for (Index j = 0; j < n; ++j) sum += load(a.data + j * a.col + i);
    store(sums + i, sum);
  }
  for (; i < m; ++i)
    for (Index j = 0; j < n; ++j) sums[i] += a.data[j * a.col + i];
}

template <class T>
struct TableOf<ProductKernels<T>> {
  static constexpr ProductKernels<T> table{
      .multiply = multiply<T>,
      .multiply_transposed = multiply_transposed<T>,
      .add_row_sums = add_row_sums<T>,
  };
};

}  // namespace eigan::detail::EIGAN_ISA
#undef EIGAN_ISA
#undef EIGAN_TARGET
#undef EIGAN_VECTOR_BYTES

#if defined(__x86_64__)
#define EIGAN_X86_VECTORS

#define EIGAN_ISA avx2
#define EIGAN_TARGET [[gnu::target("avx2,fma")]]
#define EIGAN_VECTOR_BYTES 32

// ======== eigan/kernels/products.inc
// Matrix products: see products.hpp. Compiled by for_each_isa.inc.

// ======== eigan/kernels/dots.inc
// c = a^T b, as dot products. A part of products.inc.

namespace eigan::detail::EIGAN_ISA {

// Four accumulators become four neighbouring sums, always added in the same tree.
#if defined(EIGAN_X86_VECTORS)
using EightFloats = float __attribute__((vector_size(32)));
/// The sums of neighbours: two of a, two of b, two of a, two of b.
EIGAN_TARGET EIGAN_INLINE EightFloats add_neighbours(EightFloats a, EightFloats b) {
  return __builtin_shufflevector(a, b, 0, 2, 8, 10, 4, 6, 12, 14) +
         __builtin_shufflevector(a, b, 1, 3, 9, 11, 5, 7, 13, 15);
}
EIGAN_TARGET EIGAN_INLINE void store_sums(EightFloats s0, EightFloats s1, EightFloats s2, EightFloats s3, float* out) {
  const EightFloats t = add_neighbours(add_neighbours(s0, s1), add_neighbours(s2, s3));
  const auto sums = __builtin_shufflevector(t, t, 0, 1, 2, 3) + __builtin_shufflevector(t, t, 4, 5, 6, 7);
  std::memcpy(out, &sums, sizeof sums);
}
#if EIGAN_VECTOR_BYTES == 64
EIGAN_TARGET EIGAN_INLINE EightFloats halves(Vector<float> s) {
  return __builtin_shufflevector(s, s, 0, 1, 2, 3, 4, 5, 6, 7) +
         __builtin_shufflevector(s, s, 8, 9, 10, 11, 12, 13, 14, 15);
}
EIGAN_TARGET EIGAN_INLINE void store_sums(Vector<float> s0, Vector<float> s1, Vector<float> s2, Vector<float> s3,
                                          float* out) {
  store_sums(halves(s0), halves(s1), halves(s2), halves(s3), out);
}
#endif
#endif
template <class T>
EIGAN_TARGET EIGAN_INLINE T sum_of(Vector<T> v) {
  T sum = v[0];
  for (Index i = 1; i < lanes<T>; ++i) sum += v[i];
  return sum;
}
template <class V, class T>
EIGAN_TARGET EIGAN_INLINE void store_sums(V s0, V s1, V s2, V s3, T* out) {
  out[0] = sum_of<T>(s0);
  out[1] = sum_of<T>(s1);
  out[2] = sum_of<T>(s2);
  out[3] = sum_of<T>(s3);
}

/// Four columns of a against NR columns of b: 4 NR dot products of length k.
template <class T, Index NR>
EIGAN_TARGET EIGAN_INLINE void dot_block(Index k, const T* a, Index a_col, const T* b, Index b_col, T* c, Index c_col) {
  using V = Vector<T>;
  constexpr Index L = lanes<T>;
  V sum[extent(NR)][4] = {};
  Index p = 0;
  for (; p + L <= k; p += L) {
    V bv[extent(NR)];
    EIGAN_UNROLL for (Index j = 0; j < NR; ++j) bv[j] = in_register(load(b + j * b_col + p));
    EIGAN_UNROLL for (Index i = 0; i < 4; ++i) {
      const V av = in_register(load(a + i * a_col + p));
      EIGAN_UNROLL for (Index j = 0; j < NR; ++j) sum[j][i] = fma(av, bv[j], sum[j][i]);
    }
  }
  if (p < k) {
    V bv[extent(NR)];
    EIGAN_UNROLL for (Index j = 0; j < NR; ++j) bv[j] = load_part(b + j * b_col + p, k - p);
    EIGAN_UNROLL for (Index i = 0; i < 4; ++i) {
      const V av = load_part(a + i * a_col + p, k - p);
      EIGAN_UNROLL for (Index j = 0; j < NR; ++j) sum[j][i] = fma(av, bv[j], sum[j][i]);
    }
  }
  EIGAN_UNROLL for (Index j = 0; j < NR; ++j) store_sums(sum[j][0], sum[j][1], sum[j][2], sum[j][3], c + j * c_col);
}

template <class T>
EIGAN_TARGET EIGAN_INLINE T dot(Index k, const T* a, const T* b) {
  constexpr Index L = lanes<T>;
  Vector<T> sum = {};
  Index p = 0;
  for (; p + L <= k; p += L) sum = fma(load(a + p), load(b + p), sum);
  if (p < k) sum = fma(load_part(a + p, k - p), load_part(b + p, k - p), sum);
  T sums[4];
  store_sums(sum, sum, sum, sum, sums);
  return sums[0];
}

/// c = a^T b, as dot products of columns, each in lanes and added up in the same tree.
template <class T>
EIGAN_TARGET inline void multiply_transposed(Index m, Index n, Index k, Strided<const T> a, Strided<const T> b,
                                             Strided<T> c) {
  // As many columns of a as half of a first-level cache holds, so that each column of b is read once for all of them.
  const Index fit = 16384 / static_cast<Index>(sizeof(T)) / (k > 0 ? k : 1) / 4 * 4;
  const Index group = fit < 4 ? 4 : fit;
  Index i = 0;
  for (Index end = 0; i + 4 <= m; i = end) {
    end = m - i < group ? i + (m - i) / 4 * 4 : i + group;
    Index j = 0;
    for (; j + 3 <= n; j += 3)
      for (Index q = i; q < end; q += 4)
        dot_block<T, 3>(k, a.data + q * a.col, a.col, b.data + j * b.col, b.col, c.data + j * c.col + q, c.col);
    for (; j < n; ++j)
      for (Index q = i; q < end; q += 4)
        dot_block<T, 1>(k, a.data + q * a.col, a.col, b.data + j * b.col, b.col, c.data + j * c.col + q, c.col);
  }
  // The columns of a that are left, one at a time, each against four of b: one sum alone would wait for itself.
  for (; i < m; ++i) {
    Index j = 0;
    for (; j + 4 <= n; j += 4) {
      T sums[4];
      dot_block<T, 1>(k, b.data + j * b.col, b.col, a.data + i * a.col, 0, sums, 0);
      for (Index q = 0; q < 4; ++q) c.data[(j + q) * c.col + i] = sums[q];
    }
    for (; j < n; ++j) c.data[j * c.col + i] = dot(k, a.data + i * a.col, b.data + j * b.col);
  }
}

}  // namespace eigan::detail::EIGAN_ISA

// ======== eigan/kernels/strips.inc
// Strips of a product: so few rows of the result that all their sums stay in registers. A part of products.inc.

namespace eigan::detail::EIGAN_ISA {

// Registers of accumulators: strip_vectors x block_columns of them, plus a strip's vectors, plus one broadcast.
inline constexpr Index strip_vectors = 3;
inline constexpr Index block_columns = EIGAN_VECTOR_BYTES == 64 ? 8 : 4;
/// A packed strip takes 24 kB: half of a first-level cache of 48 kB, three quarters of one of 32 kB.
template <class T>
inline constexpr Index strip_terms = 24576 / (strip_vectors * EIGAN_VECTOR_BYTES);

/// MV vectors of rows by NR columns of c = init + a b: outer products over k, all sums in registers.
template <class T, Index MV, Index NR>
EIGAN_TARGET EIGAN_INLINE void multiply_block(Index k, const T* a, Index a_col, const T* b, Index b_row, Index b_col,
                                              const T* init, Index init_col, T* c, Index c_col) {
  using V = Vector<T>;
  constexpr Index L = lanes<T>;
  V sum[extent(NR)][extent(MV)];
  EIGAN_UNROLL for (Index j = 0; j < NR; ++j) {
    EIGAN_UNROLL for (Index i = 0; i < MV; ++i) sum[j][i] = load(init + j * init_col + i * L);
  }
  // Twice, because how such a short loop happens to lie in the code changes its speed by some percent.
  EIGAN_UNROLL_TWICE
  for (Index p = 0; p < k; ++p) {
    V av[extent(MV)];
    EIGAN_UNROLL for (Index i = 0; i < MV; ++i) av[i] = in_register(load(a + i * L));
    EIGAN_UNROLL for (Index j = 0; j < NR; ++j) {
      const V bv = broadcast(b[j * b_col]);
      EIGAN_UNROLL for (Index i = 0; i < MV; ++i) sum[j][i] = fma(av[i], bv, sum[j][i]);
    }
    a += a_col;
    b += b_row;
  }
  EIGAN_UNROLL for (Index j = 0; j < NR; ++j) {
    EIGAN_UNROLL for (Index i = 0; i < MV; ++i) store(c + j * c_col + i * L, sum[j][i]);
  }
}

/// The right operand as strips read it: element (p, j) of a block of columns is block[p * row + j * col].
template <class T>
struct Right {
  const T* data;
  Index row, col;
  Index block;  // from one block of block_columns to the next
  EIGAN_TARGET EIGAN_INLINE Right from(Index column) const {
    constexpr Index width = block_columns;
    return {data + column / width * block + column % width * col, row, col, block};
  }
};

/// All columns of one strip of MV vectors of rows, `rows` of which are real. A block whose last rows do not fill a
/// vector passes init and c through a full-sized copy.
template <class T, Index MV, Index NR>
EIGAN_TARGET inline void multiply_strip(Index rows, Index n, Index k, const T* a, Index a_col, Right<T> b,
                                        Strided<const T> init, Strided<T> c) {
  constexpr Index height = MV * lanes<T>;
  T copy[extent(NR * height)] = {};
  const bool whole = rows == height;
  Index j = 0;
  for (; j + NR <= n; j += NR) {
    const T* start = init.data + j * init.col;
    T* result = c.data + j * c.col;
    // The sums of the next block or, at the last whole one, the first of the next strip: they lie in short pieces, far
    // apart, where the processor does not fetch ahead by itself, and nothing can be multiplied before they are there.
    if (init.col > 0) {
      const T* upcoming = j + 2 * NR <= n ? start + NR * init.col : init.data + height;
      EIGAN_UNROLL for (Index q = 0; q < NR; ++q) {
        __builtin_prefetch(upcoming + q * init.col, 1);
        __builtin_prefetch(upcoming + q * init.col + height - 1, 1);
      }
    }
    if (!whole)
      for (Index q = 0; q < NR; ++q)
        for (Index i = 0; i < rows; ++i) copy[q * height + i] = start[q * init.col + i];
    multiply_block<T, MV, NR>(k, a, a_col, b.from(j).data, b.row, b.col, whole ? start : copy,
                              whole ? init.col : height, whole ? result : copy, whole ? c.col : height);
    if (!whole)
      for (Index q = 0; q < NR; ++q)
        for (Index i = 0; i < rows; ++i) result[q * c.col + i] = copy[q * height + i];
  }
  if constexpr (NR > 1)
    if (j < n)
      multiply_strip<T, MV, NR / 2>(rows, n - j, k, a, a_col, b.from(j), {init.data + j * init.col, 1, init.col},
                                    {c.data + j * c.col, 1, c.col});
}

/// How many vectors of rows the next strip has, of `left` that remain: no strip of one, if avoidable.
EIGAN_TARGET EIGAN_INLINE Index strip_size(Index left) {
  return left == strip_vectors + 1 ? 2 : left < strip_vectors ? left : strip_vectors;
}

/// Copies `terms` columns of a strip, `rows` of which are real, one after the other; zeros stand for the missing rows.
/// Vector by vector: a loop over elements would become a call of memcpy for every column.
template <class T, Index MV>
EIGAN_TARGET EIGAN_INLINE void gather_strip(Index rows, Index terms, const T* a, Index a_col, T* packed) {
  constexpr Index L = lanes<T>;
  if (rows >= MV * L) {  // the usual case, without a question for each vector
    for (Index q = 0; q < terms; ++q) {
      EIGAN_UNROLL for (Index r = 0; r < MV; ++r) store(packed + r * L, in_register(load(a + r * L)));
      a += a_col;
      packed += MV * L;
    }
    return;
  }
  for (Index q = 0; q < terms; ++q) {
    EIGAN_UNROLL for (Index r = 0; r < MV; ++r) {
      const Index left = rows - r * L;
      store(packed + r * L, in_register(left >= L ? load(a + r * L) : load_part(a + r * L, left)));
    }
    a += a_col;
    packed += MV * L;
  }
}

/// Strips whose columns are copied together at a time, so that a cache line two strips share is fetched once.
inline constexpr Index block_strips = 4;
template <class T>
inline constexpr Index packed_elements = strip_terms<T> * strip_vectors * lanes<T> * block_strips;

/// c = init + a b for so few terms that a strip of them stays in the first-level cache. packed: packed_elements.
template <class T>
EIGAN_TARGET EIGAN_NOINLINE void multiply_terms(Index m, Index n, Index terms, Strided<const T> a, Right<T> b,
                                                Strided<const T> init, Strided<T> c, T* packed) {
  constexpr Index L = lanes<T>;
  // Columns of a are copied together where that pays: far ones cost a page each, and those an even number of cache
  // lines apart share few cache sets, from 512 bytes on too few for a strip. Enough columns of b must read the copy.
  const Index column_bytes = a.col * static_cast<Index>(sizeof(T));
  const bool gather = column_bytes % 128 == 0 ? column_bytes >= 512 && n >= 16 : column_bytes >= 2048 && n >= 48;
  const Index vectors = (m + L - 1) / L;
  for (Index first = 0, end = 0; first < vectors; first = end) {
    for (Index s = 0; s < (gather ? block_strips : 1) && end < vectors; ++s) end += strip_size(vectors - end);
    const bool copied = gather || end * L > m;  // rows that do not fill a vector are filled up in the copy
    // A few columns at a time, for what two strips share to be in the first-level cache still.
    constexpr Index few = 16;
    for (Index p = 0; copied && p < terms; p += few) {
      T* to = packed;
      for (Index v = first, size = 0; v < end; v += size) {
        size = strip_size(vectors - v);
        const Index count = terms - p < few ? terms - p : few;
        const T* columns = a.data + p * a.col + v * L;
        if (size == 3)
          gather_strip<T, 3>(m - v * L, count, columns, a.col, to + p * size * L);
        else if (size == 2)
          gather_strip<T, 2>(m - v * L, count, columns, a.col, to + p * size * L);
        else
          gather_strip<T, 1>(m - v * L, count, columns, a.col, to + p * size * L);
        to += terms * size * L;
      }
    }
    const T* from = packed;
    for (Index v = first, size = 0; v < end; v += size) {
      size = strip_size(vectors - v);
      const Index i = v * L, rows = m - i < size * L ? m - i : size * L;
      const T* strip = copied ? from : a.data + i;
      const Index strip_col = copied ? size * L : a.col;
      const Strided<const T> start{init.data + i, 1, init.col};
      const Strided<T> result{c.data + i, 1, c.col};
      if (size == 3)
        multiply_strip<T, 3, block_columns>(rows, n, terms, strip, strip_col, b, start, result);
      else if (size == 2)
        multiply_strip<T, 2, block_columns>(rows, n, terms, strip, strip_col, b, start, result);
      else
        multiply_strip<T, 1, block_columns>(rows, n, terms, strip, strip_col, b, start, result);
      from += terms * size * L;
    }
  }
}

}  // namespace eigan::detail::EIGAN_ISA

namespace eigan::detail::EIGAN_ISA {

/// A panel of b: it stays in the second-level cache.
template <class T>
inline constexpr Index panel_elements = 131072 / static_cast<Index>(sizeof(T));

/// Copies `columns` of b's columns, which lie side by side, block after block: a block's terms follow each other.
/// A cache line of b at a time.
template <class T>
EIGAN_TARGET EIGAN_INLINE void gather_panel(Index columns, Index terms, const T* b, Index b_row, T* panel) {
  constexpr Index width = block_columns, line = 64 / static_cast<Index>(sizeof(T));
  constexpr std::size_t bytes = sizeof(T) * static_cast<std::size_t>(block_columns);
  for (Index j = 0; j < columns; j += line) {
    const Index end = columns - j < line ? columns : j + line;
    for (Index p = 0; p < terms; ++p) {
      Index q = j;
      for (; q + width <= end; q += width)
        std::memcpy(panel + q * terms + p * width, b + p * b_row + q, bytes);
      for (Index rest = q; rest < end; ++rest) panel[q * terms + p * width + rest - q] = b[p * b_row + rest];
    }
  }
}

/// c = init + a b, `width` columns of b at a time, which are first copied to `panel` where there is one.
template <class T>
EIGAN_TARGET EIGAN_INLINE void multiply_pieces(Index m, Index n, Index k, Strided<const T> a, Strided<const T> b,
                                               Strided<const T> init, Strided<T> c, Index width, T* packed, T* panel) {
  for (Index p = 0; p < k || p == 0; p += strip_terms<T>) {
    const Index terms = k - p < strip_terms<T> ? k - p : strip_terms<T>;
    if (p > 0) init = {c.data, 1, c.col};  // the sum so far
    for (Index j = 0; j < n; j += width) {
      const Index columns = n - j < width ? n - j : width;
      const T* const from = b.data + p * b.row + j * b.col;
      if (panel) gather_panel(columns, terms, from, b.row, panel);
      multiply_terms<T>(m, columns, terms, {a.data + p * a.col, 1, a.col},
                        panel ? Right<T>{panel, block_columns, 1, terms * block_columns}
                              : Right<T>{from, b.row, b.col, block_columns * b.col},
                        {init.data + j * init.col, 1, init.col}, {c.data + j * c.col, 1, c.col}, packed);
    }
  }
}

/// c = start + NC columns of a times NC elements of b.
template <class T, Index NC>
EIGAN_TARGET EIGAN_INLINE void add_columns(Index m, const T* a, Index a_col, const T* b, Index b_row, const T* start,
                                           T* c) {
  constexpr Index L = lanes<T>;
  Vector<T> bv[extent(NC)];
  EIGAN_UNROLL for (Index q = 0; q < NC; ++q) bv[q] = broadcast(b[q * b_row]);
  Index i = 0;
  for (; i + L <= m; i += L) {
    Vector<T> sum = load(start + i);
    EIGAN_UNROLL for (Index q = 0; q < NC; ++q) sum = fma(load(a + q * a_col + i), bv[q], sum);
    store(c + i, sum);
  }
  if (i < m) {
    Vector<T> sum = load_part(start + i, m - i);
    EIGAN_UNROLL for (Index q = 0; q < NC; ++q) sum = fma(load_part(a + q * a_col + i, m - i), bv[q], sum);
    store_part(c + i, sum, m - i);
  }
}

/// c = init + a b for one column of b: the columns of a are read from end to end, as the processor fetches ahead, and
/// the sums stay in the first-level cache. Each is added up in the same order as in multiply_block.
template <class T>
EIGAN_TARGET inline void multiply_vector(Index m, Index k, Strided<const T> a, Strided<const T> b, const T* init,
                                         T* c) {
  Index p = 0;
  for (; p + 8 <= k; p += 8)
    add_columns<T, 8>(m, a.data + p * a.col, a.col, b.data + p * b.row, b.row, p == 0 ? init : c, c);
  for (; p < k; ++p) add_columns<T, 1>(m, a.data + p * a.col, a.col, b.data + p * b.row, b.row, p == 0 ? init : c, c);
  if (k == 0) copy(m, init, c);
}

/// c = init + a b; c may be init. Each element is added up term by term, in order, whichever way is taken.
template <class T>
EIGAN_TARGET inline void multiply(Index m, Index n, Index k, Strided<const T> a, Strided<const T> b,
                                  Strided<const T> init, Strided<T> c) {
  if (n == 1) {
    multiply_vector(m, k, a, b, init.data, c.data);
    return;
  }
  if (k == 1) {  // an outer product: nothing is used twice but a, and c is best passed from end to end
    for (Index j = 0; j < n; ++j)
      add_columns<T, 1>(m, a.data, a.col, b.data + j * b.col, b.row, init.data + j * init.col, c.data + j * c.col);
    return;
  }
  constexpr auto bytes = static_cast<std::size_t>(packed_elements<T> + panel_elements<T>)*sizeof(T);
  T* const packed = static_cast<T*>(thread_memory(bytes));
  // Of a b whose rows lie apart, a block of columns takes a cache line for each term. These lines evict each other, or
  // the strip, where they are many, or where they are some power of two apart and share few cache sets. Enough rows of
  // a must read the copy.
  const bool crowded = b.row * static_cast<Index>(sizeof(T)) % 1024 == 0 && k >= 16;
  const bool often_read = m >= 4 * strip_vectors * lanes<T> && n >= 8;
  if (b.col == 1 && (crowded || k >= 192) && often_read) {
    const Index most = k < strip_terms<T> ? k : strip_terms<T>;
    multiply_pieces(m, n, k, a, b, init, c, panel_elements<T> / most / block_columns * block_columns, packed,
                    packed + packed_elements<T>);
  } else {
    constexpr Index width = 256;  // as many columns as should stay in the second-level cache
    multiply_pieces<T>(m, n, k, a, b, init, c, width, packed, nullptr);
  }
}

template <class T>
EIGAN_TARGET inline void add_row_sums(Index m, Index n, Strided<const T> a, T* sums) {
  constexpr Index L = lanes<T>;
  Index i = 0;
  for (; i + L <= m; i += L) {
    Vector<T> sum = load(sums + i);
    for (Index j = 0; j < n; ++j) sum += load(a.data + j * a.col + i);
    store(sums + i, sum);
  }
  for (; i < m; ++i)
    for (Index j = 0; j < n; ++j) sums[i] += a.data[j * a.col + i];
}

template <class T>
struct TableOf<ProductKernels<T>> {
  static constexpr ProductKernels<T> table{
      .multiply = multiply<T>,
      .multiply_transposed = multiply_transposed<T>,
      .add_row_sums = add_row_sums<T>,
  };
};

}  // namespace eigan::detail::EIGAN_ISA
#undef EIGAN_ISA
#undef EIGAN_TARGET
#undef EIGAN_VECTOR_BYTES

#define EIGAN_ISA avx512
#define EIGAN_TARGET [[gnu::target("avx2,fma,avx512f")]]
#define EIGAN_VECTOR_BYTES 64

// ======== eigan/kernels/products.inc
// Matrix products: see products.hpp. Compiled by for_each_isa.inc.

// ======== eigan/kernels/dots.inc
// c = a^T b, as dot products. A part of products.inc.

namespace eigan::detail::EIGAN_ISA {

// Four accumulators become four neighbouring sums, always added in the same tree.
#if defined(EIGAN_X86_VECTORS)
using EightFloats = float __attribute__((vector_size(32)));
/// The sums of neighbours: two of a, two of b, two of a, two of b.
EIGAN_TARGET EIGAN_INLINE EightFloats add_neighbours(EightFloats a, EightFloats b) {
  return __builtin_shufflevector(a, b, 0, 2, 8, 10, 4, 6, 12, 14) +
         __builtin_shufflevector(a, b, 1, 3, 9, 11, 5, 7, 13, 15);
}
EIGAN_TARGET EIGAN_INLINE void store_sums(EightFloats s0, EightFloats s1, EightFloats s2, EightFloats s3, float* out) {
  const EightFloats t = add_neighbours(add_neighbours(s0, s1), add_neighbours(s2, s3));
  const auto sums = __builtin_shufflevector(t, t, 0, 1, 2, 3) + __builtin_shufflevector(t, t, 4, 5, 6, 7);
  std::memcpy(out, &sums, sizeof sums);
}
#if EIGAN_VECTOR_BYTES == 64
EIGAN_TARGET EIGAN_INLINE EightFloats halves(Vector<float> s) {
  return __builtin_shufflevector(s, s, 0, 1, 2, 3, 4, 5, 6, 7) +
         __builtin_shufflevector(s, s, 8, 9, 10, 11, 12, 13, 14, 15);
}
EIGAN_TARGET EIGAN_INLINE void store_sums(Vector<float> s0, Vector<float> s1, Vector<float> s2, Vector<float> s3,
                                          float* out) {
  store_sums(halves(s0), halves(s1), halves(s2), halves(s3), out);
}
#endif
#endif
template <class T>
EIGAN_TARGET EIGAN_INLINE T sum_of(Vector<T> v) {
  T sum = v[0];
  for (Index i = 1; i < lanes<T>; ++i) sum += v[i];
  return sum;
}
template <class V, class T>
EIGAN_TARGET EIGAN_INLINE void store_sums(V s0, V s1, V s2, V s3, T* out) {
  out[0] = sum_of<T>(s0);
  out[1] = sum_of<T>(s1);
  out[2] = sum_of<T>(s2);
  out[3] = sum_of<T>(s3);
}

/// Four columns of a against NR columns of b: 4 NR dot products of length k.
template <class T, Index NR>
EIGAN_TARGET EIGAN_INLINE void dot_block(Index k, const T* a, Index a_col, const T* b, Index b_col, T* c, Index c_col) {
  using V = Vector<T>;
  constexpr Index L = lanes<T>;
  V sum[extent(NR)][4] = {};
  Index p = 0;
  for (; p + L <= k; p += L) {
    V bv[extent(NR)];
    EIGAN_UNROLL for (Index j = 0; j < NR; ++j) bv[j] = in_register(load(b + j * b_col + p));
    EIGAN_UNROLL for (Index i = 0; i < 4; ++i) {
      const V av = in_register(load(a + i * a_col + p));
      EIGAN_UNROLL for (Index j = 0; j < NR; ++j) sum[j][i] = fma(av, bv[j], sum[j][i]);
    }
  }
  if (p < k) {
    V bv[extent(NR)];
    EIGAN_UNROLL for (Index j = 0; j < NR; ++j) bv[j] = load_part(b + j * b_col + p, k - p);
    EIGAN_UNROLL for (Index i = 0; i < 4; ++i) {
      const V av = load_part(a + i * a_col + p, k - p);
      EIGAN_UNROLL for (Index j = 0; j < NR; ++j) sum[j][i] = fma(av, bv[j], sum[j][i]);
    }
  }
  EIGAN_UNROLL for (Index j = 0; j < NR; ++j) store_sums(sum[j][0], sum[j][1], sum[j][2], sum[j][3], c + j * c_col);
}

template <class T>
EIGAN_TARGET EIGAN_INLINE T dot(Index k, const T* a, const T* b) {
  constexpr Index L = lanes<T>;
  Vector<T> sum = {};
  Index p = 0;
  for (; p + L <= k; p += L) sum = fma(load(a + p), load(b + p), sum);
  if (p < k) sum = fma(load_part(a + p, k - p), load_part(b + p, k - p), sum);
  T sums[4];
  store_sums(sum, sum, sum, sum, sums);
  return sums[0];
}

/// c = a^T b, as dot products of columns, each in lanes and added up in the same tree.
template <class T>
EIGAN_TARGET inline void multiply_transposed(Index m, Index n, Index k, Strided<const T> a, Strided<const T> b,
                                             Strided<T> c) {
  // As many columns of a as half of a first-level cache holds, so that each column of b is read once for all of them.
  const Index fit = 16384 / static_cast<Index>(sizeof(T)) / (k > 0 ? k : 1) / 4 * 4;
  const Index group = fit < 4 ? 4 : fit;
  Index i = 0;
  for (Index end = 0; i + 4 <= m; i = end) {
    end = m - i < group ? i + (m - i) / 4 * 4 : i + group;
    Index j = 0;
    for (; j + 3 <= n; j += 3)
      for (Index q = i; q < end; q += 4)
        dot_block<T, 3>(k, a.data + q * a.col, a.col, b.data + j * b.col, b.col, c.data + j * c.col + q, c.col);
    for (; j < n; ++j)
      for (Index q = i; q < end; q += 4)
        dot_block<T, 1>(k, a.data + q * a.col, a.col, b.data + j * b.col, b.col, c.data + j * c.col + q, c.col);
  }
  // The columns of a that are left, one at a time, each against four of b: one sum alone would wait for itself.
  for (; i < m; ++i) {
    Index j = 0;
    for (; j + 4 <= n; j += 4) {
      T sums[4];
      dot_block<T, 1>(k, b.data + j * b.col, b.col, a.data + i * a.col, 0, sums, 0);
      for (Index q = 0; q < 4; ++q) c.data[(j + q) * c.col + i] = sums[q];
    }
    for (; j < n; ++j) c.data[j * c.col + i] = dot(k, a.data + i * a.col, b.data + j * b.col);
  }
}

}  // namespace eigan::detail::EIGAN_ISA

// ======== eigan/kernels/strips.inc
// Strips of a product: so few rows of the result that all their sums stay in registers. A part of products.inc.

namespace eigan::detail::EIGAN_ISA {

// Registers of accumulators: strip_vectors x block_columns of them, plus a strip's vectors, plus one broadcast.
inline constexpr Index strip_vectors = 3;
inline constexpr Index block_columns = EIGAN_VECTOR_BYTES == 64 ? 8 : 4;
/// A packed strip takes 24 kB: half of a first-level cache of 48 kB, three quarters of one of 32 kB.
template <class T>
inline constexpr Index strip_terms = 24576 / (strip_vectors * EIGAN_VECTOR_BYTES);

/// MV vectors of rows by NR columns of c = init + a b: outer products over k, all sums in registers.
template <class T, Index MV, Index NR>
EIGAN_TARGET EIGAN_INLINE void multiply_block(Index k, const T* a, Index a_col, const T* b, Index b_row, Index b_col,
                                              const T* init, Index init_col, T* c, Index c_col) {
  using V = Vector<T>;
  constexpr Index L = lanes<T>;
  V sum[extent(NR)][extent(MV)];
  EIGAN_UNROLL for (Index j = 0; j < NR; ++j) {
    EIGAN_UNROLL for (Index i = 0; i < MV; ++i) sum[j][i] = load(init + j * init_col + i * L);
  }
  // Twice, because how such a short loop happens to lie in the code changes its speed by some percent.
  EIGAN_UNROLL_TWICE
  for (Index p = 0; p < k; ++p) {
    V av[extent(MV)];
    EIGAN_UNROLL for (Index i = 0; i < MV; ++i) av[i] = in_register(load(a + i * L));
    EIGAN_UNROLL for (Index j = 0; j < NR; ++j) {
      const V bv = broadcast(b[j * b_col]);
      EIGAN_UNROLL for (Index i = 0; i < MV; ++i) sum[j][i] = fma(av[i], bv, sum[j][i]);
    }
    a += a_col;
    b += b_row;
  }
  EIGAN_UNROLL for (Index j = 0; j < NR; ++j) {
    EIGAN_UNROLL for (Index i = 0; i < MV; ++i) store(c + j * c_col + i * L, sum[j][i]);
  }
}

/// The right operand as strips read it: element (p, j) of a block of columns is block[p * row + j * col].
template <class T>
struct Right {
  const T* data;
  Index row, col;
  Index block;  // from one block of block_columns to the next
  EIGAN_TARGET EIGAN_INLINE Right from(Index column) const {
    constexpr Index width = block_columns;
    return {data + column / width * block + column % width * col, row, col, block};
  }
};

/// All columns of one strip of MV vectors of rows, `rows` of which are real. A block whose last rows do not fill a
/// vector passes init and c through a full-sized copy.
template <class T, Index MV, Index NR>
EIGAN_TARGET inline void multiply_strip(Index rows, Index n, Index k, const T* a, Index a_col, Right<T> b,
                                        Strided<const T> init, Strided<T> c) {
  constexpr Index height = MV * lanes<T>;
  T copy[extent(NR * height)] = {};
  const bool whole = rows == height;
  Index j = 0;
  for (; j + NR <= n; j += NR) {
    const T* start = init.data + j * init.col;
    T* result = c.data + j * c.col;
    // The sums of the next block or, at the last whole one, the first of the next strip: they lie in short pieces, far
    // apart, where the processor does not fetch ahead by itself, and nothing can be multiplied before they are there.
    if (init.col > 0) {
      const T* upcoming = j + 2 * NR <= n ? start + NR * init.col : init.data + height;
      EIGAN_UNROLL for (Index q = 0; q < NR; ++q) {
        __builtin_prefetch(upcoming + q * init.col, 1);
        __builtin_prefetch(upcoming + q * init.col + height - 1, 1);
      }
    }
    if (!whole)
      for (Index q = 0; q < NR; ++q)
        for (Index i = 0; i < rows; ++i) copy[q * height + i] = start[q * init.col + i];
    multiply_block<T, MV, NR>(k, a, a_col, b.from(j).data, b.row, b.col, whole ? start : copy,
                              whole ? init.col : height, whole ? result : copy, whole ? c.col : height);
    if (!whole)
      for (Index q = 0; q < NR; ++q)
        for (Index i = 0; i < rows; ++i) result[q * c.col + i] = copy[q * height + i];
  }
  if constexpr (NR > 1)
    if (j < n)
      multiply_strip<T, MV, NR / 2>(rows, n - j, k, a, a_col, b.from(j), {init.data + j * init.col, 1, init.col},
                                    {c.data + j * c.col, 1, c.col});
}

/// How many vectors of rows the next strip has, of `left` that remain: no strip of one, if avoidable.
EIGAN_TARGET EIGAN_INLINE Index strip_size(Index left) {
  return left == strip_vectors + 1 ? 2 : left < strip_vectors ? left : strip_vectors;
}

/// Copies `terms` columns of a strip, `rows` of which are real, one after the other; zeros stand for the missing rows.
/// Vector by vector: a loop over elements would become a call of memcpy for every column.
template <class T, Index MV>
EIGAN_TARGET EIGAN_INLINE void gather_strip(Index rows, Index terms, const T* a, Index a_col, T* packed) {
  constexpr Index L = lanes<T>;
  if (rows >= MV * L) {  // the usual case, without a question for each vector
    for (Index q = 0; q < terms; ++q) {
      EIGAN_UNROLL for (Index r = 0; r < MV; ++r) store(packed + r * L, in_register(load(a + r * L)));
      a += a_col;
      packed += MV * L;
    }
    return;
  }
  for (Index q = 0; q < terms; ++q) {
    EIGAN_UNROLL for (Index r = 0; r < MV; ++r) {
      const Index left = rows - r * L;
      store(packed + r * L, in_register(left >= L ? load(a + r * L) : load_part(a + r * L, left)));
    }
    a += a_col;
    packed += MV * L;
  }
}

/// Strips whose columns are copied together at a time, so that a cache line two strips share is fetched once.
inline constexpr Index block_strips = 4;
template <class T>
inline constexpr Index packed_elements = strip_terms<T> * strip_vectors * lanes<T> * block_strips;

/// c = init + a b for so few terms that a strip of them stays in the first-level cache. packed: packed_elements.
template <class T>
EIGAN_TARGET EIGAN_NOINLINE void multiply_terms(Index m, Index n, Index terms, Strided<const T> a, Right<T> b,
                                                Strided<const T> init, Strided<T> c, T* packed) {
  constexpr Index L = lanes<T>;
  // Columns of a are copied together where that pays: far ones cost a page each, and those an even number of cache
  // lines apart share few cache sets, from 512 bytes on too few for a strip. Enough columns of b must read the copy.
  const Index column_bytes = a.col * static_cast<Index>(sizeof(T));
  const bool gather = column_bytes % 128 == 0 ? column_bytes >= 512 && n >= 16 : column_bytes >= 2048 && n >= 48;
  const Index vectors = (m + L - 1) / L;
  for (Index first = 0, end = 0; first < vectors; first = end) {
    for (Index s = 0; s < (gather ? block_strips : 1) && end < vectors; ++s) end += strip_size(vectors - end);
    const bool copied = gather || end * L > m;  // rows that do not fill a vector are filled up in the copy
    // A few columns at a time, for what two strips share to be in the first-level cache still.
    constexpr Index few = 16;
    for (Index p = 0; copied && p < terms; p += few) {
      T* to = packed;
      for (Index v = first, size = 0; v < end; v += size) {
        size = strip_size(vectors - v);
        const Index count = terms - p < few ? terms - p : few;
        const T* columns = a.data + p * a.col + v * L;
        if (size == 3)
          gather_strip<T, 3>(m - v * L, count, columns, a.col, to + p * size * L);
        else if (size == 2)
          gather_strip<T, 2>(m - v * L, count, columns, a.col, to + p * size * L);
        else
          gather_strip<T, 1>(m - v * L, count, columns, a.col, to + p * size * L);
        to += terms * size * L;
      }
    }
    const T* from = packed;
    for (Index v = first, size = 0; v < end; v += size) {
      size = strip_size(vectors - v);
      const Index i = v * L, rows = m - i < size * L ? m - i : size * L;
      const T* strip = copied ? from : a.data + i;
      const Index strip_col = copied ? size * L : a.col;
      const Strided<const T> start{init.data + i, 1, init.col};
      const Strided<T> result{c.data + i, 1, c.col};
      if (size == 3)
        multiply_strip<T, 3, block_columns>(rows, n, terms, strip, strip_col, b, start, result);
      else if (size == 2)
        multiply_strip<T, 2, block_columns>(rows, n, terms, strip, strip_col, b, start, result);
      else
        multiply_strip<T, 1, block_columns>(rows, n, terms, strip, strip_col, b, start, result);
      from += terms * size * L;
    }
  }
}

}  // namespace eigan::detail::EIGAN_ISA

namespace eigan::detail::EIGAN_ISA {

/// A panel of b: it stays in the second-level cache.
template <class T>
inline constexpr Index panel_elements = 131072 / static_cast<Index>(sizeof(T));

/// Copies `columns` of b's columns, which lie side by side, block after block: a block's terms follow each other.
/// A cache line of b at a time.
template <class T>
EIGAN_TARGET EIGAN_INLINE void gather_panel(Index columns, Index terms, const T* b, Index b_row, T* panel) {
  constexpr Index width = block_columns, line = 64 / static_cast<Index>(sizeof(T));
  constexpr std::size_t bytes = sizeof(T) * static_cast<std::size_t>(block_columns);
  for (Index j = 0; j < columns; j += line) {
    const Index end = columns - j < line ? columns : j + line;
    for (Index p = 0; p < terms; ++p) {
      Index q = j;
      for (; q + width <= end; q += width)
        std::memcpy(panel + q * terms + p * width, b + p * b_row + q, bytes);
      for (Index rest = q; rest < end; ++rest) panel[q * terms + p * width + rest - q] = b[p * b_row + rest];
    }
  }
}

/// c = init + a b, `width` columns of b at a time, which are first copied to `panel` where there is one.
template <class T>
EIGAN_TARGET EIGAN_INLINE void multiply_pieces(Index m, Index n, Index k, Strided<const T> a, Strided<const T> b,
                                               Strided<const T> init, Strided<T> c, Index width, T* packed, T* panel) {
  for (Index p = 0; p < k || p == 0; p += strip_terms<T>) {
    const Index terms = k - p < strip_terms<T> ? k - p : strip_terms<T>;
    if (p > 0) init = {c.data, 1, c.col};  // the sum so far
    for (Index j = 0; j < n; j += width) {
      const Index columns = n - j < width ? n - j : width;
      const T* const from = b.data + p * b.row + j * b.col;
      if (panel) gather_panel(columns, terms, from, b.row, panel);
      multiply_terms<T>(m, columns, terms, {a.data + p * a.col, 1, a.col},
                        panel ? Right<T>{panel, block_columns, 1, terms * block_columns}
                              : Right<T>{from, b.row, b.col, block_columns * b.col},
                        {init.data + j * init.col, 1, init.col}, {c.data + j * c.col, 1, c.col}, packed);
    }
  }
}

/// c = start + NC columns of a times NC elements of b.
template <class T, Index NC>
EIGAN_TARGET EIGAN_INLINE void add_columns(Index m, const T* a, Index a_col, const T* b, Index b_row, const T* start,
                                           T* c) {
  constexpr Index L = lanes<T>;
  Vector<T> bv[extent(NC)];
  EIGAN_UNROLL for (Index q = 0; q < NC; ++q) bv[q] = broadcast(b[q * b_row]);
  Index i = 0;
  for (; i + L <= m; i += L) {
    Vector<T> sum = load(start + i);
    EIGAN_UNROLL for (Index q = 0; q < NC; ++q) sum = fma(load(a + q * a_col + i), bv[q], sum);
    store(c + i, sum);
  }
  if (i < m) {
    Vector<T> sum = load_part(start + i, m - i);
    EIGAN_UNROLL for (Index q = 0; q < NC; ++q) sum = fma(load_part(a + q * a_col + i, m - i), bv[q], sum);
    store_part(c + i, sum, m - i);
  }
}

/// c = init + a b for one column of b: the columns of a are read from end to end, as the processor fetches ahead, and
/// the sums stay in the first-level cache. Each is added up in the same order as in multiply_block.
template <class T>
EIGAN_TARGET inline void multiply_vector(Index m, Index k, Strided<const T> a, Strided<const T> b, const T* init,
                                         T* c) {
  Index p = 0;
  for (; p + 8 <= k; p += 8)
    add_columns<T, 8>(m, a.data + p * a.col, a.col, b.data + p * b.row, b.row, p == 0 ? init : c, c);
  for (; p < k; ++p) add_columns<T, 1>(m, a.data + p * a.col, a.col, b.data + p * b.row, b.row, p == 0 ? init : c, c);
  if (k == 0) copy(m, init, c);
}

/// c = init + a b; c may be init. Each element is added up term by term, in order, whichever way is taken.
template <class T>
EIGAN_TARGET inline void multiply(Index m, Index n, Index k, Strided<const T> a, Strided<const T> b,
                                  Strided<const T> init, Strided<T> c) {
  if (n == 1) {
    multiply_vector(m, k, a, b, init.data, c.data);
    return;
  }
  if (k == 1) {  // an outer product: nothing is used twice but a, and c is best passed from end to end
    for (Index j = 0; j < n; ++j)
      add_columns<T, 1>(m, a.data, a.col, b.data + j * b.col, b.row, init.data + j * init.col, c.data + j * c.col);
    return;
  }
  constexpr auto bytes = static_cast<std::size_t>(packed_elements<T> + panel_elements<T>)*sizeof(T);
  T* const packed = static_cast<T*>(thread_memory(bytes));
  // Of a b whose rows lie apart, a block of columns takes a cache line for each term. These lines evict each other, or
  // the strip, where they are many, or where they are some power of two apart and share few cache sets. Enough rows of
  // a must read the copy.
  const bool crowded = b.row * static_cast<Index>(sizeof(T)) % 1024 == 0 && k >= 16;
  const bool often_read = m >= 4 * strip_vectors * lanes<T> && n >= 8;
  if (b.col == 1 && (crowded || k >= 192) && often_read) {
    const Index most = k < strip_terms<T> ? k : strip_terms<T>;
    multiply_pieces(m, n, k, a, b, init, c, panel_elements<T> / most / block_columns * block_columns, packed,
                    packed + packed_elements<T>);
  } else {
    constexpr Index width = 256;  // as many columns as should stay in the second-level cache
    multiply_pieces<T>(m, n, k, a, b, init, c, width, packed, nullptr);
  }
}

template <class T>
EIGAN_TARGET inline void add_row_sums(Index m, Index n, Strided<const T> a, T* sums) {
  constexpr Index L = lanes<T>;
  Index i = 0;
  for (; i + L <= m; i += L) {
    Vector<T> sum = load(sums + i);
    for (Index j = 0; j < n; ++j) sum += load(a.data + j * a.col + i);
    store(sums + i, sum);
  }
  for (; i < m; ++i)
    for (Index j = 0; j < n; ++j) sums[i] += a.data[j * a.col + i];
}

template <class T>
struct TableOf<ProductKernels<T>> {
  static constexpr ProductKernels<T> table{
      .multiply = multiply<T>,
      .multiply_transposed = multiply_transposed<T>,
      .add_row_sums = add_row_sums<T>,
  };
};

}  // namespace eigan::detail::EIGAN_ISA
#undef EIGAN_ISA
#undef EIGAN_TARGET
#undef EIGAN_VECTOR_BYTES

#undef EIGAN_X86_VECTORS
#endif

#undef EIGAN_INLINE
#undef EIGAN_NOINLINE
#undef EIGAN_UNROLL
#undef EIGAN_UNROLL_TWICE
EIGAN_SHARE_KERNELS(ProductKernels)

namespace eigan::gemm {

namespace detail {
template <class T>
eigan::detail::Strided<const T> strided(const ConstView<T>& m) {
  return {m.data(), 1, m.outerStride()};
}
template <class T>
eigan::detail::Strided<T> strided(View<T> m) {
  return {m.data(), 1, m.outerStride()};
}
}  // namespace detail

/// dx = w^T dy.  w: out x in, dy: out x batch, dx: in x batch.
template <class T>
void transposed(std::type_identity_t<ConstView<T>> w, std::type_identity_t<ConstView<T>> dy, View<T> dx) {
  const auto& k = eigan::detail::product_kernels<T>();
  if (w.rows() == 1 && w.outerStride() == 1) {
    // One output: w^T is a column that lies contiguous, and the product an outer one.
    dx.setZero();
    k.multiply(dx.rows(), dx.cols(), 1, {w.data(), 1, 1}, detail::strided<T>(dy), {dx.data(), 1, dx.outerStride()},
               detail::strided(dx));
    return;
  }
  k.multiply_transposed(dx.rows(), dx.cols(), dy.rows(), detail::strided<T>(w), detail::strided<T>(dy),
                        detail::strided(dx));
}

/// y = w x + bias.  w: out x in, x: in x batch, bias: out, y: out x batch.
template <class T>
void affine(std::type_identity_t<ConstView<T>> w, std::type_identity_t<ConstView<T>> x, const T* bias, View<T> y) {
  const auto& k = eigan::detail::product_kernels<T>();
  if (w.rows() == 1 && w.outerStride() == 1) {
    // One output: its weights lie contiguous, and each result is one dot product.
    k.multiply_transposed(1, y.cols(), x.rows(), {w.data(), 1, w.cols()}, detail::strided<T>(x), detail::strided(y));
    y.array() += *bias;
    return;
  }
  k.multiply(y.rows(), y.cols(), x.rows(), detail::strided<T>(w), detail::strided<T>(x), {bias, 1, 0},
             detail::strided(y));
}

/// y = w x.  w: out x in, x: in x batch, y: out x batch.
template <class T>
void product(std::type_identity_t<ConstView<T>> w, std::type_identity_t<ConstView<T>> x, View<T> y) {
  const T none = 0;
  if (w.rows() == 1) return affine<T>(w, x, &none, y);
  y.setZero();
  eigan::detail::product_kernels<T>().multiply(y.rows(), y.cols(), x.rows(), detail::strided<T>(w),
                                               detail::strided<T>(x), {y.data(), 1, y.outerStride()},
                                               detail::strided(y));
}

/// dw += dy x^T.  dy: out x batch, x: in x batch, dw: out x in.
template <class T>
void add_outer(std::type_identity_t<ConstView<T>> dy, std::type_identity_t<ConstView<T>> x, View<T> dw) {
  const auto& k = eigan::detail::product_kernels<T>();
  if (dw.rows() == 1 && dw.outerStride() == 1) {
    // One output: dw lies contiguous, dw^T += x dy^T.
    k.multiply(dw.cols(), 1, x.cols(), detail::strided<T>(x), {dy.data(), dy.outerStride(), 1},
               {dw.data(), 1, dw.cols()}, {dw.data(), 1, dw.cols()});
    return;
  }
  k.multiply(dw.rows(), dw.cols(), x.cols(), detail::strided<T>(dy), {x.data(), x.outerStride(), 1},
             {dw.data(), 1, dw.outerStride()}, detail::strided(dw));
}

}  // namespace eigan::gemm

namespace eigan {

/// A dense layer, y = w x + b. `Linear<784, 128>`, or `Linear<>(784, 128)` with sizes given at run time.
template <Index In = dynamic, Index Out = dynamic>
class Linear {
  static_assert((In > 0 || In == dynamic) && (Out > 0 || Out == dynamic),
                "eigan::Linear: sizes are positive or dynamic");
  static constexpr Index most_params = std::numeric_limits<Index>::max();
  static_assert(In == dynamic || Out == dynamic || In < most_params / Out,
                "eigan::Linear: more parameters than memory");

 public:
  static constexpr Index input = In;
  static constexpr Index output = Out;
  static constexpr bool backward_reads_y = false;
  static constexpr bool piecewise_linear = true;

  /// The sizes that the type states.
  constexpr Linear() requires(In != dynamic && Out != dynamic) : in_(In), out_(Out) {}
  /// Sizes at run time. Throws std::invalid_argument where they are not in 1 to 2^31 or contradict the type's.
  Linear(Index in_features, Index out_features) : in_(in_features), out_(out_features) {
    constexpr std::int64_t most = std::int64_t{1} << 31;  // more than an Index of 32 bits can be
    if (in_ <= 0 || out_ <= 0 || in_ > most || out_ > most || in_ >= most_params / out_ ||
        (In != dynamic && In != in_) || (Out != dynamic && Out != out_))
      detail::fail_contract("eigan::Linear<", detail::stated_text(In), ", ", detail::stated_text(Out),
                            ">: cannot have sizes ", in_, " and ", out_,
                            ", expected 1 to 2^31 and what the type states");
  }

  Index input_size() const { return in_; }
  Index output_size() const { return out_; }
  Index param_size() const { return out_ * in_ + out_; }
  /// Floating-point operations for a sample.
  double operations() const { return 2.0 * static_cast<double>(in_) * static_cast<double>(out_); }
  Spec spec() const {
    return {"Linear",
            {{"in_features", in_}, {"out_features", out_}},
            detail::concat("::eigan::Linear<", in_, ", ", out_, ">")};
  }
  std::vector<Parameter> parameters() const { return {{"weight", 0, out_, in_, 2}, {"bias", out_ * in_, out_, 1, 1}}; }

  // All sizes share the code of Linear<>.
  constexpr Shape output_shape(Shape in) const { return in == Shape{in_} ? Shape{out_} : Shape{}; }
  Linear<> at(Shape) const { return Linear<>(in_, out_); }
  /// What it takes, in words.
  std::string expects() const { return detail::concat(in_, " features"); }

  /// The weight inside this layer's parameters (or gradients, or moments): out x in. Throws std::invalid_argument for
  /// another layer's.
  template <class T>
  View<T> weight(std::span<T> p) const {
    check_own(p.size());
    return {p.data(), out_, in_};
  }
  template <class T>
  ConstView<T> weight(std::span<const T> p) const {
    check_own(p.size());
    return {p.data(), out_, in_};
  }
  /// The bias: out x 1.
  template <class T>
  View<T> bias(std::span<T> p) const {
    check_own(p.size());
    return {p.data() + out_ * in_, out_, 1};
  }
  template <class T>
  ConstView<T> bias(std::span<const T> p) const {
    check_own(p.size());
    return {p.data() + out_ * in_, out_, 1};
  }

  template <class T>
  void init(std::span<T> p, Rng rng) const {
    init::linear_default(weight(p), bias(p), rng);
  }

  template <class T>
  void forward(std::span<const T> p, ConstView<T> x, View<T> y) const {
    gemm::affine<T>(weight(p), x, bias(p).data(), y);
  }

  template <class T>
  void backward_input(std::span<const T> p, ConstView<T>, ConstView<T>, ConstView<T> dy, View<T> dx) const {
    gemm::transposed<T>(weight(p), dy, dx);
  }

  // Parts: runs of outputs on the way forward, of inputs on the way back, about 64 of the larger number. Kernels
  // compute each element by itself, so that no bit depends on its part.
  Index part_count() const { return std::max<Index>(1, std::max(in_, out_) / 64); }
  template <class T>
  void forward_parts(std::span<const T> p, ConstView<T> x, View<T> y, Index first, Index last) const {
    const Index row = part_begin(out_, first), count = part_begin(out_, last) - row;
    if (count > 0)
      gemm::affine<T>({weight(p).data() + row, count, in_, out_}, x, bias(p).data() + row,
                      View<T>(y.data() + row, count, y.cols(), y.outerStride()));
  }
  template <class T>
  void backward_input_parts(std::span<const T> p, ConstView<T>, ConstView<T>, ConstView<T> dy, View<T> dx, Index first,
                            Index last) const {
    const Index row = part_begin(in_, first), count = part_begin(in_, last) - row;
    if (count > 0)
      gemm::transposed<T>(weight(p).columns(row, count), dy,
                          View<T>(dx.data() + row, count, dx.cols(), dx.outerStride()));
  }

  template <class T>
  void backward_params(std::span<const T> p, ConstView<T> x, ConstView<T> y, ConstView<T> dy, std::span<T> dp) const {
    backward_params_blocks(p, x, y, dy, dp, 0, block_count());
  }

  // Blocks: columns of the weight, a sixteenth of the layer, so that threads share the work evenly, but about 8192
  // parameters at least and 65536 at most. The bias comes with the last.
  Index block_count() const { return (in_ + block_columns() - 1) / block_columns(); }
  std::pair<Index, Index> block_range(Index block) const {
    const bool last = block + 1 == block_count();
    return {block * block_columns() * out_, last ? param_size() : (block + 1) * block_columns() * out_};
  }
  template <class T>
  void backward_params_blocks(std::span<const T>, ConstView<T> x, ConstView<T>, ConstView<T> dy, std::span<T> dp,
                              Index first, Index last) const {
    const Index column = first * block_columns();
    const Index count = std::min(last * block_columns(), in_) - column;
    gemm::add_outer<T>(dy, {x.data() + column, count, x.cols(), x.outerStride()}, weight(dp).columns(column, count));
    if (last == block_count())
      detail::product_kernels<T>().add_row_sums(out_, dy.cols(), {dy.data(), 1, dy.outerStride()}, bias(dp).data());
  }

  template <class T>
  void forward_tangent(std::span<const T> p, ConstView<T>, ConstView<T>, ConstView<T> tx, View<T> ty) const {
    gemm::product<T>(weight(p), tx, ty);
  }
  template <class T>
  void backward_params_tangent(std::span<const T>, ConstView<T>, ConstView<T>, ConstView<T> tx, ConstView<T> dty,
                               std::span<T> dp) const {
    gemm::add_outer<T>(dty, tx, weight(dp));
  }

 private:
  /// Where part `part` begins of n rows: behind a multiple of 16, as kernels like it.
  Index part_begin(Index n, Index part) const { return part == part_count() ? n : n * part / part_count() / 16 * 16; }
  Index block_columns() const {
    const Index params = std::clamp<Index>(out_ * in_ / 16, 8192, 65536);
    return std::max<Index>(8, params / out_ / 8 * 8);
  }

  void check_own(std::size_t params) const {
    if (params != static_cast<std::size_t>(param_size()))
      detail::fail_contract("eigan::Linear: this layer has ", param_size(), " parameters, given are ", params);
  }

  Index in_;
  Index out_;
};

static_assert(BlockedLayer<Linear<3, 2>> && PartedLayer<Linear<3, 2>> && TangentLayer<Linear<3, 2>>);
static_assert(BlockedLayer<Linear<>, double> && ShapedLayer<Linear<3, 2>>);

}  // namespace eigan

// ======== eigan/layers/tanh.hpp
// Tanh: y = tanh x.     Backward: dx = (1 - y^2) dy.     y'' = -2 y (1 - y^2).     Element-wise.

namespace eigan {

/// y = tanh x.
class Tanh {
 public:
  static constexpr bool elementwise = true;
  static constexpr bool backward_reads_x = false;

  Spec spec() const { return {"Tanh", {}, "::eigan::Tanh"}; }

  template <class T>
  void forward(std::span<const T>, ConstView<T> x, View<T> y) const {
    detail::for_each_column(
        y, x, [](Index n, T* yj, const T* xj) { detail::kernels<detail::TanhKernels<T>>().forward(n, xj, yj); });
  }

  template <class T>
  void backward_input(std::span<const T>, ConstView<T>, ConstView<T> y, ConstView<T> dy, View<T> dx) const {
    detail::for_each_column(dx, y, dy, [](Index n, T* dxj, const T* yj, const T* dyj) {
      detail::kernels<detail::TanhKernels<T>>().backward(n, yj, dyj, dxj);
    });
  }

  template <class T>
  void add_curvature(std::span<const T>, ConstView<T>, ConstView<T> y, ConstView<T> tx, ConstView<T> dty,
                     View<T> dx) const {
    detail::add_curvature(y, tx, dty, dx, [](T v) { return T(-2) * v * std::fma(-v, v, T(1)); });
  }
};

static_assert(TangentLayer<Tanh>);

}  // namespace eigan

// ======== eigan/net/sequential.hpp
// Sequential<Layers...>: layers one after the other, with shapes checked at compile time where the types state them
// and at construction otherwise. Like a layer it is a value without memory; Model adds the parameters.

#include <tuple>

// ======== eigan/net/composition.hpp
// Compositions: what a network is put together from. A composition (Sequential, Residual, ...) appends its layers to a
// list of steps. Where types state sizes, it also checks them when the program is compiled: ShapeAfter<L, In, Path> is
// the shape that comes out of L where In goes in, `unknown_shape` where the types do not say. The innermost culprit's
// static_assert comes first and shows, as template arguments, the layer, what it expects, what it receives and its
// Path: 2, 1 is layer 1 of the composition that is layer 2, and in front of a row layer 1 of an Inputs' part 2.

namespace eigan {

/// Appends its layers to a list of steps behind a level, under names that begin with a prefix. input_shapes() is as
/// detail::input_shapes_of says.
template <class C>
concept Composition = requires(const C c) {
  { c.spec() } -> std::same_as<Spec>;
  { c.input_shapes() } -> std::same_as<std::vector<Shape>>;
  typename C::Composes;
};

namespace detail {

inline constexpr Shape unknown_shape{dynamic, dynamic, dynamic};

/// A layer's shape in the type: what goes in, unknown where it does not say.
template <class L>
constexpr Shape stated_input() {
  if constexpr (requires { std::bool_constant<(L::input > 0)>{}; })
    return L::input > 0 ? Shape{L::input} : unknown_shape;
  else
    return unknown_shape;
}

/// For a message: what it takes in place of In. Of a layer that knows images, the channels at In's height and width.
template <class L, Shape In>
constexpr Shape expected_input() {
  if constexpr (ShapedLayer<L> && std::is_default_constructible_v<L> && stated_input<L>() == unknown_shape)
    for (Index channels = 1; channels <= 4096; ++channels)
      if (const Shape shape{channels, In.height, In.width}; L{}.output_shape(shape)) return shape;
  return stated_input<L>();
}

template <class L, Shape Expects, Shape Receives, std::size_t... Path>
struct LayerTakesNoSuchInput {
  static_assert(
      Expects == Receives,
      "eigan: this layer does not take what the layer before gives; the template arguments are the layer, what "
      "it expects, what it receives (channels, height, width) and its place in the network");
};

template <class L, Shape In>
constexpr Shape shape_after_layer() {
  if constexpr (ShapedLayer<L> && std::is_default_constructible_v<L> && In != unknown_shape)
    return L{}.output_shape(In);
  else if constexpr (requires { std::bool_constant<(L::output > 0)>{}; })
    return L::output > 0 && (In == unknown_shape || stated_input<L>() == unknown_shape || stated_input<L>() == In)
               ? Shape{L::output}
               : (L::output > 0 ? Shape{} : unknown_shape);
  else if constexpr (ElementwiseLayer<L>)
    return In;
  else
    return unknown_shape;
}

/// What stands in the network: the layer, or what one that knows images is when it is placed.
template <class L>
struct PlacedLayer {
  using type = L;
};
template <ShapedLayer L>
struct PlacedLayer<L> {
  using type = std::remove_cvref_t<decltype(std::declval<const L&>().at(Shape{}))>;
};

/// Of a layer. A class, not a constexpr function: clang would add a second, unhelpful error to a function's.
template <class L, Shape In, std::size_t... Path>
struct ShapeAfter : MustBeALayer<typename PlacedLayer<L>::type, Path...> {
  static constexpr Shape out = shape_after_layer<L, In>();
  static constexpr bool fits = static_cast<bool>(out) || out == unknown_shape;
  static constexpr Shape value = fits ? out : unknown_shape;  // one error is enough
  // sizeof in an assertion, because it instantiates the check with this class; a data member would wait for its use.
  static_assert(sizeof(LayerTakesNoSuchInput < L, fits ? In : expected_input<L, In>(), In, Path... >) > 0);
};
template <Composition C, Shape In, std::size_t... Path>
struct ShapeAfter<C, In, Path...> : C::template Check<In, Path...> {};

/// Whether it states the network's input, and has no number among its layers.
template <class L>
inline constexpr bool is_input = false;

/// Of layers in a row. Index: the next one's place, Path: the row's own.
template <Shape In, std::size_t Index, class Path, class... Ls>
struct ShapeAfterRow {
  static constexpr Shape value = In;
};
template <Shape In, std::size_t Index, std::size_t... Path, class L, class... Ls>
struct ShapeAfterRow<In, Index, std::index_sequence<Path...>, L, Ls...>
    : ShapeAfterRow<ShapeAfter<L, In, Path..., Index>::value, Index + 1, std::index_sequence<Path...>, Ls...> {};
template <Shape In, std::size_t Index, std::size_t... Path, class L, class... Ls>
requires is_input<L>
struct ShapeAfterRow<In, Index, std::index_sequence<Path...>, L, Ls...>
    : ShapeAfterRow<ShapeAfter<L, In, Path...>::value, Index, std::index_sequence<Path...>, Ls...> {
};

/// Of shapes side by side. A vector among images is repeated at every pixel.
template <Shape A, Shape B, std::size_t... Path>
struct SideBySideMustHaveOneHeightAndWidth {
  static constexpr bool unknown = A == unknown_shape || B == unknown_shape;
  static_assert(unknown || A.is_vector() || B.is_vector() || (A.height == B.height && A.width == B.width),
                "eigan: images side by side need one height and width; the template arguments are the two shapes "
                "(channels, height, width) and the place in the network");
  static constexpr Shape value =
      unknown ? unknown_shape
              : Shape{A.channels + B.channels, std::max(A.height, B.height), std::max(A.width, B.width)};
};
/// `Pair` checks two of them and joins them.
template <template <Shape, Shape, std::size_t...> class Pair, class Path, Shape A, Shape... More>
struct SideBySide {
  static constexpr Shape value = A;
};
template <template <Shape, Shape, std::size_t...> class Pair, std::size_t... Path, Shape A, Shape B, Shape... More>
struct SideBySide<Pair, std::index_sequence<Path...>, A, B, More...>
    : SideBySide<Pair, std::index_sequence<Path...>, Pair<A, B, Path...>::value, More...> {};

/// Whether a pass over it draws random numbers.
template <class L>
constexpr bool is_stochastic() {
  if constexpr (requires { std::bool_constant<L::stochastic>{}; })
    return L::stochastic;
  else if constexpr (Composition<L>)
    return false;  // only the program knows: a pass without an Rng is refused there
  else
    return StochasticLayer<L, float>;
}

/// Appends a layer or a composition.
template <class T, class L>
std::size_t append(Steps<T>& steps, const L& layer, std::size_t level, const std::string& name) {
  if constexpr (is_input<L>)
    return layer.append(steps, level, name);
  else if constexpr (Composition<L>)
    return layer.append(steps, level, name + '.');
  else
    return steps.add(layer, level, name);
}

template <class L>
Spec spec_of_any(const L& layer) {
  if constexpr (Composition<L>)
    return layer.spec();
  else
    return spec_of(layer);
}

/// What a layer or composition takes if its own sizes say so. None for one that takes any shape and gives the same: the
/// next layer may state it. A Shape{} for one that gives another shape and does not state its own: no later layer can.
template <class L>
std::vector<Shape> input_shapes_of(const L& layer) {
  if constexpr (Composition<L>) return layer.input_shapes();
  if constexpr (SizedLayer<L>)
    if (const Shape vector{input_of(layer)}; vector)
      return std::vector{output_shape_of(layer, vector) ? vector : Shape{}};
  return ElementwiseLayer<L> ? std::vector<Shape>{} : std::vector{Shape{}};
}

/// Of layers that all read the same: one that states a shape does so for the others. Together they give another shape.
template <class Ask>
std::vector<Shape> input_shapes_of_heads(std::size_t heads, const Ask& ask) {
  for (std::size_t head = 0; head < heads; ++head)
    if (std::vector<Shape> shapes = ask(head); !shapes.empty() && shapes.front()) return shapes;
  return std::vector{Shape{}};
}

/// The shapes of a network's inputs, none unless its layers state them.
template <class Net>
std::vector<Shape> stated_inputs(const Net& net) {
  std::vector<Shape> shapes = net.input_shapes();
  if (std::any_of(shapes.begin(), shapes.end(), [](Shape shape) { return !shape; })) shapes.clear();
  return shapes;
}

}  // namespace detail
}  // namespace eigan

// ======== eigan/net/input.hpp
// Input: the shape of a network's samples, stated in front of its first layer. Inputs: several, joined to one: channels
// side by side, and a vector repeated at every pixel (a condition beside an image, a pair of images). Layers that only
// one of them goes through stand behind it.
//
//   Sequential<Input<3, 64, 64>, Conv2d<3, 32, 4, 2, 1>, ...>
//   Sequential<Inputs<Input<1, 28, 28>, Input<10>>, Conv2d<11, 32, 4, 2, 1>, ...>
//   Sequential<Inputs<Sequential<Input<1, 28, 28>, Conv2d<1, 8, 4, 4, 0>, Flatten>, Input<10>>, Linear<402, 1>>

namespace eigan {

namespace detail {
/// An Input's description; its type is written with the sizes that are given behind the shape.
inline Spec input_spec(Shape shape, Index channels, Index height, Index width) {
  return {"Input",
          {{"channels", shape.channels}, {"height", shape.height}, {"width", shape.width}},
          concat("::eigan::Input<", channels, ", ", height, ", ", width, ">")};
}
/// Another height and width than the Input states may go in, but no other channels, and no vector for an image. `place`
/// is empty, or that of the row of layers that begins with it, "1.", or its own, "inputs.0".
inline void check_input(Shape stated, Shape in, std::string place) {
  if (place.ends_with('.')) place.pop_back();
  if (in.channels != stated.channels || in.is_vector() != stated.is_vector())
    fail_contract("eigan::Input", place.empty() ? "" : " of layer " + place, ": expects ", shape_text(stated),
                  " and receives ", shape_text(in));
}
}  // namespace detail

/// States a shape and computes nothing. `Input<3, 64, 64>`, or `Input<>(3, 64, 64)` with the shape given at run time;
/// `Input<3>` and `Input<>(3)` are vectors.
template <Index Channels = dynamic, Index Height = (Channels == dynamic ? dynamic : 1),
          Index Width = detail::width_beside(Height)>
class Input {
  static_assert(Width != 0, "eigan::Input: height and width go together, as in Input<3, 64, 64>");

 public:
  using Composes = void;  ///< it is a Composition
  static constexpr bool stochastic = false;

  /// The shape that the type states.
  constexpr Input() requires(Channels != dynamic && Height != dynamic && Width != dynamic)
      : shape_{Channels, Height, Width} {}
  /// A vector's.
  explicit Input(Index channels) : Input(channels, 1, 1) {}
  /// Throws std::invalid_argument where the type contradicts.
  Input(Index channels, Index height, Index width) : shape_{channels, height, width} {
    const auto differs = [](Index stated, Index given) { return given < 1 || (stated != dynamic && stated != given); };
    if (differs(Channels, channels) || differs(Height, height) || differs(Width, width))
      detail::fail_contract("eigan::Input: cannot have the shape ", shape_text(shape_));
  }

  /// The shape.
  constexpr Shape shape() const { return shape_; }
  std::vector<Shape> input_shapes() const { return {shape_}; }
  Spec spec() const { return detail::input_spec(shape_, Channels, Height, Width); }
  template <class T>
  std::size_t append(Steps<T>& steps, std::size_t level, const std::string& name) const {
    detail::check_input(shape_, steps.levels()[level], name);
    return level;
  }
  template <Shape, std::size_t...>
  struct Check {
    static constexpr bool stated = Channels != dynamic && Height != dynamic && Width != dynamic;
    static constexpr Shape value = stated ? Shape{Channels, Height, Width} : detail::unknown_shape;
  };

 private:
  Shape shape_;
};

namespace detail {
/// The Input or Inputs in front of a description, null where there is none.
inline Spec* input_in_front(Spec& layers) {
  Spec* first = &layers;
  while (first->name == "Sequential" && !first->children.empty()) first = &first->children.front();
  return first->name == "Input" || first->name == "Inputs" ? first : nullptr;
}
inline bool holds_input(const Spec& layers) {
  return layers.name == "Input" || layers.name == "Inputs" ||
         std::any_of(layers.children.begin(), layers.children.end(), holds_input);
}

/// What part i of an Inputs takes. An Input stands in front or nowhere, since it follows another height and width.
inline Shape input_of_part(const std::vector<Shape>& stated, Spec part, std::size_t i) {
  const Spec* const front = input_in_front(part);
  const bool in_front = front != nullptr ? front->name == "Input" : !holds_input(part);
  if (stated.size() != 1 || !stated.front() || !in_front)
    fail_contract("eigan::Inputs: input ", i,
                  " must be an Input, a row of layers that begins with one, or layers that state their size");
  return stated.front();
}

template <class T>
void check_number_of_inputs(const Steps<T>& steps, std::size_t parts) {
  if (steps.inputs() != parts)
    fail_contract("eigan::Inputs: a network of ", parts, " inputs was given ", steps.inputs());
}

/// Every part by itself, then together.
template <class Path, class Numbers, class... Parts>
struct CheckInputs;
template <std::size_t... Path, std::size_t... I, class... Parts>
struct CheckInputs<std::index_sequence<Path...>, std::index_sequence<I...>, Parts...>
    : SideBySide<SideBySideMustHaveOneHeightAndWidth, std::index_sequence<Path...>,
                 ShapeAfter<Parts, unknown_shape, Path..., I>::value...> {};
}  // namespace detail

/// Several inputs, joined. Each part is an Input, a Sequential that begins with one, or a layer or composition that
/// states its size.
template <class... Parts>
class Inputs {
  static_assert(sizeof...(Parts) > 0, "eigan::Inputs: needs at least one input");

 public:
  using Composes = void;  ///< it is a Composition
  static constexpr bool stochastic = (detail::is_stochastic<Parts>() || ...);

  /// Of parts whose types state all sizes.
  Inputs() requires(std::is_default_constructible_v<Parts>&&...) : Inputs(Parts{}...) {}
  /// Of any parts. Throws std::invalid_argument where one does not state what it takes.
  explicit Inputs(Parts... parts) requires(sizeof...(Parts) > 0) : parts_(std::move(parts)...) {
    const auto take = [&](const auto& part) {
      shapes_.push_back(
          detail::input_of_part(detail::input_shapes_of(part), detail::spec_of_any(part), shapes_.size()));
    };
    std::apply([&](const auto&... part) { (take(part), ...); }, parts_);
  }

  /// What input I goes through.
  template <std::size_t I>
  const auto& part() const {
    return std::get<I>(parts_);
  }

  std::vector<Shape> input_shapes() const { return shapes_; }
  template <class T>
  std::size_t append(Steps<T>& steps, std::size_t, const std::string& prefix) const {
    detail::check_number_of_inputs(steps, sizeof...(Parts));
    std::vector<std::size_t> ends;
    const auto add = [&](const auto& part) {
      const std::size_t i = ends.size();
      ends.push_back(detail::append(steps, part, i, prefix + "inputs." + std::to_string(i)));
    };
    std::apply([&](const auto&... part) { (add(part), ...); }, parts_);
    return steps.concatenate(std::move(ends), prefix + "inputs");
  }
  Spec spec() const {
    Spec all{"Inputs", {}, "::eigan::Inputs"};
    std::apply([&](const auto&... part) { (all.children.push_back(detail::spec_of_any(part)), ...); }, parts_);
    return all;
  }

  template <Shape, std::size_t... Path>
  struct Check : detail::CheckInputs<std::index_sequence<Path...>, std::index_sequence_for<Parts...>, Parts...> {};

 private:
  std::tuple<Parts...> parts_;
  std::vector<Shape> shapes_;
};

namespace detail {
template <Index... Shape>
inline constexpr bool is_input<Input<Shape...>> = true;
template <class... Parts>
inline constexpr bool is_input<Inputs<Parts...>> = true;

/// The inputs' shapes.
template <class T>
std::span<const Shape> inputs_of(const Steps<T>& steps) {
  return std::span(steps.levels()).first(steps.inputs());
}

/// A network's description with inputs of the shapes given. They stand in front unless its layers state just these.
template <class Net>
Spec spec_with_inputs(const Net& net, std::span<const Shape> shapes) {
  Spec all = net.spec();
  std::vector<Spec> inputs;
  for (const Shape& s : shapes) inputs.push_back(input_spec(s, s.channels, s.height, s.width));
  Spec* const first = all.children.empty() ? nullptr : input_in_front(all.children.front());
  if (first != nullptr && first->name == "Input") {
    *first = inputs.front();
  } else if (first != nullptr) {
    for (std::size_t i = 0; i < inputs.size(); ++i)
      if (Spec* const input = input_in_front(first->children[i])) *input = inputs[i];
  } else if (const auto stated = net.input_shapes();
             !std::equal(shapes.begin(), shapes.end(), stated.begin(), stated.end())) {
    all.children.insert(all.children.begin(),
                        inputs.size() == 1 ? inputs[0] : Spec{"Inputs", {}, "::eigan::Inputs", {}, inputs});
  }
  return all;
}
}  // namespace detail

}  // namespace eigan

namespace eigan {

/// Layers in a row, left to right: `Sequential<Linear<784, 128>, ReLU, Linear<128, 10>>`. The first may be an Input,
/// which has no number: layer 0 is the one behind it.
template <class... Ls>
class Sequential {
  static_assert(sizeof...(Ls) > 0, "eigan::Sequential: needs at least one layer");
  static constexpr std::size_t inputs = detail::is_input<std::tuple_element_t<0, std::tuple<Ls...>>> ? 1 : 0;
  static_assert((std::size_t{detail::is_input<Ls>} + ...) == inputs,
                "eigan::Sequential: an Input states what goes into the network; only the first layer can be one");

 public:
  using Composes = void;  ///< it is a Composition

  /// How many layers.
  static constexpr std::size_t depth() { return sizeof...(Ls) - inputs; }
  /// Of layer I.
  template <std::size_t I>
  using LayerType = std::tuple_element_t<I + inputs, std::tuple<Ls...>>;
  /// Whether a training pass draws random numbers.
  static constexpr bool stochastic = (detail::is_stochastic<Ls>() || ...);

  /// Of layers whose types state all sizes.
  Sequential() requires(std::is_default_constructible_v<Ls>&&...) : Sequential(Ls{}...) {}
  /// Of any layers.
  explicit Sequential(Ls... layers) requires(sizeof...(Ls) > 0) : layers_(std::move(layers)...) {}

  /// Layer I.
  template <std::size_t I>
  const LayerType<I>& layer() const {
    return std::get<I + inputs>(layers_);
  }

  /// The shapes of the inputs, none if no layer states them, a Shape{} if none can (as a Composition's).
  std::vector<Shape> input_shapes() const {
    std::vector<Shape> shapes;
    const auto ask = [&](const auto& layer) {
      if (shapes.empty()) shapes = detail::input_shapes_of(layer);
    };
    std::apply([&](const auto&... layer) { (ask(layer), ...); }, layers_);
    return shapes;
  }
  /// Appends the layers, named by their numbers.
  template <class T>
  std::size_t append(Steps<T>& steps, std::size_t level, const std::string& prefix) const {
    std::size_t number = 0;
    const auto add = [&](const auto& layer) {
      if constexpr (detail::is_input<std::remove_cvref_t<decltype(layer)>>)
        level = layer.append(steps, level, prefix);
      else
        level = detail::append(steps, layer, level, prefix + std::to_string(number++));
    };
    std::apply([&](const auto&... layer) { (add(layer), ...); }, layers_);
    return level;
  }
  Spec spec() const {
    Spec all{"Sequential", {}, "::eigan::Sequential"};
    std::apply([&](const auto&... layer) { (all.children.push_back(detail::spec_of_any(layer)), ...); }, layers_);
    return all;
  }

  /// The check when the program is compiled.
  template <Shape In, std::size_t... Path>
  struct Check {
    static constexpr Shape value = detail::ShapeAfterRow<In, 0, std::index_sequence<Path...>, Ls...>::value;
  };

 private:
  std::tuple<Ls...> layers_;
};

}  // namespace eigan

namespace eigan {

/// What the hidden layers share.
struct HiddenOptions {
  double negative_slope = 0.2;  ///< of the leaky ReLU
  double dropout = 0.3;         ///< not in a NormalizedGenerator
};

namespace detail {

template <class... Ls>
struct LayerList {
  template <class... More>
  using Then = Sequential<Ls..., More...>;
};
/// What follows each hidden Linear.
struct WithDropout {
  template <Index Features, class... Ls>
  using After = LayerList<Ls..., LeakyReLU, Dropout>;
};
struct WithBatchNorm {
  template <Index Features, class... Ls>
  using After = LayerList<Ls..., BatchNorm1d<Features>, LeakyReLU>;
};

template <class Hidden, class Done, Index... Sizes>
struct HiddenStack;
template <class Hidden, class... Ls, Index In, Index Out>
struct HiddenStack<Hidden, LayerList<Ls...>, In, Out> {
  using type = LayerList<Ls..., Linear<In, Out>>;
};
template <class Hidden, class... Ls, Index In, Index Out, Index... More>
struct HiddenStack<Hidden, LayerList<Ls...>, In, Out, More...>
    : HiddenStack<Hidden, typename Hidden::template After<Out, Ls..., Linear<In, Out>>, Out, More...> {};

template <class L>
inline constexpr bool is_batch_norm = false;
template <Index Features>
inline constexpr bool is_batch_norm<BatchNorm1d<Features>> = true;

/// The layer of type L that belongs to the `linear`-th Linear of the stack.
template <class L, std::size_t N>
L make_stack_layer(const std::array<Index, N>& sizes, std::size_t linear, const HiddenOptions& options) {
  if constexpr (std::is_same_v<L, LeakyReLU>)
    return LeakyReLU(options.negative_slope);
  else if constexpr (std::is_same_v<L, Dropout>)
    return Dropout(options.dropout);
  else if constexpr (std::is_same_v<L, Tanh>)
    return Tanh();
  else if constexpr (is_batch_norm<L>)
    return L(sizes[linear + 1]);
  else
    return L(sizes[linear], sizes[linear + 1]);
}
template <class Net, std::size_t N>
Net make_stack(const std::array<Index, N>& sizes, const HiddenOptions& options) {
  return [&]<std::size_t... I>(std::index_sequence<I...>) {
    return Net(make_stack_layer<typename Net::template LayerType<I>>(sizes, I / 3, options)...);
  }
  (std::make_index_sequence<Net::depth()>{});
}

template <std::size_t>
inline constexpr Index dynamic_size = dynamic;
template <template <Index...> class Stack, std::size_t N>
auto make_dynamic_stack(const std::array<Index, N>& sizes, const HiddenOptions& options) {
  return [&]<std::size_t... I>(std::index_sequence<I...>) {
    return make_stack<Stack<dynamic_size<I>...>>(sizes, options);
  }
  (std::make_index_sequence<N>{});
}

}  // namespace detail

/// The original generator: `Sizes` are those of latent vector, hidden layers and image.
template <Index... Sizes>
using Generator =
    typename detail::HiddenStack<detail::WithDropout, detail::LayerList<>, Sizes...>::type::template Then<Tanh>;

/// The original generator with batch normalisation in place of dropout.
template <Index... Sizes>
using NormalizedGenerator =
    typename detail::HiddenStack<detail::WithBatchNorm, detail::LayerList<>, Sizes...>::type::template Then<Tanh>;

/// The original discriminator: `Sizes` are those of image, hidden layers and logit, which is 1.
template <Index... Sizes>
using Discriminator =
    typename detail::HiddenStack<detail::WithDropout, detail::LayerList<>, Sizes...>::type::template Then<>;

/// With sizes in the type: make_generator<100, 32, 64, 128, 784>({.dropout = 0}).
template <Index... Sizes>
Generator<Sizes...> make_generator(HiddenOptions options = {}) {
  return detail::make_stack<Generator<Sizes...>>(std::array<Index, sizeof...(Sizes)>{Sizes...}, options);
}
/// As make_generator.
template <Index... Sizes>
NormalizedGenerator<Sizes...> make_normalized_generator(HiddenOptions options = {}) {
  return detail::make_stack<NormalizedGenerator<Sizes...>>(std::array<Index, sizeof...(Sizes)>{Sizes...}, options);
}
/// As make_generator.
template <Index... Sizes>
Discriminator<Sizes...> make_discriminator(HiddenOptions options = {}) {
  return detail::make_stack<Discriminator<Sizes...>>(std::array<Index, sizeof...(Sizes)>{Sizes...}, options);
}

/// With sizes at run time: make_generator(std::array<Index, 5>{100, 32, 64, 128, 784}).
template <std::size_t N>
auto make_generator(const std::array<Index, N>& sizes, HiddenOptions options = {}) {
  return detail::make_dynamic_stack<Generator>(sizes, options);
}
/// As make_generator.
template <std::size_t N>
auto make_normalized_generator(const std::array<Index, N>& sizes, HiddenOptions options = {}) {
  return detail::make_dynamic_stack<NormalizedGenerator>(sizes, options);
}
/// As make_generator.
template <std::size_t N>
auto make_discriminator(const std::array<Index, N>& sizes, HiddenOptions options = {}) {
  return detail::make_dynamic_stack<Discriminator>(sizes, options);
}

}  // namespace eigan

// ======== eigan/gan/steps.hpp
// The two steps of adversarial training, as free functions: the training loop that alternates them stays in the
// program. Each is one forward pass, one backward pass and one step of the optimiser.
//
// The discriminator may give any number of outputs (a logit, one for each patch, a logit beside codes): a loss sees
// all.

// ======== eigan/gan/workspace.hpp
// GanWorkspace: the memory of adversarial training: both tapes, both gradients, and for each input of the discriminator
// one matrix whose left half belongs to real samples and whose right half to generated ones, so that the discriminator
// sees both as one batch. Its first input is the image, which the generator writes; what it is told besides (a label,
// the picture to be translated) are further inputs, which the caller writes.

namespace eigan {

/// The memory of the steps in gan/steps.hpp.
template <class T = float>
class GanWorkspace {
 public:
  /// For batches of up to `capacity` real and as many generated samples.
  GanWorkspace(const BasicModel<T>& generator, const BasicModel<T>& discriminator, Index capacity)
      : g_tape(generator.tape(capacity)),
        d_tape(discriminator.tape(2 * capacity)),
        g_grad(generator.zeros()),
        d_grad(discriminator.zeros()),
        capacity_(capacity) {
    if (generator.output_shape() != discriminator.input_shape())
      detail::fail_contract("eigan::GanWorkspace: the generator gives ", shape_text(generator.output_shape()),
                            ", the discriminator takes ", shape_text(discriminator.input_shape()));
    for (std::size_t i = 0; i < discriminator.steps().inputs(); ++i)
      inputs_.emplace_back(discriminator.input_size(i), 2 * capacity);
    views_.resize(inputs_.size());
  }

  /// How many real samples it has room for.
  Index capacity() const { return capacity_; }

  // Each throws std::invalid_argument for a batch above the capacity.

  /// Where a batch of real samples may be written in place; a step given this view copies nothing. A batch that is
  /// larger than the generated one lies over generated samples.
  View<T> real(Index batch) { return real_condition(batch, 0); }
  /// The generator's last batch.
  View<T> fake(Index batch) { return fake_condition(batch, 0); }
  /// What the discriminator is told of real samples besides, in its input number i. A larger batch than the
  /// generated one lies over what is told of generated samples.
  View<T> real_condition(Index batch, std::size_t i = 1) {
    const View<T> view = checked(i, batch).columns(0, batch);
    if (batch > fresh_) fresh_ = 0;
    return view;
  }
  /// What the discriminator is told of generated samples besides. That of another number than were generated lies over
  /// what it was told of those.
  View<T> fake_condition(Index batch, std::size_t i = 1) {
    const View<T> view = checked(i, batch).columns(batch, batch);
    if (batch != fresh_) fresh_ = 0;
    return view;
  }

  // All inputs of the discriminator, valid until the next of these calls.

  /// Real samples.
  std::span<const ConstView<T>> real_inputs(Index batch) { return all(0, batch, batch); }
  /// Generated samples.
  std::span<const ConstView<T>> fake_inputs(Index batch) { return all(batch, batch, batch); }
  /// Both, real first.
  std::span<const ConstView<T>> both(Index batch) { return all(0, 2 * batch, batch); }

  /// Says that fake(batch) holds samples of the generator as it is, with its tape.
  void set_fresh(Index batch) { fresh_ = batch; }
  /// How many such samples there are; from now on none, for the caller is about to change the generator.
  Index take_fresh() { return std::exchange(fresh_, 0); }

  Tape<T> g_tape;    ///< of the generator's pass
  Tape<T> d_tape;    ///< of the discriminator's
  Buffer<T> g_grad;  ///< the generator's gradient; zero between steps
  Buffer<T> d_grad;  ///< the discriminator's; what it holds joins the next step

 private:
  View<T> checked(std::size_t input, Index batch) {
    if (batch < 0 || batch > capacity_)
      detail::fail_contract("eigan: this GanWorkspace holds batches of up to ", capacity_, ", got ", batch);
    if (input >= inputs_.size())
      detail::fail_contract("eigan: this GanWorkspace's discriminator has ", inputs_.size(), " inputs, no number ",
                            input);
    return inputs_[input].view();
  }
  std::span<const ConstView<T>> all(Index first, Index count, Index batch) {
    for (std::size_t i = 0; i < inputs_.size(); ++i) views_[i].rebind(checked(i, batch).columns(first, count));
    return views_;
  }

  std::vector<BufferMatrix<T>> inputs_;
  std::vector<ConstView<T>> views_;
  Index capacity_;
  Index fresh_ = 0;
};

}  // namespace eigan

// ======== eigan/optim/optimizer.hpp
// What an optimiser is, and the backward pass that updates parameters while their gradients are in cache, or behind a
// gradient that was clipped.

// ======== eigan/optim/clip_grad.hpp
// clip_grad_norm, clip_grad_value: a gradient that is too long, or too large somewhere, is cut before the step.
//   norm:   g *= min(1, max_norm / (|g| + 1e-6)),  |g| over all parameters      (torch.nn.utils.clip_grad_norm_)
//   value:  g = min(max(g, -c), c)                                             (torch.nn.utils.clip_grad_value_)
// The norm is summed in double over a fixed number of runs of the gradient, whose sums are added in order, so its bits
// are the same for any number of threads. A NaN stays one. (Pascanu, Mikolov and Bengio 2013)

namespace eigan {
namespace detail {

/// The sum of the squares. Eight sums side by side, for vectors; a float's square is exact in double, and a double's
/// is added in one rounding, so the compiler's flags do not matter.
template <class T>
double sum_of_squares(std::span<const T> values) {
  constexpr std::size_t lanes = 8;
  std::array<double, lanes> sums{};
  const std::size_t whole = values.size() / lanes * lanes;
  const auto add = [](double& sum, T value) {
    const auto wide = static_cast<double>(value);
    if constexpr (std::is_same_v<T, float>)
      sum += wide * wide;
    else
      sum = std::fma(wide, wide, sum);
  };
  for (std::size_t i = 0; i < whole; i += lanes)
    for (std::size_t k = 0; k < lanes; ++k) add(sums[k], values[i + k]);
  for (std::size_t i = whole; i < values.size(); ++i) add(sums[i - whole], values[i]);
  double all = 0;
  for (const double sum : sums) all += sum;
  return all;
}

inline void check_clip(const char* function, const char* what, double bound) {
  if (is_nan(bound) || !(bound > 0)) fail_contract(function, ": ", what, " must be more than 0, is ", bound);
}

/// What the gradient is multiplied by so that its norm is at most max_norm; NaN stays NaN.
inline double clip_factor(double norm, double max_norm) {
  const double factor = max_norm / (norm + 1e-6);
  return factor >= 1 ? 1 : factor;
}

}  // namespace detail

/// The Euclidean norm of a gradient, or of any other buffer.
template <class T>
double grad_norm(std::span<const T> gradient, Threads threads = {}) {
  constexpr Index runs = 64;
  std::array<double, runs> sums{};
  const Index size = std::ssize(gradient);
  const double work = detail::memory_access * static_cast<double>(size);
  detail::parallel_for(runs, work, threads, [&](Index run) {
    const Index first = detail::part_begin(size, run, runs), last = detail::part_begin(size, run + 1, runs);
    sums[static_cast<std::size_t>(run)] = detail::sum_of_squares(
        gradient.subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(last - first)));
  });
  double all = 0;
  for (const double sum : sums) all += sum;
  return std::sqrt(all);
}

/// Shortens a gradient to a norm of at most max_norm and returns the norm that it had. Throws std::invalid_argument
/// unless max_norm is more than 0.
template <class T>
double clip_grad_norm(std::span<T> gradient, double max_norm, Threads threads = {}) {
  detail::check_clip("eigan::clip_grad_norm", "max_norm", max_norm);
  const double norm = grad_norm(std::span<const T>(gradient), threads);
  const T factor = static_cast<T>(detail::clip_factor(norm, max_norm));
  if (factor == T(1)) return norm;
  const double work = 2 * detail::memory_access * static_cast<double>(gradient.size());
  detail::parallel_ranges(std::ssize(gradient), work, threads, [&](Index first, Index last) {
    for (Index i = first; i < last; ++i) gradient[static_cast<std::size_t>(i)] *= factor;
  });
  return norm;
}

/// Cuts each element to [-c, c]. Throws std::invalid_argument unless c is more than 0.
template <class T>
void clip_grad_value(std::span<T> gradient, double c) {
  detail::check_clip("eigan::clip_grad_value", "c", c);
  const T bound = static_cast<T>(c);
  for (T& g : gradient) g = std::clamp(g, -bound, bound);
}

}  // namespace eigan

namespace eigan {

/// Steps over one flat buffer: begin_step() once, then update() for disjoint ranges, from any thread. An update of no
/// elements changes nothing, may come at any time, and throws if the buffers do not fit or a setting is out of range.
template <class O, class T = float>
concept Optimizer = requires(O optimizer, std::span<T> params, std::span<const T> grad, Index i) {
  optimizer.begin_step();
  optimizer.update(params, grad, i, i);
};

/// How backward_and_step cuts a gradient before the optimiser sees it; see optim/clip_grad.hpp.
struct ClipGrad {
  double norm = std::numeric_limits<double>::infinity();   ///< the largest norm of the whole gradient
  double value = std::numeric_limits<double>::infinity();  ///< the largest size of an element, cut first
};

namespace detail {

inline void check_clip(const char* function, const ClipGrad& clip) {
  check_clip(function, "clip.norm", clip.norm);
  check_clip(function, "clip.value", clip.value);
}
inline bool clips(const ClipGrad& clip) {
  constexpr double unbounded = std::numeric_limits<double>::infinity();
  return clip.norm < unbounded || clip.value < unbounded;
}

/// What follows each piece of the gradient: the optimiser's update, and zeros.
template <class T, class O>
struct UpdatePiece {
  BasicModel<T>& model;
  O& optimizer;
  std::span<T> grad;
  void operator()(Index first, Index count) const {
    optimizer.update(model.params(), grad, first, count);
    std::fill_n(grad.data() + first, count, T(0));
  }
};

/// Zeros in the end, unless the gradient has been used: an exception would leave part of it to the next step.
template <class T>
struct BegunGradient {
  std::span<T> grad = {};
  ~BegunGradient() { std::fill(grad.begin(), grad.end(), T(0)); }
};

template <class O, class T>
constexpr void check_optimizer() {
  static_assert(Optimizer<O, T> || !(Optimizer<O, float> || Optimizer<O, double>),
                "eigan::backward_and_step: the optimiser's numbers are not the model's: a model of double wants an "
                "Adam<double>");
  static_assert(Optimizer<O, T> || Optimizer<O, float> || Optimizer<O, double>,
                "eigan::backward_and_step: this is no optimiser: it lacks begin_step() or update(params, grad, first, "
                "count), see the concept eigan::Optimizer");
}

}  // namespace detail

/// backward_params and one optimiser step in a single sweep: the result is that of
///     zero grad; model.backward_params(tape, grad); optimizer.step(model.params(), grad);
/// but each run of blocks is updated right after its gradient, while that is in cache. `grad` is working memory:
/// zeros on entry, as Model::zeros() gives it, or a gradient to be added to (a penalty's), and zeros on return. Where a
/// layer throws amid the sweep, it is zeros as well; some runs of parameters may have been updated by then.
template <class T, class O>
void backward_and_step(BasicModel<T>& model, Tape<T>& tape, O& optimizer, std::type_identity_t<std::span<T>> grad,
                       Threads threads = {}) {
  detail::check_optimizer<O, T>();
  // What does not fit throws here, before anything has changed.
  model.check_backward(tape, grad);
  optimizer.update(model.params(), grad, 0, 0);
  optimizer.begin_step();
  detail::BegunGradient<T> begun{grad};
  model.backward_params(tape, grad, threads, detail::UpdatePiece<T, O>{model, optimizer, grad});
  begun.grad = {};
}

/// backward_and_step with a gradient that is clipped first. The whole gradient is computed before the step. Returns the
/// norm that the gradient had after its values were cut. The bits are the same for any number of threads. Throws
/// std::invalid_argument unless both bounds are more than 0.
template <class T, class O>
double backward_and_step(BasicModel<T>& model, Tape<T>& tape, O& optimizer, std::type_identity_t<std::span<T>> grad,
                         ClipGrad clip, Threads threads = {}) {
  detail::check_optimizer<O, T>();
  detail::check_clip("eigan::backward_and_step", clip);
  model.check_backward(tape, grad);
  optimizer.update(model.params(), grad, 0, 0);
  optimizer.begin_step();
  detail::BegunGradient<T> begun{grad};
  model.backward_params(tape, grad, threads);
  if (clip.value < std::numeric_limits<double>::infinity()) clip_grad_value(grad, clip.value);
  const double norm = clip_grad_norm(grad, clip.norm, threads);
  const double work = 8 * detail::memory_access * static_cast<double>(grad.size());
  detail::parallel_ranges(std::ssize(grad), work, threads, [&](Index first, Index last) {
    detail::UpdatePiece<T, O>{model, optimizer, grad}(first, last - first);
  });
  begun.grad = {};
  return norm;
}

}  // namespace eigan

namespace eigan {

/// What discriminator_step saw, before it changed anything.
template <class T>
struct DiscriminatorResult {
  T loss;    ///< loss on real + loss on fake
  T d_real;  ///< mean of sigmoid(D(real)) over all outputs
  T d_fake;  ///< mean of sigmoid(D(fake)) over all outputs
};

/// What generator_step saw, before it changed anything.
template <class T>
struct GeneratorResult {
  T loss;    ///< of the generator, further losses included
  T d_fake;  ///< mean of sigmoid(D(fake)) over all outputs
};

/// How a discriminator sees its two halves.
enum class Halves {
  together,  ///< as one batch, which is faster
  apart      ///< as two, so that batch normalisation does not mix them (Radford et al. 2016)
};

/// Nothing follows the discriminator's forward passes; see discriminator_step.
struct NothingFollows {
  /// Does nothing.
  void operator()() const {}
};

/// No further loss; see generator_step.
struct NoFurtherLoss {
  /// 0.
  template <class T>
  T operator()(ConstView<T> /*fake*/, View<T> /*gradient*/) const {
    return 0;
  }
};

namespace detail {

/// backward_and_step, which computes the norm only where something is clipped.
template <class T, class O>
void backward_and_clipped_step(BasicModel<T>& model, Tape<T>& tape, O& optimizer, std::span<T> grad,
                               const ClipGrad& clip, Threads threads) {
  if (clips(clip))
    backward_and_step(model, tape, optimizer, grad, clip, threads);
  else
    backward_and_step(model, tape, optimizer, grad, threads);
}

template <class T>
T mean_sigmoid(const ConstView<T>& logits) {
  double sum = 0;
  for (Index j = 0; j < logits.cols(); ++j)
    for (Index i = 0; i < logits.rows(); ++i) sum += 1 / (1 + std::exp(-static_cast<double>(logits(i, j))));
  return static_cast<T>(sum / static_cast<double>(logits.size()));
}

/// G(z) into the right half of the workspace's images.
template <class T>
void generate(const BasicModel<T>& generator, GanWorkspace<T>& ws, ConstView<T> z, Rng rng, Threads threads) {
  ws.set_fresh(0);  // until this has gone well
  ws.g_tape.bind_output(ws.fake(z.cols()));
  generator.forward(ws.g_tape, z, rng, threads);
  ws.set_fresh(z.cols());
}

}  // namespace detail

/// Trains the discriminator on `real` against as many samples of the generator: the loss of both halves, one step. The
/// generator is not changed. real: features x batch, z: latent x batch, which must live until the generator_step that
/// uses the same samples; dropout masks of this step come from `rng`, which must differ from step to step. What
/// ws.d_grad holds, such as a penalty's gradient, joins the gradient of the loss; it is zero afterwards.
/// after_forward() is called behind each forward pass of the discriminator, one or, where halves are apart, two, while
/// ws.d_tape holds that pass: running averages of both halves are `[&] { update_statistics(d, ws.d_tape); }`.
/// `clip` cuts the gradient of both halves, with what joined it, as backward_and_step does.
template <class T, Optimizer<T> O, class Loss = NonSaturatingLoss, class AfterForward = NothingFollows>
DiscriminatorResult<T> discriminator_step(const BasicModel<T>& generator, BasicModel<T>& discriminator, O& optimizer,
                                          GanWorkspace<T>& ws, std::type_identity_t<ConstView<T>> real,
                                          std::type_identity_t<LastingView<T>> z, Rng rng, const Loss& loss = {},
                                          Threads threads = {}, Halves halves = Halves::together,
                                          const AfterForward& after_forward = {}, const ClipGrad& clip = {}) {
  detail::check_clip("eigan::discriminator_step", clip);
  const Index batch = real.cols();
  if (z.cols() != batch)
    detail::fail_contract("eigan::discriminator_step: ", batch, " real samples but ", z.cols(), " z");
  if (real.rows() != discriminator.input_size())
    detail::fail_contract("eigan::discriminator_step: a real sample must have ", discriminator.input_size(),
                          " features, has ", real.rows());
  optimizer.update(discriminator.params(), ws.d_grad, 0, 0);  // what it refuses, it refuses before anything changes
  detail::generate(generator, ws, ConstView<T>(z), rng.fold_in(0), threads);
  if (real.data() != ws.real(batch).data()) ws.real(batch) = real;

  DiscriminatorResult<T> result;
  detail::BegunGradient<T> begun{ws.d_grad};  // a penalty's, for this step and these samples, or a half's
  if (halves == Halves::together) {
    const ConstView<T> logits = discriminator.forward(ws.d_tape, ws.both(batch), {rng.fold_in(1), 0}, threads);
    after_forward();
    const ConstView<T> on_real = logits.columns(0, batch), on_fake = logits.columns(batch, batch);
    const View<T> gradient = ws.d_tape.output_gradient();
    const T real_loss = loss.real(on_real, gradient.columns(0, batch));
    const T fake_loss = loss.fake(on_fake, gradient.columns(batch, batch));
    result = {real_loss + fake_loss, detail::mean_sigmoid(on_real), detail::mean_sigmoid(on_fake)};
  } else {
    const ConstView<T> on_real = discriminator.forward(ws.d_tape, ws.real_inputs(batch), {rng.fold_in(1), 0}, threads);
    after_forward();
    result.loss = loss.real(on_real, ws.d_tape.output_gradient());
    result.d_real = detail::mean_sigmoid(on_real);
    discriminator.backward_params(ws.d_tape, ws.d_grad, threads);
    const ConstView<T> on_fake =
        discriminator.forward(ws.d_tape, ws.fake_inputs(batch), {rng.fold_in(1), batch}, threads);
    after_forward();
    result.loss += loss.fake(on_fake, ws.d_tape.output_gradient());
    result.d_fake = detail::mean_sigmoid(on_fake);
  }
  detail::backward_and_clipped_step<T>(discriminator, ws.d_tape, optimizer, ws.d_grad, clip, threads);
  begun.grad = {};
  return result;
}

/// Trains the generator against the discriminator, which only passes the gradient through: its own weight gradients
/// are not computed and it is not changed. The samples are those of the discriminator_step before; they serve for one
/// step, after which the generator is another. The z that they were made from must still lie where it lay.
/// further(fake, gradient) returns another loss of the generated samples and adds its gradient (L1 to a target, an
/// identity, the distance of features). `clip` cuts the gradient of the generator's parameters, as backward_and_step
/// does.
template <class T, Optimizer<T> O, class Loss = NonSaturatingLoss, class Further = NoFurtherLoss>
GeneratorResult<T> generator_step(BasicModel<T>& generator, const BasicModel<T>& discriminator, O& optimizer,
                                  GanWorkspace<T>& ws, Rng rng, const Loss& loss = {}, Threads threads = {},
                                  const Further& further = {}, const ClipGrad& clip = {}) {
  detail::check_clip("eigan::generator_step", clip);
  optimizer.update(generator.params(), ws.g_grad, 0, 0);  // what it refuses, it refuses before anything changes
  const Index batch = ws.take_fresh();
  if (batch == 0)
    detail::fail_contract(
        "eigan::generator_step: no samples of the generator as it is; a discriminator_step makes them");
  const ConstView<T> logits = discriminator.forward(ws.d_tape, ws.fake_inputs(batch), {rng.fold_in(1), 0}, threads);
  T value = loss.generator(logits, ws.d_tape.output_gradient());
  const T d_fake = detail::mean_sigmoid(logits);

  const View<T> to_images = ws.g_tape.output_gradient();
  discriminator.backward_input(ws.d_tape, to_images, threads);
  value += further(ConstView<T>(ws.fake(batch)), to_images);
  detail::backward_and_clipped_step<T>(generator, ws.g_tape, optimizer, ws.g_grad, clip, threads);
  return {value, d_fake};
}

/// generator_step on samples of its own, at the price of one more forward pass. z: latent x batch.
template <class T, Optimizer<T> O, class Loss = NonSaturatingLoss, class Further = NoFurtherLoss>
GeneratorResult<T> generator_step(BasicModel<T>& generator, const BasicModel<T>& discriminator, O& optimizer,
                                  GanWorkspace<T>& ws, std::type_identity_t<ConstView<T>> z, Rng rng,
                                  const Loss& loss = {}, Threads threads = {}, const Further& further = {},
                                  const ClipGrad& clip = {}) {
  detail::check_clip("eigan::generator_step", clip);
  detail::generate(generator, ws, ConstView<T>(z), rng.fold_in(0), threads);
  return generator_step(generator, discriminator, optimizer, ws, rng, loss, threads, further, clip);
}

}  // namespace eigan

// ======== eigan/layers/avg_pool2d.hpp
// AvgPool2d: y is the mean over a window of kernel x kernel pixels, which moves by stride; each channel by itself.
// Zeros of the padding count, as is torch.nn.AvgPool2d's default (count_include_pad).
//   x: C x H x W,   y: C x H' x W',   H' = floor((H + 2 padding - kernel) / stride) + 1
// Backward:  dx is the sum of dy / kernel^2 over all windows that a pixel is in.

// ======== eigan/layers/window.hpp
// Window: the square of pixels that a pooling looks at, and how it moves over an image. What max and average poolings
// share: sizes, names, and the walk over windows.

// ======== eigan/layers/spatial.hpp
// What layers of images share. Loops run over rows and columns of pixels, and inside over a pixel's channels, which lie
// side by side. A layer has its two ways by parts, which are rows; SpatialLayer makes whole passes of them.

namespace eigan::detail {

/// Pixels of one sample.
template <class T>
struct Image {
  T* data;
  Index channels, width;
  T* operator()(Index row, Index col) const { return data + (row * width + col) * channels; }
};
template <class T>
Image<const T> image(const ConstView<T>& x, Shape shape, Index sample) {
  return {x.data() + sample * x.outerStride(), shape.channels, shape.width};
}
template <class T>
Image<T> image(View<T> x, Shape shape, Index sample) {
  return {x.data() + sample * x.outerStride(), shape.channels, shape.width};
}

/// A pixel's channels as an expression.
template <class T>
using Pixel = Eigen::Map<Eigen::Array<T, Eigen::Dynamic, 1>>;
template <class T>
using ConstPixel = Eigen::Map<const Eigen::Array<T, Eigen::Dynamic, 1>>;

template <class T>
void set_zero(View<T> x, Shape shape, ImageRows rows) {
  for (Index j = 0; j < x.cols(); ++j)
    std::fill(image(x, shape, j)(rows.first, 0), image(x, shape, j)(rows.last, 0), T(0));
}

/// A layer without parameters between two shapes, linear around almost every x, that has forward_parts and
/// backward_input_parts. Its parts are rows of the smaller image.
template <class Layer>
class SpatialLayer {
 public:
  static constexpr Index input = dynamic, output = dynamic;
  static constexpr bool backward_reads_x = false, backward_reads_y = false;
  static constexpr bool piecewise_linear = true;

  SpatialLayer(Shape in, Shape out) : in_(in), out_(out) {}

  Index input_size() const { return in_.size(); }
  Index output_size() const { return out_.size(); }

  Index part_count() const { return std::min(in_.height, out_.height); }
  template <class T>
  void forward(std::span<const T> p, ConstView<T> x, View<T> y) const {
    layer().forward_parts(p, x, y, 0, layer().part_count());
  }
  template <class T>
  void backward_input(std::span<const T> p, ConstView<T> x, ConstView<T> y, ConstView<T> dy, View<T> dx) const {
    layer().backward_input_parts(p, x, y, dy, dx, 0, layer().part_count());
  }
  template <class T>
  void forward_tangent(std::span<const T> p, ConstView<T>, ConstView<T>, ConstView<T> tx, View<T> ty) const {
    layer().forward(p, tx, ty);  // a linear map is its own derivative
  }

 protected:
  Shape in() const { return in_; }
  Shape out() const { return out_; }
  /// What the parts [first, last) are in an image.
  ImageRows rows(Shape shape, Index first, Index last) const {
    return rows_of_parts(shape.height, part_count(), first, last);
  }

 private:
  const Layer& layer() const { return static_cast<const Layer&>(*this); }

  Shape in_, out_;
};

}  // namespace eigan::detail

namespace eigan::detail {

/// kernel x kernel pixels, `stride` apart, the first of them `padding` outside the image.
struct Window {
  Index kernel, stride, padding;

  /// Shape{} where an image with its padding is smaller than the kernel.
  constexpr Shape output_shape(Shape in) const {
    const Index least = kernel - 2 * padding;  // not negative
    if (!in || in.height < least || in.width < least) return {};
    const auto side = [&](Index from) { return sum_or_most<Index>((from - least) / stride, 1); };
    return {in.channels, side(in.height), side(in.width)};
  }
  /// The output's rows, of `height`, whose windows meet the image's rows.
  constexpr ImageRows over(ImageRows rows, Index height) const {
    return {rows.first + padding < kernel ? 0 : (rows.first + padding - kernel) / stride + 1,
            std::min(height, (rows.last - 1 + padding) / stride + 1)};
  }
  /// f(row, col) for the pixels, of an image of that shape, that the window of an output pixel meets.
  template <class F>
  void for_each_pixel(Shape image, Index out_row, Index out_col, const F& f) const {
    const Index top = out_row * stride - padding, left = out_col * stride - padding;
    const Index bottom = std::min(top + kernel, image.height), right = std::min(left + kernel, image.width);
    for (Index row = std::max<Index>(top, 0); row < bottom; ++row)
      for (Index col = std::max<Index>(left, 0); col < right; ++col) f(row, col);
  }
};

/// A pooling's description. Placed: the layer where it stands, with its name.
template <class Placed, Index Kernel, Index Stride, Index Padding>
class Pooling {
  static_assert((Kernel > 0 && Stride > 0 && Padding >= 0 && 2 * Padding <= Kernel) ||
                    (Kernel == dynamic && Stride == dynamic && Padding == dynamic),
                "eigan: a pooling has a positive kernel and stride and a padding of at most half the kernel, or all "
                "three dynamic");

 public:
  /// The sizes that the type states.
  constexpr Pooling() requires(Kernel != dynamic) : window_{Kernel, Stride, Padding} {}
  /// Windows side by side.
  explicit Pooling(Index kernel_size) : Pooling(kernel_size, kernel_size) {}
  /// Throws std::invalid_argument unless kernel and stride are positive, the padding at most half the kernel, and all
  /// as the type says where it does.
  Pooling(Index kernel_size, Index stride, Index padding = 0) : window_{kernel_size, stride, padding} {
    if (kernel_size <= 0 || stride <= 0 || padding < 0 || padding > kernel_size / 2 || kernel_size > most_size ||
        stride > most_size || (Kernel != dynamic && (Kernel != kernel_size || Stride != stride || Padding != padding)))
      fail_contract("eigan::", Placed::name, "<", stated_text(Kernel), ", ", stated_text(Stride), ", ",
                    stated_text(Padding), ">: cannot have kernel_size ", kernel_size, ", stride ", stride,
                    " and padding ", padding,
                    ", expected a kernel and a stride of at least 1, a padding of at most half the kernel, and what "
                    "the type states");
  }

  constexpr Shape output_shape(Shape in) const { return window_.output_shape(in); }
  std::string expects() const {
    const Index least = window_.kernel - 2 * window_.padding;
    return concat("at least ", least, " x ", least, " pixels");
  }
  Spec spec() const { return at({}).spec(); }
  /// The layer over images of shape `in`.
  Placed at(Shape in) const { return {in, window_}; }

 private:
  Window window_;
};

/// What poolings are where they stand.
template <class Placed>
class PlacedPooling : public SpatialLayer<Placed> {
 public:
  PlacedPooling(Shape in, Window window) : SpatialLayer<Placed>(in, window.output_shape(in)), window_(window) {}

  double operations() const {
    return static_cast<double>(this->out().size()) * static_cast<double>(window_.kernel) *
           static_cast<double>(window_.kernel);
  }
  Spec spec() const {
    const auto [k, s, p] = window_;
    return {Placed::name,
            {{"kernel_size", k}, {"stride", s}, {"padding", p}},
            concat("::eigan::", Placed::name, "<", k, ", ", s, ", ", p, ">")};
  }

 protected:
  /// f(sample, row, col) for the output pixels of the parts [first, last).
  template <class F>
  void for_each_window(Index samples, ImageRows rows, const F& f) const {
    for (Index j = 0; j < samples; ++j)
      for (Index row = rows.first; row < rows.last; ++row)
        for (Index col = 0; col < this->out().width; ++col) f(j, row, col);
  }
  const Window& window() const { return window_; }

 private:
  Window window_;
};

}  // namespace eigan::detail

namespace eigan {
namespace placed {

/// Average pooling where it stands.
class AvgPool2d : public detail::PlacedPooling<AvgPool2d> {
 public:
  static constexpr const char* name = "AvgPool2d";
  using PlacedPooling::PlacedPooling;

  template <class T>
  void forward_parts(std::span<const T>, ConstView<T> x, View<T> y, Index first, Index last) const {
    const Index c = in().channels;
    for_each_window(x.cols(), rows(out(), first, last), [&](Index j, Index row, Index col) {
      const detail::Image<const T> from = detail::image(x, in(), j);
      detail::Pixel<T> mean(detail::image(y, out(), j)(row, col), c);
      mean.setZero();
      window().for_each_pixel(in(), row, col, [&](Index r, Index s) { mean += detail::ConstPixel<T>(from(r, s), c); });
      mean *= share<T>();
    });
  }
  template <class T>
  void backward_input_parts(std::span<const T>, ConstView<T>, ConstView<T>, ConstView<T> dy, View<T> dx, Index first,
                            Index last) const {
    const Index c = in().channels;
    const ImageRows own = rows(in(), first, last);
    detail::set_zero(dx, in(), own);
    for_each_window(dy.cols(), window().over(own, out().height), [&](Index j, Index row, Index col) {
      const detail::Image<T> to = detail::image(dx, in(), j);
      const detail::ConstPixel<T> d(detail::image(dy, out(), j)(row, col), c);
      window().for_each_pixel(in(), row, col, [&](Index r, Index s) {
        if (own.first <= r && r < own.last) detail::Pixel<T>(to(r, s), c) += d * share<T>();
      });
    });
  }

 private:
  template <class T>
  T share() const {
    return 1 / static_cast<T>(window().kernel * window().kernel);
  }
};

}  // namespace placed

/// The mean of windows. `AvgPool2d<2>`, `AvgPool2d<3, 2, 1>`: kernel, stride (the kernel unless given) and padding; or
/// `AvgPool2d<>(3, 2, 1)`.
template <Index Kernel = dynamic, Index Stride = Kernel, Index Padding = Kernel == dynamic ? dynamic : 0>
class AvgPool2d : public detail::Pooling<placed::AvgPool2d, Kernel, Stride, Padding> {
 public:
  using detail::Pooling<placed::AvgPool2d, Kernel, Stride, Padding>::Pooling;
};

static_assert(PartedLayer<placed::AvgPool2d> && TangentLayer<placed::AvgPool2d, double> && ShapedLayer<AvgPool2d<2>>);

}  // namespace eigan

// ======== eigan/layers/conv2d.hpp
// Conv2d: each output pixel is a product of the weight with a square of kernel x kernel input pixels.
//   y(o, r, s) = b(o) + sum over c, i, j of w(o, c, i, j) x(c, r stride - padding + i, s stride - padding + j)
//   x: C x H x W, zero outside,   y: O x H' x W',   H' = floor((H + 2 padding - kernel) / stride) + 1
// Backward:  dx is the transposed map of dy,   dw(o, c, i, j) += sum over r, s of dy(o, r, s) x(c, ...),   db += sum
// dy. As in torch.nn.Conv2d, without dilation and groups. Memory: the weight is O x (kernel kernel C), channels
// fastest.

// ======== eigan/layers/convolution.hpp
// What Conv2d and ConvTranspose2d share: settings, how tensors start, blocks of their gradients, workspace of kernels.
//
// Both have a ConvolutionShape (kernels/convolution_shape.hpp), the transposed one from its output to its input.

// ======== eigan/kernels/convolve.hpp
// A convolution's products, on views of samples in columns; ConvolutionShape says how pixels and weights lie.
//
//   forward           y  = bias + w x        of some rows of the output
//   transposed        x  = bias + w^T y      of some rows of the image: backward_input, ConvTranspose2d's forward
//   add_gradients     dw += dy x^T, db += row sums of dy      for some parts of the weight
//
// Rows as well as parts may be computed in any order and by any number of threads, samples too in the first two: each
// number is added up in an order that depends on sizes alone. No memory is allocated: a call that asks for `workspace`
// writes to as many numbers as the function of that name says; calls at the same time must not share one.

// ======== eigan/kernels/convolution.hpp
// Convolutions on plain arrays; kernels/convolve.hpp has them on views. Samples are columns, `col` apart.

// ======== eigan/kernels/convolution_sizes.hpp
// How the kernels of a convolution divide it: what follows from sizes alone, whatever the processor.

// ======== eigan/kernels/convolution_shape.hpp
// ConvolutionShape: the sizes of a convolution, and what follows from them.
//
//   y(o, r, s) = b(o) + sum over c, i, j of  w(o, c, i, j) x(c, r stride - padding + i, s stride - padding + j)
//
// x is zero outside the image. A sample is a column, channels last: a pixel is a column of `in` or `out` numbers,
// element (c, row, col) of an image C x H x W stands at c + C (col + W row).
// Weights: out x (in taps), column-major, tap-major: column (tap in + c) with tap = i kernel_width + j.

namespace eigan {

/// Sizes of a convolution from an image of in x height x width to one of out x out_height() x out_width(). Its
/// transposed map goes the other way; there height and width choose among the sizes that have the same output.
struct ConvolutionShape {
  Index in;                  ///< channels of the image
  Index height;              ///< rows of the image
  Index width;               ///< columns of the image
  Index out;                 ///< channels of the output
  Index kernel_height;       ///< rows of the kernel
  Index kernel_width;        ///< columns of the kernel
  Index stride_height = 1;   ///< from one output row to the next
  Index stride_width = 1;    ///< from one output column to the next
  Index padding_height = 0;  ///< rows of zeros above and below
  Index padding_width = 0;   ///< columns of zeros on the left and on the right

  /// Rows of the output.
  constexpr Index out_height() const { return (height + 2 * padding_height - kernel_height) / stride_height + 1; }
  /// Columns of the output.
  constexpr Index out_width() const { return (width + 2 * padding_width - kernel_width) / stride_width + 1; }
  /// Pixels of the kernel.
  constexpr Index taps() const { return kernel_height * kernel_width; }
  /// Numbers in a sample of the input.
  constexpr Index in_size() const { return in * height * width; }
  /// Numbers in a sample of the output.
  constexpr Index out_size() const { return out * out_height() * out_width(); }
  /// Numbers in the weight.
  constexpr Index weights() const { return out * in * taps(); }

  /// Multiplications with a pixel of the image for one sample, in each of the three directions.
  constexpr double multiplications() const {
    return static_cast<double>(out) * static_cast<double>(in) *
           meetings(height, out_height(), kernel_height, stride_height, padding_height) *
           meetings(width, out_width(), kernel_width, stride_width, padding_width);
  }

  /// Whether all sizes are equal.
  friend bool operator==(const ConvolutionShape&, const ConvolutionShape&) = default;

 private:
  /// How often a tap meets a pixel, along one side.
  static constexpr double meetings(Index size, Index out_size, Index kernel, Index stride, Index padding) {
    double sum = 0;
    for (Index tap = 0; tap < kernel; ++tap) {  // a kernel is small; an image's sides may be any number
      const Index first = tap < padding ? (padding - tap - 1) / stride + 1 : 0;
      const Index behind = tap < size + padding ? std::min(out_size, (size + padding - tap - 1) / stride + 1) : 0;
      sum += static_cast<double>(std::max<Index>(0, behind - first));
    }
    return sum;
  }
};

}  // namespace eigan

namespace eigan::detail {

/// Images of fewer channels are handled a row of taps at a time: a pixel alone would not fill the registers.
inline constexpr Index few_channels = 16;
constexpr bool has_few_channels(const ConvolutionShape& s) {
  return s.in < few_channels;
}

constexpr Index divide_up(Index a, Index b) {
  return (a + b - 1) / b;
}

/// Output rows that are handled together where channels are few, of `rows`: some hundred pixels.
constexpr Index band_rows(const ConvolutionShape& s, Index rows) {
  const Index most = std::max<Index>(1, 128 / std::max<Index>(1, s.out_width()));
  return rows <= most ? rows : divide_up(rows, divide_up(rows, most));
}

/// A band of the image with its zeros around: numbers in a row, and rows.
constexpr Index padded_row(const ConvolutionShape& s) {
  return s.in * (s.width + 2 * s.padding_width);
}
constexpr Index padded_rows(const ConvolutionShape& s, Index out_rows) {
  return (out_rows - 1) * s.stride_height + s.kernel_height;
}

/// On the way back an output pixel gives one number to each tap and channel; these are kept for so many output rows.
constexpr Index kept_rows(const ConvolutionShape& s) {
  return divide_up(s.kernel_height, s.stride_height) - 1 + band_rows(s, s.out_height());
}
/// Numbers of the widest vector, which may be read and written behind the end of a row.
inline constexpr Index vector_slack = 16;
/// An image row is summed up in pieces of as many pixels as the stride has.
constexpr Index row_pieces(const ConvolutionShape& s) {
  return divide_up(s.width + s.padding_width, s.stride_width);
}

/// Rows of the weight and channels of the image that a part of the gradient has at most.
inline constexpr Index part_size = 64;
/// Parts of the weight's gradient: of few channels rows of the weight, of many a tap's rows and channels.
constexpr Index gradient_parts(const ConvolutionShape& s) {
  const Index rows = divide_up(s.out, part_size);
  return has_few_channels(s) ? rows : rows * divide_up(s.in, part_size) * s.taps();
}

// Numbers that the kernels ask for as workspace; forward needs none.
constexpr Index gradient_workspace(const ConvolutionShape& s) {
  return has_few_channels(s) ? padded_rows(s, band_rows(s, s.out_height())) * padded_row(s) : 0;
}
constexpr Index transposed_workspace(const ConvolutionShape& s) {
  if (!has_few_channels(s)) return 0;
  return kept_rows(s) * s.out_width() * s.in * s.taps() + (1 + 2 * row_pieces(s)) * s.in * s.stride_width +
         4 * vector_slack;
}

}  // namespace eigan::detail

namespace eigan::detail {

template <class T>
struct ConvolutionKernels {
  /// y = bias + w x for `rows` of the output. bias may be null: zeros.
  void (*forward)(const ConvolutionShape& shape, ImageRows rows, Index samples, const T* w, const T* bias,
                  Strided<const T> x, Strided<T> y);
  /// x = bias + w^T y for `rows` of the image: the gradient of the input, and what a transposed convolution computes.
  /// wt: the weights as convolution::transpose_weights writes them.
  void (*transposed)(const ConvolutionShape& shape, ImageRows rows, Index samples, const T* wt, const T* bias,
                     Strided<const T> y, Strided<T> x, T* workspace);
  /// dw += dy x^T for parts [first, last) of the weight, db (may be null) += row sums of dy.
  void (*add_gradients)(const ConvolutionShape& shape, Index first, Index last, Index samples, Strided<const T> dy,
                        Strided<const T> x, T* dw, T* db, T* workspace);
  /// dwt += the same, as convolution::transpose_weights would write it, for parts [first, last) of as many; not for few
  /// channels.
  void (*add_transposed_gradients)(const ConvolutionShape& shape, Index first, Index last, Index samples,
                                   Strided<const T> dy, Strided<const T> x, T* dwt);
};

template <class T>
const ConvolutionKernels<T>& convolution_kernels() {
  return kernels<ConvolutionKernels<T>>();
}

}  // namespace eigan::detail

// ======== eigan/kernels/for_each_isa.inc
// Compiles the text EIGAN_KERNELS, one subject's kernels, once for every instruction set, with
//   EIGAN_ISA           the namespace
//   EIGAN_TARGET        the function attribute that allows the instructions
//   EIGAN_VECTOR_BYTES  the register's width
//   EIGAN_X86_VECTORS   where fused multiply-add, square root and masked moves are x86 instructions
// Every function of such a text carries EIGAN_TARGET and calls nothing but its like, so no code of one set can be
// inlined into, or merged with, code for another. No #pragma once: every subject includes this file.

#define EIGAN_INLINE [[gnu::always_inline]] inline
#define EIGAN_NOINLINE [[gnu::noinline]] inline  // long ones: a single copy for all callers
#if defined(__clang__)
#define EIGAN_UNROLL _Pragma("unroll")
#define EIGAN_UNROLL_TWICE _Pragma("unroll(2)")
#else
#define EIGAN_UNROLL _Pragma("GCC unroll 16")
#define EIGAN_UNROLL_TWICE _Pragma("GCC unroll 2")
#endif

#define EIGAN_ISA portable
#if defined(__x86_64__)
// What every such processor has, although -march or -mavx2 allow this file more: of a program whose files have different
// flags the linker keeps any one of several bodies of a kernel.
#define EIGAN_TARGET [[gnu::target("arch=x86-64,no-sse3,no-popcnt,no-lzcnt,no-movbe,no-bmi,no-bmi2")]]
#else
#define EIGAN_TARGET
#endif
#define EIGAN_VECTOR_BYTES 16

// ======== eigan/kernels/convolution.inc
// Convolutions: see convolution.hpp. Compiled by for_each_isa.inc.

// ======== eigan/kernels/convolution_gradient.inc
// The gradient of a convolution's weights: for each tap the product of dy and of the pixels it met, transposed.

// ======== eigan/kernels/few_channels.inc
// Convolutions of images with few channels. A row of taps reads numbers that lie side by side, so with its zeros
// around the image a row of taps is one tap of kernel_width x in terms. On the way back each output pixel gives a
// number to every tap and channel, one product; these are summed up row by row.

// ======== eigan/kernels/map_pixels.inc
// Pixels that are sums over taps of a matrix times another image's pixel: both directions of a convolution.
//
// Pixels near the edge have fewer taps. The image is divided into blocks of rows and columns that have the same ones,
// nine of them for a common kernel, so that nothing is multiplied by zeros and no pixel asks where the edge is.

// ======== eigan/kernels/batch_reduce.inc
// The batch-reduced product, building block of convolutions: c = start + a sum of products of pieces, with all sums in
// registers. Georganas et al. 2020, "Harnessing Deep Learning via a Single Building Block".

namespace eigan::detail::EIGAN_ISA {

/// Registers of sums: a strip of rows by a tile of columns. What remains of them holds the strip and one broadcast.
inline constexpr unsigned most_vectors = EIGAN_VECTOR_BYTES == 64 ? 4 : 2;
inline constexpr unsigned wide_tile = 6, narrow_tile = 4;

/// Columns of the next tile, of `left` that remain: so that few registers stay empty in the last tiles.
EIGAN_TARGET EIGAN_INLINE Index tile_size(Index left) {
  return left == 7 || left == 8 ? 4 : left < 6 ? left : 6;
}

/// What is summed: piece g is the product of the matrix at a[g], columns a_col apart, and of a tile's columns, moved by
/// b[g], with terms b_row apart.
template <class T>
struct Pieces {
  static constexpr Index most = 64;
  Index count = 0;  // of pieces
  Index terms = 0;  // of each
  Index a_col = 0, b_row = 1;
  const T* a[most];
  Index b[most];
};

/// Memory that is fetched into the cache while a tile is computed, a line or a few with each piece: all at once they
/// would hold up what is needed now. `rows` ranges of numbers, `row` apart, of which each piece takes `step`.
template <class T>
struct Ahead {
  const T* from = nullptr;
  Index offset = 0, row = 0, rows = 0, step = 0;
};

/// Columns of the right operand and of the result; those from `columns` on do not exist. `start`, a column (or null,
/// zeros), is where all sums start; what stood in c is added at the end where `add` says so.
template <class T>
struct Tile {
  Index columns = 0;
  const T* start = nullptr;
  bool add = false;
  const T* b[wide_tile];
  T* c[wide_tile];
  Ahead<T> ahead;

  /// Columns that do not exist repeat the first: what they give is not stored.
  EIGAN_TARGET EIGAN_INLINE void fill_up() {
    for (Index j = columns; j < static_cast<Index>(wide_tile); ++j) {
      b[j] = b[0];
      c[j] = c[0];
    }
  }
};

template <class T>
EIGAN_TARGET EIGAN_INLINE void fetch(const Ahead<T>& ahead, Index piece) {
  constexpr Index line = 64 / static_cast<Index>(sizeof(T));
  for (Index r = 0; r < ahead.rows; ++r)
    for (Index i = 0; i < ahead.step; i += line)
      __builtin_prefetch(ahead.from + ahead.offset + r * ahead.row + piece * ahead.step + i);
}

/// Rows [row, row + MV vectors) of a tile of up to NR columns; with `part` the last vector has only `rest` rows.
template <class T, unsigned MV, unsigned NR, bool part>
EIGAN_TARGET EIGAN_NOINLINE void reduce_block(const Pieces<T>& pieces, const Tile<T>& tile, Index row, Index rest) {
  using V = Vector<T>;
  constexpr Index L = lanes<T>;
  V sum[NR][MV];
  EIGAN_UNROLL for (unsigned i = 0; i < MV; ++i) {
    V first{};
    if (tile.start) first = part ? load_part(tile.start + row + i * L, rest) : load(tile.start + row + i * L);
    EIGAN_UNROLL for (unsigned j = 0; j < NR; ++j) sum[j][i] = first;
  }
  const Index a_col = pieces.a_col, b_row = pieces.b_row, terms = pieces.terms;
  for (Index g = 0; g < pieces.count; ++g) {
    if (2 * g + 1 < static_cast<Index>(NR)) {  // where the results will go, two columns with each piece
      EIGAN_UNROLL for (unsigned i = 0; i < MV; ++i) __builtin_prefetch(tile.c[2 * g] + row + i * L);
      EIGAN_UNROLL for (unsigned i = 0; i < MV; ++i) __builtin_prefetch(tile.c[2 * g + 1] + row + i * L);
    }
    if (row == 0) fetch(tile.ahead, g);
    const T* a = pieces.a[g] + row;
    const T* b[NR];
    EIGAN_UNROLL for (unsigned j = 0; j < NR; ++j) b[j] = tile.b[j] + pieces.b[g];
    Index at = 0;
    EIGAN_UNROLL_TWICE
    for (Index p = 0; p < terms; ++p) {
      V av[MV];
      EIGAN_UNROLL for (unsigned i = 0; i < MV; ++i) av[i] =
          in_register(part ? load_part(a + i * L, rest) : load(a + i * L));
      EIGAN_UNROLL for (unsigned j = 0; j < NR; ++j) {
        const V bv = broadcast(b[j][at]);
        EIGAN_UNROLL for (unsigned i = 0; i < MV; ++i) sum[j][i] = fma(av[i], bv, sum[j][i]);
      }
      a += a_col;
      at += b_row;
    }
  }
  const bool add = tile.add;
  const Index columns = tile.columns;
  EIGAN_UNROLL for (unsigned j = 0; j < NR; ++j) {
    if (static_cast<Index>(j) < columns) {
      T* const c = tile.c[j] + row;
      if (add) {
        EIGAN_UNROLL for (unsigned i = 0; i < MV; ++i) sum[j][i] += part ? load_part(c + i * L, rest) : load(c + i * L);
      }
      EIGAN_UNROLL for (unsigned i = 0; i < MV; ++i) {
        if (part)
          store_part(c + i * L, sum[j][i], rest);
        else
          store(c + i * L, sum[j][i]);
      }
    }
  }
}

/// Rows [first, last) of a tile.
template <class T, unsigned NR>
EIGAN_TARGET EIGAN_INLINE void reduce_strips(const Pieces<T>& pieces, const Tile<T>& tile, Index first, Index last) {
  constexpr Index L = lanes<T>;
  Index i = first;
  if constexpr (most_vectors == 4) {
    for (; i + 4 * L <= last; i += 4 * L) reduce_block<T, 4, NR, false>(pieces, tile, i, L);
    if (i + 3 * L <= last) {
      reduce_block<T, 3, NR, false>(pieces, tile, i, L);
      i += 3 * L;
    }
  }
  for (; i + 2 * L <= last; i += 2 * L) reduce_block<T, 2, NR, false>(pieces, tile, i, L);
  for (; i + L <= last; i += L) reduce_block<T, 1, NR, false>(pieces, tile, i, L);
  if (i < last) reduce_block<T, 1, NR, true>(pieces, tile, i, last - i);
}
template <class T>
EIGAN_TARGET inline void reduce(const Pieces<T>& pieces, const Tile<T>& tile, Index first, Index last) {
  if (tile.columns > static_cast<Index>(narrow_tile))
    reduce_strips<T, wide_tile>(pieces, tile, first, last);
  else
    reduce_strips<T, narrow_tile>(pieces, tile, first, last);
}

}  // namespace eigan::detail::EIGAN_ISA

namespace eigan::detail::EIGAN_ISA {

/// A range [first, last).
struct Run {
  Index first, last;
};

/// Along one side of the images: target t takes from source first + step t + direction tap, if there is one.
struct Axis {
  Index targets, sources, taps;
  Index first, step, direction;

  EIGAN_TARGET EIGAN_INLINE Index source(Index target, Index tap) const {
    return first + step * target + direction * tap;
  }
  /// The taps for which there is a source.
  EIGAN_TARGET EIGAN_INLINE Run taps_of(Index target) const {
    const Index at = source(target, 0);
    const Index from = direction > 0 ? -at : at - sources + 1, to = direction > 0 ? sources - at : at + 1;
    const Run run{from > 0 ? from : 0, to < taps ? to : taps};
    return run.first < run.last ? run : Run{0, 0};
  }
  /// The first target after `target` that has other taps.
  EIGAN_TARGET EIGAN_INLINE Index end_of_run(Index target) const {
    const Run run = taps_of(target);
    for (++target; target < targets; ++target)
      if (const Run other = taps_of(target); other.first != run.first || other.last != run.last) break;
    return target;
  }
  EIGAN_TARGET EIGAN_INLINE Run longest_run() const {
    Run longest{0, 0};
    for (Index target = 0, end; target < targets; target = end) {
      end = end_of_run(target);
      if (end - target > longest.last - longest.first) longest = {target, end};
    }
    return longest;
  }
};

/// target pixel (t, u) = start + sum over taps of matrix(tap) times source pixel.
template <class T>
struct PixelMap {
  Axis rows, cols;
  Index m, k;  // numbers in a target and in a source pixel
  const T* matrix;
  Index matrix_row, matrix_col;  // from one tap's matrix (m x k, column-major) to the next
  const T* source;
  Index source_sample, source_row, source_col;  // from one to the next
  T* target;
  Index target_sample, target_row, target_col;

  /// Pixels of few numbers: the matrices of a row of taps follow each other, and so do the pixels that they meet, so
  /// that they are one product.
  EIGAN_TARGET EIGAN_INLINE bool joins_taps() const {
    return k < few_channels && cols.direction > 0 && matrix_col == m * k && source_col == k;
  }
};

/// Targets of a block in order: sample by sample, row by row.
template <class T>
class PixelCursor {
 public:
  EIGAN_TARGET EIGAN_INLINE PixelCursor(const PixelMap<T>& map, Run rows, Run cols)
      : map_(map), rows_(rows), cols_(cols) {
    row_ = rows.first;
    go_to_row();
  }
  EIGAN_TARGET EIGAN_INLINE void take(Index columns, Tile<T>& tile) {
    tile.columns = columns;
    for (Index j = 0; j < columns; ++j) {
      tile.b[j] = source_;
      tile.c[j] = target_;
      next();
    }
    tile.fill_up();
  }

 private:
  EIGAN_TARGET EIGAN_INLINE void next() {
    source_ += map_.cols.step * map_.source_col;
    target_ += map_.target_col;
    if (--left_ > 0) return;
    if (++row_ == rows_.last) {
      row_ = rows_.first;
      ++sample_;
    }
    go_to_row();
  }
  EIGAN_TARGET EIGAN_INLINE void go_to_row() {
    left_ = cols_.last - cols_.first;
    source_ = map_.source + sample_ * map_.source_sample + map_.rows.step * row_ * map_.source_row +
              map_.cols.step * cols_.first * map_.source_col;
    target_ = map_.target + sample_ * map_.target_sample + row_ * map_.target_row + cols_.first * map_.target_col;
  }

  const PixelMap<T>& map_;
  Run rows_, cols_;
  Index sample_ = 0, row_, left_;
  const T* source_;
  T* target_;
};

/// What tiles will need while this one is computed: pixels of the source, as many tiles later as it takes memory to
/// answer. Relative to the tile's first pixel.
template <class T>
EIGAN_TARGET EIGAN_INLINE Ahead<T> look_ahead(const PixelMap<T>& map, const Pieces<T>& pieces) {
  if (pieces.count == 0) return {};
  constexpr Index line = 64 / static_cast<Index>(sizeof(T)), columns = wide_tile;
  const Index tiles = 1 + 4096 / (pieces.count * pieces.terms * map.m);
  const Index span = columns * map.cols.step * map.source_col;
  const Index newest = map.rows.direction > 0 ? pieces.count - 1 : 0;
  return {nullptr, pieces.b[newest] + tiles * span, -map.source_row, map.rows.step,
          divide_up(span, line * pieces.count) * line};
}

/// Some taps of all: taps [first, last), row by row, and of their matrices the columns [k, k + terms).
struct TapRange {
  Index first, last, k, terms;
  bool joined;  // rows of taps are whole, and one product each
};

/// The targets of a block, rows x cols of `samples` samples, all of which have the same taps: what `range` gives to
/// them.
template <class T>
EIGAN_TARGET inline void map_block(const PixelMap<T>& map, Index samples, const T* start, TapRange range, Run rows,
                                   Run cols) {
  const Run row_taps = map.rows.taps_of(rows.first), col_taps = map.cols.taps_of(cols.first);
  const Index width = range.joined ? col_taps.last - col_taps.first : 1;
  Pieces<T> pieces;
  pieces.a_col = map.m;
  pieces.terms = width * range.terms;
  bool begun = range.k > 0;
  for (Index t = row_taps.first; t < row_taps.last; ++t)
    for (Index u = col_taps.first; u < col_taps.last; u += width) {
      const Index tap = t * map.cols.taps + u;
      begun = begun || tap < range.first;
      if (tap < range.first || tap >= range.last) continue;
      pieces.a[pieces.count] = map.matrix + t * map.matrix_row + u * map.matrix_col + range.k * map.m;
      pieces.b[pieces.count++] =
          map.rows.source(0, t) * map.source_row + map.cols.source(0, u) * map.source_col + range.k;
    }
  const bool no_taps = row_taps.first == row_taps.last || col_taps.first == col_taps.last;
  if (pieces.count == 0 && !(no_taps && range.first == 0 && !begun)) return;
  Tile<T> tile;
  tile.start = begun ? nullptr : start;
  tile.add = begun;
  tile.ahead = look_ahead(map, pieces);
  PixelCursor<T> cursor(map, rows, cols);
  for (Index left = samples * (rows.last - rows.first) * (cols.last - cols.first); left > 0; left -= tile.columns) {
    cursor.take(tile_size(left), tile);
    tile.ahead.from = tile.b[0];
    reduce(pieces, tile, 0, map.m);
  }
}

/// One range of taps for all targets of some samples, most of them in the first block.
template <class T>
EIGAN_TARGET inline void map_range(const PixelMap<T>& map, Index samples, const T* start, TapRange range) {
  const Run rows = map.rows.longest_run(), cols = map.cols.longest_run();
  if (rows.first < rows.last && cols.first < cols.last) map_block(map, samples, start, range, rows, cols);
  for (Index row = 0, row_end; row < map.rows.targets; row = row_end) {
    row_end = map.rows.end_of_run(row);
    for (Index col = 0, col_end; col < map.cols.targets; col = col_end) {
      col_end = map.cols.end_of_run(col);
      if (row != rows.first || col != cols.first) map_block(map, samples, start, range, {row, row_end}, {col, col_end});
    }
  }
}

/// Bytes of matrices that are used for all targets before the next: most of a second-level cache.
inline constexpr Index matrices_bytes = 786432;

/// Samples that are worked through as one, so that the matrices are fetched once for them: enough pixels to fill tiles,
/// and more where they stay in the second-level cache.
template <class T>
EIGAN_TARGET EIGAN_INLINE Index samples_at_once(Index numbers, Index pixels) {
  constexpr Index images_bytes = 393216, enough = 1024;
  const Index fit = images_bytes / (numbers * static_cast<Index>(sizeof(T)) + 1), fill = enough / (pixels + 1);
  return fit > fill ? (fit > 1 ? fit : 1) : (fill > 1 ? fill : 1);
}

/// All targets of `samples` samples. Each element is added up in an order that depends on sizes alone.
template <class T>
EIGAN_TARGET inline void map_pixels(const PixelMap<T>& map, Index samples, const T* start) {
  const Index targets = map.rows.targets * map.cols.targets, taps = map.rows.taps * map.cols.taps;
  if (targets == 0) return;
  const Index group = samples_at_once<T>(map.rows.sources * map.cols.sources * map.k + targets * map.m, targets);
  const Index column = map.m * static_cast<Index>(sizeof(T));
  const Index parts = divide_up(column * map.k, matrices_bytes), terms = divide_up(map.k, parts);
  const Index fit = matrices_bytes / (column * terms), width = map.cols.taps;
  Index most = fit < 1 ? 1 : fit < Pieces<T>::most ? fit : Pieces<T>::most;
  const bool joined = map.joins_taps() && terms == map.k && most >= width;
  if (joined) most = most / width * width;
  PixelMap<T> part = map;
  for (Index n = 0; n < samples; n += group) {
    const Index count = samples - n < group ? samples - n : group;
    for (Index k = 0; k < map.k; k += terms)
      for (Index tap = 0; tap < taps || tap == 0; tap += most)
        map_range(part, count, start,
                  {tap, taps - tap < most ? taps : tap + most, k, map.k - k < terms ? map.k - k : terms, joined});
    part.source += group * map.source_sample;
    part.target += group * map.target_sample;
  }
}

}  // namespace eigan::detail::EIGAN_ISA

namespace eigan::detail::EIGAN_ISA {

/// Rows [first, first + count) of an image and zeros around them, which begin padding_height rows above it.
template <class T>
EIGAN_TARGET inline void pad_rows(const ConvolutionShape& s, const T* image, Index first, Index count, T* padded) {
  const Index margin = s.in * s.padding_width, row = s.in * s.width;
  for (Index r = first; r < first + count; ++r) {
    const Index from = r - s.padding_height;
    const bool there = from >= 0 && from < s.height;
    const Index begin = there ? margin : 0;
    if (there) copy(row, image + from * row, padded + margin);
    for (Index i = 0; i < begin; ++i) padded[i] = padded[margin + row + i] = T(0);
    for (Index i = 0; !there && i < padded_row(s); ++i) padded[i] = T(0);
    padded += padded_row(s);
  }
}

/// What a tap gives to the pieces [first, last) of an image row: piece q is at from + q step.
template <class T>
struct TapRow {
  const T* from;
  Index first, last;
  Index length;  // of a piece
};

/// Vectors of W numbers: most pieces are shorter than a register.
template <class T, unsigned W>
struct Short {
  // NOLINTNEXTLINE(modernize-use-using): an attribute stands beside what it changes
  typedef T V __attribute__((vector_size(W * sizeof(T))));
};

/// to piece = start piece + what N taps give to it. Vectors are stored whole: what one writes behind its piece, the
/// next writes over.
template <class T, unsigned N, unsigned W>
EIGAN_TARGET EIGAN_INLINE void add_tap_rows(const TapRow<T>* taps, Index step, Index pieces, Index length,
                                            const T* start, Index start_step, T* to) {
  using V = typename Short<T, W>::V;
  // The pieces to which all taps give, and give as much.
  Index first = 0, last = pieces;
  const T* from[N + 1];
  EIGAN_UNROLL for (unsigned t = 0; t < N; ++t) {
    first = taps[t].first > first ? taps[t].first : first;
    last = taps[t].length < length ? 0 : taps[t].last < last ? taps[t].last : last;
    from[t] = taps[t].from;
  }
  for (Index q = 0; q < pieces; ++q) {
    if (length <= static_cast<Index>(W) && q >= first) {
      for (; q < last; ++q) {
        V sum = load_as<V>(start + q * start_step);
        EIGAN_UNROLL for (unsigned t = 0; t < N; ++t) sum += load_as<V>(from[t] + q * step);
        std::memcpy(to + q * length, &sum, sizeof sum);
      }
      if (q == pieces) break;
    }
    for (Index i = 0; i < length; i += W) {
      V sum = load_as<V>(start + q * start_step + i);
      for (unsigned t = 0; t < N; ++t)
        for (Index e = i; q >= taps[t].first && q < taps[t].last && e < taps[t].length && e < i + Index{W}; ++e)
          sum[e - i] += from[t][q * step + e];
      std::memcpy(to + q * length + i, &sum, sizeof sum);
    }
  }
}
/// The sum of an image row. It goes to and fro between two lines, because a vector reads on where one has written.
template <class T>
struct RowSum {
  Index step, pieces, length;
  const T* start;
  Index start_step;
  T *line, *other;

  template <unsigned N>
  EIGAN_TARGET EIGAN_INLINE void add(const TapRow<T>* taps) {
    constexpr Index L = lanes<T>;
    constexpr unsigned four = L < 4 ? L : 4, eight = L < 8 ? L : 8;
    bool added = false;
    if constexpr (four < eight) {
      added = length <= four;
      if (added) add_tap_rows<T, N, four>(taps, step, pieces, length, start, start_step, line);
    }
    if (!added) add_tap_rows<T, N, eight>(taps, step, pieces, length, start, start_step, line);
    start = line;
    start_step = length;
    line = other;
    other = const_cast<T*>(start);
  }
};

/// One row of the image: bias + what the kept rows `from`, the first of which is number `base`, give to it.
template <class T>
EIGAN_TARGET inline void sum_taps(const ConvolutionShape& s, Index row, ImageRows from, Index base, const T* kept,
                                  const T* bias_piece, T* line, T* other, T* image) {
  const Index step = s.in * s.taps(), width = s.out_width(), pieces = row_pieces(s);
  RowSum<T> sum{step, pieces, s.in * s.stride_width, bias_piece, 0, line, other};
  TapRow<T> taps[4] = {};
  unsigned count = 0;
  for (Index q = from.last - 1; q >= from.first; --q)  // taps in order, four at a time
    for (Index j = 0; j * s.stride_width < s.kernel_width; ++j) {
      const Index i = row + s.padding_height - q * s.stride_height, left = s.kernel_width - j * s.stride_width;
      taps[count++] = {kept + ((q - base) * width - j) * step + (i * s.kernel_width + j * s.stride_width) * s.in, j,
                       j + width < pieces ? j + width : pieces, s.in * (left < s.stride_width ? left : s.stride_width)};
      if (count < 4) continue;
      sum.template add<4>(taps);
      count = 0;
    }
  for (unsigned t = 0; t < count; ++t) sum.template add<1>(taps + t);
  if (sum.start == bias_piece) sum.template add<0>(taps);  // no tap meets this row
  copy(s.in * s.width, sum.start + s.in * s.padding_width, image);
}

template <class T>
EIGAN_TARGET inline void transposed_few(const ConvolutionShape& s, ImageRows rows, Index samples, const T* wt,
                                        const T* bias, Strided<const T> y, Strided<T> x, T* workspace) {
  const Index height = s.out_height(), width = s.out_width(), m = s.in * s.taps(), capacity = kept_rows(s);
  T* const kept = workspace;
  T* const bias_piece = kept + capacity * width * m + vector_slack;
  T* const line = bias_piece + s.in * s.stride_width + vector_slack;
  T* const other_line = line + row_pieces(s) * s.in * s.stride_width + vector_slack;
  for (Index i = 0; i < s.in * s.stride_width; ++i) bias_piece[i] = bias ? bias[i % s.in] : T(0);
  for (Index n = 0; n < samples; ++n) {
    Index base = 0, end = 0;  // the output rows that are kept
    for (Index r = rows.first; r < rows.last; ++r) {
      const Index below = r + s.padding_height - s.kernel_height;
      ImageRows from{below < 0 ? 0 : below / s.stride_height + 1, (r + s.padding_height) / s.stride_height + 1};
      if (from.last > height) from.last = height;
      if (from.first > from.last) from.first = from.last;
      if (from.last > end) {
        if (end < from.first || r == rows.first) end = from.first;
        if (end > from.first)
          std::memmove(kept, kept + (from.first - base) * width * m,
                       static_cast<std::size_t>((end - from.first) * width * m) * sizeof(T));
        base = from.first;
        Index most = (rows.last - 1 + s.padding_height) / s.stride_height + 1;
        most = most < height ? most : height;
        const Index upto = base + capacity < most ? base + capacity : most;
        const PixelMap<T> map{
            .rows = {upto - end, upto - end, 1, 0, 1, 1},
            .cols = {width, width, 1, 0, 1, 1},
            .m = m,
            .k = s.out,
            .matrix = wt,
            .matrix_row = 0,
            .matrix_col = 0,
            .source = y.data + n * y.col + end * width * s.out,
            .source_sample = 0,
            .source_row = width * s.out,
            .source_col = s.out,
            .target = kept + (end - base) * width * m,
            .target_sample = 0,
            .target_row = width * m,
            .target_col = m,
        };
        map_pixels<T>(map, 1, nullptr);
        end = upto;
      }
      sum_taps(s, r, from, base, kept, bias_piece, line, other_line, x.data + n * x.col + r * s.width * s.in);
    }
  }
}

}  // namespace eigan::detail::EIGAN_ISA

namespace eigan::detail::EIGAN_ISA {

/// Pixels that are summed up before the sum goes to memory: what a part reads of them stays in the first-level cache.
inline constexpr Index gradient_terms = 96;

/// db[o] += sum over pixels of dy(o, .), for rows [first, last).
template <class T, unsigned MV>
EIGAN_TARGET EIGAN_INLINE void add_pixels(Index pixels, Index out, Index count, const T* dy, T* db) {
  constexpr Index L = lanes<T>;
  Vector<T> sum[MV] = {};
  for (Index q = 0; q < pixels; ++q) {
    if (MV == 1 && count < L)
      sum[0] += load_part(dy, count);
    else
      EIGAN_UNROLL for (unsigned i = 0; i < MV; ++i) sum[i] += load(dy + i * L);
    dy += out;
  }
  if (MV == 1 && count < L)
    store_part(db, load_part(db, count) + sum[0], count);
  else
    EIGAN_UNROLL for (unsigned i = 0; i < MV; ++i) store(db + i * L, load(db + i * L) + sum[i]);
}
template <class T>
EIGAN_TARGET inline void add_bias_gradient(Index pixels, Index out, Index first, Index last, const T* dy, T* db) {
  constexpr Index L = lanes<T>;
  Index i = first;
  for (; i + 4 * L <= last; i += 4 * L) add_pixels<T, 4>(pixels, out, L, dy + i, db + i);
  for (; i < last; i += L) add_pixels<T, 1>(pixels, out, last - i < L ? last - i : L, dy + i, db + i);
}

/// Numbers that a tap brings together on one side: `channels` of a pixel, and how far apart samples, output rows and
/// output columns lie.
template <class T>
struct TapSide {
  const T* data;
  Index channels, sample, row, col;
};

/// dw of the tap (ky, kx), rows [row, row_end) of it and columns [column, column_end): rows are channels of dy, columns
/// those of x, or the other way round.
template <class T>
EIGAN_TARGET inline void add_tap_gradient(const ConvolutionShape& s, Index ky, Index kx, ImageRows rows,
                                          ImageRows columns, Index samples, Strided<const T> dy, Strided<const T> x,
                                          bool transposed, T* dw) {
  const Index width = s.out_width(), height = s.out_height();
  // The output columns, then rows, for which the tap meets a pixel.
  const Index left = s.padding_width - kx, above = s.padding_height - ky;
  const Index col = left > 0 ? (left + s.stride_width - 1) / s.stride_width : 0;
  const Index row = above > 0 ? (above + s.stride_height - 1) / s.stride_height : 0;
  Index col_end = s.width - 1 + left < 0 ? 0 : (s.width - 1 + left) / s.stride_width + 1;
  Index row_end = s.height - 1 + above < 0 ? 0 : (s.height - 1 + above) / s.stride_height + 1;
  col_end = col_end < width ? col_end : width;
  row_end = row_end < height ? row_end : height;
  if (col_end <= col || row_end <= row) return;

  const Index image_row = row * s.stride_height - above, image_col = col * s.stride_width - left;
  const TapSide<T> output{dy.data + (row * width + col) * s.out, s.out, dy.col, width * s.out, s.out};
  const TapSide<T> image{x.data + (image_row * s.width + image_col) * s.in, s.in, x.col,
                         s.stride_height * s.width * s.in, s.stride_width * s.in};
  const TapSide<T>&a = transposed ? image : output, &b = transposed ? output : image;
  dw += (ky * s.kernel_width + kx) * s.in * s.out;

  Pieces<T> pieces;
  pieces.terms = col_end - col;
  pieces.a_col = a.col;
  pieces.b_row = b.col;
  const Index fit = gradient_terms / pieces.terms, most = fit < 1 ? 1 : fit < Pieces<T>::most ? fit : Pieces<T>::most;
  Tile<T> tile;
  tile.add = true;
  for (Index n = 0; n < samples; ++n)
    for (Index r = 0; r < row_end - row; ++r) {
      pieces.a[pieces.count] = a.data + n * a.sample + r * a.row;
      pieces.b[pieces.count] = n * b.sample + r * b.row;
      if (++pieces.count < most && !(n + 1 == samples && r + 1 == row_end - row)) continue;
      for (Index c = columns.first; c < columns.last; c += tile.columns) {
        tile.columns = tile_size(columns.last - c);
        for (Index j = 0; j < tile.columns; ++j) {
          tile.b[j] = b.data + c + j;
          tile.c[j] = dw + (c + j) * a.channels;
        }
        tile.fill_up();
        reduce(pieces, tile, rows.first, rows.last);
      }
      pieces.count = 0;
    }
}

/// dw of an image of few channels: rows [first, last), all taps.
template <class T>
EIGAN_TARGET inline void add_gradient_few(const ConvolutionShape& s, Index first, Index last, Index samples,
                                          Strided<const T> dy, Strided<const T> x, T* dw, T* db, T* padded) {
  const Index height = s.out_height(), width = s.out_width(), most = band_rows(s, height), row = padded_row(s);
  const Index columns = s.in * s.taps(), tap_row = s.in * s.kernel_width;
  constexpr Index line = 64 / static_cast<Index>(sizeof(T));
  Pieces<T> pieces;
  pieces.terms = width;
  pieces.a_col = s.out;
  pieces.b_row = s.stride_width * s.in;
  Tile<T> tile;
  tile.add = true;
  for (Index n = 0; n < samples; ++n)
    for (Index r = 0; r < height; r += most) {
      const Index rows = height - r < most ? height - r : most;
      pad_rows(s, x.data + n * x.col, r * s.stride_height, padded_rows(s, rows), padded);
      for (Index c = 0; c < columns; c += tile.columns) {
        tile.columns = tile_size(columns - c);
        for (Index j = 0; j < tile.columns; ++j) {
          tile.b[j] = padded + (c + j) / tap_row * row + (c + j) % tap_row;
          tile.c[j] = dw + (c + j) * s.out;
        }
        tile.fill_up();
        for (Index q = 0; q < rows; q += pieces.count) {
          pieces.count = rows - q < Pieces<T>::most ? rows - q : Pieces<T>::most;
          // What comes next of dy, a share of it with each tile.
          tile.ahead = {dy.data + n * dy.col + ((r + rows) * columns + c * rows) * width * s.out / columns, 0, 0, 1,
                        divide_up(width * s.out * tile.columns, columns * line) * line};
          for (Index g = 0; g < pieces.count; ++g) {
            pieces.a[g] = dy.data + n * dy.col + (r + q + g) * width * s.out;
            pieces.b[g] = (q + g) * s.stride_height * row;
          }
          reduce(pieces, tile, first, last);
        }
      }
      if (db) add_bias_gradient(rows * width, s.out, first, last, dy.data + n * dy.col + r * width * s.out, db);
    }
}

/// A part's range of channels: `part` of those that `channels` are divided into.
EIGAN_TARGET EIGAN_INLINE ImageRows channels_of_part(Index part, Index channels) {
  const Index first = part * part_size;
  return {first, first + part_size < channels ? first + part_size : channels};
}

/// Parts of many channels, of dw or of its transpose: taps, in each columns, in these rows, so that as many parts in a
/// row as there are of rows are whole columns.
template <class T>
EIGAN_TARGET inline void add_gradient_parts(const ConvolutionShape& s, Index first, Index last, Index samples,
                                            Strided<const T> dy, Strided<const T> x, bool transposed, T* dw, T* db) {
  const Index rows = transposed ? s.in : s.out, columns = transposed ? s.out : s.in;
  const Index row_parts = divide_up(rows, part_size), column_parts = divide_up(columns, part_size);
  const Index group = samples_at_once<T>(s.in_size() + s.out_size(), s.out_size());
  for (Index n = 0; n < samples; n += group) {
    const Index count = samples - n < group ? samples - n : group;
    const Strided<const T> dys{dy.data + n * dy.col, 1, dy.col}, xs{x.data + n * x.col, 1, x.col};
    for (Index part = first; part < last; ++part) {
      const Index tap = part / (row_parts * column_parts);
      const ImageRows column = channels_of_part(part / row_parts % column_parts, columns);
      const ImageRows row = channels_of_part(part % row_parts, rows);
      add_tap_gradient(s, tap / s.kernel_width, tap % s.kernel_width, row, column, count, dys, xs, transposed, dw);
      for (Index q = 0; db && tap + 1 == s.taps() && column.last == columns && q < count; ++q)
        add_bias_gradient(s.out_height() * s.out_width(), s.out, row.first, row.last, dys.data + q * dy.col, db);
    }
  }
}

template <class T>
EIGAN_TARGET inline void add_gradients(const ConvolutionShape& s, Index first, Index last, Index samples,
                                       Strided<const T> dy, Strided<const T> x, T* dw, T* db, T* workspace) {
  if (!has_few_channels(s)) return add_gradient_parts(s, first, last, samples, dy, x, false, dw, db);
  const Index row = first * part_size, end = last * part_size < s.out ? last * part_size : s.out;
  if (row < end) add_gradient_few(s, row, end, samples, dy, x, dw, db, workspace);
}
template <class T>
EIGAN_TARGET inline void add_transposed_gradients(const ConvolutionShape& s, Index first, Index last, Index samples,
                                                  Strided<const T> dy, Strided<const T> x, T* dwt) {
  add_gradient_parts<T>(s, first, last, samples, dy, x, true, dwt, nullptr);
}

}  // namespace eigan::detail::EIGAN_ISA

namespace eigan::detail::EIGAN_ISA {

template <class T>
EIGAN_TARGET inline void convolve(const ConvolutionShape& s, ImageRows rows, Index samples, const T* w, const T* bias,
                                  Strided<const T> x, Strided<T> y) {
  const Index width = s.out_width(), first = rows.first * s.stride_height - s.padding_height;
  const PixelMap<T> map{
      .rows = {rows.last - rows.first, s.height, s.kernel_height, first, s.stride_height, 1},
      .cols = {width, s.width, s.kernel_width, -s.padding_width, s.stride_width, 1},
      .m = s.out,
      .k = s.in,
      .matrix = w,
      .matrix_row = s.out * s.in * s.kernel_width,
      .matrix_col = s.out * s.in,
      .source = x.data,
      .source_sample = x.col,
      .source_row = s.width * s.in,
      .source_col = s.in,
      .target = y.data + rows.first * width * s.out,
      .target_sample = y.col,
      .target_row = width * s.out,
      .target_col = s.out,
  };
  map_pixels(map, samples, bias);
}

/// Along one side: the image's pixels [first, last) that are `phase` beyond a multiple of the stride meet every
/// stride-th tap, beginning with tap(); the one after meets the output pixel before.
struct Phase {
  Index stride, padding, kernel, out_size;
  Index begin, count;  // pixels: begin, begin + stride, ...
  EIGAN_TARGET EIGAN_INLINE Phase(Index stride_, Index padding_, Index kernel_, Index out_size_, Index phase,
                                  Index first, Index last)
      : stride(stride_), padding(padding_), kernel(kernel_), out_size(out_size_) {
    begin = first + ((phase - first) % stride + stride) % stride;
    count = begin < last ? (last - begin + stride - 1) / stride : 0;
  }
  EIGAN_TARGET EIGAN_INLINE Index tap() const { return (begin + padding) % stride; }
  EIGAN_TARGET EIGAN_INLINE Axis axis() const {
    const Index taps = tap() < kernel ? (kernel - tap() + stride - 1) / stride : 0;
    return {count, out_size, taps, (begin + padding) / stride, 1, -1};
  }
};

template <class T>
EIGAN_TARGET inline void transposed(const ConvolutionShape& s, ImageRows rows, Index samples, const T* wt,
                                    const T* bias, Strided<const T> y, Strided<T> x, T* workspace) {
  if (has_few_channels(s)) return transposed_few(s, rows, samples, wt, bias, y, x, workspace);
  const Index tap = s.in * s.out, width = s.out_width();
  for (Index a = 0; a < s.stride_height; ++a)
    for (Index b = 0; b < s.stride_width; ++b) {
      const Phase row(s.stride_height, s.padding_height, s.kernel_height, s.out_height(), a, rows.first, rows.last);
      const Phase col(s.stride_width, s.padding_width, s.kernel_width, width, b, 0, s.width);
      const PixelMap<T> map{
          .rows = row.axis(),
          .cols = col.axis(),
          .m = s.in,
          .k = s.out,
          .matrix = wt + (row.tap() * s.kernel_width + col.tap()) * tap,
          .matrix_row = s.stride_height * s.kernel_width * tap,
          .matrix_col = s.stride_width * tap,
          .source = y.data,
          .source_sample = y.col,
          .source_row = width * s.out,
          .source_col = s.out,
          .target = x.data + (row.begin * s.width + col.begin) * s.in,
          .target_sample = x.col,
          .target_row = s.stride_height * s.width * s.in,
          .target_col = s.stride_width * s.in,
      };
      map_pixels(map, samples, bias);
    }
}

template <class T>
struct TableOf<ConvolutionKernels<T>> {
  static constexpr ConvolutionKernels<T> table{
      .forward = convolve<T>,
      .transposed = transposed<T>,
      .add_gradients = add_gradients<T>,
      .add_transposed_gradients = add_transposed_gradients<T>,
  };
};

}  // namespace eigan::detail::EIGAN_ISA
#undef EIGAN_ISA
#undef EIGAN_TARGET
#undef EIGAN_VECTOR_BYTES

#if defined(__x86_64__)
#define EIGAN_X86_VECTORS

#define EIGAN_ISA avx2
#define EIGAN_TARGET [[gnu::target("avx2,fma")]]
#define EIGAN_VECTOR_BYTES 32

// ======== eigan/kernels/convolution.inc
// Convolutions: see convolution.hpp. Compiled by for_each_isa.inc.

// ======== eigan/kernels/convolution_gradient.inc
// The gradient of a convolution's weights: for each tap the product of dy and of the pixels it met, transposed.

// ======== eigan/kernels/few_channels.inc
// Convolutions of images with few channels. A row of taps reads numbers that lie side by side, so with its zeros
// around the image a row of taps is one tap of kernel_width x in terms. On the way back each output pixel gives a
// number to every tap and channel, one product; these are summed up row by row.

// ======== eigan/kernels/map_pixels.inc
// Pixels that are sums over taps of a matrix times another image's pixel: both directions of a convolution.
//
// Pixels near the edge have fewer taps. The image is divided into blocks of rows and columns that have the same ones,
// nine of them for a common kernel, so that nothing is multiplied by zeros and no pixel asks where the edge is.

// ======== eigan/kernels/batch_reduce.inc
// The batch-reduced product, building block of convolutions: c = start + a sum of products of pieces, with all sums in
// registers. Georganas et al. 2020, "Harnessing Deep Learning via a Single Building Block".

namespace eigan::detail::EIGAN_ISA {

/// Registers of sums: a strip of rows by a tile of columns. What remains of them holds the strip and one broadcast.
inline constexpr unsigned most_vectors = EIGAN_VECTOR_BYTES == 64 ? 4 : 2;
inline constexpr unsigned wide_tile = 6, narrow_tile = 4;

/// Columns of the next tile, of `left` that remain: so that few registers stay empty in the last tiles.
EIGAN_TARGET EIGAN_INLINE Index tile_size(Index left) {
  return left == 7 || left == 8 ? 4 : left < 6 ? left : 6;
}

/// What is summed: piece g is the product of the matrix at a[g], columns a_col apart, and of a tile's columns, moved by
/// b[g], with terms b_row apart.
template <class T>
struct Pieces {
  static constexpr Index most = 64;
  Index count = 0;  // of pieces
  Index terms = 0;  // of each
  Index a_col = 0, b_row = 1;
  const T* a[most];
  Index b[most];
};

/// Memory that is fetched into the cache while a tile is computed, a line or a few with each piece: all at once they
/// would hold up what is needed now. `rows` ranges of numbers, `row` apart, of which each piece takes `step`.
template <class T>
struct Ahead {
  const T* from = nullptr;
  Index offset = 0, row = 0, rows = 0, step = 0;
};

/// Columns of the right operand and of the result; those from `columns` on do not exist. `start`, a column (or null,
/// zeros), is where all sums start; what stood in c is added at the end where `add` says so.
template <class T>
struct Tile {
  Index columns = 0;
  const T* start = nullptr;
  bool add = false;
  const T* b[wide_tile];
  T* c[wide_tile];
  Ahead<T> ahead;

  /// Columns that do not exist repeat the first: what they give is not stored.
  EIGAN_TARGET EIGAN_INLINE void fill_up() {
    for (Index j = columns; j < static_cast<Index>(wide_tile); ++j) {
      b[j] = b[0];
      c[j] = c[0];
    }
  }
};

template <class T>
EIGAN_TARGET EIGAN_INLINE void fetch(const Ahead<T>& ahead, Index piece) {
  constexpr Index line = 64 / static_cast<Index>(sizeof(T));
  for (Index r = 0; r < ahead.rows; ++r)
    for (Index i = 0; i < ahead.step; i += line)
      __builtin_prefetch(ahead.from + ahead.offset + r * ahead.row + piece * ahead.step + i);
}

/// Rows [row, row + MV vectors) of a tile of up to NR columns; with `part` the last vector has only `rest` rows.
template <class T, unsigned MV, unsigned NR, bool part>
EIGAN_TARGET EIGAN_NOINLINE void reduce_block(const Pieces<T>& pieces, const Tile<T>& tile, Index row, Index rest) {
  using V = Vector<T>;
  constexpr Index L = lanes<T>;
  V sum[NR][MV];
  EIGAN_UNROLL for (unsigned i = 0; i < MV; ++i) {
    V first{};
    if (tile.start) first = part ? load_part(tile.start + row + i * L, rest) : load(tile.start + row + i * L);
    EIGAN_UNROLL for (unsigned j = 0; j < NR; ++j) sum[j][i] = first;
  }
  const Index a_col = pieces.a_col, b_row = pieces.b_row, terms = pieces.terms;
  for (Index g = 0; g < pieces.count; ++g) {
    if (2 * g + 1 < static_cast<Index>(NR)) {  // where the results will go, two columns with each piece
      EIGAN_UNROLL for (unsigned i = 0; i < MV; ++i) __builtin_prefetch(tile.c[2 * g] + row + i * L);
      EIGAN_UNROLL for (unsigned i = 0; i < MV; ++i) __builtin_prefetch(tile.c[2 * g + 1] + row + i * L);
    }
    if (row == 0) fetch(tile.ahead, g);
    const T* a = pieces.a[g] + row;
    const T* b[NR];
    EIGAN_UNROLL for (unsigned j = 0; j < NR; ++j) b[j] = tile.b[j] + pieces.b[g];
    Index at = 0;
    EIGAN_UNROLL_TWICE
    for (Index p = 0; p < terms; ++p) {
      V av[MV];
      EIGAN_UNROLL for (unsigned i = 0; i < MV; ++i) av[i] =
          in_register(part ? load_part(a + i * L, rest) : load(a + i * L));
      EIGAN_UNROLL for (unsigned j = 0; j < NR; ++j) {
        const V bv = broadcast(b[j][at]);
        EIGAN_UNROLL for (unsigned i = 0; i < MV; ++i) sum[j][i] = fma(av[i], bv, sum[j][i]);
      }
      a += a_col;
      at += b_row;
    }
  }
  const bool add = tile.add;
  const Index columns = tile.columns;
  EIGAN_UNROLL for (unsigned j = 0; j < NR; ++j) {
    if (static_cast<Index>(j) < columns) {
      T* const c = tile.c[j] + row;
      if (add) {
        EIGAN_UNROLL for (unsigned i = 0; i < MV; ++i) sum[j][i] += part ? load_part(c + i * L, rest) : load(c + i * L);
      }
      EIGAN_UNROLL for (unsigned i = 0; i < MV; ++i) {
        if (part)
          store_part(c + i * L, sum[j][i], rest);
        else
          store(c + i * L, sum[j][i]);
      }
    }
  }
}

/// Rows [first, last) of a tile.
template <class T, unsigned NR>
EIGAN_TARGET EIGAN_INLINE void reduce_strips(const Pieces<T>& pieces, const Tile<T>& tile, Index first, Index last) {
  constexpr Index L = lanes<T>;
  Index i = first;
  if constexpr (most_vectors == 4) {
    for (; i + 4 * L <= last; i += 4 * L) reduce_block<T, 4, NR, false>(pieces, tile, i, L);
    if (i + 3 * L <= last) {
      reduce_block<T, 3, NR, false>(pieces, tile, i, L);
      i += 3 * L;
    }
  }
  for (; i + 2 * L <= last; i += 2 * L) reduce_block<T, 2, NR, false>(pieces, tile, i, L);
  for (; i + L <= last; i += L) reduce_block<T, 1, NR, false>(pieces, tile, i, L);
  if (i < last) reduce_block<T, 1, NR, true>(pieces, tile, i, last - i);
}
template <class T>
EIGAN_TARGET inline void reduce(const Pieces<T>& pieces, const Tile<T>& tile, Index first, Index last) {
  if (tile.columns > static_cast<Index>(narrow_tile))
    reduce_strips<T, wide_tile>(pieces, tile, first, last);
  else
    reduce_strips<T, narrow_tile>(pieces, tile, first, last);
}

}  // namespace eigan::detail::EIGAN_ISA

namespace eigan::detail::EIGAN_ISA {

/// A range [first, last).
struct Run {
  Index first, last;
};

/// Along one side of the images: target t takes from source first + step t + direction tap, if there is one.
struct Axis {
  Index targets, sources, taps;
  Index first, step, direction;

  EIGAN_TARGET EIGAN_INLINE Index source(Index target, Index tap) const {
    return first + step * target + direction * tap;
  }
  /// The taps for which there is a source.
  EIGAN_TARGET EIGAN_INLINE Run taps_of(Index target) const {
    const Index at = source(target, 0);
    const Index from = direction > 0 ? -at : at - sources + 1, to = direction > 0 ? sources - at : at + 1;
    const Run run{from > 0 ? from : 0, to < taps ? to : taps};
    return run.first < run.last ? run : Run{0, 0};
  }
  /// The first target after `target` that has other taps.
  EIGAN_TARGET EIGAN_INLINE Index end_of_run(Index target) const {
    const Run run = taps_of(target);
    for (++target; target < targets; ++target)
      if (const Run other = taps_of(target); other.first != run.first || other.last != run.last) break;
    return target;
  }
  EIGAN_TARGET EIGAN_INLINE Run longest_run() const {
    Run longest{0, 0};
    for (Index target = 0, end; target < targets; target = end) {
      end = end_of_run(target);
      if (end - target > longest.last - longest.first) longest = {target, end};
    }
    return longest;
  }
};

/// target pixel (t, u) = start + sum over taps of matrix(tap) times source pixel.
template <class T>
struct PixelMap {
  Axis rows, cols;
  Index m, k;  // numbers in a target and in a source pixel
  const T* matrix;
  Index matrix_row, matrix_col;  // from one tap's matrix (m x k, column-major) to the next
  const T* source;
  Index source_sample, source_row, source_col;  // from one to the next
  T* target;
  Index target_sample, target_row, target_col;

  /// Pixels of few numbers: the matrices of a row of taps follow each other, and so do the pixels that they meet, so
  /// that they are one product.
  EIGAN_TARGET EIGAN_INLINE bool joins_taps() const {
    return k < few_channels && cols.direction > 0 && matrix_col == m * k && source_col == k;
  }
};

/// Targets of a block in order: sample by sample, row by row.
template <class T>
class PixelCursor {
 public:
  EIGAN_TARGET EIGAN_INLINE PixelCursor(const PixelMap<T>& map, Run rows, Run cols)
      : map_(map), rows_(rows), cols_(cols) {
    row_ = rows.first;
    go_to_row();
  }
  EIGAN_TARGET EIGAN_INLINE void take(Index columns, Tile<T>& tile) {
    tile.columns = columns;
    for (Index j = 0; j < columns; ++j) {
      tile.b[j] = source_;
      tile.c[j] = target_;
      next();
    }
    tile.fill_up();
  }

 private:
  EIGAN_TARGET EIGAN_INLINE void next() {
    source_ += map_.cols.step * map_.source_col;
    target_ += map_.target_col;
    if (--left_ > 0) return;
    if (++row_ == rows_.last) {
      row_ = rows_.first;
      ++sample_;
    }
    go_to_row();
  }
  EIGAN_TARGET EIGAN_INLINE void go_to_row() {
    left_ = cols_.last - cols_.first;
    source_ = map_.source + sample_ * map_.source_sample + map_.rows.step * row_ * map_.source_row +
              map_.cols.step * cols_.first * map_.source_col;
    target_ = map_.target + sample_ * map_.target_sample + row_ * map_.target_row + cols_.first * map_.target_col;
  }

  const PixelMap<T>& map_;
  Run rows_, cols_;
  Index sample_ = 0, row_, left_;
  const T* source_;
  T* target_;
};

/// What tiles will need while this one is computed: pixels of the source, as many tiles later as it takes memory to
/// answer. Relative to the tile's first pixel.
template <class T>
EIGAN_TARGET EIGAN_INLINE Ahead<T> look_ahead(const PixelMap<T>& map, const Pieces<T>& pieces) {
  if (pieces.count == 0) return {};
  constexpr Index line = 64 / static_cast<Index>(sizeof(T)), columns = wide_tile;
  const Index tiles = 1 + 4096 / (pieces.count * pieces.terms * map.m);
  const Index span = columns * map.cols.step * map.source_col;
  const Index newest = map.rows.direction > 0 ? pieces.count - 1 : 0;
  return {nullptr, pieces.b[newest] + tiles * span, -map.source_row, map.rows.step,
          divide_up(span, line * pieces.count) * line};
}

/// Some taps of all: taps [first, last), row by row, and of their matrices the columns [k, k + terms).
struct TapRange {
  Index first, last, k, terms;
  bool joined;  // rows of taps are whole, and one product each
};

/// The targets of a block, rows x cols of `samples` samples, all of which have the same taps: what `range` gives to
/// them.
template <class T>
EIGAN_TARGET inline void map_block(const PixelMap<T>& map, Index samples, const T* start, TapRange range, Run rows,
                                   Run cols) {
  const Run row_taps = map.rows.taps_of(rows.first), col_taps = map.cols.taps_of(cols.first);
  const Index width = range.joined ? col_taps.last - col_taps.first : 1;
  Pieces<T> pieces;
  pieces.a_col = map.m;
  pieces.terms = width * range.terms;
  bool begun = range.k > 0;
  for (Index t = row_taps.first; t < row_taps.last; ++t)
    for (Index u = col_taps.first; u < col_taps.last; u += width) {
      const Index tap = t * map.cols.taps + u;
      begun = begun || tap < range.first;
      if (tap < range.first || tap >= range.last) continue;
      pieces.a[pieces.count] = map.matrix + t * map.matrix_row + u * map.matrix_col + range.k * map.m;
      pieces.b[pieces.count++] =
          map.rows.source(0, t) * map.source_row + map.cols.source(0, u) * map.source_col + range.k;
    }
  const bool no_taps = row_taps.first == row_taps.last || col_taps.first == col_taps.last;
  if (pieces.count == 0 && !(no_taps && range.first == 0 && !begun)) return;
  Tile<T> tile;
  tile.start = begun ? nullptr : start;
  tile.add = begun;
  tile.ahead = look_ahead(map, pieces);
  PixelCursor<T> cursor(map, rows, cols);
  for (Index left = samples * (rows.last - rows.first) * (cols.last - cols.first); left > 0; left -= tile.columns) {
    cursor.take(tile_size(left), tile);
    tile.ahead.from = tile.b[0];
    reduce(pieces, tile, 0, map.m);
  }
}

/// One range of taps for all targets of some samples, most of them in the first block.
template <class T>
EIGAN_TARGET inline void map_range(const PixelMap<T>& map, Index samples, const T* start, TapRange range) {
  const Run rows = map.rows.longest_run(), cols = map.cols.longest_run();
  if (rows.first < rows.last && cols.first < cols.last) map_block(map, samples, start, range, rows, cols);
  for (Index row = 0, row_end; row < map.rows.targets; row = row_end) {
    row_end = map.rows.end_of_run(row);
    for (Index col = 0, col_end; col < map.cols.targets; col = col_end) {
      col_end = map.cols.end_of_run(col);
      if (row != rows.first || col != cols.first) map_block(map, samples, start, range, {row, row_end}, {col, col_end});
    }
  }
}

/// Bytes of matrices that are used for all targets before the next: most of a second-level cache.
inline constexpr Index matrices_bytes = 786432;

/// Samples that are worked through as one, so that the matrices are fetched once for them: enough pixels to fill tiles,
/// and more where they stay in the second-level cache.
template <class T>
EIGAN_TARGET EIGAN_INLINE Index samples_at_once(Index numbers, Index pixels) {
  constexpr Index images_bytes = 393216, enough = 1024;
  const Index fit = images_bytes / (numbers * static_cast<Index>(sizeof(T)) + 1), fill = enough / (pixels + 1);
  return fit > fill ? (fit > 1 ? fit : 1) : (fill > 1 ? fill : 1);
}

/// All targets of `samples` samples. Each element is added up in an order that depends on sizes alone.
template <class T>
EIGAN_TARGET inline void map_pixels(const PixelMap<T>& map, Index samples, const T* start) {
  const Index targets = map.rows.targets * map.cols.targets, taps = map.rows.taps * map.cols.taps;
  if (targets == 0) return;
  const Index group = samples_at_once<T>(map.rows.sources * map.cols.sources * map.k + targets * map.m, targets);
  const Index column = map.m * static_cast<Index>(sizeof(T));
  const Index parts = divide_up(column * map.k, matrices_bytes), terms = divide_up(map.k, parts);
  const Index fit = matrices_bytes / (column * terms), width = map.cols.taps;
  Index most = fit < 1 ? 1 : fit < Pieces<T>::most ? fit : Pieces<T>::most;
  const bool joined = map.joins_taps() && terms == map.k && most >= width;
  if (joined) most = most / width * width;
  PixelMap<T> part = map;
  for (Index n = 0; n < samples; n += group) {
    const Index count = samples - n < group ? samples - n : group;
    for (Index k = 0; k < map.k; k += terms)
      for (Index tap = 0; tap < taps || tap == 0; tap += most)
        map_range(part, count, start,
                  {tap, taps - tap < most ? taps : tap + most, k, map.k - k < terms ? map.k - k : terms, joined});
    part.source += group * map.source_sample;
    part.target += group * map.target_sample;
  }
}

}  // namespace eigan::detail::EIGAN_ISA

namespace eigan::detail::EIGAN_ISA {

/// Rows [first, first + count) of an image and zeros around them, which begin padding_height rows above it.
template <class T>
EIGAN_TARGET inline void pad_rows(const ConvolutionShape& s, const T* image, Index first, Index count, T* padded) {
  const Index margin = s.in * s.padding_width, row = s.in * s.width;
  for (Index r = first; r < first + count; ++r) {
    const Index from = r - s.padding_height;
    const bool there = from >= 0 && from < s.height;
    const Index begin = there ? margin : 0;
    if (there) copy(row, image + from * row, padded + margin);
    for (Index i = 0; i < begin; ++i) padded[i] = padded[margin + row + i] = T(0);
    for (Index i = 0; !there && i < padded_row(s); ++i) padded[i] = T(0);
    padded += padded_row(s);
  }
}

/// What a tap gives to the pieces [first, last) of an image row: piece q is at from + q step.
template <class T>
struct TapRow {
  const T* from;
  Index first, last;
  Index length;  // of a piece
};

/// Vectors of W numbers: most pieces are shorter than a register.
template <class T, unsigned W>
struct Short {
  // NOLINTNEXTLINE(modernize-use-using): an attribute stands beside what it changes
  typedef T V __attribute__((vector_size(W * sizeof(T))));
};

/// to piece = start piece + what N taps give to it. Vectors are stored whole: what one writes behind its piece, the
/// next writes over.
template <class T, unsigned N, unsigned W>
EIGAN_TARGET EIGAN_INLINE void add_tap_rows(const TapRow<T>* taps, Index step, Index pieces, Index length,
                                            const T* start, Index start_step, T* to) {
  using V = typename Short<T, W>::V;
  // The pieces to which all taps give, and give as much.
  Index first = 0, last = pieces;
  const T* from[N + 1];
  EIGAN_UNROLL for (unsigned t = 0; t < N; ++t) {
    first = taps[t].first > first ? taps[t].first : first;
    last = taps[t].length < length ? 0 : taps[t].last < last ? taps[t].last : last;
    from[t] = taps[t].from;
  }
  for (Index q = 0; q < pieces; ++q) {
    if (length <= static_cast<Index>(W) && q >= first) {
      for (; q < last; ++q) {
        V sum = load_as<V>(start + q * start_step);
        EIGAN_UNROLL for (unsigned t = 0; t < N; ++t) sum += load_as<V>(from[t] + q * step);
        std::memcpy(to + q * length, &sum, sizeof sum);
      }
      if (q == pieces) break;
    }
    for (Index i = 0; i < length; i += W) {
      V sum = load_as<V>(start + q * start_step + i);
      for (unsigned t = 0; t < N; ++t)
        for (Index e = i; q >= taps[t].first && q < taps[t].last && e < taps[t].length && e < i + Index{W}; ++e)
          sum[e - i] += from[t][q * step + e];
      std::memcpy(to + q * length + i, &sum, sizeof sum);
    }
  }
}
/// The sum of an image row. It goes to and fro between two lines, because a vector reads on where one has written.
template <class T>
struct RowSum {
  Index step, pieces, length;
  const T* start;
  Index start_step;
  T *line, *other;

  template <unsigned N>
  EIGAN_TARGET EIGAN_INLINE void add(const TapRow<T>* taps) {
    constexpr Index L = lanes<T>;
    constexpr unsigned four = L < 4 ? L : 4, eight = L < 8 ? L : 8;
    bool added = false;
    if constexpr (four < eight) {
      added = length <= four;
      if (added) add_tap_rows<T, N, four>(taps, step, pieces, length, start, start_step, line);
    }
    if (!added) add_tap_rows<T, N, eight>(taps, step, pieces, length, start, start_step, line);
    start = line;
    start_step = length;
    line = other;
    other = const_cast<T*>(start);
  }
};

/// One row of the image: bias + what the kept rows `from`, the first of which is number `base`, give to it.
template <class T>
EIGAN_TARGET inline void sum_taps(const ConvolutionShape& s, Index row, ImageRows from, Index base, const T* kept,
                                  const T* bias_piece, T* line, T* other, T* image) {
  const Index step = s.in * s.taps(), width = s.out_width(), pieces = row_pieces(s);
  RowSum<T> sum{step, pieces, s.in * s.stride_width, bias_piece, 0, line, other};
  TapRow<T> taps[4] = {};
  unsigned count = 0;
  for (Index q = from.last - 1; q >= from.first; --q)  // taps in order, four at a time
    for (Index j = 0; j * s.stride_width < s.kernel_width; ++j) {
      const Index i = row + s.padding_height - q * s.stride_height, left = s.kernel_width - j * s.stride_width;
      taps[count++] = {kept + ((q - base) * width - j) * step + (i * s.kernel_width + j * s.stride_width) * s.in, j,
                       j + width < pieces ? j + width : pieces, s.in * (left < s.stride_width ? left : s.stride_width)};
      if (count < 4) continue;
      sum.template add<4>(taps);
      count = 0;
    }
  for (unsigned t = 0; t < count; ++t) sum.template add<1>(taps + t);
  if (sum.start == bias_piece) sum.template add<0>(taps);  // no tap meets this row
  copy(s.in * s.width, sum.start + s.in * s.padding_width, image);
}

template <class T>
EIGAN_TARGET inline void transposed_few(const ConvolutionShape& s, ImageRows rows, Index samples, const T* wt,
                                        const T* bias, Strided<const T> y, Strided<T> x, T* workspace) {
  const Index height = s.out_height(), width = s.out_width(), m = s.in * s.taps(), capacity = kept_rows(s);
  T* const kept = workspace;
  T* const bias_piece = kept + capacity * width * m + vector_slack;
  T* const line = bias_piece + s.in * s.stride_width + vector_slack;
  T* const other_line = line + row_pieces(s) * s.in * s.stride_width + vector_slack;
  for (Index i = 0; i < s.in * s.stride_width; ++i) bias_piece[i] = bias ? bias[i % s.in] : T(0);
  for (Index n = 0; n < samples; ++n) {
    Index base = 0, end = 0;  // the output rows that are kept
    for (Index r = rows.first; r < rows.last; ++r) {
      const Index below = r + s.padding_height - s.kernel_height;
      ImageRows from{below < 0 ? 0 : below / s.stride_height + 1, (r + s.padding_height) / s.stride_height + 1};
      if (from.last > height) from.last = height;
      if (from.first > from.last) from.first = from.last;
      if (from.last > end) {
        if (end < from.first || r == rows.first) end = from.first;
        if (end > from.first)
          std::memmove(kept, kept + (from.first - base) * width * m,
                       static_cast<std::size_t>((end - from.first) * width * m) * sizeof(T));
        base = from.first;
        Index most = (rows.last - 1 + s.padding_height) / s.stride_height + 1;
        most = most < height ? most : height;
        const Index upto = base + capacity < most ? base + capacity : most;
        const PixelMap<T> map{
            .rows = {upto - end, upto - end, 1, 0, 1, 1},
            .cols = {width, width, 1, 0, 1, 1},
            .m = m,
            .k = s.out,
            .matrix = wt,
            .matrix_row = 0,
            .matrix_col = 0,
            .source = y.data + n * y.col + end * width * s.out,
            .source_sample = 0,
            .source_row = width * s.out,
            .source_col = s.out,
            .target = kept + (end - base) * width * m,
            .target_sample = 0,
            .target_row = width * m,
            .target_col = m,
        };
        map_pixels<T>(map, 1, nullptr);
        end = upto;
      }
      sum_taps(s, r, from, base, kept, bias_piece, line, other_line, x.data + n * x.col + r * s.width * s.in);
    }
  }
}

}  // namespace eigan::detail::EIGAN_ISA

namespace eigan::detail::EIGAN_ISA {

/// Pixels that are summed up before the sum goes to memory: what a part reads of them stays in the first-level cache.
inline constexpr Index gradient_terms = 96;

/// db[o] += sum over pixels of dy(o, .), for rows [first, last).
template <class T, unsigned MV>
EIGAN_TARGET EIGAN_INLINE void add_pixels(Index pixels, Index out, Index count, const T* dy, T* db) {
  constexpr Index L = lanes<T>;
  Vector<T> sum[MV] = {};
  for (Index q = 0; q < pixels; ++q) {
    if (MV == 1 && count < L)
      sum[0] += load_part(dy, count);
    else
      EIGAN_UNROLL for (unsigned i = 0; i < MV; ++i) sum[i] += load(dy + i * L);
    dy += out;
  }
  if (MV == 1 && count < L)
    store_part(db, load_part(db, count) + sum[0], count);
  else
    EIGAN_UNROLL for (unsigned i = 0; i < MV; ++i) store(db + i * L, load(db + i * L) + sum[i]);
}
template <class T>
EIGAN_TARGET inline void add_bias_gradient(Index pixels, Index out, Index first, Index last, const T* dy, T* db) {
  constexpr Index L = lanes<T>;
  Index i = first;
  for (; i + 4 * L <= last; i += 4 * L) add_pixels<T, 4>(pixels, out, L, dy + i, db + i);
  for (; i < last; i += L) add_pixels<T, 1>(pixels, out, last - i < L ? last - i : L, dy + i, db + i);
}

/// Numbers that a tap brings together on one side: `channels` of a pixel, and how far apart samples, output rows and
/// output columns lie.
template <class T>
struct TapSide {
  const T* data;
  Index channels, sample, row, col;
};

/// dw of the tap (ky, kx), rows [row, row_end) of it and columns [column, column_end): rows are channels of dy, columns
/// those of x, or the other way round.
template <class T>
EIGAN_TARGET inline void add_tap_gradient(const ConvolutionShape& s, Index ky, Index kx, ImageRows rows,
                                          ImageRows columns, Index samples, Strided<const T> dy, Strided<const T> x,
                                          bool transposed, T* dw) {
  const Index width = s.out_width(), height = s.out_height();
  // The output columns, then rows, for which the tap meets a pixel.
  const Index left = s.padding_width - kx, above = s.padding_height - ky;
  const Index col = left > 0 ? (left + s.stride_width - 1) / s.stride_width : 0;
  const Index row = above > 0 ? (above + s.stride_height - 1) / s.stride_height : 0;
  Index col_end = s.width - 1 + left < 0 ? 0 : (s.width - 1 + left) / s.stride_width + 1;
  Index row_end = s.height - 1 + above < 0 ? 0 : (s.height - 1 + above) / s.stride_height + 1;
  col_end = col_end < width ? col_end : width;
  row_end = row_end < height ? row_end : height;
  if (col_end <= col || row_end <= row) return;

  const Index image_row = row * s.stride_height - above, image_col = col * s.stride_width - left;
  const TapSide<T> output{dy.data + (row * width + col) * s.out, s.out, dy.col, width * s.out, s.out};
  const TapSide<T> image{x.data + (image_row * s.width + image_col) * s.in, s.in, x.col,
                         s.stride_height * s.width * s.in, s.stride_width * s.in};
  const TapSide<T>&a = transposed ? image : output, &b = transposed ? output : image;
  dw += (ky * s.kernel_width + kx) * s.in * s.out;

  Pieces<T> pieces;
  pieces.terms = col_end - col;
  pieces.a_col = a.col;
  pieces.b_row = b.col;
  const Index fit = gradient_terms / pieces.terms, most = fit < 1 ? 1 : fit < Pieces<T>::most ? fit : Pieces<T>::most;
  Tile<T> tile;
  tile.add = true;
  for (Index n = 0; n < samples; ++n)
    for (Index r = 0; r < row_end - row; ++r) {
      pieces.a[pieces.count] = a.data + n * a.sample + r * a.row;
      pieces.b[pieces.count] = n * b.sample + r * b.row;
      if (++pieces.count < most && !(n + 1 == samples && r + 1 == row_end - row)) continue;
      for (Index c = columns.first; c < columns.last; c += tile.columns) {
        tile.columns = tile_size(columns.last - c);
        for (Index j = 0; j < tile.columns; ++j) {
          tile.b[j] = b.data + c + j;
          tile.c[j] = dw + (c + j) * a.channels;
        }
        tile.fill_up();
        reduce(pieces, tile, rows.first, rows.last);
      }
      pieces.count = 0;
    }
}

/// dw of an image of few channels: rows [first, last), all taps.
template <class T>
EIGAN_TARGET inline void add_gradient_few(const ConvolutionShape& s, Index first, Index last, Index samples,
                                          Strided<const T> dy, Strided<const T> x, T* dw, T* db, T* padded) {
  const Index height = s.out_height(), width = s.out_width(), most = band_rows(s, height), row = padded_row(s);
  const Index columns = s.in * s.taps(), tap_row = s.in * s.kernel_width;
  constexpr Index line = 64 / static_cast<Index>(sizeof(T));
  Pieces<T> pieces;
  pieces.terms = width;
  pieces.a_col = s.out;
  pieces.b_row = s.stride_width * s.in;
  Tile<T> tile;
  tile.add = true;
  for (Index n = 0; n < samples; ++n)
    for (Index r = 0; r < height; r += most) {
      const Index rows = height - r < most ? height - r : most;
      pad_rows(s, x.data + n * x.col, r * s.stride_height, padded_rows(s, rows), padded);
      for (Index c = 0; c < columns; c += tile.columns) {
        tile.columns = tile_size(columns - c);
        for (Index j = 0; j < tile.columns; ++j) {
          tile.b[j] = padded + (c + j) / tap_row * row + (c + j) % tap_row;
          tile.c[j] = dw + (c + j) * s.out;
        }
        tile.fill_up();
        for (Index q = 0; q < rows; q += pieces.count) {
          pieces.count = rows - q < Pieces<T>::most ? rows - q : Pieces<T>::most;
          // What comes next of dy, a share of it with each tile.
          tile.ahead = {dy.data + n * dy.col + ((r + rows) * columns + c * rows) * width * s.out / columns, 0, 0, 1,
                        divide_up(width * s.out * tile.columns, columns * line) * line};
          for (Index g = 0; g < pieces.count; ++g) {
            pieces.a[g] = dy.data + n * dy.col + (r + q + g) * width * s.out;
            pieces.b[g] = (q + g) * s.stride_height * row;
          }
          reduce(pieces, tile, first, last);
        }
      }
      if (db) add_bias_gradient(rows * width, s.out, first, last, dy.data + n * dy.col + r * width * s.out, db);
    }
}

/// A part's range of channels: `part` of those that `channels` are divided into.
EIGAN_TARGET EIGAN_INLINE ImageRows channels_of_part(Index part, Index channels) {
  const Index first = part * part_size;
  return {first, first + part_size < channels ? first + part_size : channels};
}

/// Parts of many channels, of dw or of its transpose: taps, in each columns, in these rows, so that as many parts in a
/// row as there are of rows are whole columns.
template <class T>
EIGAN_TARGET inline void add_gradient_parts(const ConvolutionShape& s, Index first, Index last, Index samples,
                                            Strided<const T> dy, Strided<const T> x, bool transposed, T* dw, T* db) {
  const Index rows = transposed ? s.in : s.out, columns = transposed ? s.out : s.in;
  const Index row_parts = divide_up(rows, part_size), column_parts = divide_up(columns, part_size);
  const Index group = samples_at_once<T>(s.in_size() + s.out_size(), s.out_size());
  for (Index n = 0; n < samples; n += group) {
    const Index count = samples - n < group ? samples - n : group;
    const Strided<const T> dys{dy.data + n * dy.col, 1, dy.col}, xs{x.data + n * x.col, 1, x.col};
    for (Index part = first; part < last; ++part) {
      const Index tap = part / (row_parts * column_parts);
      const ImageRows column = channels_of_part(part / row_parts % column_parts, columns);
      const ImageRows row = channels_of_part(part % row_parts, rows);
      add_tap_gradient(s, tap / s.kernel_width, tap % s.kernel_width, row, column, count, dys, xs, transposed, dw);
      for (Index q = 0; db && tap + 1 == s.taps() && column.last == columns && q < count; ++q)
        add_bias_gradient(s.out_height() * s.out_width(), s.out, row.first, row.last, dys.data + q * dy.col, db);
    }
  }
}

template <class T>
EIGAN_TARGET inline void add_gradients(const ConvolutionShape& s, Index first, Index last, Index samples,
                                       Strided<const T> dy, Strided<const T> x, T* dw, T* db, T* workspace) {
  if (!has_few_channels(s)) return add_gradient_parts(s, first, last, samples, dy, x, false, dw, db);
  const Index row = first * part_size, end = last * part_size < s.out ? last * part_size : s.out;
  if (row < end) add_gradient_few(s, row, end, samples, dy, x, dw, db, workspace);
}
template <class T>
EIGAN_TARGET inline void add_transposed_gradients(const ConvolutionShape& s, Index first, Index last, Index samples,
                                                  Strided<const T> dy, Strided<const T> x, T* dwt) {
  add_gradient_parts<T>(s, first, last, samples, dy, x, true, dwt, nullptr);
}

}  // namespace eigan::detail::EIGAN_ISA

namespace eigan::detail::EIGAN_ISA {

template <class T>
EIGAN_TARGET inline void convolve(const ConvolutionShape& s, ImageRows rows, Index samples, const T* w, const T* bias,
                                  Strided<const T> x, Strided<T> y) {
  const Index width = s.out_width(), first = rows.first * s.stride_height - s.padding_height;
  const PixelMap<T> map{
      .rows = {rows.last - rows.first, s.height, s.kernel_height, first, s.stride_height, 1},
      .cols = {width, s.width, s.kernel_width, -s.padding_width, s.stride_width, 1},
      .m = s.out,
      .k = s.in,
      .matrix = w,
      .matrix_row = s.out * s.in * s.kernel_width,
      .matrix_col = s.out * s.in,
      .source = x.data,
      .source_sample = x.col,
      .source_row = s.width * s.in,
      .source_col = s.in,
      .target = y.data + rows.first * width * s.out,
      .target_sample = y.col,
      .target_row = width * s.out,
      .target_col = s.out,
  };
  map_pixels(map, samples, bias);
}

/// Along one side: the image's pixels [first, last) that are `phase` beyond a multiple of the stride meet every
/// stride-th tap, beginning with tap(); the one after meets the output pixel before.
struct Phase {
  Index stride, padding, kernel, out_size;
  Index begin, count;  // pixels: begin, begin + stride, ...
  EIGAN_TARGET EIGAN_INLINE Phase(Index stride_, Index padding_, Index kernel_, Index out_size_, Index phase,
                                  Index first, Index last)
      : stride(stride_), padding(padding_), kernel(kernel_), out_size(out_size_) {
    begin = first + ((phase - first) % stride + stride) % stride;
    count = begin < last ? (last - begin + stride - 1) / stride : 0;
  }
  EIGAN_TARGET EIGAN_INLINE Index tap() const { return (begin + padding) % stride; }
  EIGAN_TARGET EIGAN_INLINE Axis axis() const {
    const Index taps = tap() < kernel ? (kernel - tap() + stride - 1) / stride : 0;
    return {count, out_size, taps, (begin + padding) / stride, 1, -1};
  }
};

template <class T>
EIGAN_TARGET inline void transposed(const ConvolutionShape& s, ImageRows rows, Index samples, const T* wt,
                                    const T* bias, Strided<const T> y, Strided<T> x, T* workspace) {
  if (has_few_channels(s)) return transposed_few(s, rows, samples, wt, bias, y, x, workspace);
  const Index tap = s.in * s.out, width = s.out_width();
  for (Index a = 0; a < s.stride_height; ++a)
    for (Index b = 0; b < s.stride_width; ++b) {
      const Phase row(s.stride_height, s.padding_height, s.kernel_height, s.out_height(), a, rows.first, rows.last);
      const Phase col(s.stride_width, s.padding_width, s.kernel_width, width, b, 0, s.width);
      const PixelMap<T> map{
          .rows = row.axis(),
          .cols = col.axis(),
          .m = s.in,
          .k = s.out,
          .matrix = wt + (row.tap() * s.kernel_width + col.tap()) * tap,
          .matrix_row = s.stride_height * s.kernel_width * tap,
          .matrix_col = s.stride_width * tap,
          .source = y.data,
          .source_sample = y.col,
          .source_row = width * s.out,
          .source_col = s.out,
          .target = x.data + (row.begin * s.width + col.begin) * s.in,
          .target_sample = x.col,
          .target_row = s.stride_height * s.width * s.in,
          .target_col = s.stride_width * s.in,
      };
      map_pixels(map, samples, bias);
    }
}

template <class T>
struct TableOf<ConvolutionKernels<T>> {
  static constexpr ConvolutionKernels<T> table{
      .forward = convolve<T>,
      .transposed = transposed<T>,
      .add_gradients = add_gradients<T>,
      .add_transposed_gradients = add_transposed_gradients<T>,
  };
};

}  // namespace eigan::detail::EIGAN_ISA
#undef EIGAN_ISA
#undef EIGAN_TARGET
#undef EIGAN_VECTOR_BYTES

#define EIGAN_ISA avx512
#define EIGAN_TARGET [[gnu::target("avx2,fma,avx512f")]]
#define EIGAN_VECTOR_BYTES 64

// ======== eigan/kernels/convolution.inc
// Convolutions: see convolution.hpp. Compiled by for_each_isa.inc.

// ======== eigan/kernels/convolution_gradient.inc
// The gradient of a convolution's weights: for each tap the product of dy and of the pixels it met, transposed.

// ======== eigan/kernels/few_channels.inc
// Convolutions of images with few channels. A row of taps reads numbers that lie side by side, so with its zeros
// around the image a row of taps is one tap of kernel_width x in terms. On the way back each output pixel gives a
// number to every tap and channel, one product; these are summed up row by row.

// ======== eigan/kernels/map_pixels.inc
// Pixels that are sums over taps of a matrix times another image's pixel: both directions of a convolution.
//
// Pixels near the edge have fewer taps. The image is divided into blocks of rows and columns that have the same ones,
// nine of them for a common kernel, so that nothing is multiplied by zeros and no pixel asks where the edge is.

// ======== eigan/kernels/batch_reduce.inc
// The batch-reduced product, building block of convolutions: c = start + a sum of products of pieces, with all sums in
// registers. Georganas et al. 2020, "Harnessing Deep Learning via a Single Building Block".

namespace eigan::detail::EIGAN_ISA {

/// Registers of sums: a strip of rows by a tile of columns. What remains of them holds the strip and one broadcast.
inline constexpr unsigned most_vectors = EIGAN_VECTOR_BYTES == 64 ? 4 : 2;
inline constexpr unsigned wide_tile = 6, narrow_tile = 4;

/// Columns of the next tile, of `left` that remain: so that few registers stay empty in the last tiles.
EIGAN_TARGET EIGAN_INLINE Index tile_size(Index left) {
  return left == 7 || left == 8 ? 4 : left < 6 ? left : 6;
}

/// What is summed: piece g is the product of the matrix at a[g], columns a_col apart, and of a tile's columns, moved by
/// b[g], with terms b_row apart.
template <class T>
struct Pieces {
  static constexpr Index most = 64;
  Index count = 0;  // of pieces
  Index terms = 0;  // of each
  Index a_col = 0, b_row = 1;
  const T* a[most];
  Index b[most];
};

/// Memory that is fetched into the cache while a tile is computed, a line or a few with each piece: all at once they
/// would hold up what is needed now. `rows` ranges of numbers, `row` apart, of which each piece takes `step`.
template <class T>
struct Ahead {
  const T* from = nullptr;
  Index offset = 0, row = 0, rows = 0, step = 0;
};

/// Columns of the right operand and of the result; those from `columns` on do not exist. `start`, a column (or null,
/// zeros), is where all sums start; what stood in c is added at the end where `add` says so.
template <class T>
struct Tile {
  Index columns = 0;
  const T* start = nullptr;
  bool add = false;
  const T* b[wide_tile];
  T* c[wide_tile];
  Ahead<T> ahead;

  /// Columns that do not exist repeat the first: what they give is not stored.
  EIGAN_TARGET EIGAN_INLINE void fill_up() {
    for (Index j = columns; j < static_cast<Index>(wide_tile); ++j) {
      b[j] = b[0];
      c[j] = c[0];
    }
  }
};

template <class T>
EIGAN_TARGET EIGAN_INLINE void fetch(const Ahead<T>& ahead, Index piece) {
  constexpr Index line = 64 / static_cast<Index>(sizeof(T));
  for (Index r = 0; r < ahead.rows; ++r)
    for (Index i = 0; i < ahead.step; i += line)
      __builtin_prefetch(ahead.from + ahead.offset + r * ahead.row + piece * ahead.step + i);
}

/// Rows [row, row + MV vectors) of a tile of up to NR columns; with `part` the last vector has only `rest` rows.
template <class T, unsigned MV, unsigned NR, bool part>
EIGAN_TARGET EIGAN_NOINLINE void reduce_block(const Pieces<T>& pieces, const Tile<T>& tile, Index row, Index rest) {
  using V = Vector<T>;
  constexpr Index L = lanes<T>;
  V sum[NR][MV];
  EIGAN_UNROLL for (unsigned i = 0; i < MV; ++i) {
    V first{};
    if (tile.start) first = part ? load_part(tile.start + row + i * L, rest) : load(tile.start + row + i * L);
    EIGAN_UNROLL for (unsigned j = 0; j < NR; ++j) sum[j][i] = first;
  }
  const Index a_col = pieces.a_col, b_row = pieces.b_row, terms = pieces.terms;
  for (Index g = 0; g < pieces.count; ++g) {
    if (2 * g + 1 < static_cast<Index>(NR)) {  // where the results will go, two columns with each piece
      EIGAN_UNROLL for (unsigned i = 0; i < MV; ++i) __builtin_prefetch(tile.c[2 * g] + row + i * L);
      EIGAN_UNROLL for (unsigned i = 0; i < MV; ++i) __builtin_prefetch(tile.c[2 * g + 1] + row + i * L);
    }
    if (row == 0) fetch(tile.ahead, g);
    const T* a = pieces.a[g] + row;
    const T* b[NR];
    EIGAN_UNROLL for (unsigned j = 0; j < NR; ++j) b[j] = tile.b[j] + pieces.b[g];
    Index at = 0;
    EIGAN_UNROLL_TWICE
    for (Index p = 0; p < terms; ++p) {
      V av[MV];
      EIGAN_UNROLL for (unsigned i = 0; i < MV; ++i) av[i] =
          in_register(part ? load_part(a + i * L, rest) : load(a + i * L));
      EIGAN_UNROLL for (unsigned j = 0; j < NR; ++j) {
        const V bv = broadcast(b[j][at]);
        EIGAN_UNROLL for (unsigned i = 0; i < MV; ++i) sum[j][i] = fma(av[i], bv, sum[j][i]);
      }
      a += a_col;
      at += b_row;
    }
  }
  const bool add = tile.add;
  const Index columns = tile.columns;
  EIGAN_UNROLL for (unsigned j = 0; j < NR; ++j) {
    if (static_cast<Index>(j) < columns) {
      T* const c = tile.c[j] + row;
      if (add) {
        EIGAN_UNROLL for (unsigned i = 0; i < MV; ++i) sum[j][i] += part ? load_part(c + i * L, rest) : load(c + i * L);
      }
      EIGAN_UNROLL for (unsigned i = 0; i < MV; ++i) {
        if (part)
          store_part(c + i * L, sum[j][i], rest);
        else
          store(c + i * L, sum[j][i]);
      }
    }
  }
}

/// Rows [first, last) of a tile.
template <class T, unsigned NR>
EIGAN_TARGET EIGAN_INLINE void reduce_strips(const Pieces<T>& pieces, const Tile<T>& tile, Index first, Index last) {
  constexpr Index L = lanes<T>;
  Index i = first;
  if constexpr (most_vectors == 4) {
    for (; i + 4 * L <= last; i += 4 * L) reduce_block<T, 4, NR, false>(pieces, tile, i, L);
    if (i + 3 * L <= last) {
      reduce_block<T, 3, NR, false>(pieces, tile, i, L);
      i += 3 * L;
    }
  }
  for (; i + 2 * L <= last; i += 2 * L) reduce_block<T, 2, NR, false>(pieces, tile, i, L);
  for (; i + L <= last; i += L) reduce_block<T, 1, NR, false>(pieces, tile, i, L);
  if (i < last) reduce_block<T, 1, NR, true>(pieces, tile, i, last - i);
}
template <class T>
EIGAN_TARGET inline void reduce(const Pieces<T>& pieces, const Tile<T>& tile, Index first, Index last) {
  if (tile.columns > static_cast<Index>(narrow_tile))
    reduce_strips<T, wide_tile>(pieces, tile, first, last);
  else
    reduce_strips<T, narrow_tile>(pieces, tile, first, last);
}

}  // namespace eigan::detail::EIGAN_ISA

namespace eigan::detail::EIGAN_ISA {

/// A range [first, last).
struct Run {
  Index first, last;
};

/// Along one side of the images: target t takes from source first + step t + direction tap, if there is one.
struct Axis {
  Index targets, sources, taps;
  Index first, step, direction;

  EIGAN_TARGET EIGAN_INLINE Index source(Index target, Index tap) const {
    return first + step * target + direction * tap;
  }
  /// The taps for which there is a source.
  EIGAN_TARGET EIGAN_INLINE Run taps_of(Index target) const {
    const Index at = source(target, 0);
    const Index from = direction > 0 ? -at : at - sources + 1, to = direction > 0 ? sources - at : at + 1;
    const Run run{from > 0 ? from : 0, to < taps ? to : taps};
    return run.first < run.last ? run : Run{0, 0};
  }
  /// The first target after `target` that has other taps.
  EIGAN_TARGET EIGAN_INLINE Index end_of_run(Index target) const {
    const Run run = taps_of(target);
    for (++target; target < targets; ++target)
      if (const Run other = taps_of(target); other.first != run.first || other.last != run.last) break;
    return target;
  }
  EIGAN_TARGET EIGAN_INLINE Run longest_run() const {
    Run longest{0, 0};
    for (Index target = 0, end; target < targets; target = end) {
      end = end_of_run(target);
      if (end - target > longest.last - longest.first) longest = {target, end};
    }
    return longest;
  }
};

/// target pixel (t, u) = start + sum over taps of matrix(tap) times source pixel.
template <class T>
struct PixelMap {
  Axis rows, cols;
  Index m, k;  // numbers in a target and in a source pixel
  const T* matrix;
  Index matrix_row, matrix_col;  // from one tap's matrix (m x k, column-major) to the next
  const T* source;
  Index source_sample, source_row, source_col;  // from one to the next
  T* target;
  Index target_sample, target_row, target_col;

  /// Pixels of few numbers: the matrices of a row of taps follow each other, and so do the pixels that they meet, so
  /// that they are one product.
  EIGAN_TARGET EIGAN_INLINE bool joins_taps() const {
    return k < few_channels && cols.direction > 0 && matrix_col == m * k && source_col == k;
  }
};

/// Targets of a block in order: sample by sample, row by row.
template <class T>
class PixelCursor {
 public:
  EIGAN_TARGET EIGAN_INLINE PixelCursor(const PixelMap<T>& map, Run rows, Run cols)
      : map_(map), rows_(rows), cols_(cols) {
    row_ = rows.first;
    go_to_row();
  }
  EIGAN_TARGET EIGAN_INLINE void take(Index columns, Tile<T>& tile) {
    tile.columns = columns;
    for (Index j = 0; j < columns; ++j) {
      tile.b[j] = source_;
      tile.c[j] = target_;
      next();
    }
    tile.fill_up();
  }

 private:
  EIGAN_TARGET EIGAN_INLINE void next() {
    source_ += map_.cols.step * map_.source_col;
    target_ += map_.target_col;
    if (--left_ > 0) return;
    if (++row_ == rows_.last) {
      row_ = rows_.first;
      ++sample_;
    }
    go_to_row();
  }
  EIGAN_TARGET EIGAN_INLINE void go_to_row() {
    left_ = cols_.last - cols_.first;
    source_ = map_.source + sample_ * map_.source_sample + map_.rows.step * row_ * map_.source_row +
              map_.cols.step * cols_.first * map_.source_col;
    target_ = map_.target + sample_ * map_.target_sample + row_ * map_.target_row + cols_.first * map_.target_col;
  }

  const PixelMap<T>& map_;
  Run rows_, cols_;
  Index sample_ = 0, row_, left_;
  const T* source_;
  T* target_;
};

/// What tiles will need while this one is computed: pixels of the source, as many tiles later as it takes memory to
/// answer. Relative to the tile's first pixel.
template <class T>
EIGAN_TARGET EIGAN_INLINE Ahead<T> look_ahead(const PixelMap<T>& map, const Pieces<T>& pieces) {
  if (pieces.count == 0) return {};
  constexpr Index line = 64 / static_cast<Index>(sizeof(T)), columns = wide_tile;
  const Index tiles = 1 + 4096 / (pieces.count * pieces.terms * map.m);
  const Index span = columns * map.cols.step * map.source_col;
  const Index newest = map.rows.direction > 0 ? pieces.count - 1 : 0;
  return {nullptr, pieces.b[newest] + tiles * span, -map.source_row, map.rows.step,
          divide_up(span, line * pieces.count) * line};
}

/// Some taps of all: taps [first, last), row by row, and of their matrices the columns [k, k + terms).
struct TapRange {
  Index first, last, k, terms;
  bool joined;  // rows of taps are whole, and one product each
};

/// The targets of a block, rows x cols of `samples` samples, all of which have the same taps: what `range` gives to
/// them.
template <class T>
EIGAN_TARGET inline void map_block(const PixelMap<T>& map, Index samples, const T* start, TapRange range, Run rows,
                                   Run cols) {
  const Run row_taps = map.rows.taps_of(rows.first), col_taps = map.cols.taps_of(cols.first);
  const Index width = range.joined ? col_taps.last - col_taps.first : 1;
  Pieces<T> pieces;
  pieces.a_col = map.m;
  pieces.terms = width * range.terms;
  bool begun = range.k > 0;
  for (Index t = row_taps.first; t < row_taps.last; ++t)
    for (Index u = col_taps.first; u < col_taps.last; u += width) {
      const Index tap = t * map.cols.taps + u;
      begun = begun || tap < range.first;
      if (tap < range.first || tap >= range.last) continue;
      pieces.a[pieces.count] = map.matrix + t * map.matrix_row + u * map.matrix_col + range.k * map.m;
      pieces.b[pieces.count++] =
          map.rows.source(0, t) * map.source_row + map.cols.source(0, u) * map.source_col + range.k;
    }
  const bool no_taps = row_taps.first == row_taps.last || col_taps.first == col_taps.last;
  if (pieces.count == 0 && !(no_taps && range.first == 0 && !begun)) return;
  Tile<T> tile;
  tile.start = begun ? nullptr : start;
  tile.add = begun;
  tile.ahead = look_ahead(map, pieces);
  PixelCursor<T> cursor(map, rows, cols);
  for (Index left = samples * (rows.last - rows.first) * (cols.last - cols.first); left > 0; left -= tile.columns) {
    cursor.take(tile_size(left), tile);
    tile.ahead.from = tile.b[0];
    reduce(pieces, tile, 0, map.m);
  }
}

/// One range of taps for all targets of some samples, most of them in the first block.
template <class T>
EIGAN_TARGET inline void map_range(const PixelMap<T>& map, Index samples, const T* start, TapRange range) {
  const Run rows = map.rows.longest_run(), cols = map.cols.longest_run();
  if (rows.first < rows.last && cols.first < cols.last) map_block(map, samples, start, range, rows, cols);
  for (Index row = 0, row_end; row < map.rows.targets; row = row_end) {
    row_end = map.rows.end_of_run(row);
    for (Index col = 0, col_end; col < map.cols.targets; col = col_end) {
      col_end = map.cols.end_of_run(col);
      if (row != rows.first || col != cols.first) map_block(map, samples, start, range, {row, row_end}, {col, col_end});
    }
  }
}

/// Bytes of matrices that are used for all targets before the next: most of a second-level cache.
inline constexpr Index matrices_bytes = 786432;

/// Samples that are worked through as one, so that the matrices are fetched once for them: enough pixels to fill tiles,
/// and more where they stay in the second-level cache.
template <class T>
EIGAN_TARGET EIGAN_INLINE Index samples_at_once(Index numbers, Index pixels) {
  constexpr Index images_bytes = 393216, enough = 1024;
  const Index fit = images_bytes / (numbers * static_cast<Index>(sizeof(T)) + 1), fill = enough / (pixels + 1);
  return fit > fill ? (fit > 1 ? fit : 1) : (fill > 1 ? fill : 1);
}

/// All targets of `samples` samples. Each element is added up in an order that depends on sizes alone.
template <class T>
EIGAN_TARGET inline void map_pixels(const PixelMap<T>& map, Index samples, const T* start) {
  const Index targets = map.rows.targets * map.cols.targets, taps = map.rows.taps * map.cols.taps;
  if (targets == 0) return;
  const Index group = samples_at_once<T>(map.rows.sources * map.cols.sources * map.k + targets * map.m, targets);
  const Index column = map.m * static_cast<Index>(sizeof(T));
  const Index parts = divide_up(column * map.k, matrices_bytes), terms = divide_up(map.k, parts);
  const Index fit = matrices_bytes / (column * terms), width = map.cols.taps;
  Index most = fit < 1 ? 1 : fit < Pieces<T>::most ? fit : Pieces<T>::most;
  const bool joined = map.joins_taps() && terms == map.k && most >= width;
  if (joined) most = most / width * width;
  PixelMap<T> part = map;
  for (Index n = 0; n < samples; n += group) {
    const Index count = samples - n < group ? samples - n : group;
    for (Index k = 0; k < map.k; k += terms)
      for (Index tap = 0; tap < taps || tap == 0; tap += most)
        map_range(part, count, start,
                  {tap, taps - tap < most ? taps : tap + most, k, map.k - k < terms ? map.k - k : terms, joined});
    part.source += group * map.source_sample;
    part.target += group * map.target_sample;
  }
}

}  // namespace eigan::detail::EIGAN_ISA

namespace eigan::detail::EIGAN_ISA {

/// Rows [first, first + count) of an image and zeros around them, which begin padding_height rows above it.
template <class T>
EIGAN_TARGET inline void pad_rows(const ConvolutionShape& s, const T* image, Index first, Index count, T* padded) {
  const Index margin = s.in * s.padding_width, row = s.in * s.width;
  for (Index r = first; r < first + count; ++r) {
    const Index from = r - s.padding_height;
    const bool there = from >= 0 && from < s.height;
    const Index begin = there ? margin : 0;
    if (there) copy(row, image + from * row, padded + margin);
    for (Index i = 0; i < begin; ++i) padded[i] = padded[margin + row + i] = T(0);
    for (Index i = 0; !there && i < padded_row(s); ++i) padded[i] = T(0);
    padded += padded_row(s);
  }
}

/// What a tap gives to the pieces [first, last) of an image row: piece q is at from + q step.
template <class T>
struct TapRow {
  const T* from;
  Index first, last;
  Index length;  // of a piece
};

/// Vectors of W numbers: most pieces are shorter than a register.
template <class T, unsigned W>
struct Short {
  // NOLINTNEXTLINE(modernize-use-using): an attribute stands beside what it changes
  typedef T V __attribute__((vector_size(W * sizeof(T))));
};

/// to piece = start piece + what N taps give to it. Vectors are stored whole: what one writes behind its piece, the
/// next writes over.
template <class T, unsigned N, unsigned W>
EIGAN_TARGET EIGAN_INLINE void add_tap_rows(const TapRow<T>* taps, Index step, Index pieces, Index length,
                                            const T* start, Index start_step, T* to) {
  using V = typename Short<T, W>::V;
  // The pieces to which all taps give, and give as much.
  Index first = 0, last = pieces;
  const T* from[N + 1];
  EIGAN_UNROLL for (unsigned t = 0; t < N; ++t) {
    first = taps[t].first > first ? taps[t].first : first;
    last = taps[t].length < length ? 0 : taps[t].last < last ? taps[t].last : last;
    from[t] = taps[t].from;
  }
  for (Index q = 0; q < pieces; ++q) {
    if (length <= static_cast<Index>(W) && q >= first) {
      for (; q < last; ++q) {
        V sum = load_as<V>(start + q * start_step);
        EIGAN_UNROLL for (unsigned t = 0; t < N; ++t) sum += load_as<V>(from[t] + q * step);
        std::memcpy(to + q * length, &sum, sizeof sum);
      }
      if (q == pieces) break;
    }
    for (Index i = 0; i < length; i += W) {
      V sum = load_as<V>(start + q * start_step + i);
      for (unsigned t = 0; t < N; ++t)
        for (Index e = i; q >= taps[t].first && q < taps[t].last && e < taps[t].length && e < i + Index{W}; ++e)
          sum[e - i] += from[t][q * step + e];
      std::memcpy(to + q * length + i, &sum, sizeof sum);
    }
  }
}
/// The sum of an image row. It goes to and fro between two lines, because a vector reads on where one has written.
template <class T>
struct RowSum {
  Index step, pieces, length;
  const T* start;
  Index start_step;
  T *line, *other;

  template <unsigned N>
  EIGAN_TARGET EIGAN_INLINE void add(const TapRow<T>* taps) {
    constexpr Index L = lanes<T>;
    constexpr unsigned four = L < 4 ? L : 4, eight = L < 8 ? L : 8;
    bool added = false;
    if constexpr (four < eight) {
      added = length <= four;
      if (added) add_tap_rows<T, N, four>(taps, step, pieces, length, start, start_step, line);
    }
    if (!added) add_tap_rows<T, N, eight>(taps, step, pieces, length, start, start_step, line);
    start = line;
    start_step = length;
    line = other;
    other = const_cast<T*>(start);
  }
};

/// One row of the image: bias + what the kept rows `from`, the first of which is number `base`, give to it.
template <class T>
EIGAN_TARGET inline void sum_taps(const ConvolutionShape& s, Index row, ImageRows from, Index base, const T* kept,
                                  const T* bias_piece, T* line, T* other, T* image) {
  const Index step = s.in * s.taps(), width = s.out_width(), pieces = row_pieces(s);
  RowSum<T> sum{step, pieces, s.in * s.stride_width, bias_piece, 0, line, other};
  TapRow<T> taps[4] = {};
  unsigned count = 0;
  for (Index q = from.last - 1; q >= from.first; --q)  // taps in order, four at a time
    for (Index j = 0; j * s.stride_width < s.kernel_width; ++j) {
      const Index i = row + s.padding_height - q * s.stride_height, left = s.kernel_width - j * s.stride_width;
      taps[count++] = {kept + ((q - base) * width - j) * step + (i * s.kernel_width + j * s.stride_width) * s.in, j,
                       j + width < pieces ? j + width : pieces, s.in * (left < s.stride_width ? left : s.stride_width)};
      if (count < 4) continue;
      sum.template add<4>(taps);
      count = 0;
    }
  for (unsigned t = 0; t < count; ++t) sum.template add<1>(taps + t);
  if (sum.start == bias_piece) sum.template add<0>(taps);  // no tap meets this row
  copy(s.in * s.width, sum.start + s.in * s.padding_width, image);
}

template <class T>
EIGAN_TARGET inline void transposed_few(const ConvolutionShape& s, ImageRows rows, Index samples, const T* wt,
                                        const T* bias, Strided<const T> y, Strided<T> x, T* workspace) {
  const Index height = s.out_height(), width = s.out_width(), m = s.in * s.taps(), capacity = kept_rows(s);
  T* const kept = workspace;
  T* const bias_piece = kept + capacity * width * m + vector_slack;
  T* const line = bias_piece + s.in * s.stride_width + vector_slack;
  T* const other_line = line + row_pieces(s) * s.in * s.stride_width + vector_slack;
  for (Index i = 0; i < s.in * s.stride_width; ++i) bias_piece[i] = bias ? bias[i % s.in] : T(0);
  for (Index n = 0; n < samples; ++n) {
    Index base = 0, end = 0;  // the output rows that are kept
    for (Index r = rows.first; r < rows.last; ++r) {
      const Index below = r + s.padding_height - s.kernel_height;
      ImageRows from{below < 0 ? 0 : below / s.stride_height + 1, (r + s.padding_height) / s.stride_height + 1};
      if (from.last > height) from.last = height;
      if (from.first > from.last) from.first = from.last;
      if (from.last > end) {
        if (end < from.first || r == rows.first) end = from.first;
        if (end > from.first)
          std::memmove(kept, kept + (from.first - base) * width * m,
                       static_cast<std::size_t>((end - from.first) * width * m) * sizeof(T));
        base = from.first;
        Index most = (rows.last - 1 + s.padding_height) / s.stride_height + 1;
        most = most < height ? most : height;
        const Index upto = base + capacity < most ? base + capacity : most;
        const PixelMap<T> map{
            .rows = {upto - end, upto - end, 1, 0, 1, 1},
            .cols = {width, width, 1, 0, 1, 1},
            .m = m,
            .k = s.out,
            .matrix = wt,
            .matrix_row = 0,
            .matrix_col = 0,
            .source = y.data + n * y.col + end * width * s.out,
            .source_sample = 0,
            .source_row = width * s.out,
            .source_col = s.out,
            .target = kept + (end - base) * width * m,
            .target_sample = 0,
            .target_row = width * m,
            .target_col = m,
        };
        map_pixels<T>(map, 1, nullptr);
        end = upto;
      }
      sum_taps(s, r, from, base, kept, bias_piece, line, other_line, x.data + n * x.col + r * s.width * s.in);
    }
  }
}

}  // namespace eigan::detail::EIGAN_ISA

namespace eigan::detail::EIGAN_ISA {

/// Pixels that are summed up before the sum goes to memory: what a part reads of them stays in the first-level cache.
inline constexpr Index gradient_terms = 96;

/// db[o] += sum over pixels of dy(o, .), for rows [first, last).
template <class T, unsigned MV>
EIGAN_TARGET EIGAN_INLINE void add_pixels(Index pixels, Index out, Index count, const T* dy, T* db) {
  constexpr Index L = lanes<T>;
  Vector<T> sum[MV] = {};
  for (Index q = 0; q < pixels; ++q) {
    if (MV == 1 && count < L)
      sum[0] += load_part(dy, count);
    else
      EIGAN_UNROLL for (unsigned i = 0; i < MV; ++i) sum[i] += load(dy + i * L);
    dy += out;
  }
  if (MV == 1 && count < L)
    store_part(db, load_part(db, count) + sum[0], count);
  else
    EIGAN_UNROLL for (unsigned i = 0; i < MV; ++i) store(db + i * L, load(db + i * L) + sum[i]);
}
template <class T>
EIGAN_TARGET inline void add_bias_gradient(Index pixels, Index out, Index first, Index last, const T* dy, T* db) {
  constexpr Index L = lanes<T>;
  Index i = first;
  for (; i + 4 * L <= last; i += 4 * L) add_pixels<T, 4>(pixels, out, L, dy + i, db + i);
  for (; i < last; i += L) add_pixels<T, 1>(pixels, out, last - i < L ? last - i : L, dy + i, db + i);
}

/// Numbers that a tap brings together on one side: `channels` of a pixel, and how far apart samples, output rows and
/// output columns lie.
template <class T>
struct TapSide {
  const T* data;
  Index channels, sample, row, col;
};

/// dw of the tap (ky, kx), rows [row, row_end) of it and columns [column, column_end): rows are channels of dy, columns
/// those of x, or the other way round.
template <class T>
EIGAN_TARGET inline void add_tap_gradient(const ConvolutionShape& s, Index ky, Index kx, ImageRows rows,
                                          ImageRows columns, Index samples, Strided<const T> dy, Strided<const T> x,
                                          bool transposed, T* dw) {
  const Index width = s.out_width(), height = s.out_height();
  // The output columns, then rows, for which the tap meets a pixel.
  const Index left = s.padding_width - kx, above = s.padding_height - ky;
  const Index col = left > 0 ? (left + s.stride_width - 1) / s.stride_width : 0;
  const Index row = above > 0 ? (above + s.stride_height - 1) / s.stride_height : 0;
  Index col_end = s.width - 1 + left < 0 ? 0 : (s.width - 1 + left) / s.stride_width + 1;
  Index row_end = s.height - 1 + above < 0 ? 0 : (s.height - 1 + above) / s.stride_height + 1;
  col_end = col_end < width ? col_end : width;
  row_end = row_end < height ? row_end : height;
  if (col_end <= col || row_end <= row) return;

  const Index image_row = row * s.stride_height - above, image_col = col * s.stride_width - left;
  const TapSide<T> output{dy.data + (row * width + col) * s.out, s.out, dy.col, width * s.out, s.out};
  const TapSide<T> image{x.data + (image_row * s.width + image_col) * s.in, s.in, x.col,
                         s.stride_height * s.width * s.in, s.stride_width * s.in};
  const TapSide<T>&a = transposed ? image : output, &b = transposed ? output : image;
  dw += (ky * s.kernel_width + kx) * s.in * s.out;

  Pieces<T> pieces;
  pieces.terms = col_end - col;
  pieces.a_col = a.col;
  pieces.b_row = b.col;
  const Index fit = gradient_terms / pieces.terms, most = fit < 1 ? 1 : fit < Pieces<T>::most ? fit : Pieces<T>::most;
  Tile<T> tile;
  tile.add = true;
  for (Index n = 0; n < samples; ++n)
    for (Index r = 0; r < row_end - row; ++r) {
      pieces.a[pieces.count] = a.data + n * a.sample + r * a.row;
      pieces.b[pieces.count] = n * b.sample + r * b.row;
      if (++pieces.count < most && !(n + 1 == samples && r + 1 == row_end - row)) continue;
      for (Index c = columns.first; c < columns.last; c += tile.columns) {
        tile.columns = tile_size(columns.last - c);
        for (Index j = 0; j < tile.columns; ++j) {
          tile.b[j] = b.data + c + j;
          tile.c[j] = dw + (c + j) * a.channels;
        }
        tile.fill_up();
        reduce(pieces, tile, rows.first, rows.last);
      }
      pieces.count = 0;
    }
}

/// dw of an image of few channels: rows [first, last), all taps.
template <class T>
EIGAN_TARGET inline void add_gradient_few(const ConvolutionShape& s, Index first, Index last, Index samples,
                                          Strided<const T> dy, Strided<const T> x, T* dw, T* db, T* padded) {
  const Index height = s.out_height(), width = s.out_width(), most = band_rows(s, height), row = padded_row(s);
  const Index columns = s.in * s.taps(), tap_row = s.in * s.kernel_width;
  constexpr Index line = 64 / static_cast<Index>(sizeof(T));
  Pieces<T> pieces;
  pieces.terms = width;
  pieces.a_col = s.out;
  pieces.b_row = s.stride_width * s.in;
  Tile<T> tile;
  tile.add = true;
  for (Index n = 0; n < samples; ++n)
    for (Index r = 0; r < height; r += most) {
      const Index rows = height - r < most ? height - r : most;
      pad_rows(s, x.data + n * x.col, r * s.stride_height, padded_rows(s, rows), padded);
      for (Index c = 0; c < columns; c += tile.columns) {
        tile.columns = tile_size(columns - c);
        for (Index j = 0; j < tile.columns; ++j) {
          tile.b[j] = padded + (c + j) / tap_row * row + (c + j) % tap_row;
          tile.c[j] = dw + (c + j) * s.out;
        }
        tile.fill_up();
        for (Index q = 0; q < rows; q += pieces.count) {
          pieces.count = rows - q < Pieces<T>::most ? rows - q : Pieces<T>::most;
          // What comes next of dy, a share of it with each tile.
          tile.ahead = {dy.data + n * dy.col + ((r + rows) * columns + c * rows) * width * s.out / columns, 0, 0, 1,
                        divide_up(width * s.out * tile.columns, columns * line) * line};
          for (Index g = 0; g < pieces.count; ++g) {
            pieces.a[g] = dy.data + n * dy.col + (r + q + g) * width * s.out;
            pieces.b[g] = (q + g) * s.stride_height * row;
          }
          reduce(pieces, tile, first, last);
        }
      }
      if (db) add_bias_gradient(rows * width, s.out, first, last, dy.data + n * dy.col + r * width * s.out, db);
    }
}

/// A part's range of channels: `part` of those that `channels` are divided into.
EIGAN_TARGET EIGAN_INLINE ImageRows channels_of_part(Index part, Index channels) {
  const Index first = part * part_size;
  return {first, first + part_size < channels ? first + part_size : channels};
}

/// Parts of many channels, of dw or of its transpose: taps, in each columns, in these rows, so that as many parts in a
/// row as there are of rows are whole columns.
template <class T>
EIGAN_TARGET inline void add_gradient_parts(const ConvolutionShape& s, Index first, Index last, Index samples,
                                            Strided<const T> dy, Strided<const T> x, bool transposed, T* dw, T* db) {
  const Index rows = transposed ? s.in : s.out, columns = transposed ? s.out : s.in;
  const Index row_parts = divide_up(rows, part_size), column_parts = divide_up(columns, part_size);
  const Index group = samples_at_once<T>(s.in_size() + s.out_size(), s.out_size());
  for (Index n = 0; n < samples; n += group) {
    const Index count = samples - n < group ? samples - n : group;
    const Strided<const T> dys{dy.data + n * dy.col, 1, dy.col}, xs{x.data + n * x.col, 1, x.col};
    for (Index part = first; part < last; ++part) {
      const Index tap = part / (row_parts * column_parts);
      const ImageRows column = channels_of_part(part / row_parts % column_parts, columns);
      const ImageRows row = channels_of_part(part % row_parts, rows);
      add_tap_gradient(s, tap / s.kernel_width, tap % s.kernel_width, row, column, count, dys, xs, transposed, dw);
      for (Index q = 0; db && tap + 1 == s.taps() && column.last == columns && q < count; ++q)
        add_bias_gradient(s.out_height() * s.out_width(), s.out, row.first, row.last, dys.data + q * dy.col, db);
    }
  }
}

template <class T>
EIGAN_TARGET inline void add_gradients(const ConvolutionShape& s, Index first, Index last, Index samples,
                                       Strided<const T> dy, Strided<const T> x, T* dw, T* db, T* workspace) {
  if (!has_few_channels(s)) return add_gradient_parts(s, first, last, samples, dy, x, false, dw, db);
  const Index row = first * part_size, end = last * part_size < s.out ? last * part_size : s.out;
  if (row < end) add_gradient_few(s, row, end, samples, dy, x, dw, db, workspace);
}
template <class T>
EIGAN_TARGET inline void add_transposed_gradients(const ConvolutionShape& s, Index first, Index last, Index samples,
                                                  Strided<const T> dy, Strided<const T> x, T* dwt) {
  add_gradient_parts<T>(s, first, last, samples, dy, x, true, dwt, nullptr);
}

}  // namespace eigan::detail::EIGAN_ISA

namespace eigan::detail::EIGAN_ISA {

template <class T>
EIGAN_TARGET inline void convolve(const ConvolutionShape& s, ImageRows rows, Index samples, const T* w, const T* bias,
                                  Strided<const T> x, Strided<T> y) {
  const Index width = s.out_width(), first = rows.first * s.stride_height - s.padding_height;
  const PixelMap<T> map{
      .rows = {rows.last - rows.first, s.height, s.kernel_height, first, s.stride_height, 1},
      .cols = {width, s.width, s.kernel_width, -s.padding_width, s.stride_width, 1},
      .m = s.out,
      .k = s.in,
      .matrix = w,
      .matrix_row = s.out * s.in * s.kernel_width,
      .matrix_col = s.out * s.in,
      .source = x.data,
      .source_sample = x.col,
      .source_row = s.width * s.in,
      .source_col = s.in,
      .target = y.data + rows.first * width * s.out,
      .target_sample = y.col,
      .target_row = width * s.out,
      .target_col = s.out,
  };
  map_pixels(map, samples, bias);
}

/// Along one side: the image's pixels [first, last) that are `phase` beyond a multiple of the stride meet every
/// stride-th tap, beginning with tap(); the one after meets the output pixel before.
struct Phase {
  Index stride, padding, kernel, out_size;
  Index begin, count;  // pixels: begin, begin + stride, ...
  EIGAN_TARGET EIGAN_INLINE Phase(Index stride_, Index padding_, Index kernel_, Index out_size_, Index phase,
                                  Index first, Index last)
      : stride(stride_), padding(padding_), kernel(kernel_), out_size(out_size_) {
    begin = first + ((phase - first) % stride + stride) % stride;
    count = begin < last ? (last - begin + stride - 1) / stride : 0;
  }
  EIGAN_TARGET EIGAN_INLINE Index tap() const { return (begin + padding) % stride; }
  EIGAN_TARGET EIGAN_INLINE Axis axis() const {
    const Index taps = tap() < kernel ? (kernel - tap() + stride - 1) / stride : 0;
    return {count, out_size, taps, (begin + padding) / stride, 1, -1};
  }
};

template <class T>
EIGAN_TARGET inline void transposed(const ConvolutionShape& s, ImageRows rows, Index samples, const T* wt,
                                    const T* bias, Strided<const T> y, Strided<T> x, T* workspace) {
  if (has_few_channels(s)) return transposed_few(s, rows, samples, wt, bias, y, x, workspace);
  const Index tap = s.in * s.out, width = s.out_width();
  for (Index a = 0; a < s.stride_height; ++a)
    for (Index b = 0; b < s.stride_width; ++b) {
      const Phase row(s.stride_height, s.padding_height, s.kernel_height, s.out_height(), a, rows.first, rows.last);
      const Phase col(s.stride_width, s.padding_width, s.kernel_width, width, b, 0, s.width);
      const PixelMap<T> map{
          .rows = row.axis(),
          .cols = col.axis(),
          .m = s.in,
          .k = s.out,
          .matrix = wt + (row.tap() * s.kernel_width + col.tap()) * tap,
          .matrix_row = s.stride_height * s.kernel_width * tap,
          .matrix_col = s.stride_width * tap,
          .source = y.data,
          .source_sample = y.col,
          .source_row = width * s.out,
          .source_col = s.out,
          .target = x.data + (row.begin * s.width + col.begin) * s.in,
          .target_sample = x.col,
          .target_row = s.stride_height * s.width * s.in,
          .target_col = s.stride_width * s.in,
      };
      map_pixels(map, samples, bias);
    }
}

template <class T>
struct TableOf<ConvolutionKernels<T>> {
  static constexpr ConvolutionKernels<T> table{
      .forward = convolve<T>,
      .transposed = transposed<T>,
      .add_gradients = add_gradients<T>,
      .add_transposed_gradients = add_transposed_gradients<T>,
  };
};

}  // namespace eigan::detail::EIGAN_ISA
#undef EIGAN_ISA
#undef EIGAN_TARGET
#undef EIGAN_VECTOR_BYTES

#undef EIGAN_X86_VECTORS
#endif

#undef EIGAN_INLINE
#undef EIGAN_NOINLINE
#undef EIGAN_UNROLL
#undef EIGAN_UNROLL_TWICE
EIGAN_SHARE_KERNELS(ConvolutionKernels)

namespace eigan::convolution {

namespace detail {
/// Throws std::invalid_argument unless the views are samples of the shape's input and output, as many of both.
inline void check_samples(const char* place, const ConvolutionShape& s, Index in_rows, Index in_cols, Index out_rows,
                          Index out_cols) {
  if (in_rows == s.in_size() && out_rows == s.out_size() && in_cols == out_cols) return;
  eigan::detail::fail_contract(place, ": expected images of ", s.in_size(), " numbers and as many outputs of ",
                               s.out_size(), ", found ", in_rows, " x ", in_cols, " and ", out_rows, " x ", out_cols);
}
inline void check_range(const char* place, Index first, Index last, Index size) {
  if (0 <= first && first <= last && last <= size) return;
  eigan::detail::fail_contract(place, ": expected a range in 0 to ", size, ", found ", first, " to ", last);
}
}  // namespace detail

/// Throws std::invalid_argument unless there is an output and all sizes are positive (paddings: not negative).
inline void check(const ConvolutionShape& s) {
  const bool positive = s.in > 0 && s.height > 0 && s.width > 0 && s.out > 0 && s.kernel_height > 0 &&
                        s.kernel_width > 0 && s.stride_height > 0 && s.stride_width > 0;
  if (!positive || s.padding_height < 0 || s.padding_width < 0)
    eigan::detail::fail_contract("convolution: sizes must be positive, paddings not negative");
  if (s.height + 2 * s.padding_height < s.kernel_height || s.width + 2 * s.padding_width < s.kernel_width)
    eigan::detail::fail_contract("convolution: expected an image of at least ", s.kernel_height, " x ", s.kernel_width,
                                 " with its padding, found ", s.height + 2 * s.padding_height, " x ",
                                 s.width + 2 * s.padding_width);
}

/// y = bias + w x for rows [rows.first, rows.last) of the output. bias may be null: zeros.
template <class T>
void forward(const ConvolutionShape& s, ImageRows rows, const T* w, const T* bias, std::type_identity_t<ConstView<T>> x,
             View<T> y) {
  detail::check_samples("convolution::forward", s, x.rows(), x.cols(), y.rows(), y.cols());
  detail::check_range("convolution::forward, rows", rows.first, rows.last, s.out_height());
  eigan::detail::convolution_kernels<T>().forward(s, rows, x.cols(), w, bias, {x.data(), 1, x.outerStride()},
                                                  {y.data(), 1, y.outerStride()});
}

/// The weights as transposed() reads them, column-major: in x out for each tap; of few channels one matrix, in taps x
/// out. wt: as many numbers as w.
template <class T>
void transpose_weights(const ConvolutionShape& s, const T* w, T* wt) {
  const Index rows = eigan::detail::has_few_channels(s) ? s.in * s.taps() : s.in;
  for (Index at = 0; at < s.weights(); at += s.out * rows)
    eigan::detail::transpose(w + at, s.out, s.out, rows, wt + at, rows);
}
/// Numbers that transposed() asks for.
constexpr Index transposed_workspace(const ConvolutionShape& s) {
  return eigan::detail::transposed_workspace(s);
}
/// x = bias + w^T y for rows [rows.first, rows.last) of the image; bias has `in` numbers or is null: zeros.
template <class T>
void transposed(const ConvolutionShape& s, ImageRows rows, const T* wt, const T* bias,
                std::type_identity_t<ConstView<T>> y, View<T> x, T* workspace) {
  detail::check_samples("convolution::transposed", s, x.rows(), x.cols(), y.rows(), y.cols());
  detail::check_range("convolution::transposed, rows", rows.first, rows.last, s.height);
  eigan::detail::convolution_kernels<T>().transposed(s, rows, y.cols(), wt, bias, {y.data(), 1, y.outerStride()},
                                                     {x.data(), 1, x.outerStride()}, workspace);
}

/// Parts of the weight whose gradients are independent.
constexpr Index gradient_parts(const ConvolutionShape& s) {
  return eigan::detail::gradient_parts(s);
}
/// Numbers that add_gradients() asks for.
constexpr Index gradient_workspace(const ConvolutionShape& s) {
  return eigan::detail::gradient_workspace(s);
}
/// dw += dy x^T for parts [first, last); db, which may be null, += row sums of dy, each by one of the parts.
template <class T>
void add_gradients(const ConvolutionShape& s, Index first, Index last, std::type_identity_t<ConstView<T>> dy,
                   std::type_identity_t<ConstView<T>> x, T* dw, T* db, T* workspace) {
  detail::check_samples("convolution::add_gradients", s, x.rows(), x.cols(), dy.rows(), dy.cols());
  detail::check_range("convolution::add_gradients, parts", first, last, gradient_parts(s));
  eigan::detail::convolution_kernels<T>().add_gradients(s, first, last, x.cols(), {dy.data(), 1, dy.outerStride()},
                                                        {x.data(), 1, x.outerStride()}, dw, db, workspace);
}

/// dwt += the gradient in the order of transpose_weights(), for parts [first, last) of as many. Not for few channels.
template <class T>
void add_transposed_gradients(const ConvolutionShape& s, Index first, Index last, std::type_identity_t<ConstView<T>> dy,
                              std::type_identity_t<ConstView<T>> x, T* dwt) {
  detail::check_samples("convolution::add_transposed_gradients", s, x.rows(), x.cols(), dy.rows(), dy.cols());
  detail::check_range("convolution::add_transposed_gradients, parts", first, last, gradient_parts(s));
  if (eigan::detail::has_few_channels(s))
    eigan::detail::fail_contract("convolution::add_transposed_gradients: not for images of ", s.in, " channels");
  eigan::detail::convolution_kernels<T>().add_transposed_gradients(
      s, first, last, x.cols(), {dy.data(), 1, dy.outerStride()}, {x.data(), 1, x.outerStride()}, dwt);
}

/// Where parts are few the samples are divided, too: into so many groups, as even as can be, each with a gradient of
/// its own that starts at zero; these are added in order. It depends on sizes alone.
constexpr Index sample_groups(const ConvolutionShape& s, Index samples) {
  constexpr Index enough = 16;  // pieces of work: for a few threads
  return std::clamp<Index>(enough / gradient_parts(s), 1, std::max<Index>(samples, 1));
}
/// The first sample of group `group`; that of the group behind the last is `samples`.
constexpr Index first_of_group(Index samples, Index groups, Index group) {
  return samples * group / groups;
}

}  // namespace eigan::convolution

namespace eigan {

/// What the type of a convolution does not say.
struct ConvolutionOptions {
  bool bias = true;  ///< whether a number is added to each output channel
};

}  // namespace eigan

namespace eigan::detail {

/// As PyTorch names and orders them.
struct ConvolutionSettings {
  Index in_channels, out_channels, kernel_size, stride, padding;
  Index output_padding = 0;  // of a transposed convolution
  bool bias = true;

  /// What a convolution makes of an image.
  constexpr Shape output_shape(Shape in) const {
    if (!in || in.channels != in_channels || in.height < least() || in.width < least()) return {};
    const auto side = [this](std::int64_t from) {
      return as_size(sum_or_most<std::int64_t>(sum_or_most(from, 2 * std::int64_t{padding} - kernel_size) / stride, 1));
    };
    return {out_channels, side(in.height), side(in.width)};
  }
  /// Rows and columns that an image must have.
  constexpr Index least() const { return as_size(std::max<std::int64_t>(kernel_size - 2 * std::int64_t{padding}, 1)); }
  /// What a transposed one makes of it.
  constexpr Shape transposed_shape(Shape in) const {
    const auto side = [this](std::int64_t from) {
      return as_size(sum_or_most(product_or_most<std::int64_t>(from, stride), -lost()));
    };
    const Shape out{out_channels, side(in.height), side(in.width)};
    return in && in.channels == in_channels && out ? out : Shape{};
  }
  constexpr Index transposed_least() const { return as_size(std::max<std::int64_t>(lost(), 0) / stride + 1); }
  /// From `image` to what a convolution with this kernel makes of it.
  constexpr ConvolutionShape shape(Shape image, Index out) const {
    return {image.channels, image.height, image.width, out, kernel_size, kernel_size, stride, stride, padding, padding};
  }

  /// Throws std::invalid_argument for sizes that cannot be or contradict `stated`, what the type says.
  void check(const char* name, const ConvolutionSettings& stated) const {
    const auto wrong = [](Index value, Index lowest, Index says) {
      return value < lowest || value > most_size || (says != dynamic && says != value);
    };
    Index weights = 0;
    if (wrong(in_channels, 1, stated.in_channels) || wrong(out_channels, 1, stated.out_channels) ||
        wrong(kernel_size, 1, stated.kernel_size) || wrong(stride, 1, stated.stride) ||
        wrong(padding, 0, stated.padding) || wrong(output_padding, 0, stated.output_padding) ||
        output_padding >= stride || !checked_mul(in_channels, out_channels, weights) ||
        !checked_mul(weights, kernel_size, weights) || !checked_mul(weights, kernel_size, weights) ||
        std::int64_t{weights} >= std::int64_t{1} << 40)
      fail_contract("eigan::", name, ": cannot have ", text(),
                    "; expected channels, kernel_size and stride of at least 1, a padding of at least 0, "
                    "output_padding below stride, fewer than 2^40 weights",
                    stated.in_channels == dynamic ? "" : concat("; the type says ", stated.text()));
  }
  /// Rows of a transposed convolution's image that `stride` rows for each of y's are too many by.
  constexpr std::int64_t lost() const { return 2 * std::int64_t{padding} + stride - kernel_size - output_padding; }
  /// An Index, which may have 32 bits: the largest where it has not enough.
  static constexpr Index as_size(std::int64_t size) {
    return static_cast<Index>(std::min<std::int64_t>(size, std::numeric_limits<Index>::max()));
  }
  std::string text() const {
    return concat(in_channels, " to ", out_channels, " channels, kernel_size ", kernel_size, ", stride ", stride,
                  ", padding ", padding, output_padding > 0 ? concat(", output_padding ", output_padding) : "");
  }
};

/// Throws std::invalid_argument, naming the setting, for what PyTorch's convolutions can and these cannot.
inline void refuse_dilation_and_groups(const char* name, double dilation, double groups) {
  const auto refuse = [&](const char* setting, double value) {
    if (value != 1) fail_contract("eigan::", name, ": ", setting, " must be 1, is ", value, "; others are not built");
  };
  refuse("dilation", dilation);
  refuse("groups", groups);
}

/// Both tensors start uniform in [-1/sqrt(fan_in), 1/sqrt(fan_in)), as in torch.nn (kaiming_uniform_ with a = sqrt 5).
template <class T>
void init_convolution(std::span<T> p, Index weights, Index fan_in, Rng rng) {
  const double a = 1 / std::sqrt(static_cast<double>(fan_in));
  const auto bias = static_cast<Index>(p.size()) - weights;
  fill_uniform(View<T>(p.data(), weights, 1), -a, a, rng.fold_in(0));
  fill_uniform(View<T>(p.data() + weights, bias, 1), -a, a, rng.fold_in(1));
}

/// How a weight's gradient is divided: whole columns of a tap's matrix, or all where channels are few.
struct GradientBlocks {
  Index rows, columns, count;  // of a tap's matrix and its divisions
  Index weights, parts;        // numbers, and the kernel's parts of a block

  /// `row_channels`: those that are the matrix's rows.
  GradientBlocks(const ConvolutionShape& s, Index row_channels)
      : rows(row_channels),
        columns(s.in * s.out / row_channels),
        count(has_few_channels(s) ? 1 : s.taps() * divide_up(columns, part_size)),
        weights(s.weights()),
        parts(gradient_parts(s) / count) {}
  /// Of `params`, which may have a bias behind the weight: it comes with the last block.
  std::pair<Index, Index> range(Index block, Index params) const {
    return {begin(block), block + 1 == count ? params : begin(block + 1)};
  }

 private:
  Index begin(Index block) const {
    if (count == 1) return block * weights;
    const Index each = divide_up(columns, part_size);
    return (block / each * columns + block % each * part_size) * rows;
  }
};

/// Into how many runs of samples a gradient is cut: as many as the kernels advise where the work is much.
inline Index gradient_splits(const ConvolutionShape& s, Index batch) {
  const bool much = s.multiplications() * static_cast<double>(batch) > 2e6;
  return much ? convolution::sample_groups(s, batch) : 1;
}

/// For a kernel that asks for so many numbers.
template <class T>
T* workspace(Index numbers) {
  return static_cast<T*>(thread_memory(static_cast<std::size_t>(numbers) * sizeof(T)));
}
template <class T>
void convolve_transposed(const ConvolutionShape& s, ImageRows rows, const T* wt, const T* bias, const ConstView<T>& y,
                         View<T> x) {
  convolution::transposed<T>(s, rows, wt, bias, y, x, workspace<T>(convolution::transposed_workspace(s)));
}

}  // namespace eigan::detail

namespace eigan {
namespace placed {

/// A convolution of images of one size.
class Conv2d {
 public:
  static constexpr Index input = dynamic, output = dynamic;
  static constexpr bool backward_reads_y = false;
  static constexpr bool piecewise_linear = true;

  /// Over images of shape `in`.
  Conv2d(Shape in, const detail::ConvolutionSettings& settings)
      : shape_(settings.shape(in, settings.out_channels)), bias_(settings.bias) {}

  Index input_size() const { return shape_.in_size(); }
  Index output_size() const { return shape_.out_size(); }
  double operations() const { return 2 * shape_.multiplications(); }
  Spec spec() const {
    const Index c = shape_.in, o = shape_.out, k = shape_.kernel_width, s = shape_.stride_width;
    const Index p = shape_.padding_width;
    return {
        "Conv2d",
        {{"in_channels", c}, {"out_channels", o}, {"kernel_size", k}, {"stride", s}, {"padding", p}, {"bias", bias_}},
        detail::concat("::eigan::Conv2d<", c, ", ", o, ", ", k, ", ", s, ", ", p, ">")};
  }

  Index param_size() const { return shape_.weights() + (bias_ ? shape_.out : 0); }
  std::vector<Parameter> parameters() const {
    const Index c = shape_.in, o = shape_.out, k = shape_.kernel_width;
    std::vector<Parameter> tensors{{"weight", 0, o, c * k * k, 2, {o, c, k, k}, {1, o, o * c * k, o * c}}};
    if (bias_) tensors.push_back({"bias", shape_.weights(), o, 1, 1});
    return tensors;
  }
  template <class T>
  void init(std::span<T> p, Rng rng) const {
    detail::init_convolution(p, shape_.weights(), shape_.in * shape_.taps(), rng);
  }

  // The way back reads a transposed copy of the weight, small beside the pixels.

  Index prepared_size() const { return shape_.weights(); }
  template <class T>
  void prepare(std::span<const T> p, std::span<const T>, std::span<T> q, Phase phase) const {
    if (phase == Phase::training) convolution::transpose_weights(shape_, p.data(), q.data());
  }

  template <class T>
  void forward(Prepared<T> p, ConstView<T> x, View<T> y) const {
    convolution::forward<T>(shape_, {0, shape_.out_height()}, p.params.data(), bias(p), x, y);
  }
  template <class T>
  void backward_input(Prepared<T> p, ConstView<T>, ConstView<T>, ConstView<T> dy, View<T> dx) const {
    detail::convolve_transposed<T>(shape_, {0, shape_.height}, p.prepared.data(), nullptr, dy, dx);
  }

  // Parts: rows of the images.

  Index part_count() const { return std::min(shape_.height, shape_.out_height()); }
  template <class T>
  void forward_parts(Prepared<T> p, ConstView<T> x, View<T> y, Index first, Index last) const {
    convolution::forward<T>(shape_, rows(shape_.out_height(), first, last), p.params.data(), bias(p), x, y);
  }
  template <class T>
  void backward_input_parts(Prepared<T> p, ConstView<T>, ConstView<T>, ConstView<T> dy, View<T> dx, Index first,
                            Index last) const {
    detail::convolve_transposed<T>(shape_, rows(shape_.height, first, last), p.prepared.data(), nullptr, dy, dx);
  }

  template <class T>
  void backward_params(Prepared<T> p, ConstView<T> x, ConstView<T> y, ConstView<T> dy, std::span<T> dp) const {
    backward_params_blocks(p, x, y, dy, dp, 0, block_count());
  }
  // Blocks: some 64 channels of a tap, the bias comes with the last; few channels have all taps together.
  Index block_count() const { return blocks().count; }
  std::pair<Index, Index> block_range(Index block) const { return blocks().range(block, param_size()); }
  template <class T>
  void backward_params_blocks(Prepared<T>, ConstView<T> x, ConstView<T>, ConstView<T> dy, std::span<T> dp, Index first,
                              Index last) const {
    add_gradients(x, dy, dp, first, last, bias_);
  }
  Index gradient_splits(Index batch) const { return detail::gradient_splits(shape_, batch); }

  template <class T>
  void forward_tangent(Prepared<T> p, ConstView<T>, ConstView<T>, ConstView<T> tx, View<T> ty) const {
    convolution::forward<T>(shape_, {0, shape_.out_height()}, p.params.data(), nullptr, tx, ty);
  }
  template <class T>
  void backward_params_tangent(Prepared<T>, ConstView<T>, ConstView<T>, ConstView<T> tx, ConstView<T> dty,
                               std::span<T> dp) const {
    add_gradients(tx, dty, dp, 0, block_count(), false);
  }

 private:
  template <class T>
  const T* bias(Prepared<T> p) const {
    return bias_ ? p.params.data() + shape_.weights() : nullptr;
  }
  ImageRows rows(Index height, Index first, Index last) const {
    return rows_of_parts(height, part_count(), first, last);
  }
  template <class T>
  void add_gradients(const ConstView<T>& x, const ConstView<T>& dy, std::span<T> dp, Index first, Index last,
                     bool with_bias) const {
    const Index parts = blocks().parts;
    convolution::add_gradients<T>(shape_, first * parts, last * parts, dy, x, dp.data(),
                                  with_bias ? dp.data() + shape_.weights() : nullptr,
                                  detail::workspace<T>(convolution::gradient_workspace(shape_)));
  }
  detail::GradientBlocks blocks() const { return {shape_, shape_.out}; }

  ConvolutionShape shape_;
  bool bias_;
};

}  // namespace placed

/// A convolution. `Conv2d<3, 32, 4, 2, 1>`: channels in and out, kernel, stride (1 unless given) and padding (0); or
/// `Conv2d<>(3, 32, 4, 2, 1)`, with `false` behind them for one without bias.
template <Index In = dynamic, Index Out = dynamic, Index Kernel = dynamic,
          Index Stride = Kernel == dynamic ? dynamic : 1, Index Padding = Kernel == dynamic ? dynamic : 0>
class Conv2d {
  static_assert((In > 0 && Out > 0 && Kernel > 0 && Stride > 0 && Padding >= 0) ||
                    (In == dynamic && Out == dynamic && Kernel == dynamic && Stride == dynamic && Padding == dynamic),
                "eigan::Conv2d: channels, kernel and stride are positive, the padding not negative; or all dynamic");

 public:
  /// The sizes that the type states, with a bias.
  constexpr Conv2d() requires(In != dynamic) : Conv2d(ConvolutionOptions{}) {}
  /// The sizes that the type states: `Conv2d<3, 32, 4>({.bias = false})`.
  constexpr explicit Conv2d(ConvolutionOptions options) requires(In != dynamic)
      : settings_{In, Out, Kernel, Stride, Padding, 0, options.bias} {}
  /// Throws std::invalid_argument for sizes that cannot be, or contradict the type's.
  Conv2d(Index in_channels, Index out_channels, Index kernel_size, Index stride = 1, Index padding = 0,
         bool bias = true)
      : settings_{in_channels, out_channels, kernel_size, stride, padding, 0, bias} {
    settings_.check("Conv2d", {In, Out, Kernel, Stride, Padding});
  }

  constexpr Shape output_shape(Shape in) const { return settings_.output_shape(in); }
  std::string expects() const {
    const Index least = settings_.least();
    return detail::concat(settings_.in_channels, " channels, at least ", least, " x ", least, " pixels");
  }
  Spec spec() const { return at({settings_.in_channels, settings_.least(), settings_.least()}).spec(); }
  /// The layer over images of shape `in`.
  placed::Conv2d at(Shape in) const { return {in, settings_}; }

 private:
  detail::ConvolutionSettings settings_;
};

static_assert(BlockedLayer<placed::Conv2d> && PartedLayer<placed::Conv2d, double> && TangentLayer<placed::Conv2d> &&
              PreparedLayer<placed::Conv2d> && ShapedLayer<Conv2d<3, 8, 4>>);

}  // namespace eigan

// ======== eigan/layers/conv_transpose2d.hpp
// ConvTranspose2d: the transposed map of a convolution, from its output's size to its input's: images grow by the
// stride.
//   y(o, r stride - padding + i, s stride - padding + j) = b(o) + sum over c of w(c, o, i, j) x(c, r, s)
//   x: C x H x W,   y: O x H' x W',   H' = (H - 1) stride - 2 padding + kernel + output_padding
// Backward:  dx is the convolution of dy,   dw(c, o, i, j) += sum over r, s of x(c, r, s) dy(o, ...),   db += sum dy.
// As in torch.nn.ConvTranspose2d, without dilation and groups. Memory: O x (kernel kernel C), channels fastest; below
// 16 channels O (kernel kernel O) x C.

namespace eigan {
namespace placed {

/// A transposed convolution of images of one size. Its shape_ is that of the convolution from y to x.
class ConvTranspose2d {
 public:
  static constexpr Index input = dynamic, output = dynamic;
  static constexpr bool backward_reads_y = false;
  static constexpr bool piecewise_linear = true;

  /// Over images of shape `in`.
  ConvTranspose2d(Shape in, const detail::ConvolutionSettings& settings)
      : y_(settings.transposed_shape(in)),
        shape_(settings.shape(y_, settings.in_channels)),
        output_padding_(settings.output_padding),
        bias_(settings.bias) {}

  Index input_size() const { return shape_.out_size(); }
  Index output_size() const { return shape_.in_size(); }
  double operations() const { return 2 * shape_.multiplications(); }
  Spec spec() const {
    const Index c = shape_.out, o = shape_.in, k = shape_.kernel_width, s = shape_.stride_width;
    const Index p = shape_.padding_width, more = output_padding_;
    return {"ConvTranspose2d",
            {{"in_channels", c},
             {"out_channels", o},
             {"kernel_size", k},
             {"stride", s},
             {"padding", p},
             {"output_padding", more},
             {"bias", bias_}},
            detail::concat("::eigan::ConvTranspose2d<", c, ", ", o, ", ", k, ", ", s, ", ", p, ", ", more, ">")};
  }

  Index param_size() const { return shape_.weights() + (bias_ ? shape_.in : 0); }
  std::vector<Parameter> parameters() const {
    const Index c = shape_.out, o = shape_.in, k = shape_.kernel_width;
    const Index from = few() ? rows() : o, tap = few() ? o : o * c;  // from one channel of x, or tap, to the next
    std::vector<Parameter> tensors{
        {"weight", 0, rows(), shape_.weights() / rows(), 2, {c, o, k, k}, {from, 1, k * tap, tap}}};
    if (bias_) tensors.push_back({"bias", shape_.weights(), o, 1, 1});
    return tensors;
  }
  template <class T>
  void init(std::span<T> p, Rng rng) const {
    detail::init_convolution(p, shape_.weights(), shape_.in * shape_.taps(), rng);
  }

  // The way back reads a transposed copy of the weight, small beside the pixels.

  Index prepared_size() const { return shape_.weights(); }
  template <class T>
  void prepare(std::span<const T> p, std::span<const T>, std::span<T> q, Phase phase) const {
    if (phase == Phase::inference) return;
    for (Index at = 0; at < shape_.weights(); at += matrix())
      detail::transpose(p.data() + at, rows(), rows(), shape_.out, q.data() + at, shape_.out);
  }

  template <class T>
  void forward(Prepared<T> p, ConstView<T> x, View<T> y) const {
    detail::convolve_transposed(shape_, {0, shape_.height}, p.params.data(), bias(p), x, y);
  }
  template <class T>
  void backward_input(Prepared<T> p, ConstView<T>, ConstView<T>, ConstView<T> dy, View<T> dx) const {
    convolution::forward<T>(shape_, {0, shape_.out_height()}, p.prepared.data(), nullptr, dy, dx);
  }

  // Parts: rows of the images.

  Index part_count() const { return std::min(shape_.height, shape_.out_height()); }
  template <class T>
  void forward_parts(Prepared<T> p, ConstView<T> x, View<T> y, Index first, Index last) const {
    detail::convolve_transposed(shape_, image_rows(shape_.height, first, last), p.params.data(), bias(p), x, y);
  }
  template <class T>
  void backward_input_parts(Prepared<T> p, ConstView<T>, ConstView<T>, ConstView<T> dy, View<T> dx, Index first,
                            Index last) const {
    convolution::forward<T>(shape_, image_rows(shape_.out_height(), first, last), p.prepared.data(), nullptr, dy, dx);
  }

  template <class T>
  void backward_params(Prepared<T> p, ConstView<T> x, ConstView<T> y, ConstView<T> dy, std::span<T> dp) const {
    backward_params_blocks(p, x, y, dy, dp, 0, block_count());
  }
  // Blocks: some 64 channels of a tap, the bias comes with the last; few channels have all taps together.
  Index block_count() const { return blocks().count; }
  std::pair<Index, Index> block_range(Index block) const { return blocks().range(block, param_size()); }
  template <class T>
  void backward_params_blocks(Prepared<T>, ConstView<T> x, ConstView<T>, ConstView<T> dy, std::span<T> dp, Index first,
                              Index last) const {
    add_gradients(x, dy, dp, first, last);
    const detail::Channels channels(y_);
    if (bias_ && last == block_count())
      channels.for_each_run(0, channels.parts(), [&](detail::Run run) {
        channels.add_sums(run, dy, dp.data() + shape_.weights() + run.first);
      });
  }
  Index gradient_splits(Index batch) const { return detail::gradient_splits(shape_, batch); }

  template <class T>
  void forward_tangent(Prepared<T> p, ConstView<T>, ConstView<T>, ConstView<T> tx, View<T> ty) const {
    detail::convolve_transposed<T>(shape_, {0, shape_.height}, p.params.data(), nullptr, tx, ty);
  }
  template <class T>
  void backward_params_tangent(Prepared<T>, ConstView<T>, ConstView<T>, ConstView<T> tx, ConstView<T> dty,
                               std::span<T> dp) const {
    add_gradients(tx, dty, dp, 0, block_count());
  }

 private:
  bool few() const { return detail::has_few_channels(shape_); }
  /// The weight is a matrix of so many rows and of C columns for each tap, or one for all.
  Index rows() const { return few() ? shape_.in * shape_.taps() : shape_.in; }
  Index matrix() const { return rows() * shape_.out; }
  template <class T>
  const T* bias(Prepared<T> p) const {
    return bias_ ? p.params.data() + shape_.weights() : nullptr;
  }
  ImageRows image_rows(Index height, Index first, Index last) const {
    return rows_of_parts(height, part_count(), first, last);
  }
  template <class T>
  void add_gradients(const ConstView<T>& x, const ConstView<T>& dy, std::span<T> dp, Index first, Index last) const {
    const Index parts = blocks().parts;
    if (!few()) return convolution::add_transposed_gradients<T>(shape_, first * parts, last * parts, x, dy, dp.data());
    // The kernel gives the transposed matrix, which is small.
    T* const sum = detail::workspace<T>(matrix() + convolution::gradient_workspace(shape_));
    std::fill_n(sum, matrix(), T(0));
    convolution::add_gradients<T>(shape_, 0, parts, x, dy, sum, static_cast<T*>(nullptr), sum + matrix());
    View<T>(dp.data(), rows(), shape_.out) += ConstView<T>(sum, shape_.out, rows()).transpose();
  }
  detail::GradientBlocks blocks() const { return {shape_, shape_.in}; }

  Shape y_;
  ConvolutionShape shape_;
  Index output_padding_;
  bool bias_;
};

}  // namespace placed

/// A transposed convolution. `ConvTranspose2d<64, 3, 4, 2, 1>`: channels in and out, kernel, stride (1 unless given),
/// padding (0) and output padding (0); or `ConvTranspose2d<>(64, 3, 4, 2, 1)`, with `false` last for one without bias.
template <Index In = dynamic, Index Out = dynamic, Index Kernel = dynamic,
          Index Stride = Kernel == dynamic ? dynamic : 1, Index Padding = Kernel == dynamic ? dynamic : 0,
          Index OutputPadding = Kernel == dynamic ? dynamic : 0>
class ConvTranspose2d {
  static_assert((In > 0 && Out > 0 && Kernel > 0 && Stride > 0 && Padding >= 0 && OutputPadding >= 0 &&
                 OutputPadding < Stride) ||
                    (In == dynamic && Out == dynamic && Kernel == dynamic && Stride == dynamic && Padding == dynamic &&
                     OutputPadding == dynamic),
                "eigan::ConvTranspose2d: channels, kernel and stride are positive, paddings not negative, the output "
                "padding is below the stride; or all dynamic");

 public:
  /// The sizes that the type states, with a bias.
  constexpr ConvTranspose2d() requires(In != dynamic) : ConvTranspose2d(ConvolutionOptions{}) {}
  /// The sizes that the type states: `ConvTranspose2d<64, 3, 4>({.bias = false})`.
  constexpr explicit ConvTranspose2d(ConvolutionOptions options) requires(In != dynamic)
      : settings_{In, Out, Kernel, Stride, Padding, OutputPadding, options.bias} {}
  /// Throws std::invalid_argument for sizes that cannot be, or contradict the type's.
  ConvTranspose2d(Index in_channels, Index out_channels, Index kernel_size, Index stride = 1, Index padding = 0,
                  Index output_padding = 0, bool bias = true)
      : settings_{in_channels, out_channels, kernel_size, stride, padding, output_padding, bias} {
    settings_.check("ConvTranspose2d", {In, Out, Kernel, Stride, Padding, OutputPadding});
  }

  constexpr Shape output_shape(Shape in) const { return settings_.transposed_shape(in); }
  std::string expects() const {
    const Index least = settings_.transposed_least();
    const std::string pixels = least > 1 ? detail::concat(", at least ", least, " x ", least, " pixels") : "";
    return detail::concat(settings_.in_channels, " channels", pixels);
  }
  Spec spec() const {
    return at({settings_.in_channels, settings_.transposed_least(), settings_.transposed_least()}).spec();
  }
  /// The layer over images of shape `in`.
  placed::ConvTranspose2d at(Shape in) const { return {in, settings_}; }

 private:
  detail::ConvolutionSettings settings_;
};

static_assert(BlockedLayer<placed::ConvTranspose2d> && PartedLayer<placed::ConvTranspose2d, double> &&
              TangentLayer<placed::ConvTranspose2d> && PreparedLayer<placed::ConvTranspose2d> &&
              ShapedLayer<ConvTranspose2d<8, 3, 4>>);

}  // namespace eigan

// ======== eigan/layers/elu.hpp
// ELU: y = x above 0, alpha (e^x - 1) elsewhere (Clevert et al. 2016).
//   dx = dy where y > 0, (y + alpha) dy elsewhere        y'' = y + alpha where y <= 0
// Element-wise; for alpha >= 0 the signs of x and y agree, so backward reads y alone.

// ======== eigan/kernels/activations.hpp
// ELU, GELU, SiLU and Softplus of n numbers, and gradients through them: a table each, so that a program
// compiles those that it uses. Any input may be the output itself.

namespace eigan::detail {

template <class T>
struct EluKernels {
  void (*forward)(Index n, T alpha, const T* x, T* y);
  void (*backward)(Index n, T alpha, const T* y, const T* dy, T* dx);
};

template <class T>
struct GeluKernels {
  void (*forward)(Index n, const T* x, T* y);
  void (*backward)(Index n, const T* x, const T* dy, T* dx);
};

template <class T>
struct SiluKernels {
  void (*forward)(Index n, const T* x, T* y);
  void (*backward)(Index n, const T* x, const T* dy, T* dx);
};

template <class T>
struct SoftplusKernels {
  void (*forward)(Index n, T beta, T threshold, const T* x, T* y);
  void (*backward)(Index n, T beta, T threshold, const T* x, const T* dy, T* dx);
};

}  // namespace eigan::detail

// ======== eigan/kernels/for_each_isa.inc
// Compiles the text EIGAN_KERNELS, one subject's kernels, once for every instruction set, with
//   EIGAN_ISA           the namespace
//   EIGAN_TARGET        the function attribute that allows the instructions
//   EIGAN_VECTOR_BYTES  the register's width
//   EIGAN_X86_VECTORS   where fused multiply-add, square root and masked moves are x86 instructions
// Every function of such a text carries EIGAN_TARGET and calls nothing but its like, so no code of one set can be
// inlined into, or merged with, code for another. No #pragma once: every subject includes this file.

#define EIGAN_INLINE [[gnu::always_inline]] inline
#define EIGAN_NOINLINE [[gnu::noinline]] inline  // long ones: a single copy for all callers
#if defined(__clang__)
#define EIGAN_UNROLL _Pragma("unroll")
#define EIGAN_UNROLL_TWICE _Pragma("unroll(2)")
#else
#define EIGAN_UNROLL _Pragma("GCC unroll 16")
#define EIGAN_UNROLL_TWICE _Pragma("GCC unroll 2")
#endif

#define EIGAN_ISA portable
#if defined(__x86_64__)
// What every such processor has, although -march or -mavx2 allow this file more: of a program whose files have different
// flags the linker keeps any one of several bodies of a kernel.
#define EIGAN_TARGET [[gnu::target("arch=x86-64,no-sse3,no-popcnt,no-lzcnt,no-movbe,no-bmi,no-bmi2")]]
#else
#define EIGAN_TARGET
#endif
#define EIGAN_VECTOR_BYTES 16

// ======== eigan/kernels/activations.inc
// Smooth activations: see activations.hpp. Compiled by for_each_isa.inc. In float a vector at a time; double,
// which checks gradients, goes by the standard library. tests/kernels/activations_test.cpp states the errors.

namespace eigan::detail::EIGAN_ISA {

// ELU: alpha (e^x - 1) below 0.

struct EluFloat {
  float alpha;
  EIGAN_TARGET EIGAN_INLINE FloatVector operator()(FloatVector x) const {
    const FloatVector t = x < 0.0f ? x : FloatVector{};
    FloatVector fraction, power;
    split_exp(t > -104.0f ? t : broadcast(-104.0f), fraction, power);
    const FloatVector below = alpha * fma(power, fraction, power - 1.0f);
    return x < 0.0f ? below : x;  // a NaN is not below
  }
};
template <class T>
struct EluBackward {
  T alpha;
  EIGAN_TARGET EIGAN_INLINE Vector<T> operator()(Vector<T> y, Vector<T> dy) const {
    return y > T(0) ? dy : (y + alpha) * dy;
  }
};
template <class T>
EIGAN_TARGET inline void elu(Index n, T alpha, const T* x, T* y) {
  if constexpr (sizeof(T) == sizeof(float))
    map(n, EluFloat{alpha}, y, x);
  else
    for (Index i = 0; i < n; ++i) y[i] = x[i] < 0 ? alpha * std::expm1(x[i]) : x[i];
}
template <class T>
EIGAN_TARGET inline void elu_backward(Index n, T alpha, const T* y, const T* dy, T* dx) {
  map(n, EluBackward<T>{alpha}, dx, y, dy);
}

// GELU: x Phi(x), the normal distribution's. With z = |x| and e = e^(-z^2/2), Phi(-z) = e r(z) and its derivative is
// phi(z) = e / sqrt(2 pi).

/// e and r for z in [0, 14.4]. z^2 is exact in two parts: rounded once, it would cost e a part in 10^5 at the end. r is
/// a polynomial in t = 1 / (1 + 0.35 z), fitted to within 2^-24.9 (by Lawson's iteration).
EIGAN_TARGET EIGAN_INLINE void normal_tail(FloatVector z, FloatVector& e, FloatVector& r) {
  using I = Simd<float>::I;
  I bits;
  std::memcpy(&bits, &z, sizeof bits);
  bits &= -4096;  // a number of 12 digits
  FloatVector high;
  std::memcpy(&high, &bits, sizeof high);
  I k;
  const FloatVector reduced = reduce_exp(-0.5f * (high * high), k);
  FloatVector fraction, power;
  expand_exp(fma((z - high) * -0.5f, z + high, reduced), k, fraction, power);
  e = fma(power, fraction, power);

  const FloatVector t = 1.0f / fma(z, broadcast(0.35f), broadcast(1.0f));
  r = fma(t, broadcast(-0.0291580302f), broadcast(0.144031611f));
  r = fma(r, t, broadcast(-0.255840403f));
  r = fma(r, t, broadcast(0.159321254f));
  r = fma(r, t, broadcast(-0.0232133943f));
  r = fma(r, t, broadcast(0.105552927f));
  r = fma(r, t, broadcast(0.119821185f));
  r = fma(r, t, broadcast(0.139863529f));
  r = fma(r, t, broadcast(0.139621306f));
  r = r * t;
}
struct GeluFloat {
  EIGAN_TARGET EIGAN_INLINE FloatVector operator()(FloatVector x) const {
    FloatVector z = x < 0.0f ? -x : x;
    z = z < 14.4f ? z : broadcast(14.4f);
    FloatVector e, r;
    normal_tail(z, e, r);
    const FloatVector tail = z * r;  // times e: z Phi(-z)
    const FloatVector y = x < 0.0f ? -(tail * e) : fma(-tail, e, x);
    return x == x ? y : x;  // NOLINT(misc-redundant-expression): a NaN is not
  }
};
/// The derivative, Phi(x) + x phi(x), times dy.
struct GeluBackwardFloat {
  EIGAN_TARGET EIGAN_INLINE FloatVector operator()(FloatVector x, FloatVector dy) const {
    FloatVector z = x < 0.0f ? -x : x;
    z = z < 14.4f ? z : broadcast(14.4f);
    FloatVector e, r;
    normal_tail(z, e, r);
    const FloatVector w = fma(z, broadcast(0.398942280f), -r);
    const FloatVector slope = x < 0.0f ? -(e * w) : fma(e, w, broadcast(1.0f));
    return dy * (x == x ? slope : x);  // NOLINT(misc-redundant-expression)
  }
};
template <class T>
EIGAN_TARGET inline void gelu(Index n, const T* x, T* y) {
  if constexpr (sizeof(T) == sizeof(float))
    map(n, GeluFloat{}, y, x);
  else
    for (Index i = 0; i < n; ++i) {
      const T bounded = x[i] < T(-60) ? T(-60) : x[i];
      y[i] = bounded * (T(0.5) * std::erfc(bounded * T(-0.70710678118654752440)));
    }
}
template <class T>
EIGAN_TARGET inline void gelu_backward(Index n, const T* x, const T* dy, T* dx) {
  if constexpr (sizeof(T) == sizeof(float))
    map(n, GeluBackwardFloat{}, dx, x, dy);
  else
    for (Index i = 0; i < n; ++i) {
      const T density = T(0.39894228040143267794) * std::exp(T(-0.5) * (x[i] * x[i]));
      const T below = T(0.5) * std::erfc(x[i] * T(-0.70710678118654752440));
      const T bounded = x[i] < T(-60) ? T(-60) : x[i] > T(60) ? T(60) : x[i];
      dx[i] = fma(bounded, density, below) * dy[i];
    }
}

// SiLU: x sigmoid(x).

/// sigmoid(x), 1 - sigmoid(x), both accurate at both ends, and x within [-104, 104], where neither changes any more.
struct Sigmoids {
  FloatVector at, beyond, x;
  EIGAN_TARGET EIGAN_INLINE explicit Sigmoids(FloatVector v) {
    FloatVector t = v < 0.0f ? v : -v;
    t = t > -104.0f ? t : broadcast(-104.0f);
    FloatVector fraction, power;
    split_exp(t, fraction, power);
    const FloatVector z = fma(power, fraction, power), larger = 1.0f / (z + 1.0f), smaller = z * larger;
    at = v < 0.0f ? smaller : larger;
    beyond = v < 0.0f ? larger : smaller;
    x = v < 0.0f ? t : -t;
  }
};
struct SiluFloat {
  EIGAN_TARGET EIGAN_INLINE FloatVector operator()(FloatVector x) const {
    const Sigmoids s(x);
    return (x < 0.0f ? s.x : x) * s.at;
  }
};
/// The derivative, sigmoid(x) (1 + x (1 - sigmoid(x))), times dy.
struct SiluBackwardFloat {
  EIGAN_TARGET EIGAN_INLINE FloatVector operator()(FloatVector x, FloatVector dy) const {
    const Sigmoids s(x);
    const FloatVector slope = s.at * fma(s.x, s.beyond, broadcast(1.0f));
    return dy * (x == x ? slope : x);  // NOLINT(misc-redundant-expression)
  }
};
template <class T>
EIGAN_TARGET EIGAN_INLINE T sigmoid_of(T x) {
  const T z = std::exp(x < 0 ? x : -x);
  return (x < 0 ? z : T(1)) / (T(1) + z);
}
template <class T>
EIGAN_TARGET inline void silu(Index n, const T* x, T* y) {
  if constexpr (sizeof(T) == sizeof(float))
    map(n, SiluFloat{}, y, x);
  else
    for (Index i = 0; i < n; ++i) {
      const T bounded = x[i] < T(-800) ? T(-800) : x[i];
      y[i] = bounded * sigmoid_of(bounded);
    }
}
template <class T>
EIGAN_TARGET inline void silu_backward(Index n, const T* x, const T* dy, T* dx) {
  if constexpr (sizeof(T) == sizeof(float))
    map(n, SiluBackwardFloat{}, dx, x, dy);
  else
    for (Index i = 0; i < n; ++i) {
      const T bounded = x[i] < T(-800) ? T(-800) : x[i] > T(800) ? T(800) : x[i];
      dx[i] = sigmoid_of(bounded) * fma(bounded, sigmoid_of(-bounded), T(1)) * dy[i];
    }
}

// Softplus: log(1 + e^u) / beta with u = beta x, and x where u is above the threshold.

struct SoftplusFloat {
  float beta, threshold;
  EIGAN_TARGET EIGAN_INLINE FloatVector operator()(FloatVector x) const {
    const FloatVector u = beta * x;
    const FloatVector t = u < 0.0f ? u : -u;
    FloatVector fraction, power;
    split_exp(t > -104.0f ? t : broadcast(-104.0f), fraction, power);
    // log(1 + z) = 2 (s + s^3/3 + s^5/5 + ...), s = z / (2 + z) <= 1/3; the first term left out is below 2^-26 of it.
    const FloatVector z = fma(power, fraction, power), s = z / (z + 2.0f), s2 = s * s;
    FloatVector q = fma(s2, broadcast(2.0f / 13), broadcast(2.0f / 11));
    q = fma(q, s2, broadcast(2.0f / 9));
    q = fma(q, s2, broadcast(2.0f / 7));
    q = fma(q, s2, broadcast(2.0f / 5));
    q = fma(q, s2, broadcast(2.0f / 3));
    const FloatVector log1p = fma(q * s2, s, s + s);
    const FloatVector y = ((u > 0.0f ? u : FloatVector{}) + log1p) * (1 / beta);
    return u <= threshold ? y : x;  // a NaN is not
  }
};
struct SoftplusBackwardFloat {
  float beta, threshold;
  EIGAN_TARGET EIGAN_INLINE FloatVector operator()(FloatVector x, FloatVector dy) const {
    const FloatVector u = beta * x;
    const Sigmoids s(u);
    const FloatVector slope = u <= threshold ? s.at : broadcast(1.0f);
    return dy * (x == x ? slope : x);  // NOLINT(misc-redundant-expression)
  }
};
template <class T>
EIGAN_TARGET inline void softplus(Index n, T beta, T threshold, const T* x, T* y) {
  if constexpr (sizeof(T) == sizeof(float))
    map(n, SoftplusFloat{beta, threshold}, y, x);
  else
    for (Index i = 0; i < n; ++i) {
      const T u = beta * x[i];
      y[i] = u <= threshold ? ((u > 0 ? u : T(0)) + std::log1p(std::exp(u < 0 ? u : -u))) / beta : x[i];
    }
}
template <class T>
EIGAN_TARGET inline void softplus_backward(Index n, T beta, T threshold, const T* x, const T* dy, T* dx) {
  if constexpr (sizeof(T) == sizeof(float))
    map(n, SoftplusBackwardFloat{beta, threshold}, dx, x, dy);
  else
    for (Index i = 0; i < n; ++i) {
      const T u = beta * x[i];
      dx[i] = (u > threshold ? T(1) : sigmoid_of(u)) * dy[i];
    }
}

template <class T>
struct TableOf<EluKernels<T>> {
  static constexpr EluKernels<T> table{.forward = elu<T>, .backward = elu_backward<T>};
};
template <class T>
struct TableOf<GeluKernels<T>> {
  static constexpr GeluKernels<T> table{.forward = gelu<T>, .backward = gelu_backward<T>};
};
template <class T>
struct TableOf<SiluKernels<T>> {
  static constexpr SiluKernels<T> table{.forward = silu<T>, .backward = silu_backward<T>};
};
template <class T>
struct TableOf<SoftplusKernels<T>> {
  static constexpr SoftplusKernels<T> table{.forward = softplus<T>, .backward = softplus_backward<T>};
};

}  // namespace eigan::detail::EIGAN_ISA
#undef EIGAN_ISA
#undef EIGAN_TARGET
#undef EIGAN_VECTOR_BYTES

#if defined(__x86_64__)
#define EIGAN_X86_VECTORS

#define EIGAN_ISA avx2
#define EIGAN_TARGET [[gnu::target("avx2,fma")]]
#define EIGAN_VECTOR_BYTES 32

// ======== eigan/kernels/activations.inc
// Smooth activations: see activations.hpp. Compiled by for_each_isa.inc. In float a vector at a time; double,
// which checks gradients, goes by the standard library. tests/kernels/activations_test.cpp states the errors.

namespace eigan::detail::EIGAN_ISA {

// ELU: alpha (e^x - 1) below 0.

struct EluFloat {
  float alpha;
  EIGAN_TARGET EIGAN_INLINE FloatVector operator()(FloatVector x) const {
    const FloatVector t = x < 0.0f ? x : FloatVector{};
    FloatVector fraction, power;
    split_exp(t > -104.0f ? t : broadcast(-104.0f), fraction, power);
    const FloatVector below = alpha * fma(power, fraction, power - 1.0f);
    return x < 0.0f ? below : x;  // a NaN is not below
  }
};
template <class T>
struct EluBackward {
  T alpha;
  EIGAN_TARGET EIGAN_INLINE Vector<T> operator()(Vector<T> y, Vector<T> dy) const {
    return y > T(0) ? dy : (y + alpha) * dy;
  }
};
template <class T>
EIGAN_TARGET inline void elu(Index n, T alpha, const T* x, T* y) {
  if constexpr (sizeof(T) == sizeof(float))
    map(n, EluFloat{alpha}, y, x);
  else
    for (Index i = 0; i < n; ++i) y[i] = x[i] < 0 ? alpha * std::expm1(x[i]) : x[i];
}
template <class T>
EIGAN_TARGET inline void elu_backward(Index n, T alpha, const T* y, const T* dy, T* dx) {
  map(n, EluBackward<T>{alpha}, dx, y, dy);
}

// GELU: x Phi(x), the normal distribution's. With z = |x| and e = e^(-z^2/2), Phi(-z) = e r(z) and its derivative is
// phi(z) = e / sqrt(2 pi).

/// e and r for z in [0, 14.4]. z^2 is exact in two parts: rounded once, it would cost e a part in 10^5 at the end. r is
/// a polynomial in t = 1 / (1 + 0.35 z), fitted to within 2^-24.9 (by Lawson's iteration).
EIGAN_TARGET EIGAN_INLINE void normal_tail(FloatVector z, FloatVector& e, FloatVector& r) {
  using I = Simd<float>::I;
  I bits;
  std::memcpy(&bits, &z, sizeof bits);
  bits &= -4096;  // a number of 12 digits
  FloatVector high;
  std::memcpy(&high, &bits, sizeof high);
  I k;
  const FloatVector reduced = reduce_exp(-0.5f * (high * high), k);
  FloatVector fraction, power;
  expand_exp(fma((z - high) * -0.5f, z + high, reduced), k, fraction, power);
  e = fma(power, fraction, power);

  const FloatVector t = 1.0f / fma(z, broadcast(0.35f), broadcast(1.0f));
  r = fma(t, broadcast(-0.0291580302f), broadcast(0.144031611f));
  r = fma(r, t, broadcast(-0.255840403f));
  r = fma(r, t, broadcast(0.159321254f));
  r = fma(r, t, broadcast(-0.0232133943f));
  r = fma(r, t, broadcast(0.105552927f));
  r = fma(r, t, broadcast(0.119821185f));
  r = fma(r, t, broadcast(0.139863529f));
  r = fma(r, t, broadcast(0.139621306f));
  r = r * t;
}
struct GeluFloat {
  EIGAN_TARGET EIGAN_INLINE FloatVector operator()(FloatVector x) const {
    FloatVector z = x < 0.0f ? -x : x;
    z = z < 14.4f ? z : broadcast(14.4f);
    FloatVector e, r;
    normal_tail(z, e, r);
    const FloatVector tail = z * r;  // times e: z Phi(-z)
    const FloatVector y = x < 0.0f ? -(tail * e) : fma(-tail, e, x);
    return x == x ? y : x;  // NOLINT(misc-redundant-expression): a NaN is not
  }
};
/// The derivative, Phi(x) + x phi(x), times dy.
struct GeluBackwardFloat {
  EIGAN_TARGET EIGAN_INLINE FloatVector operator()(FloatVector x, FloatVector dy) const {
    FloatVector z = x < 0.0f ? -x : x;
    z = z < 14.4f ? z : broadcast(14.4f);
    FloatVector e, r;
    normal_tail(z, e, r);
    const FloatVector w = fma(z, broadcast(0.398942280f), -r);
    const FloatVector slope = x < 0.0f ? -(e * w) : fma(e, w, broadcast(1.0f));
    return dy * (x == x ? slope : x);  // NOLINT(misc-redundant-expression)
  }
};
template <class T>
EIGAN_TARGET inline void gelu(Index n, const T* x, T* y) {
  if constexpr (sizeof(T) == sizeof(float))
    map(n, GeluFloat{}, y, x);
  else
    for (Index i = 0; i < n; ++i) {
      const T bounded = x[i] < T(-60) ? T(-60) : x[i];
      y[i] = bounded * (T(0.5) * std::erfc(bounded * T(-0.70710678118654752440)));
    }
}
template <class T>
EIGAN_TARGET inline void gelu_backward(Index n, const T* x, const T* dy, T* dx) {
  if constexpr (sizeof(T) == sizeof(float))
    map(n, GeluBackwardFloat{}, dx, x, dy);
  else
    for (Index i = 0; i < n; ++i) {
      const T density = T(0.39894228040143267794) * std::exp(T(-0.5) * (x[i] * x[i]));
      const T below = T(0.5) * std::erfc(x[i] * T(-0.70710678118654752440));
      const T bounded = x[i] < T(-60) ? T(-60) : x[i] > T(60) ? T(60) : x[i];
      dx[i] = fma(bounded, density, below) * dy[i];
    }
}

// SiLU: x sigmoid(x).

/// sigmoid(x), 1 - sigmoid(x), both accurate at both ends, and x within [-104, 104], where neither changes any more.
struct Sigmoids {
  FloatVector at, beyond, x;
  EIGAN_TARGET EIGAN_INLINE explicit Sigmoids(FloatVector v) {
    FloatVector t = v < 0.0f ? v : -v;
    t = t > -104.0f ? t : broadcast(-104.0f);
    FloatVector fraction, power;
    split_exp(t, fraction, power);
    const FloatVector z = fma(power, fraction, power), larger = 1.0f / (z + 1.0f), smaller = z * larger;
    at = v < 0.0f ? smaller : larger;
    beyond = v < 0.0f ? larger : smaller;
    x = v < 0.0f ? t : -t;
  }
};
struct SiluFloat {
  EIGAN_TARGET EIGAN_INLINE FloatVector operator()(FloatVector x) const {
    const Sigmoids s(x);
    return (x < 0.0f ? s.x : x) * s.at;
  }
};
/// The derivative, sigmoid(x) (1 + x (1 - sigmoid(x))), times dy.
struct SiluBackwardFloat {
  EIGAN_TARGET EIGAN_INLINE FloatVector operator()(FloatVector x, FloatVector dy) const {
    const Sigmoids s(x);
    const FloatVector slope = s.at * fma(s.x, s.beyond, broadcast(1.0f));
    return dy * (x == x ? slope : x);  // NOLINT(misc-redundant-expression)
  }
};
template <class T>
EIGAN_TARGET EIGAN_INLINE T sigmoid_of(T x) {
  const T z = std::exp(x < 0 ? x : -x);
  return (x < 0 ? z : T(1)) / (T(1) + z);
}
template <class T>
EIGAN_TARGET inline void silu(Index n, const T* x, T* y) {
  if constexpr (sizeof(T) == sizeof(float))
    map(n, SiluFloat{}, y, x);
  else
    for (Index i = 0; i < n; ++i) {
      const T bounded = x[i] < T(-800) ? T(-800) : x[i];
      y[i] = bounded * sigmoid_of(bounded);
    }
}
template <class T>
EIGAN_TARGET inline void silu_backward(Index n, const T* x, const T* dy, T* dx) {
  if constexpr (sizeof(T) == sizeof(float))
    map(n, SiluBackwardFloat{}, dx, x, dy);
  else
    for (Index i = 0; i < n; ++i) {
      const T bounded = x[i] < T(-800) ? T(-800) : x[i] > T(800) ? T(800) : x[i];
      dx[i] = sigmoid_of(bounded) * fma(bounded, sigmoid_of(-bounded), T(1)) * dy[i];
    }
}

// Softplus: log(1 + e^u) / beta with u = beta x, and x where u is above the threshold.

struct SoftplusFloat {
  float beta, threshold;
  EIGAN_TARGET EIGAN_INLINE FloatVector operator()(FloatVector x) const {
    const FloatVector u = beta * x;
    const FloatVector t = u < 0.0f ? u : -u;
    FloatVector fraction, power;
    split_exp(t > -104.0f ? t : broadcast(-104.0f), fraction, power);
    // log(1 + z) = 2 (s + s^3/3 + s^5/5 + ...), s = z / (2 + z) <= 1/3; the first term left out is below 2^-26 of it.
    const FloatVector z = fma(power, fraction, power), s = z / (z + 2.0f), s2 = s * s;
    FloatVector q = fma(s2, broadcast(2.0f / 13), broadcast(2.0f / 11));
    q = fma(q, s2, broadcast(2.0f / 9));
    q = fma(q, s2, broadcast(2.0f / 7));
    q = fma(q, s2, broadcast(2.0f / 5));
    q = fma(q, s2, broadcast(2.0f / 3));
    const FloatVector log1p = fma(q * s2, s, s + s);
    const FloatVector y = ((u > 0.0f ? u : FloatVector{}) + log1p) * (1 / beta);
    return u <= threshold ? y : x;  // a NaN is not
  }
};
struct SoftplusBackwardFloat {
  float beta, threshold;
  EIGAN_TARGET EIGAN_INLINE FloatVector operator()(FloatVector x, FloatVector dy) const {
    const FloatVector u = beta * x;
    const Sigmoids s(u);
    const FloatVector slope = u <= threshold ? s.at : broadcast(1.0f);
    return dy * (x == x ? slope : x);  // NOLINT(misc-redundant-expression)
  }
};
template <class T>
EIGAN_TARGET inline void softplus(Index n, T beta, T threshold, const T* x, T* y) {
  if constexpr (sizeof(T) == sizeof(float))
    map(n, SoftplusFloat{beta, threshold}, y, x);
  else
    for (Index i = 0; i < n; ++i) {
      const T u = beta * x[i];
      y[i] = u <= threshold ? ((u > 0 ? u : T(0)) + std::log1p(std::exp(u < 0 ? u : -u))) / beta : x[i];
    }
}
template <class T>
EIGAN_TARGET inline void softplus_backward(Index n, T beta, T threshold, const T* x, const T* dy, T* dx) {
  if constexpr (sizeof(T) == sizeof(float))
    map(n, SoftplusBackwardFloat{beta, threshold}, dx, x, dy);
  else
    for (Index i = 0; i < n; ++i) {
      const T u = beta * x[i];
      dx[i] = (u > threshold ? T(1) : sigmoid_of(u)) * dy[i];
    }
}

template <class T>
struct TableOf<EluKernels<T>> {
  static constexpr EluKernels<T> table{.forward = elu<T>, .backward = elu_backward<T>};
};
template <class T>
struct TableOf<GeluKernels<T>> {
  static constexpr GeluKernels<T> table{.forward = gelu<T>, .backward = gelu_backward<T>};
};
template <class T>
struct TableOf<SiluKernels<T>> {
  static constexpr SiluKernels<T> table{.forward = silu<T>, .backward = silu_backward<T>};
};
template <class T>
struct TableOf<SoftplusKernels<T>> {
  static constexpr SoftplusKernels<T> table{.forward = softplus<T>, .backward = softplus_backward<T>};
};

}  // namespace eigan::detail::EIGAN_ISA
#undef EIGAN_ISA
#undef EIGAN_TARGET
#undef EIGAN_VECTOR_BYTES

#define EIGAN_ISA avx512
#define EIGAN_TARGET [[gnu::target("avx2,fma,avx512f")]]
#define EIGAN_VECTOR_BYTES 64

// ======== eigan/kernels/activations.inc
// Smooth activations: see activations.hpp. Compiled by for_each_isa.inc. In float a vector at a time; double,
// which checks gradients, goes by the standard library. tests/kernels/activations_test.cpp states the errors.

namespace eigan::detail::EIGAN_ISA {

// ELU: alpha (e^x - 1) below 0.

struct EluFloat {
  float alpha;
  EIGAN_TARGET EIGAN_INLINE FloatVector operator()(FloatVector x) const {
    const FloatVector t = x < 0.0f ? x : FloatVector{};
    FloatVector fraction, power;
    split_exp(t > -104.0f ? t : broadcast(-104.0f), fraction, power);
    const FloatVector below = alpha * fma(power, fraction, power - 1.0f);
    return x < 0.0f ? below : x;  // a NaN is not below
  }
};
template <class T>
struct EluBackward {
  T alpha;
  EIGAN_TARGET EIGAN_INLINE Vector<T> operator()(Vector<T> y, Vector<T> dy) const {
    return y > T(0) ? dy : (y + alpha) * dy;
  }
};
template <class T>
EIGAN_TARGET inline void elu(Index n, T alpha, const T* x, T* y) {
  if constexpr (sizeof(T) == sizeof(float))
    map(n, EluFloat{alpha}, y, x);
  else
    for (Index i = 0; i < n; ++i) y[i] = x[i] < 0 ? alpha * std::expm1(x[i]) : x[i];
}
template <class T>
EIGAN_TARGET inline void elu_backward(Index n, T alpha, const T* y, const T* dy, T* dx) {
  map(n, EluBackward<T>{alpha}, dx, y, dy);
}

// GELU: x Phi(x), the normal distribution's. With z = |x| and e = e^(-z^2/2), Phi(-z) = e r(z) and its derivative is
// phi(z) = e / sqrt(2 pi).

/// e and r for z in [0, 14.4]. z^2 is exact in two parts: rounded once, it would cost e a part in 10^5 at the end. r is
/// a polynomial in t = 1 / (1 + 0.35 z), fitted to within 2^-24.9 (by Lawson's iteration).
EIGAN_TARGET EIGAN_INLINE void normal_tail(FloatVector z, FloatVector& e, FloatVector& r) {
  using I = Simd<float>::I;
  I bits;
  std::memcpy(&bits, &z, sizeof bits);
  bits &= -4096;  // a number of 12 digits
  FloatVector high;
  std::memcpy(&high, &bits, sizeof high);
  I k;
  const FloatVector reduced = reduce_exp(-0.5f * (high * high), k);
  FloatVector fraction, power;
  expand_exp(fma((z - high) * -0.5f, z + high, reduced), k, fraction, power);
  e = fma(power, fraction, power);

  const FloatVector t = 1.0f / fma(z, broadcast(0.35f), broadcast(1.0f));
  r = fma(t, broadcast(-0.0291580302f), broadcast(0.144031611f));
  r = fma(r, t, broadcast(-0.255840403f));
  r = fma(r, t, broadcast(0.159321254f));
  r = fma(r, t, broadcast(-0.0232133943f));
  r = fma(r, t, broadcast(0.105552927f));
  r = fma(r, t, broadcast(0.119821185f));
  r = fma(r, t, broadcast(0.139863529f));
  r = fma(r, t, broadcast(0.139621306f));
  r = r * t;
}
struct GeluFloat {
  EIGAN_TARGET EIGAN_INLINE FloatVector operator()(FloatVector x) const {
    FloatVector z = x < 0.0f ? -x : x;
    z = z < 14.4f ? z : broadcast(14.4f);
    FloatVector e, r;
    normal_tail(z, e, r);
    const FloatVector tail = z * r;  // times e: z Phi(-z)
    const FloatVector y = x < 0.0f ? -(tail * e) : fma(-tail, e, x);
    return x == x ? y : x;  // NOLINT(misc-redundant-expression): a NaN is not
  }
};
/// The derivative, Phi(x) + x phi(x), times dy.
struct GeluBackwardFloat {
  EIGAN_TARGET EIGAN_INLINE FloatVector operator()(FloatVector x, FloatVector dy) const {
    FloatVector z = x < 0.0f ? -x : x;
    z = z < 14.4f ? z : broadcast(14.4f);
    FloatVector e, r;
    normal_tail(z, e, r);
    const FloatVector w = fma(z, broadcast(0.398942280f), -r);
    const FloatVector slope = x < 0.0f ? -(e * w) : fma(e, w, broadcast(1.0f));
    return dy * (x == x ? slope : x);  // NOLINT(misc-redundant-expression)
  }
};
template <class T>
EIGAN_TARGET inline void gelu(Index n, const T* x, T* y) {
  if constexpr (sizeof(T) == sizeof(float))
    map(n, GeluFloat{}, y, x);
  else
    for (Index i = 0; i < n; ++i) {
      const T bounded = x[i] < T(-60) ? T(-60) : x[i];
      y[i] = bounded * (T(0.5) * std::erfc(bounded * T(-0.70710678118654752440)));
    }
}
template <class T>
EIGAN_TARGET inline void gelu_backward(Index n, const T* x, const T* dy, T* dx) {
  if constexpr (sizeof(T) == sizeof(float))
    map(n, GeluBackwardFloat{}, dx, x, dy);
  else
    for (Index i = 0; i < n; ++i) {
      const T density = T(0.39894228040143267794) * std::exp(T(-0.5) * (x[i] * x[i]));
      const T below = T(0.5) * std::erfc(x[i] * T(-0.70710678118654752440));
      const T bounded = x[i] < T(-60) ? T(-60) : x[i] > T(60) ? T(60) : x[i];
      dx[i] = fma(bounded, density, below) * dy[i];
    }
}

// SiLU: x sigmoid(x).

/// sigmoid(x), 1 - sigmoid(x), both accurate at both ends, and x within [-104, 104], where neither changes any more.
struct Sigmoids {
  FloatVector at, beyond, x;
  EIGAN_TARGET EIGAN_INLINE explicit Sigmoids(FloatVector v) {
    FloatVector t = v < 0.0f ? v : -v;
    t = t > -104.0f ? t : broadcast(-104.0f);
    FloatVector fraction, power;
    split_exp(t, fraction, power);
    const FloatVector z = fma(power, fraction, power), larger = 1.0f / (z + 1.0f), smaller = z * larger;
    at = v < 0.0f ? smaller : larger;
    beyond = v < 0.0f ? larger : smaller;
    x = v < 0.0f ? t : -t;
  }
};
struct SiluFloat {
  EIGAN_TARGET EIGAN_INLINE FloatVector operator()(FloatVector x) const {
    const Sigmoids s(x);
    return (x < 0.0f ? s.x : x) * s.at;
  }
};
/// The derivative, sigmoid(x) (1 + x (1 - sigmoid(x))), times dy.
struct SiluBackwardFloat {
  EIGAN_TARGET EIGAN_INLINE FloatVector operator()(FloatVector x, FloatVector dy) const {
    const Sigmoids s(x);
    const FloatVector slope = s.at * fma(s.x, s.beyond, broadcast(1.0f));
    return dy * (x == x ? slope : x);  // NOLINT(misc-redundant-expression)
  }
};
template <class T>
EIGAN_TARGET EIGAN_INLINE T sigmoid_of(T x) {
  const T z = std::exp(x < 0 ? x : -x);
  return (x < 0 ? z : T(1)) / (T(1) + z);
}
template <class T>
EIGAN_TARGET inline void silu(Index n, const T* x, T* y) {
  if constexpr (sizeof(T) == sizeof(float))
    map(n, SiluFloat{}, y, x);
  else
    for (Index i = 0; i < n; ++i) {
      const T bounded = x[i] < T(-800) ? T(-800) : x[i];
      y[i] = bounded * sigmoid_of(bounded);
    }
}
template <class T>
EIGAN_TARGET inline void silu_backward(Index n, const T* x, const T* dy, T* dx) {
  if constexpr (sizeof(T) == sizeof(float))
    map(n, SiluBackwardFloat{}, dx, x, dy);
  else
    for (Index i = 0; i < n; ++i) {
      const T bounded = x[i] < T(-800) ? T(-800) : x[i] > T(800) ? T(800) : x[i];
      dx[i] = sigmoid_of(bounded) * fma(bounded, sigmoid_of(-bounded), T(1)) * dy[i];
    }
}

// Softplus: log(1 + e^u) / beta with u = beta x, and x where u is above the threshold.

struct SoftplusFloat {
  float beta, threshold;
  EIGAN_TARGET EIGAN_INLINE FloatVector operator()(FloatVector x) const {
    const FloatVector u = beta * x;
    const FloatVector t = u < 0.0f ? u : -u;
    FloatVector fraction, power;
    split_exp(t > -104.0f ? t : broadcast(-104.0f), fraction, power);
    // log(1 + z) = 2 (s + s^3/3 + s^5/5 + ...), s = z / (2 + z) <= 1/3; the first term left out is below 2^-26 of it.
    const FloatVector z = fma(power, fraction, power), s = z / (z + 2.0f), s2 = s * s;
    FloatVector q = fma(s2, broadcast(2.0f / 13), broadcast(2.0f / 11));
    q = fma(q, s2, broadcast(2.0f / 9));
    q = fma(q, s2, broadcast(2.0f / 7));
    q = fma(q, s2, broadcast(2.0f / 5));
    q = fma(q, s2, broadcast(2.0f / 3));
    const FloatVector log1p = fma(q * s2, s, s + s);
    const FloatVector y = ((u > 0.0f ? u : FloatVector{}) + log1p) * (1 / beta);
    return u <= threshold ? y : x;  // a NaN is not
  }
};
struct SoftplusBackwardFloat {
  float beta, threshold;
  EIGAN_TARGET EIGAN_INLINE FloatVector operator()(FloatVector x, FloatVector dy) const {
    const FloatVector u = beta * x;
    const Sigmoids s(u);
    const FloatVector slope = u <= threshold ? s.at : broadcast(1.0f);
    return dy * (x == x ? slope : x);  // NOLINT(misc-redundant-expression)
  }
};
template <class T>
EIGAN_TARGET inline void softplus(Index n, T beta, T threshold, const T* x, T* y) {
  if constexpr (sizeof(T) == sizeof(float))
    map(n, SoftplusFloat{beta, threshold}, y, x);
  else
    for (Index i = 0; i < n; ++i) {
      const T u = beta * x[i];
      y[i] = u <= threshold ? ((u > 0 ? u : T(0)) + std::log1p(std::exp(u < 0 ? u : -u))) / beta : x[i];
    }
}
template <class T>
EIGAN_TARGET inline void softplus_backward(Index n, T beta, T threshold, const T* x, const T* dy, T* dx) {
  if constexpr (sizeof(T) == sizeof(float))
    map(n, SoftplusBackwardFloat{beta, threshold}, dx, x, dy);
  else
    for (Index i = 0; i < n; ++i) {
      const T u = beta * x[i];
      dx[i] = (u > threshold ? T(1) : sigmoid_of(u)) * dy[i];
    }
}

template <class T>
struct TableOf<EluKernels<T>> {
  static constexpr EluKernels<T> table{.forward = elu<T>, .backward = elu_backward<T>};
};
template <class T>
struct TableOf<GeluKernels<T>> {
  static constexpr GeluKernels<T> table{.forward = gelu<T>, .backward = gelu_backward<T>};
};
template <class T>
struct TableOf<SiluKernels<T>> {
  static constexpr SiluKernels<T> table{.forward = silu<T>, .backward = silu_backward<T>};
};
template <class T>
struct TableOf<SoftplusKernels<T>> {
  static constexpr SoftplusKernels<T> table{.forward = softplus<T>, .backward = softplus_backward<T>};
};

}  // namespace eigan::detail::EIGAN_ISA
#undef EIGAN_ISA
#undef EIGAN_TARGET
#undef EIGAN_VECTOR_BYTES

#undef EIGAN_X86_VECTORS
#endif

#undef EIGAN_INLINE
#undef EIGAN_NOINLINE
#undef EIGAN_UNROLL
#undef EIGAN_UNROLL_TWICE
EIGAN_SHARE_KERNELS(EluKernels)
EIGAN_SHARE_KERNELS(GeluKernels)
EIGAN_SHARE_KERNELS(SiluKernels)
EIGAN_SHARE_KERNELS(SoftplusKernels)

namespace eigan {

/// y = x above 0, alpha (e^x - 1) elsewhere.
class ELU {
 public:
  static constexpr bool elementwise = true;
  static constexpr bool backward_reads_x = false;

  /// alpha = 1.
  constexpr ELU() = default;
  /// Throws std::invalid_argument unless 0 <= alpha <= 1e30.
  explicit ELU(double alpha) : alpha_(alpha) {
    if (!(detail::at_least(alpha_, 0) && alpha_ <= 1e30))
      detail::fail_contract("eigan::ELU: alpha must be at least 0 and at most 1e30, is ", alpha_);
  }

  /// What y falls to, with the sign changed.
  double alpha() const { return alpha_; }
  Spec spec() const { return {"ELU", {{"alpha", alpha_}}, "::eigan::ELU"}; }

  template <class T>
  void forward(std::span<const T>, ConstView<T> x, View<T> y) const {
    detail::for_each_column(y, x, [alpha = static_cast<T>(alpha_)](Index n, T* yj, const T* xj) {
      detail::kernels<detail::EluKernels<T>>().forward(n, alpha, xj, yj);
    });
  }

  template <class T>
  void backward_input(std::span<const T>, ConstView<T>, ConstView<T> y, ConstView<T> dy, View<T> dx) const {
    detail::for_each_column(dx, y, dy, [alpha = static_cast<T>(alpha_)](Index n, T* dxj, const T* yj, const T* dyj) {
      detail::kernels<detail::EluKernels<T>>().backward(n, alpha, yj, dyj, dxj);
    });
  }

  template <class T>
  void add_curvature(std::span<const T>, ConstView<T>, ConstView<T> y, ConstView<T> tx, ConstView<T> dty,
                     View<T> dx) const {
    detail::add_curvature(y, tx, dty, dx,
                          [alpha = static_cast<T>(alpha_)](T v) { return v > T(0) ? T(0) : v + alpha; });
  }

 private:
  double alpha_ = 1;
};

static_assert(TangentLayer<ELU>);

}  // namespace eigan

// ======== eigan/layers/flatten.hpp
// Flatten and Unflatten: an image as a vector in PyTorch's order and back, so that the weights of a dense layer beside
// them are PyTorch's numbers.
//   Flatten:  y[(c H + row) W + col] = x[c + C (row W + col)]     x: C x H x W,  y: C H W      Unflatten: its inverse
// Backward:  each is the other's, for they only change the order.

namespace eigan {
namespace placed {

/// A change of order where it stands: from pixels to planes, or from planes to pixels.
class Reorder : public detail::SpatialLayer<Reorder> {
 public:
  /// Flatten makes planes of an image of pixels, Unflatten pixels of planes.
  Reorder(Shape image, bool to_planes)
      : SpatialLayer(to_planes ? image : Shape{image.size()}, to_planes ? Shape{image.size()} : image),
        image_(image),
        to_planes_(to_planes) {}

  Spec spec() const {
    if (to_planes_) return {"Flatten", {}, "::eigan::Flatten"};
    const auto [c, h, w] = image_;
    return {"Unflatten",
            {{"channels", c}, {"height", h}, {"width", w}},
            detail::concat("::eigan::Unflatten<", c, ", ", h, ", ", w, ">")};
  }

  // Parts: consecutive channels.

  Index part_count() const { return (image_.channels + 15) / 16; }
  template <class T>
  void forward_parts(std::span<const T>, ConstView<T> x, View<T> y, Index first, Index last) const {
    to_planes_ ? planes(x, y, first, last) : pixels(x, y, first, last);
  }
  template <class T>
  void backward_input_parts(std::span<const T>, ConstView<T>, ConstView<T>, ConstView<T> dy, View<T> dx, Index first,
                            Index last) const {
    to_planes_ ? pixels(dy, dx, first, last) : planes(dy, dx, first, last);
  }

 private:
  template <class T>
  void planes(const ConstView<T>& x, View<T> y, Index first, Index last) const {
    const Index from = 16 * first, count = std::min(16 * last, image_.channels) - from;
    for (Index j = 0; j < x.cols(); ++j)
      detail::transpose(x.data() + j * x.outerStride() + from, image_.channels, count, image_.pixels(),
                        y.data() + j * y.outerStride() + from * image_.pixels(), image_.pixels());
  }
  template <class T>
  void pixels(const ConstView<T>& x, View<T> y, Index first, Index last) const {
    const Index from = 16 * first, count = std::min(16 * last, image_.channels) - from;
    for (Index j = 0; j < x.cols(); ++j)
      detail::transpose(x.data() + j * x.outerStride() + from * image_.pixels(), image_.pixels(), image_.pixels(),
                        count, y.data() + j * y.outerStride() + from, image_.channels);
  }

  Shape image_;
  bool to_planes_;
};

static_assert(PartedLayer<Reorder> && TangentLayer<Reorder, double>);

}  // namespace placed

/// An image as a vector, in PyTorch's order.
class Flatten {
 public:
  constexpr Shape output_shape(Shape in) const { return in ? Shape{in.size()} : Shape{}; }
  std::string expects() const { return "an image"; }
  Spec spec() const { return at({}).spec(); }
  /// The layer of images of shape `in`.
  placed::Reorder at(Shape in) const { return {in, true}; }
};

}  // namespace eigan

// ======== eigan/layers/gelu.hpp
// GELU: y = x Phi(x), where Phi is the distribution function of the standard normal and phi its density (Hendrycks and
// Gimpel 2016).
//   dx = (Phi(x) + x phi(x)) dy        y'' = (2 - x^2) phi(x)
// Element-wise; exact, as torch.nn.GELU is unless told otherwise. Its approximation by tanh is another function, which
// is refused by name.

#include <numbers>

namespace eigan {

/// y = x Phi(x).
class GELU {
 public:
  static constexpr bool elementwise = true;
  static constexpr bool backward_reads_y = false;

  constexpr GELU() = default;
  /// PyTorch's argument. Throws std::invalid_argument unless it is "none".
  explicit GELU(std::string_view approximate) {
    if (approximate != "none")
      detail::fail_contract("eigan::GELU: approximate must be none, is ", approximate, ", which is not built");
  }

  Spec spec() const { return {"GELU", {}, "::eigan::GELU"}; }

  template <class T>
  void forward(std::span<const T>, ConstView<T> x, View<T> y) const {
    detail::for_each_column(
        y, x, [](Index n, T* yj, const T* xj) { detail::kernels<detail::GeluKernels<T>>().forward(n, xj, yj); });
  }

  template <class T>
  void backward_input(std::span<const T>, ConstView<T> x, ConstView<T>, ConstView<T> dy, View<T> dx) const {
    detail::for_each_column(dx, x, dy, [](Index n, T* dxj, const T* xj, const T* dyj) {
      detail::kernels<detail::GeluKernels<T>>().backward(n, xj, dyj, dxj);
    });
  }

  template <class T>
  void add_curvature(std::span<const T>, ConstView<T> x, ConstView<T>, ConstView<T> tx, ConstView<T> dty,
                     View<T> dx) const {
    constexpr T density_at_0 = std::numbers::inv_sqrtpi_v<T> / std::numbers::sqrt2_v<T>;
    detail::add_curvature(x, tx, dty, dx,
                          [](T v) { return std::fma(-v, v, T(2)) * (density_at_0 * std::exp(T(-0.5) * (v * v))); });
  }
};

static_assert(TangentLayer<GELU>);

}  // namespace eigan

// ======== eigan/layers/global_avg_pool2d.hpp
// GlobalAvgPool2d: y is the mean of all pixels, channel by channel: torch.nn.AdaptiveAvgPool2d(1).
//   x: C x H x W,   y: C     Backward:  dx = dy / (H W) at every pixel.

namespace eigan {
namespace placed {

/// The mean of all pixels where it stands.
class GlobalAvgPool2d : public detail::SpatialLayer<GlobalAvgPool2d> {
 public:
  /// For images of one size.
  explicit GlobalAvgPool2d(Shape in) : SpatialLayer(in, {in.channels}), channels_(in) {}

  Spec spec() const { return {"GlobalAvgPool2d", {}, "::eigan::GlobalAvgPool2d"}; }

  // Parts: consecutive channels.

  Index part_count() const { return channels_.parts(); }
  template <class T>
  void forward_parts(std::span<const T>, ConstView<T> x, View<T> y, Index first, Index last) const {
    for (Index j = 0; j < x.cols(); ++j)
      channels_.for_each_run(first, last, [&](detail::Run run) {
        const auto mean = channels_.moments(run, x.columns(j, 1));
        for (Index i = 0; i < run.count; ++i) y(run.first + i, j) = mean.center[i] + mean.rest[i];
      });
  }
  template <class T>
  void backward_input_parts(std::span<const T>, ConstView<T>, ConstView<T>, ConstView<T> dy, View<T> dx, Index first,
                            Index last) const {
    const T share = 1 / static_cast<T>(in().pixels());
    for (Index j = 0; j < dy.cols(); ++j)
      channels_.for_each_run(first, last, [&](detail::Run run) {
        const detail::ConstPixel<T> d(dy.data() + j * dy.outerStride() + run.first, run.count);
        T* const pixels = dx.data() + j * dx.outerStride() + run.first;
        for (Index p = 0; p < in().pixels(); ++p) detail::Pixel<T>(pixels + p * in().channels, run.count) = d * share;
      });
  }

 private:
  detail::Channels channels_;
};

}  // namespace placed

/// The mean of all pixels; a vector comes out.
class GlobalAvgPool2d {
 public:
  constexpr Shape output_shape(Shape in) const { return in ? Shape{in.channels} : Shape{}; }
  std::string expects() const { return "an image"; }
  Spec spec() const { return at({}).spec(); }
  /// The layer over images of shape `in`.
  placed::GlobalAvgPool2d at(Shape in) const { return placed::GlobalAvgPool2d(in); }
};

static_assert(PartedLayer<placed::GlobalAvgPool2d> && TangentLayer<placed::GlobalAvgPool2d, double> &&
              ShapedLayer<GlobalAvgPool2d>);

}  // namespace eigan

// ======== eigan/layers/instance_norm2d.hpp
// InstanceNorm2d: each channel of each image is centred and scaled by its own mean and variance (Ulyanov et al. 2016).
//   y = gamma x^ + beta,    x^ = r (x - mean),   r = 1 / sqrt(var + eps)     x, y: shape x batch;  means over pixels
// Backward:  dx = gamma P dy  with  P v = r (v - mean(v) - x^ mean(x^ v)),   dgamma += sum dy x^,   dbeta += sum dy.
// Tangent:   ty = gamma P tx.  With a = mean(x^ dty), b = mean(x^ tx), c = mean(dty (tx - mean(tx))), n pixels:
//   d<dty, ty> = gamma r^2 ((3 a b - c) x^ - b (dty - mean(dty)) - a (tx - mean(tx))) in x,  n r (c - a b) in gamma.
// As torch.nn.InstanceNorm2d it starts without gamma and beta, and has no running statistics.

namespace eigan {
namespace placed {

/// Instance normalisation where it stands.
class InstanceNorm2d {
 public:
  static constexpr Index input = dynamic, output = dynamic;
  static constexpr bool backward_reads_y = false;

  /// Over the pixels of `shape`.
  InstanceNorm2d(Shape shape, double eps, bool affine) : channels_(shape), eps_(eps), affine_(affine) {}

  Index input_size() const { return channels_.shape().size(); }
  Index output_size() const { return channels_.shape().size(); }
  /// x is read twice, y written.
  double operations() const { return 3 * detail::memory_access * static_cast<double>(input_size()); }
  Spec spec() const {
    return {"InstanceNorm2d",
            {{"num_features", channels_.count()}, {"eps", eps_}, {"affine", affine_}},
            detail::concat("::eigan::InstanceNorm2d<", channels_.count(), ">")};
  }

  Index param_size() const { return affine_ ? 2 * channels_.count() : 0; }
  std::vector<Parameter> parameters() const {
    if (!affine_) return {};
    const Index c = channels_.count();
    return {{"weight", 0, c, 1, 1}, {"bias", c, c, 1, 1}};
  }
  template <class T>
  void init(std::span<T> p, Rng) const {
    if (affine_) std::fill_n(std::fill_n(p.data(), channels_.count(), T(1)), channels_.count(), T(0));
  }

  template <class T>
  void forward(std::span<const T> p, ConstView<T> x, View<T> y) const {
    forward_parts(p, x, y, 0, part_count());
  }
  template <class T>
  void backward_input(std::span<const T> p, ConstView<T> x, ConstView<T> y, ConstView<T> dy, View<T> dx) const {
    backward_input_parts(p, x, y, dy, dx, 0, part_count());
  }
  template <class T>
  void backward_params(std::span<const T>, ConstView<T> x, ConstView<T>, ConstView<T> dy, std::span<T> dp) const {
    if (affine_)
      for_each(x.cols(), 0, part_count(), [&](Index j, detail::Run run) {
        T* const dgamma = dp.data() + run.first;
        channels_.add_params(run, x.columns(j, 1), eps_, dy.columns(j, 1), dgamma, dgamma + channels_.count());
      });
  }

  // Parts: consecutive channels.

  Index part_count() const { return channels_.parts(); }
  template <class T>
  void forward_parts(std::span<const T> p, ConstView<T> x, View<T> y, Index first, Index last) const {
    for_each(x.cols(), first, last, [&](Index j, detail::Run run) {
      const T* const gamma = gamma_of(p, run);
      channels_.normalise(run, x.columns(j, 1), eps_, gamma, affine_ ? gamma + channels_.count() : nullptr,
                          y.columns(j, 1));
    });
  }
  template <class T>
  void backward_input_parts(std::span<const T> p, ConstView<T> x, ConstView<T>, ConstView<T> dy, View<T> dx,
                            Index first, Index last) const {
    for_each(x.cols(), first, last, [&](Index j, detail::Run run) {
      channels_.normalise_backward(run, x.columns(j, 1), eps_, gamma_of(p, run), dy.columns(j, 1), dx.columns(j, 1));
    });
  }

  template <class T>
  void forward_tangent(std::span<const T> p, ConstView<T> x, ConstView<T> y, ConstView<T> tx, View<T> ty) const {
    backward_input(p, x, y, tx, ty);  // P is symmetric
  }
  template <class T>
  void add_curvature(std::span<const T> p, ConstView<T> x, ConstView<T>, ConstView<T> tx, ConstView<T> dty,
                     View<T> dx) const {
    for_each(x.cols(), 0, part_count(), [&](Index j, detail::Run run) {
      const Second<T> at(*this, run, x.columns(j, 1), tx.columns(j, 1), dty.columns(j, 1));
      const T* const gamma = gamma_of(p, run);
      detail::Group<T> zero{}, of_x, of_tx, of_dty, c_x, c_tx, c_dty;
      for (Index i = 0; i < run.count; ++i) {
        const T scale = (affine_ ? gamma[i] : 1) * at.r[i] * at.r[i];
        of_x[i] = scale * (3 * at.a[i] * at.b[i] - at.c[i]) * at.r[i];
        of_tx[i] = -scale * at.a[i];
        of_dty[i] = -scale * at.b[i];
        c_x[i] = -of_x[i] * at.of_x.rest[i];
        c_tx[i] = -of_tx[i] * at.of_tx.rest[i];
        c_dty[i] = -of_dty[i] * at.with_x.mean[i];
      }
      const View<T> dxj = dx.columns(j, 1);
      channels_.add(run, x.columns(j, 1), at.of_x.center, of_x, c_x, dxj);
      channels_.add(run, tx.columns(j, 1), at.of_tx.center, of_tx, c_tx, dxj);
      channels_.add(run, dty.columns(j, 1), zero, of_dty, c_dty, dxj);
    });
  }
  template <class T>
  void backward_params_tangent(std::span<const T>, ConstView<T> x, ConstView<T>, ConstView<T> tx, ConstView<T> dty,
                               std::span<T> dp) const {
    if (affine_)
      for_each(x.cols(), 0, part_count(), [&](Index j, detail::Run run) {
        const Second<T> at(*this, run, x.columns(j, 1), tx.columns(j, 1), dty.columns(j, 1));
        const auto n = static_cast<T>(channels_.shape().pixels());
        for (Index i = 0; i < run.count; ++i) dp.data()[run.first + i] += n * at.r[i] * (at.c[i] - at.a[i] * at.b[i]);
      });
  }

 private:
  /// f(sample, run) for the parts [first, last).
  template <class F>
  void for_each(Index samples, Index first, Index last, const F& f) const {
    for (Index j = 0; j < samples; ++j) channels_.for_each_run(first, last, [&](detail::Run run) { f(j, run); });
  }
  template <class T>
  const T* gamma_of(std::span<const T> p, detail::Run run) const {
    return affine_ ? p.data() + run.first : nullptr;
  }

  /// What second derivatives are made of, for one sample.
  template <class T>
  struct Second {
    Second(const InstanceNorm2d& layer, detail::Run run, const ConstView<T>& x, const ConstView<T>& tx,
           const ConstView<T>& dty)
        : of_x(layer.channels_.moments(run, x)),
          of_tx(layer.channels_.moments(run, tx)),
          with_x(layer.channels_.products(run, x, of_x, dty)) {
      const auto tangent = layer.channels_.products(run, x, of_x, tx),
                 both = layer.channels_.products(run, tx, of_tx, dty);
      for (Index i = 0; i < run.count; ++i) {
        r[i] = of_x.inverse_deviation(i, layer.eps_);
        a[i] = r[i] * with_x.product[i];
        b[i] = r[i] * tangent.product[i];
        c[i] = both.product[i];
      }
    }
    detail::Channels::Moments<T> of_x, of_tx;
    detail::Channels::Products<T> with_x;
    detail::Group<T> r, a, b, c;
  };

  detail::Channels channels_;
  double eps_;
  bool affine_;
};

}  // namespace placed

/// Instance normalisation of images' channels. `InstanceNorm2d<64>`, or `InstanceNorm2d<>(64)`.
template <Index Channels = dynamic>
class InstanceNorm2d {
  static_assert(Channels > 0 || Channels == dynamic, "eigan::InstanceNorm2d: channels are positive or dynamic");

 public:
  /// The channels that the type states, eps 1e-5, without parameters.
  constexpr InstanceNorm2d() requires(Channels != dynamic) : channels_(Channels) {}
  /// Throws std::invalid_argument unless 0 < channels < 2^31, as the type says where it does, and eps > 0. `affine`:
  /// with gamma and beta.
  explicit InstanceNorm2d(Index channels, double eps = 1e-5, bool affine = false)
      : channels_(channels), eps_(eps), affine_(affine) {
    detail::check_normalisation("InstanceNorm2d", "channels", Channels, channels, eps);
  }

  /// A single pixel has no deviation.
  constexpr Shape output_shape(Shape in) const {
    return in && in.channels == channels_ && !in.is_vector() ? in : Shape{};
  }
  std::string expects() const { return detail::concat(channels_, " channels, more than 1 pixel"); }
  Spec spec() const { return at({channels_}).spec(); }
  /// The layer over the pixels of `in`.
  placed::InstanceNorm2d at(Shape in) const { return {in, eps_, affine_}; }

 private:
  Index channels_;
  double eps_ = 1e-5;
  bool affine_ = false;
};

static_assert(ParametricLayer<placed::InstanceNorm2d> && PartedLayer<placed::InstanceNorm2d> &&
              TangentLayer<placed::InstanceNorm2d, double> && ShapedLayer<InstanceNorm2d<3>>);

}  // namespace eigan

// ======== eigan/layers/layer_norm.hpp
// LayerNorm: a whole sample is centred and scaled by its own mean and variance (Ba, Kiros and Hinton 2016).
//   y = gamma x^ + beta,    x^ = r (x - mean),   r = 1 / sqrt(var + eps)     x, y: shape x batch;  gamma, beta: shape
// Backward:  dx = P (gamma dy)  with  P v = r (v - mean(v) - x^ mean(x^ v)),   dgamma += sum dy x^,   dbeta += sum dy.
// Tangent:   ty = gamma P tx.  With g = gamma dty, a = mean(x^ g), b = mean(x^ tx), c = mean(g (tx - mean(tx))):
//   d<dty, ty> = r^2 ((3 a b - c) x^ - b (g - mean(g)) - a (tx - mean(tx))) in x,   dty P tx in gamma.
// As torch.nn.LayerNorm of the whole sample, whose order (C, H, W) the tensors have in files.

// ======== eigan/kernels/columns.hpp
// Functions of one column, n numbers in a row with their own mean and variance: for normalisations of a whole sample.
//
// As in rows.hpp a mean is two numbers, a `center`, which is subtracted before anything is scaled, and a `rest`.

namespace eigan::detail {

/// center + rest is the mean, variance the mean squared distance from it.
template <class T>
struct ColumnMoments {
  T center, rest, variance;
};

/// The sums of w dy and of w dy (x - center).
template <class T>
struct ColumnProducts {
  T sum, product;
};

/// a u + b (x - center) + c.
template <class T>
struct Combination {
  T a;
  const T* u;
  T b;
  const T* x;
  T center, c;
};

template <class T>
struct ColumnKernels {
  ColumnMoments<T> (*column_moments)(Index n, const T* x);
  /// Without w it is 1.
  ColumnProducts<T> (*column_products)(Index n, const T* x, T center, const T* w, const T* dy);
  /// y = w (a u + b (x - center) + c) + add; without `add` it is 0. y may be any of the inputs.
  void (*weigh_column)(Index n, const T* w, const Combination<T>& f, const T* add, T* y);
  /// y = a (w u) + b (x - center) + c + add, likewise.
  void (*combine_column)(Index n, const T* w, const Combination<T>& f, const T* add, T* y);
};

template <class T>
const ColumnKernels<T>& column_kernels() {
  return kernels<ColumnKernels<T>>();
}

}  // namespace eigan::detail

// ======== eigan/kernels/for_each_isa.inc
// Compiles the text EIGAN_KERNELS, one subject's kernels, once for every instruction set, with
//   EIGAN_ISA           the namespace
//   EIGAN_TARGET        the function attribute that allows the instructions
//   EIGAN_VECTOR_BYTES  the register's width
//   EIGAN_X86_VECTORS   where fused multiply-add, square root and masked moves are x86 instructions
// Every function of such a text carries EIGAN_TARGET and calls nothing but its like, so no code of one set can be
// inlined into, or merged with, code for another. No #pragma once: every subject includes this file.

#define EIGAN_INLINE [[gnu::always_inline]] inline
#define EIGAN_NOINLINE [[gnu::noinline]] inline  // long ones: a single copy for all callers
#if defined(__clang__)
#define EIGAN_UNROLL _Pragma("unroll")
#define EIGAN_UNROLL_TWICE _Pragma("unroll(2)")
#else
#define EIGAN_UNROLL _Pragma("GCC unroll 16")
#define EIGAN_UNROLL_TWICE _Pragma("GCC unroll 2")
#endif

#define EIGAN_ISA portable
#if defined(__x86_64__)
// What every such processor has, although -march or -mavx2 allow this file more: of a program whose files have different
// flags the linker keeps any one of several bodies of a kernel.
#define EIGAN_TARGET [[gnu::target("arch=x86-64,no-sse3,no-popcnt,no-lzcnt,no-movbe,no-bmi,no-bmi2")]]
#else
#define EIGAN_TARGET
#endif
#define EIGAN_VECTOR_BYTES 16

// ======== eigan/kernels/columns.inc
// One column: see columns.hpp. Compiled by for_each_isa.inc.

namespace eigan::detail::EIGAN_ISA {

/// The first `count` numbers, and `fill` for the others of a vector.
template <class T>
EIGAN_TARGET EIGAN_INLINE Vector<T> load_filled(const T* p, Index count, T fill) {
  if (count == lanes<T>) return load(p);
  T numbers[lanes<T>];
  for (Index i = 0; i < lanes<T>; ++i) numbers[i] = i < count ? p[i] : fill;
  return load(numbers);
}
template <class T>
EIGAN_TARGET EIGAN_INLINE T sum_of_lanes(Vector<T> v) {
  T lane[lanes<T>];
  store(lane, v);
  for (Index width = lanes<T> / 2; width > 0; width /= 2)
    for (Index k = 0; k < width; ++k) lane[k] += lane[k + width];
  return lane[0];
}

/// Two sums over a column: f.add(i, count, first, second) adds what numbers i to i + count give. Four vectors of sums
/// take turns, so that none waits for itself, and are emptied now and then: rounding grows with the length of a sum.
template <class T, class F>
EIGAN_TARGET EIGAN_INLINE void sum_column(Index n, const F& f, T& first, T& second) {
  constexpr Index L = lanes<T>, longest = 256 * L;
  Vector<T> total[2] = {};
  for (Index begin = 0; begin < n; begin += longest) {
    const Index end = n - begin < longest ? n : begin + longest;
    Vector<T> a[4] = {}, b[4] = {};
    Index i = begin;
    for (; i + 4 * L <= end; i += 4 * L) {
      EIGAN_UNROLL for (Index k = 0; k < 4; ++k) f.add(i + k * L, L, a[k], b[k]);
    }
    for (; i < end; i += L) f.add(i, end - i < L ? end - i : L, a[0], b[0]);
    total[0] += (a[0] + a[1]) + (a[2] + a[3]);
    total[1] += (b[0] + b[1]) + (b[2] + b[3]);
  }
  first = sum_of_lanes<T>(total[0]);
  second = sum_of_lanes<T>(total[1]);
}

template <class T>
struct AddDistances {
  const T* x;
  T center;
  EIGAN_TARGET EIGAN_INLINE void add(Index i, Index count, Vector<T>& sum, Vector<T>& squares) const {
    const Vector<T> d = load_filled(x + i, count, center) - center;
    sum += d;
    squares = fma(d, d, squares);
  }
};
template <class T>
EIGAN_TARGET inline ColumnMoments<T> column_moments(Index n, const T* x) {
  T sum, squares;
  sum_column(n, AddDistances<T>{x, T(0)}, sum, squares);
  const T center = sum / static_cast<T>(n);
  sum_column(n, AddDistances<T>{x, center}, sum, squares);
  const T rest = sum / static_cast<T>(n), variance = fma(-rest, rest, squares / static_cast<T>(n));
  return {center, rest, variance < 0 ? T(0) : variance};
}

template <class T>
struct AddProducts {
  const T *x, *w, *dy;
  T center;
  EIGAN_TARGET EIGAN_INLINE void add(Index i, Index count, Vector<T>& sum, Vector<T>& product) const {
    Vector<T> d = load_filled(dy + i, count, T(0));
    if (w != nullptr) d *= load_filled(w + i, count, T(0));
    sum += d;
    product = fma(d, load_filled(x + i, count, T(0)) - center, product);
  }
};
template <class T>
EIGAN_TARGET inline ColumnProducts<T> column_products(Index n, const T* x, T center, const T* w, const T* dy) {
  ColumnProducts<T> sums;
  sum_column(n, AddProducts<T>{x, w, dy, center}, sums.sum, sums.product);
  return sums;
}

/// Without `of_u` the weight is that of the whole combination.
template <class T, bool of_u>
EIGAN_TARGET EIGAN_INLINE Vector<T> weighed(Index i, Index count, const T* w, const Combination<T>& f, const T* add) {
  const Vector<T> weight = load_filled(w + i, count, T(0)), u = load_filled(f.u + i, count, T(0));
  const Vector<T> centred = load_filled(f.x + i, count, T(0)) - f.center;
  const Vector<T> more = add == nullptr ? Vector<T>{} : load_filled(add + i, count, T(0));
  if constexpr (of_u)
    return fma(broadcast(f.a), weight * u, fma(broadcast(f.b), centred, f.c + more));
  else
    return fma(weight, fma(broadcast(f.a), u, fma(broadcast(f.b), centred, broadcast(f.c))), more);
}
template <class T, bool of_u>
EIGAN_TARGET inline void combine(Index n, const T* w, const Combination<T>& f, const T* add, T* y) {
  constexpr Index L = lanes<T>;
  Index i = 0;
  for (; i + L <= n; i += L) store(y + i, weighed<T, of_u>(i, L, w, f, add));
  if (i < n) store_part(y + i, weighed<T, of_u>(i, n - i, w, f, add), n - i);
}

template <class T>
struct TableOf<ColumnKernels<T>> {
  static constexpr ColumnKernels<T> table{
      .column_moments = column_moments<T>,
      .column_products = column_products<T>,
      .weigh_column = combine<T, false>,
      .combine_column = combine<T, true>,
  };
};

}  // namespace eigan::detail::EIGAN_ISA
#undef EIGAN_ISA
#undef EIGAN_TARGET
#undef EIGAN_VECTOR_BYTES

#if defined(__x86_64__)
#define EIGAN_X86_VECTORS

#define EIGAN_ISA avx2
#define EIGAN_TARGET [[gnu::target("avx2,fma")]]
#define EIGAN_VECTOR_BYTES 32

// ======== eigan/kernels/columns.inc
// One column: see columns.hpp. Compiled by for_each_isa.inc.

namespace eigan::detail::EIGAN_ISA {

/// The first `count` numbers, and `fill` for the others of a vector.
template <class T>
EIGAN_TARGET EIGAN_INLINE Vector<T> load_filled(const T* p, Index count, T fill) {
  if (count == lanes<T>) return load(p);
  T numbers[lanes<T>];
  for (Index i = 0; i < lanes<T>; ++i) numbers[i] = i < count ? p[i] : fill;
  return load(numbers);
}
template <class T>
EIGAN_TARGET EIGAN_INLINE T sum_of_lanes(Vector<T> v) {
  T lane[lanes<T>];
  store(lane, v);
  for (Index width = lanes<T> / 2; width > 0; width /= 2)
    for (Index k = 0; k < width; ++k) lane[k] += lane[k + width];
  return lane[0];
}

/// Two sums over a column: f.add(i, count, first, second) adds what numbers i to i + count give. Four vectors of sums
/// take turns, so that none waits for itself, and are emptied now and then: rounding grows with the length of a sum.
template <class T, class F>
EIGAN_TARGET EIGAN_INLINE void sum_column(Index n, const F& f, T& first, T& second) {
  constexpr Index L = lanes<T>, longest = 256 * L;
  Vector<T> total[2] = {};
  for (Index begin = 0; begin < n; begin += longest) {
    const Index end = n - begin < longest ? n : begin + longest;
    Vector<T> a[4] = {}, b[4] = {};
    Index i = begin;
    for (; i + 4 * L <= end; i += 4 * L) {
      EIGAN_UNROLL for (Index k = 0; k < 4; ++k) f.add(i + k * L, L, a[k], b[k]);
    }
    for (; i < end; i += L) f.add(i, end - i < L ? end - i : L, a[0], b[0]);
    total[0] += (a[0] + a[1]) + (a[2] + a[3]);
    total[1] += (b[0] + b[1]) + (b[2] + b[3]);
  }
  first = sum_of_lanes<T>(total[0]);
  second = sum_of_lanes<T>(total[1]);
}

template <class T>
struct AddDistances {
  const T* x;
  T center;
  EIGAN_TARGET EIGAN_INLINE void add(Index i, Index count, Vector<T>& sum, Vector<T>& squares) const {
    const Vector<T> d = load_filled(x + i, count, center) - center;
    sum += d;
    squares = fma(d, d, squares);
  }
};
template <class T>
EIGAN_TARGET inline ColumnMoments<T> column_moments(Index n, const T* x) {
  T sum, squares;
  sum_column(n, AddDistances<T>{x, T(0)}, sum, squares);
  const T center = sum / static_cast<T>(n);
  sum_column(n, AddDistances<T>{x, center}, sum, squares);
  const T rest = sum / static_cast<T>(n), variance = fma(-rest, rest, squares / static_cast<T>(n));
  return {center, rest, variance < 0 ? T(0) : variance};
}

template <class T>
struct AddProducts {
  const T *x, *w, *dy;
  T center;
  EIGAN_TARGET EIGAN_INLINE void add(Index i, Index count, Vector<T>& sum, Vector<T>& product) const {
    Vector<T> d = load_filled(dy + i, count, T(0));
    if (w != nullptr) d *= load_filled(w + i, count, T(0));
    sum += d;
    product = fma(d, load_filled(x + i, count, T(0)) - center, product);
  }
};
template <class T>
EIGAN_TARGET inline ColumnProducts<T> column_products(Index n, const T* x, T center, const T* w, const T* dy) {
  ColumnProducts<T> sums;
  sum_column(n, AddProducts<T>{x, w, dy, center}, sums.sum, sums.product);
  return sums;
}

/// Without `of_u` the weight is that of the whole combination.
template <class T, bool of_u>
EIGAN_TARGET EIGAN_INLINE Vector<T> weighed(Index i, Index count, const T* w, const Combination<T>& f, const T* add) {
  const Vector<T> weight = load_filled(w + i, count, T(0)), u = load_filled(f.u + i, count, T(0));
  const Vector<T> centred = load_filled(f.x + i, count, T(0)) - f.center;
  const Vector<T> more = add == nullptr ? Vector<T>{} : load_filled(add + i, count, T(0));
  if constexpr (of_u)
    return fma(broadcast(f.a), weight * u, fma(broadcast(f.b), centred, f.c + more));
  else
    return fma(weight, fma(broadcast(f.a), u, fma(broadcast(f.b), centred, broadcast(f.c))), more);
}
template <class T, bool of_u>
EIGAN_TARGET inline void combine(Index n, const T* w, const Combination<T>& f, const T* add, T* y) {
  constexpr Index L = lanes<T>;
  Index i = 0;
  for (; i + L <= n; i += L) store(y + i, weighed<T, of_u>(i, L, w, f, add));
  if (i < n) store_part(y + i, weighed<T, of_u>(i, n - i, w, f, add), n - i);
}

template <class T>
struct TableOf<ColumnKernels<T>> {
  static constexpr ColumnKernels<T> table{
      .column_moments = column_moments<T>,
      .column_products = column_products<T>,
      .weigh_column = combine<T, false>,
      .combine_column = combine<T, true>,
  };
};

}  // namespace eigan::detail::EIGAN_ISA
#undef EIGAN_ISA
#undef EIGAN_TARGET
#undef EIGAN_VECTOR_BYTES

#define EIGAN_ISA avx512
#define EIGAN_TARGET [[gnu::target("avx2,fma,avx512f")]]
#define EIGAN_VECTOR_BYTES 64

// ======== eigan/kernels/columns.inc
// One column: see columns.hpp. Compiled by for_each_isa.inc.

namespace eigan::detail::EIGAN_ISA {

/// The first `count` numbers, and `fill` for the others of a vector.
template <class T>
EIGAN_TARGET EIGAN_INLINE Vector<T> load_filled(const T* p, Index count, T fill) {
  if (count == lanes<T>) return load(p);
  T numbers[lanes<T>];
  for (Index i = 0; i < lanes<T>; ++i) numbers[i] = i < count ? p[i] : fill;
  return load(numbers);
}
template <class T>
EIGAN_TARGET EIGAN_INLINE T sum_of_lanes(Vector<T> v) {
  T lane[lanes<T>];
  store(lane, v);
  for (Index width = lanes<T> / 2; width > 0; width /= 2)
    for (Index k = 0; k < width; ++k) lane[k] += lane[k + width];
  return lane[0];
}

/// Two sums over a column: f.add(i, count, first, second) adds what numbers i to i + count give. Four vectors of sums
/// take turns, so that none waits for itself, and are emptied now and then: rounding grows with the length of a sum.
template <class T, class F>
EIGAN_TARGET EIGAN_INLINE void sum_column(Index n, const F& f, T& first, T& second) {
  constexpr Index L = lanes<T>, longest = 256 * L;
  Vector<T> total[2] = {};
  for (Index begin = 0; begin < n; begin += longest) {
    const Index end = n - begin < longest ? n : begin + longest;
    Vector<T> a[4] = {}, b[4] = {};
    Index i = begin;
    for (; i + 4 * L <= end; i += 4 * L) {
      EIGAN_UNROLL for (Index k = 0; k < 4; ++k) f.add(i + k * L, L, a[k], b[k]);
    }
    for (; i < end; i += L) f.add(i, end - i < L ? end - i : L, a[0], b[0]);
    total[0] += (a[0] + a[1]) + (a[2] + a[3]);
    total[1] += (b[0] + b[1]) + (b[2] + b[3]);
  }
  first = sum_of_lanes<T>(total[0]);
  second = sum_of_lanes<T>(total[1]);
}

template <class T>
struct AddDistances {
  const T* x;
  T center;
  EIGAN_TARGET EIGAN_INLINE void add(Index i, Index count, Vector<T>& sum, Vector<T>& squares) const {
    const Vector<T> d = load_filled(x + i, count, center) - center;
    sum += d;
    squares = fma(d, d, squares);
  }
};
template <class T>
EIGAN_TARGET inline ColumnMoments<T> column_moments(Index n, const T* x) {
  T sum, squares;
  sum_column(n, AddDistances<T>{x, T(0)}, sum, squares);
  const T center = sum / static_cast<T>(n);
  sum_column(n, AddDistances<T>{x, center}, sum, squares);
  const T rest = sum / static_cast<T>(n), variance = fma(-rest, rest, squares / static_cast<T>(n));
  return {center, rest, variance < 0 ? T(0) : variance};
}

template <class T>
struct AddProducts {
  const T *x, *w, *dy;
  T center;
  EIGAN_TARGET EIGAN_INLINE void add(Index i, Index count, Vector<T>& sum, Vector<T>& product) const {
    Vector<T> d = load_filled(dy + i, count, T(0));
    if (w != nullptr) d *= load_filled(w + i, count, T(0));
    sum += d;
    product = fma(d, load_filled(x + i, count, T(0)) - center, product);
  }
};
template <class T>
EIGAN_TARGET inline ColumnProducts<T> column_products(Index n, const T* x, T center, const T* w, const T* dy) {
  ColumnProducts<T> sums;
  sum_column(n, AddProducts<T>{x, w, dy, center}, sums.sum, sums.product);
  return sums;
}

/// Without `of_u` the weight is that of the whole combination.
template <class T, bool of_u>
EIGAN_TARGET EIGAN_INLINE Vector<T> weighed(Index i, Index count, const T* w, const Combination<T>& f, const T* add) {
  const Vector<T> weight = load_filled(w + i, count, T(0)), u = load_filled(f.u + i, count, T(0));
  const Vector<T> centred = load_filled(f.x + i, count, T(0)) - f.center;
  const Vector<T> more = add == nullptr ? Vector<T>{} : load_filled(add + i, count, T(0));
  if constexpr (of_u)
    return fma(broadcast(f.a), weight * u, fma(broadcast(f.b), centred, f.c + more));
  else
    return fma(weight, fma(broadcast(f.a), u, fma(broadcast(f.b), centred, broadcast(f.c))), more);
}
template <class T, bool of_u>
EIGAN_TARGET inline void combine(Index n, const T* w, const Combination<T>& f, const T* add, T* y) {
  constexpr Index L = lanes<T>;
  Index i = 0;
  for (; i + L <= n; i += L) store(y + i, weighed<T, of_u>(i, L, w, f, add));
  if (i < n) store_part(y + i, weighed<T, of_u>(i, n - i, w, f, add), n - i);
}

template <class T>
struct TableOf<ColumnKernels<T>> {
  static constexpr ColumnKernels<T> table{
      .column_moments = column_moments<T>,
      .column_products = column_products<T>,
      .weigh_column = combine<T, false>,
      .combine_column = combine<T, true>,
  };
};

}  // namespace eigan::detail::EIGAN_ISA
#undef EIGAN_ISA
#undef EIGAN_TARGET
#undef EIGAN_VECTOR_BYTES

#undef EIGAN_X86_VECTORS
#endif

#undef EIGAN_INLINE
#undef EIGAN_NOINLINE
#undef EIGAN_UNROLL
#undef EIGAN_UNROLL_TWICE
EIGAN_SHARE_KERNELS(ColumnKernels)

namespace eigan {
namespace placed {

/// Layer normalisation of samples of one shape.
class LayerNorm {
 public:
  static constexpr Index input = dynamic, output = dynamic;
  static constexpr bool backward_reads_y = false;

  /// For samples of this shape; eps is added to the variance.
  constexpr LayerNorm(Shape shape, double eps) : shape_(shape), eps_(eps) {}

  /// Of one sample.
  constexpr Shape shape() const { return shape_; }
  Index input_size() const { return shape_.size(); }
  Index output_size() const { return shape_.size(); }
  /// x is read twice, y written.
  double operations() const { return 3 * detail::memory_access * static_cast<double>(shape_.size()); }
  Spec spec() const {
    const auto [c, h, w] = shape_;
    return {"LayerNorm",
            {{"channels", c}, {"height", h}, {"width", w}, {"eps", eps_}},
            shape_.is_vector() ? detail::concat("::eigan::LayerNorm<", c, ">")
                               : detail::concat("::eigan::LayerNorm<", c, ", ", h, ", ", w, ">")};
  }

  Index param_size() const { return 2 * shape_.size(); }
  std::vector<Parameter> parameters() const {
    const Index n = shape_.size();
    std::vector<Parameter> both{{"weight", 0, n, 1, 1}, {"bias", n, n, 1, 1}};
    if (!shape_.is_vector())
      for (Parameter& tensor : both) {
        tensor.shape = {shape_.channels, shape_.height, shape_.width};
        tensor.strides = {1, shape_.channels * shape_.width, shape_.channels};
      }
    return both;
  }
  template <class T>
  void init(std::span<T> p, Rng) const {
    std::fill_n(std::fill_n(p.data(), shape_.size(), T(1)), shape_.size(), T(0));
  }

  template <class T>
  void forward(std::span<const T> p, ConstView<T> x, View<T> y) const {
    forward_parts(p, x, y, 0, part_count());
  }
  template <class T>
  void backward_input(std::span<const T> p, ConstView<T> x, ConstView<T> y, ConstView<T> dy, View<T> dx) const {
    backward_input_parts(p, x, y, dy, dx, 0, part_count());
  }
  template <class T>
  void backward_params(std::span<const T>, ConstView<T> x, ConstView<T>, ConstView<T> dy, std::span<T> dp) const {
    const Index n = shape_.size();
    T *const dgamma = dp.data(), *const dbeta = dgamma + n;
    for (Index j = 0; j < x.cols(); ++j) {
      const T *const xj = column(x, j), *const dyj = column(dy, j);
      const Moments<T> m = moments(xj);
      kernels<T>().weigh_column(n, dyj, {0, xj, m.r, xj, m.center, -m.r * m.rest}, dgamma, dgamma);
      kernels<T>().weigh_column(n, dyj, {0, xj, 0, xj, m.center, 1}, dbeta, dbeta);
    }
  }

  // Parts: runs of 4096 numbers. Each call takes the means of whole samples anew.

  Index part_count() const { return (shape_.size() + part - 1) / part; }
  template <class T>
  void forward_parts(std::span<const T> p, ConstView<T> x, View<T> y, Index first, Index last) const {
    const Index from = first * part, n = std::min(last * part, shape_.size()) - from;
    const T *const gamma = p.data() + from, *const beta = gamma + shape_.size();
    for (Index j = 0; j < x.cols(); ++j) {
      const T* const xj = column(x, j);
      const Moments<T> m = moments(xj);
      kernels<T>().weigh_column(n, gamma, {0, xj + from, m.r, xj + from, m.center, -m.r * m.rest}, beta,
                                column(y, j) + from);
    }
  }
  template <class T>
  void backward_input_parts(std::span<const T> p, ConstView<T> x, ConstView<T>, ConstView<T> dy, View<T> dx,
                            Index first, Index last) const {
    const Index from = first * part, n = std::min(last * part, shape_.size()) - from;
    for (Index j = 0; j < x.cols(); ++j) {
      const T *const xj = column(x, j), *const dyj = column(dy, j);
      const Moments<T> m = moments(xj);
      kernels<T>().combine_column(n, p.data() + from, projection(xj + from, m, dyj + from, means(xj, m, p.data(), dyj)),
                                  nullptr, column(dx, j) + from);
    }
  }

  template <class T>
  void forward_tangent(std::span<const T> p, ConstView<T> x, ConstView<T>, ConstView<T> tx, View<T> ty) const {
    for (Index j = 0; j < x.cols(); ++j) {
      const T *const xj = column(x, j), *const txj = column(tx, j);
      const Moments<T> m = moments(xj);
      const auto f = projection(xj, m, txj, means<T>(xj, m, nullptr, txj));
      kernels<T>().weigh_column(shape_.size(), p.data(), f, nullptr, column(ty, j));
    }
  }
  template <class T>
  void add_curvature(std::span<const T> p, ConstView<T> x, ConstView<T>, ConstView<T> tx, ConstView<T> dty,
                     View<T> dx) const {
    for (Index j = 0; j < x.cols(); ++j) {
      const T *const xj = column(x, j), *const txj = column(tx, j), *const dtyj = column(dty, j);
      T* const dxj = column(dx, j);
      const Moments<T> m = moments(xj);
      const ColumnProducts<T> g = means(xj, m, p.data(), dtyj), t = means<T>(xj, m, nullptr, txj);
      const T c = kernels<T>().column_products(shape_.size(), txj, t.sum, p.data(), dtyj).product * share<T>();
      const T a = m.r * g.product, b = m.r * t.product, scale = m.r * m.r;
      const T of_x = scale * (3 * a * b - c) * m.r, of_g = -scale * b, of_t = -scale * a;
      const Combination<T> of_both{of_g, dtyj, of_x, xj, m.center, -of_x * m.rest - of_g * g.sum};
      kernels<T>().combine_column(shape_.size(), p.data(), of_both, dxj, dxj);
      kernels<T>().combine_column(shape_.size(), p.data(), {0, dtyj, of_t, txj, t.sum, 0}, dxj, dxj);
    }
  }
  template <class T>
  void backward_params_tangent(std::span<const T>, ConstView<T> x, ConstView<T>, ConstView<T> tx, ConstView<T> dty,
                               std::span<T> dp) const {
    for (Index j = 0; j < x.cols(); ++j) {
      const T *const xj = column(x, j), *const txj = column(tx, j);
      const Moments<T> m = moments(xj);
      const auto f = projection(xj, m, txj, means<T>(xj, m, nullptr, txj));
      kernels<T>().weigh_column(shape_.size(), column(dty, j), f, dp.data(), dp.data());
    }
  }

 private:
  static constexpr Index part = 4096;
  template <class T>
  using ColumnProducts = detail::ColumnProducts<T>;
  template <class T>
  using Combination = detail::Combination<T>;
  template <class T>
  static const detail::ColumnKernels<T>& kernels() {
    return detail::column_kernels<T>();
  }
  template <class T>
  static const T* column(const ConstView<T>& x, Index j) {
    return x.data() + j * x.outerStride();
  }
  template <class T>
  static T* column(View<T> x, Index j) {
    return x.data() + j * x.outerStride();
  }

  template <class T>
  struct Moments {
    T center, rest, r;
  };
  template <class T>
  Moments<T> moments(const T* x) const {
    const auto m = kernels<T>().column_moments(shape_.size(), x);
    return {m.center, m.rest, 1 / std::sqrt(m.variance + static_cast<T>(eps_))};
  }
  template <class T>
  T share() const {
    return 1 / static_cast<T>(shape_.size());
  }
  /// The means of v = w dy and of v (x - mean).
  template <class T>
  ColumnProducts<T> means(const T* x, const Moments<T>& m, const T* w, const T* dy) const {
    const auto sums = kernels<T>().column_products(shape_.size(), x, m.center, w, dy);
    const T mean = sums.sum * share<T>();
    return {mean, sums.product * share<T>() - m.rest * mean};
  }
  /// P v = r v - r^3 (x - mean) mean(v (x - mean)) - r mean(v).
  template <class T>
  static Combination<T> projection(const T* x, const Moments<T>& m, const T* v, const ColumnProducts<T>& means) {
    const T of_x = -(m.r * m.r * m.r) * means.product;
    return {m.r, v, of_x, x, m.center, -of_x * m.rest - m.r * means.sum};
  }

  Shape shape_;
  double eps_;
};

}  // namespace placed

/// Layer normalisation of vectors, `LayerNorm<256>`, or of images, `LayerNorm<64, 8, 8>`: channels, height and width.
/// With these at run time `LayerNorm<>(256)` and `LayerNorm<>(64, 8, 8)`, and eps behind them: `LayerNorm<>(256,
/// 1e-6)`.
template <Index Channels = dynamic, Index Height = Channels == dynamic ? dynamic : 1,
          Index Width = detail::width_beside(Height)>
class LayerNorm : public placed::LayerNorm {
  static_assert(Width != 0, "eigan::LayerNorm: height and width go together, as in LayerNorm<64, 8, 8>");
  static_assert((Channels > 0 && Height > 0 && Width > 0) ||
                    (Channels == dynamic && Height == dynamic && Width == dynamic),
                "eigan::LayerNorm: channels, height and width are positive, or dynamic all three");

 public:
  static constexpr Index input = Channels == dynamic ? dynamic : Channels * Height * Width, output = input;

  /// The shape that the type states, eps 1e-5.
  constexpr LayerNorm() requires(Channels != dynamic) : placed::LayerNorm({Channels, Height, Width}, 1e-5) {}
  /// Of vectors.
  explicit LayerNorm(Index channels) : LayerNorm(channels, 1, 1) {}
  /// The same with eps; a whole number would be a height whose width is missing.
  LayerNorm(Index channels, std::same_as<double> auto eps) : LayerNorm(channels, 1, 1, eps) {}
  /// Throws std::invalid_argument unless all are positive, the size is below 2^31, the shape that of the type where it
  /// has one, and eps > 0.
  LayerNorm(Index channels, Index height, Index width, double eps = 1e-5)
      : placed::LayerNorm({channels, height, width}, eps) {
    Index size = 0;
    if (!shape() || !checked_mul(channels, height, size) || !checked_mul(size, width, size) || size > most_size ||
        (Channels != dynamic && shape() != Shape{Channels, Height, Width}))
      detail::fail_contract("eigan::LayerNorm<", detail::stated_text(Channels), ", ", detail::stated_text(Height), ", ",
                            detail::stated_text(Width), ">: cannot have the shape ", channels, " x ", height, " x ",
                            width, ", expected positive sizes with a product below 2^31 and what the type states");
    if (!(detail::is_finite(eps) && eps > 0)) detail::fail_contract("eigan::LayerNorm: eps must be > 0, is ", eps);
  }

  constexpr Shape output_shape(Shape in) const { return in == shape() ? in : Shape{}; }
  std::string expects() const {
    const auto [c, h, w] = shape();
    return shape().is_vector() ? detail::concat(c, " features")
                               : detail::concat(c, " channels of ", h, " x ", w, " pixels");
  }
  /// Itself, as the class that all sizes share.
  placed::LayerNorm at(Shape) const { return *this; }
};

static_assert(ParametricLayer<placed::LayerNorm> && PartedLayer<placed::LayerNorm> &&
              TangentLayer<placed::LayerNorm, double> && ShapedLayer<LayerNorm<3>> && SizedLayer<LayerNorm<3, 4, 5>>);

}  // namespace eigan

// ======== eigan/layers/max_pool2d.hpp
// MaxPool2d: y is the largest number in a window of kernel x kernel pixels, which moves by stride; each channel by
// itself.
//   x: C x H x W,   y: C x H' x W',   H' = floor((H + 2 padding - kernel) / stride) + 1;   the padding never is largest
// Backward:  dx is the sum of dy over all windows whose largest number stands there, the first of equal ones, as in
// torch.nn.MaxPool2d. A NaN counts as largest.

namespace eigan {
namespace placed {

/// Max pooling where it stands.
class MaxPool2d : public detail::PlacedPooling<MaxPool2d> {
 public:
  static constexpr const char* name = "MaxPool2d";
  static constexpr bool backward_reads_x = true, backward_reads_y = true;
  using PlacedPooling::PlacedPooling;

  template <class T>
  void forward_parts(std::span<const T>, ConstView<T> x, View<T> y, Index first, Index last) const {
    const Index c = in().channels;
    for_each_window(x.cols(), rows(out(), first, last), [&](Index j, Index row, Index col) {
      const detail::Image<const T> from = detail::image(x, in(), j);
      T* const most = detail::image(y, out(), j)(row, col);
      std::fill_n(most, c, -std::numeric_limits<T>::infinity());
      window().for_each_pixel(in(), row, col, [&](Index r, Index s) {
        const T* const v = from(r, s);
        for (Index i = 0; i < c; ++i) most[i] = v[i] > most[i] || is_nan(v[i]) ? v[i] : most[i];
      });
    });
  }
  template <class T>
  void backward_input_parts(std::span<const T>, ConstView<T> x, ConstView<T> y, ConstView<T> dy, View<T> dx,
                            Index first, Index last) const {
    const ImageRows own = rows(in(), first, last);
    detail::set_zero(dx, in(), own);
    for_each_window(x.cols(), window().over(own, out().height), [&](Index j, Index row, Index col) {
      const T* const d = detail::image(dy, out(), j)(row, col);
      const detail::Image<T> to = detail::image(dx, in(), j);
      route(x, y, j, row, col, d, [&](Index r, Index s, Index channel, Index n, const T* share) {
        if (r < own.first || r >= own.last) return;
        T* const dxi = to(r, s) + channel;
        for (Index i = 0; i < n; ++i) dxi[i] += share[i];
      });
    });
  }

  template <class T>
  void forward_tangent(std::span<const T>, ConstView<T> x, ConstView<T> y, ConstView<T> tx, View<T> ty) const {
    ty.setZero();
    for_each_window(x.cols(), {0, out().height}, [&](Index j, Index row, Index col) {
      const detail::Image<const T> from = detail::image(tx, in(), j);
      T* const to = detail::image(ty, out(), j)(row, col);
      route<T>(x, y, j, row, col, nullptr, [&](Index r, Index s, Index channel, Index n, const T* share) {
        const T* const t = from(r, s) + channel;
        for (Index i = 0; i < n; ++i) to[channel + i] += share[i] > 0 ? t[i] : T(0);
      });
    });
  }

 private:
  template <class T>
  static bool is_nan(T v) {
    return !(v == v);  // NOLINT(misc-redundant-expression): inside loops that compilers turn into vectors
  }
  /// give(row, col, channel, n, share) for the pixels of a window in order, by up to 64 channels: share[i] is d (1
  /// where there is none) where the window's largest number stands there for the first time, and 0 elsewhere.
  template <class T, class Give>
  void route(const ConstView<T>& x, const ConstView<T>& y, Index sample, Index row, Index col, const T* d,
             const Give& give) const {
    constexpr Index most = 64;
    const detail::Image<const T> from = detail::image(x, in(), sample);
    const T* const largest = detail::image(y, out(), sample)(row, col);
    for (Index channel = 0; channel < in().channels; channel += most) {
      const Index n = std::min(most, in().channels - channel);
      T left[most], share[most];
      if (d != nullptr)
        std::copy_n(d + channel, n, left);
      else
        std::fill_n(left, n, T(1));
      window().for_each_pixel(in(), row, col, [&](Index r, Index s) {
        const T *const v = from(r, s) + channel, *const most_v = largest + channel;
        for (Index i = 0; i < n; ++i) {
          const bool here = v[i] == most_v[i] || is_nan(v[i]);
          share[i] = here ? left[i] : T(0);
          left[i] = here ? T(0) : left[i];
        }
        give(r, s, channel, n, share);
      });
    }
  }
};

}  // namespace placed

/// The largest of windows. `MaxPool2d<2>`, `MaxPool2d<3, 2, 1>`: kernel, stride (the kernel unless given) and padding;
/// or `MaxPool2d<>(3, 2, 1)`.
template <Index Kernel = dynamic, Index Stride = Kernel, Index Padding = Kernel == dynamic ? dynamic : 0>
class MaxPool2d : public detail::Pooling<placed::MaxPool2d, Kernel, Stride, Padding> {
 public:
  using detail::Pooling<placed::MaxPool2d, Kernel, Stride, Padding>::Pooling;
};

static_assert(PartedLayer<placed::MaxPool2d> && TangentLayer<placed::MaxPool2d, double> && ShapedLayer<MaxPool2d<2>>);

}  // namespace eigan

// ======== eigan/layers/prelu.hpp
// PReLU: y = x above 0, a x elsewhere, with a slope a to learn: one for all, or one for each channel (He et al. 2015).
//   dx = dy where x > 0, a dy elsewhere        da += sum of x dy over samples and pixels where x <= 0
// Element-wise; its parameters are as in torch.nn.PReLU, and start at 0.25. Channels run fastest in a column, so number
// i of it has the slope i mod num_parameters.

// ======== eigan/kernels/prelu.hpp
// PReLU, a leaky ReLU with a slope for each number, and gradients through it. Any input may be the output itself.

namespace eigan::detail {

template <class T>
struct PreluKernels {
  void (*forward)(Index n, const T* slope, const T* x, T* y);
  void (*backward)(Index n, const T* slope, const T* x, const T* dy, T* dx);
  /// sums[i] += v[i] dy[i] where x[i] is not above 0.
  void (*add_below)(Index n, const T* x, const T* v, const T* dy, T* sums);
  /// The sum of v[i] dy[i] over those i.
  T (*sum_below)(Index n, const T* x, const T* v, const T* dy);
};

template <class T>
const PreluKernels<T>& prelu_kernels() {
  return kernels<PreluKernels<T>>();
}

}  // namespace eigan::detail

// ======== eigan/kernels/for_each_isa.inc
// Compiles the text EIGAN_KERNELS, one subject's kernels, once for every instruction set, with
//   EIGAN_ISA           the namespace
//   EIGAN_TARGET        the function attribute that allows the instructions
//   EIGAN_VECTOR_BYTES  the register's width
//   EIGAN_X86_VECTORS   where fused multiply-add, square root and masked moves are x86 instructions
// Every function of such a text carries EIGAN_TARGET and calls nothing but its like, so no code of one set can be
// inlined into, or merged with, code for another. No #pragma once: every subject includes this file.

#define EIGAN_INLINE [[gnu::always_inline]] inline
#define EIGAN_NOINLINE [[gnu::noinline]] inline  // long ones: a single copy for all callers
#if defined(__clang__)
#define EIGAN_UNROLL _Pragma("unroll")
#define EIGAN_UNROLL_TWICE _Pragma("unroll(2)")
#else
#define EIGAN_UNROLL _Pragma("GCC unroll 16")
#define EIGAN_UNROLL_TWICE _Pragma("GCC unroll 2")
#endif

#define EIGAN_ISA portable
#if defined(__x86_64__)
// What every such processor has, although -march or -mavx2 allow this file more: of a program whose files have different
// flags the linker keeps any one of several bodies of a kernel.
#define EIGAN_TARGET [[gnu::target("arch=x86-64,no-sse3,no-popcnt,no-lzcnt,no-movbe,no-bmi,no-bmi2")]]
#else
#define EIGAN_TARGET
#endif
#define EIGAN_VECTOR_BYTES 16

// ======== eigan/kernels/prelu.inc
// PReLU: see prelu.hpp. Compiled by for_each_isa.inc.

namespace eigan::detail::EIGAN_ISA {

template <class T>
struct Prelu {
  EIGAN_TARGET EIGAN_INLINE Vector<T> operator()(Vector<T> slope, Vector<T> x) const {
    return x > T(0) ? x : slope * x;
  }
};
template <class T>
struct PreluBackward {
  EIGAN_TARGET EIGAN_INLINE Vector<T> operator()(Vector<T> slope, Vector<T> x, Vector<T> dy) const {
    return x > T(0) ? dy : slope * dy;
  }
};
template <class T>
struct AddBelow {
  EIGAN_TARGET EIGAN_INLINE Vector<T> operator()(Vector<T> x, Vector<T> v, Vector<T> dy, Vector<T> sum) const {
    return x > T(0) ? sum : fma(v, dy, sum);
  }
};
template <class T>
EIGAN_TARGET inline void prelu(Index n, const T* slope, const T* x, T* y) {
  map(n, Prelu<T>{}, y, slope, x);
}
template <class T>
EIGAN_TARGET inline void prelu_backward(Index n, const T* slope, const T* x, const T* dy, T* dx) {
  map(n, PreluBackward<T>{}, dx, slope, x, dy);
}
template <class T>
EIGAN_TARGET inline void add_below(Index n, const T* x, const T* v, const T* dy, T* sums) {
  map(n, AddBelow<T>{}, sums, x, v, dy, static_cast<const T*>(sums));
}
template <class T>
EIGAN_TARGET inline T sum_below(Index n, const T* x, const T* v, const T* dy) {
  constexpr Index L = lanes<T>;
  Vector<T> sum = {};
  Index i = 0;
  for (; i + L <= n; i += L) sum = AddBelow<T>{}(load(x + i), load(v + i), load(dy + i), sum);
  if (i < n) sum = AddBelow<T>{}(load_part(x + i, n - i), load_part(v + i, n - i), load_part(dy + i, n - i), sum);
  T total = sum[0];
  for (Index lane = 1; lane < L; ++lane) total += sum[lane];
  return total;
}

template <class T>
struct TableOf<PreluKernels<T>> {
  static constexpr PreluKernels<T> table{
      .forward = prelu<T>, .backward = prelu_backward<T>, .add_below = add_below<T>, .sum_below = sum_below<T>};
};

}  // namespace eigan::detail::EIGAN_ISA
#undef EIGAN_ISA
#undef EIGAN_TARGET
#undef EIGAN_VECTOR_BYTES

#if defined(__x86_64__)
#define EIGAN_X86_VECTORS

#define EIGAN_ISA avx2
#define EIGAN_TARGET [[gnu::target("avx2,fma")]]
#define EIGAN_VECTOR_BYTES 32

// ======== eigan/kernels/prelu.inc
// PReLU: see prelu.hpp. Compiled by for_each_isa.inc.

namespace eigan::detail::EIGAN_ISA {

template <class T>
struct Prelu {
  EIGAN_TARGET EIGAN_INLINE Vector<T> operator()(Vector<T> slope, Vector<T> x) const {
    return x > T(0) ? x : slope * x;
  }
};
template <class T>
struct PreluBackward {
  EIGAN_TARGET EIGAN_INLINE Vector<T> operator()(Vector<T> slope, Vector<T> x, Vector<T> dy) const {
    return x > T(0) ? dy : slope * dy;
  }
};
template <class T>
struct AddBelow {
  EIGAN_TARGET EIGAN_INLINE Vector<T> operator()(Vector<T> x, Vector<T> v, Vector<T> dy, Vector<T> sum) const {
    return x > T(0) ? sum : fma(v, dy, sum);
  }
};
template <class T>
EIGAN_TARGET inline void prelu(Index n, const T* slope, const T* x, T* y) {
  map(n, Prelu<T>{}, y, slope, x);
}
template <class T>
EIGAN_TARGET inline void prelu_backward(Index n, const T* slope, const T* x, const T* dy, T* dx) {
  map(n, PreluBackward<T>{}, dx, slope, x, dy);
}
template <class T>
EIGAN_TARGET inline void add_below(Index n, const T* x, const T* v, const T* dy, T* sums) {
  map(n, AddBelow<T>{}, sums, x, v, dy, static_cast<const T*>(sums));
}
template <class T>
EIGAN_TARGET inline T sum_below(Index n, const T* x, const T* v, const T* dy) {
  constexpr Index L = lanes<T>;
  Vector<T> sum = {};
  Index i = 0;
  for (; i + L <= n; i += L) sum = AddBelow<T>{}(load(x + i), load(v + i), load(dy + i), sum);
  if (i < n) sum = AddBelow<T>{}(load_part(x + i, n - i), load_part(v + i, n - i), load_part(dy + i, n - i), sum);
  T total = sum[0];
  for (Index lane = 1; lane < L; ++lane) total += sum[lane];
  return total;
}

template <class T>
struct TableOf<PreluKernels<T>> {
  static constexpr PreluKernels<T> table{
      .forward = prelu<T>, .backward = prelu_backward<T>, .add_below = add_below<T>, .sum_below = sum_below<T>};
};

}  // namespace eigan::detail::EIGAN_ISA
#undef EIGAN_ISA
#undef EIGAN_TARGET
#undef EIGAN_VECTOR_BYTES

#define EIGAN_ISA avx512
#define EIGAN_TARGET [[gnu::target("avx2,fma,avx512f")]]
#define EIGAN_VECTOR_BYTES 64

// ======== eigan/kernels/prelu.inc
// PReLU: see prelu.hpp. Compiled by for_each_isa.inc.

namespace eigan::detail::EIGAN_ISA {

template <class T>
struct Prelu {
  EIGAN_TARGET EIGAN_INLINE Vector<T> operator()(Vector<T> slope, Vector<T> x) const {
    return x > T(0) ? x : slope * x;
  }
};
template <class T>
struct PreluBackward {
  EIGAN_TARGET EIGAN_INLINE Vector<T> operator()(Vector<T> slope, Vector<T> x, Vector<T> dy) const {
    return x > T(0) ? dy : slope * dy;
  }
};
template <class T>
struct AddBelow {
  EIGAN_TARGET EIGAN_INLINE Vector<T> operator()(Vector<T> x, Vector<T> v, Vector<T> dy, Vector<T> sum) const {
    return x > T(0) ? sum : fma(v, dy, sum);
  }
};
template <class T>
EIGAN_TARGET inline void prelu(Index n, const T* slope, const T* x, T* y) {
  map(n, Prelu<T>{}, y, slope, x);
}
template <class T>
EIGAN_TARGET inline void prelu_backward(Index n, const T* slope, const T* x, const T* dy, T* dx) {
  map(n, PreluBackward<T>{}, dx, slope, x, dy);
}
template <class T>
EIGAN_TARGET inline void add_below(Index n, const T* x, const T* v, const T* dy, T* sums) {
  map(n, AddBelow<T>{}, sums, x, v, dy, static_cast<const T*>(sums));
}
template <class T>
EIGAN_TARGET inline T sum_below(Index n, const T* x, const T* v, const T* dy) {
  constexpr Index L = lanes<T>;
  Vector<T> sum = {};
  Index i = 0;
  for (; i + L <= n; i += L) sum = AddBelow<T>{}(load(x + i), load(v + i), load(dy + i), sum);
  if (i < n) sum = AddBelow<T>{}(load_part(x + i, n - i), load_part(v + i, n - i), load_part(dy + i, n - i), sum);
  T total = sum[0];
  for (Index lane = 1; lane < L; ++lane) total += sum[lane];
  return total;
}

template <class T>
struct TableOf<PreluKernels<T>> {
  static constexpr PreluKernels<T> table{
      .forward = prelu<T>, .backward = prelu_backward<T>, .add_below = add_below<T>, .sum_below = sum_below<T>};
};

}  // namespace eigan::detail::EIGAN_ISA
#undef EIGAN_ISA
#undef EIGAN_TARGET
#undef EIGAN_VECTOR_BYTES

#undef EIGAN_X86_VECTORS
#endif

#undef EIGAN_INLINE
#undef EIGAN_NOINLINE
#undef EIGAN_UNROLL
#undef EIGAN_UNROLL_TWICE
EIGAN_SHARE_KERNELS(PreluKernels)

namespace eigan {

/// y = x above 0, a x elsewhere.
class PReLU {
 public:
  static constexpr bool elementwise = true;
  static constexpr bool backward_reads_y = false;
  static constexpr bool piecewise_linear = true;

  /// num_parameters: 1, or the number of channels. Throws std::invalid_argument unless it is in 1 to 2^31 - 1 and the
  /// initial slope finite.
  constexpr explicit PReLU(Index num_parameters = 1, double init = 0.25) : slopes_(num_parameters), init_(init) {
    if (slopes_ < 1 || slopes_ > most_size)
      detail::fail_contract("eigan::PReLU: num_parameters must be in 1 to 2^31 - 1, is ", slopes_);
    if (!detail::is_finite(init_)) detail::fail_contract("eigan::PReLU: init must be finite, is ", init_);
  }

  /// How many slopes there are.
  Index num_parameters() const { return slopes_; }
  Index param_size() const { return slopes_; }
  Spec spec() const {
    Spec spec{"PReLU", {{"num_parameters", slopes_}}, "::eigan::PReLU"};
    if (init_ != 0.25) spec.settings.emplace_back("init", init_);
    return spec;
  }
  std::vector<Parameter> parameters() const { return {{"weight", 0, slopes_, 1, 1}}; }
  constexpr Shape output_shape(Shape in) const { return slopes_ == 1 || in.channels == slopes_ ? in : Shape{}; }
  PReLU at(Shape) const { return *this; }
  /// What it takes, in words.
  std::string expects() const { return slopes_ == 1 ? "any shape" : detail::concat(slopes_, " channels"); }

  template <class T>
  void init(std::span<T> p, Rng) const {
    std::fill(p.begin(), p.end(), static_cast<T>(init_));
  }

  template <class T>
  void forward(std::span<const T> p, ConstView<T> x, View<T> y) const {
    check_rows(x.rows());
    detail::for_each_column(y, x, [&](Index n, T* yj, const T* xj) {
      if (slopes_ == 1) return detail::kernels<detail::LeakyReluKernels<T>>().forward(n, p[0], xj, yj);
      for (Index i = 0; i < n; i += slopes_) detail::prelu_kernels<T>().forward(slopes_, p.data(), xj + i, yj + i);
    });
  }

  template <class T>
  void backward_input(std::span<const T> p, ConstView<T> x, ConstView<T>, ConstView<T> dy, View<T> dx) const {
    check_rows(x.rows());
    detail::for_each_column(dx, x, dy, [&](Index n, T* dxj, const T* xj, const T* dyj) {
      if (slopes_ == 1) return detail::kernels<detail::LeakyReluKernels<T>>().backward(n, p[0], xj, dyj, dxj);
      for (Index i = 0; i < n; i += slopes_)
        detail::prelu_kernels<T>().backward(slopes_, p.data(), xj + i, dyj + i, dxj + i);
    });
  }

  template <class T>
  void backward_params(std::span<const T>, ConstView<T> x, ConstView<T>, ConstView<T> dy, std::span<T> dp) const {
    add_slopes(x, x, dy, dp);
  }
  /// Few slopes, many samples.
  Index gradient_splits(Index batch) const { return std::clamp<Index>(batch / 4, 1, 8); }

  template <class T>
  void backward_params_tangent(std::span<const T>, ConstView<T> x, ConstView<T>, ConstView<T> tx, ConstView<T> dty,
                               std::span<T> dp) const {
    add_slopes(x, tx, dty, dp);
  }

 private:
  void check_rows(Index rows) const {
    if (rows % slopes_ != 0)
      detail::fail_contract("eigan::PReLU: ", rows, " numbers are not whole pixels of ", slopes_);
  }
  /// da += sum of v dy where x <= 0. A sample's pixels are added up first, then the samples, so that rounding errors of
  /// large images stay small.
  template <class T>
  void add_slopes(const ConstView<T>& x, const ConstView<T>& v, const ConstView<T>& dy, std::span<T> da) const {
    check_rows(x.rows());
    const auto& kernels = detail::prelu_kernels<T>();
    constexpr Index most = 64;
    for (Index j = 0; j < x.cols(); ++j) {
      const T *xj = x.data() + j * x.outerStride(), *vj = v.data() + j * v.outerStride(),
              *dyj = dy.data() + j * dy.outerStride();
      if (slopes_ == 1) {
        da[0] += kernels.sum_below(x.rows(), xj, vj, dyj);
        continue;
      }
      for (Index first = 0; first < slopes_; first += most) {
        const Index count = std::min(most, slopes_ - first);
        std::array<T, most> sums{};
        for (Index i = first; i < x.rows(); i += slopes_)
          kernels.add_below(count, xj + i, vj + i, dyj + i, sums.data());
        for (Index c = 0; c < count; ++c) da[static_cast<std::size_t>(first + c)] += sums[static_cast<std::size_t>(c)];
      }
    }
  }

  Index slopes_;
  double init_;
};

static_assert(ParametricLayer<PReLU> && TangentLayer<PReLU> && ShapedLayer<PReLU>);

}  // namespace eigan

// ======== eigan/layers/reflection_pad2d.hpp
// ReflectionPad2d: images grow by `padding` pixels on each side, which mirror those inside: d c b | a b c d | c b a.
//   x: C x H x W,   y: C x (H + 2 padding) x (W + 2 padding),   padding < H, W
// Backward:  dx is the sum of dy over a pixel and its mirror images.

namespace eigan {
namespace placed {

/// Padding by reflection where it stands.
class ReflectionPad2d : public detail::SpatialLayer<ReflectionPad2d> {
 public:
  /// `padding` pixels around images of shape `in`.
  ReflectionPad2d(Shape in, Index padding)
      : SpatialLayer(in, {in.channels, in.height + 2 * padding, in.width + 2 * padding}), padding_(padding) {}

  Spec spec() const {
    return {"ReflectionPad2d", {{"padding", padding_}}, detail::concat("::eigan::ReflectionPad2d<", padding_, ">")};
  }

  template <class T>
  void forward_parts(std::span<const T>, ConstView<T> x, View<T> y, Index first, Index last) const {
    const ImageRows own = rows(out(), first, last);
    for (Index j = 0; j < x.cols(); ++j)
      for (Index row = own.first; row < own.last; ++row)
        for (Index col = 0; col < out().width; ++col)
          std::copy_n(detail::image(x, in(), j)(inside(row, in().height), inside(col, in().width)), in().channels,
                      detail::image(y, out(), j)(row, col));
  }
  template <class T>
  void backward_input_parts(std::span<const T>, ConstView<T>, ConstView<T>, ConstView<T> dy, View<T> dx, Index first,
                            Index last) const {
    const Index c = in().channels;
    const ImageRows own = rows(in(), first, last);
    for (Index j = 0; j < dy.cols(); ++j)
      for (Index row = own.first; row < own.last; ++row)
        for (Index col = 0; col < in().width; ++col) {
          const detail::Image<const T> from = detail::image(dy, out(), j);
          detail::Pixel<T> sum(detail::image(dx, in(), j)(row, col), c);
          sum.setZero();
          for_each_image(row, in().height, [&](Index r) {
            for_each_image(col, in().width, [&](Index s) { sum += detail::ConstPixel<T>(from(r, s), c); });
          });
        }
  }

 private:
  /// The row or column of x that one of y shows.
  Index inside(Index at, Index size) const {
    const Index i = std::abs(at - padding_);
    return i < size ? i : 2 * (size - 1) - i;
  }
  /// f(row or column of y) for each that shows this one of x.
  template <class F>
  void for_each_image(Index at, Index size, const F& f) const {
    if (at > 0 && at <= padding_) f(padding_ - at);
    f(padding_ + at);
    if (at < size - 1 && size - 1 - at <= padding_) f(padding_ + 2 * (size - 1) - at);
  }

  Index padding_;
};

}  // namespace placed

/// Padding by reflection. `ReflectionPad2d<1>`, or `ReflectionPad2d<>(1)`.
template <Index Padding = dynamic>
class ReflectionPad2d {
  static_assert(Padding >= 0 || Padding == dynamic, "eigan::ReflectionPad2d: padding is not negative, or dynamic");

 public:
  /// The padding that the type states.
  constexpr ReflectionPad2d() requires(Padding != dynamic) : padding_(Padding) {}
  /// Throws std::invalid_argument unless 0 <= padding < 2^30, and as the type says where it does.
  explicit ReflectionPad2d(Index padding) : padding_(padding) {
    if (padding < 0 || padding >= Index{1} << 30 || (Padding != dynamic && Padding != padding))
      detail::fail_contract("eigan::ReflectionPad2d<", detail::stated_text(Padding), ">: cannot have padding ", padding,
                            ", expected 0 to 2^30 - 1 and what the type states");
  }

  /// A mirror needs more pixels than it shows.
  constexpr Shape output_shape(Shape in) const {
    if (!in || in.height <= padding_ || in.width <= padding_) return {};
    return {in.channels, in.height + 2 * padding_, in.width + 2 * padding_};
  }
  std::string expects() const { return detail::concat("at least ", padding_ + 1, " x ", padding_ + 1, " pixels"); }
  Spec spec() const { return at({}).spec(); }
  /// The layer over images of shape `in`.
  placed::ReflectionPad2d at(Shape in) const { return {in, padding_}; }

 private:
  Index padding_;
};

static_assert(PartedLayer<placed::ReflectionPad2d> && TangentLayer<placed::ReflectionPad2d, double> &&
              ShapedLayer<ReflectionPad2d<1>>);

}  // namespace eigan

// ======== eigan/layers/relu.hpp
// ReLU: y = max(0, x).     Backward: dx = dy where x > 0, 0 elsewhere.     Element-wise; a NaN stays a NaN.

namespace eigan {

/// y = max(0, x).
class ReLU {
 public:
  static constexpr bool elementwise = true;
  static constexpr bool backward_reads_x = false;
  static constexpr bool piecewise_linear = true;

  Spec spec() const { return {"ReLU", {}, "::eigan::ReLU"}; }

  template <class T>
  void forward(std::span<const T>, ConstView<T> x, View<T> y) const {
    detail::for_each_column(
        y, x, [](Index n, T* yj, const T* xj) { detail::kernels<detail::ReluKernels<T>>().forward(n, xj, yj); });
  }

  template <class T>
  void backward_input(std::span<const T>, ConstView<T>, ConstView<T> y, ConstView<T> dy, View<T> dx) const {
    detail::for_each_column(dx, y, dy, [](Index n, T* dxj, const T* yj, const T* dyj) {
      detail::kernels<detail::LeakyReluKernels<T>>().backward(n, T(0), yj, dyj, dxj);
    });
  }
};

static_assert(TangentLayer<ReLU>);

}  // namespace eigan

// ======== eigan/layers/sigmoid.hpp
// Sigmoid: y = 1 / (1 + e^-x).     Backward: dx = y (1 - y) dy.     y'' = y (1 - y) (1 - 2 y).     Element-wise.

namespace eigan {

/// y = 1 / (1 + e^-x).
class Sigmoid {
 public:
  static constexpr bool elementwise = true;
  static constexpr bool backward_reads_x = false;

  Spec spec() const { return {"Sigmoid", {}, "::eigan::Sigmoid"}; }

  template <class T>
  void forward(std::span<const T>, ConstView<T> x, View<T> y) const {
    detail::for_each_column(
        y, x, [](Index n, T* yj, const T* xj) { detail::kernels<detail::SigmoidKernels<T>>().forward(n, xj, yj); });
  }

  template <class T>
  void backward_input(std::span<const T>, ConstView<T>, ConstView<T> y, ConstView<T> dy, View<T> dx) const {
    detail::for_each_column(dx, y, dy, [](Index n, T* dxj, const T* yj, const T* dyj) {
      detail::kernels<detail::SigmoidKernels<T>>().backward(n, yj, dyj, dxj);
    });
  }

  template <class T>
  void add_curvature(std::span<const T>, ConstView<T>, ConstView<T> y, ConstView<T> tx, ConstView<T> dty,
                     View<T> dx) const {
    detail::add_curvature(y, tx, dty, dx, [](T v) { return v * (T(1) - v) * (T(1) - T(2) * v); });
  }
};

static_assert(TangentLayer<Sigmoid>);

}  // namespace eigan

// ======== eigan/layers/silu.hpp
// SiLU, also called swish: y = x s(x), s(x) = 1 / (1 + e^-x) (Elfwing et al. 2018; Ramachandran et al. 2017).
//   dx = s (1 + x (1 - s)) dy        y'' = s (1 - s) (2 + x (1 - 2 s))
// Element-wise.

namespace eigan {

/// y = x / (1 + e^-x).
class SiLU {
 public:
  static constexpr bool elementwise = true;
  static constexpr bool backward_reads_y = false;

  Spec spec() const { return {"SiLU", {}, "::eigan::SiLU"}; }

  template <class T>
  void forward(std::span<const T>, ConstView<T> x, View<T> y) const {
    detail::for_each_column(
        y, x, [](Index n, T* yj, const T* xj) { detail::kernels<detail::SiluKernels<T>>().forward(n, xj, yj); });
  }

  template <class T>
  void backward_input(std::span<const T>, ConstView<T> x, ConstView<T>, ConstView<T> dy, View<T> dx) const {
    detail::for_each_column(dx, x, dy, [](Index n, T* dxj, const T* xj, const T* dyj) {
      detail::kernels<detail::SiluKernels<T>>().backward(n, xj, dyj, dxj);
    });
  }

  template <class T>
  void add_curvature(std::span<const T>, ConstView<T> x, ConstView<T>, ConstView<T> tx, ConstView<T> dty,
                     View<T> dx) const {
    detail::add_curvature(x, tx, dty, dx, [](T v) {
      const T z = std::exp(-std::abs(v)), slope = z / ((T(1) + z) * (T(1) + z));  // s (1 - s)
      const T balance = std::copysign((T(1) - z) / (T(1) + z), v);                // 2 s - 1
      return slope * std::fma(-v, balance, T(2));
    });
  }
};

static_assert(TangentLayer<SiLU>);

}  // namespace eigan

// ======== eigan/layers/softplus.hpp
// Softplus: y = log(1 + e^u) / beta with u = beta x, and y = x where u is above a threshold, as torch.nn.Softplus has
// it.
//   dx = s(u) dy, dy above the threshold        y'' = beta s(u) (1 - s(u)), 0 above        s(u) = 1 / (1 + e^-u)
// Element-wise.

namespace eigan {

/// y = log(1 + e^(beta x)) / beta.
class Softplus {
 public:
  static constexpr bool elementwise = true;
  static constexpr bool backward_reads_y = false;

  /// beta = 1, threshold = 20.
  constexpr Softplus() = default;
  /// Throws std::invalid_argument unless 1e-30 <= beta <= 1e30 and 0 <= threshold <= 1e30.
  explicit Softplus(double beta, double threshold = 20) : beta_(beta), threshold_(threshold) {
    if (!(beta_ >= 1e-30 && beta_ <= 1e30))
      detail::fail_contract("eigan::Softplus: beta must be at least 1e-30 and at most 1e30, is ", beta_);
    if (!(detail::at_least(threshold_, 0) && threshold_ <= 1e30))
      detail::fail_contract("eigan::Softplus: threshold must be at least 0 and at most 1e30, is ", threshold_);
  }

  /// How sharp the bend is.
  double beta() const { return beta_; }
  /// From which beta x on y is x.
  double threshold() const { return threshold_; }
  Spec spec() const { return {"Softplus", {{"beta", beta_}, {"threshold", threshold_}}, "::eigan::Softplus"}; }

  template <class T>
  void forward(std::span<const T>, ConstView<T> x, View<T> y) const {
    const auto beta = static_cast<T>(beta_), threshold = static_cast<T>(threshold_);
    detail::for_each_column(y, x, [=](Index n, T* yj, const T* xj) {
      detail::kernels<detail::SoftplusKernels<T>>().forward(n, beta, threshold, xj, yj);
    });
  }

  template <class T>
  void backward_input(std::span<const T>, ConstView<T> x, ConstView<T>, ConstView<T> dy, View<T> dx) const {
    const auto beta = static_cast<T>(beta_), threshold = static_cast<T>(threshold_);
    detail::for_each_column(dx, x, dy, [=](Index n, T* dxj, const T* xj, const T* dyj) {
      detail::kernels<detail::SoftplusKernels<T>>().backward(n, beta, threshold, xj, dyj, dxj);
    });
  }

  template <class T>
  void add_curvature(std::span<const T>, ConstView<T> x, ConstView<T>, ConstView<T> tx, ConstView<T> dty,
                     View<T> dx) const {
    const auto beta = static_cast<T>(beta_), threshold = static_cast<T>(threshold_);
    detail::add_curvature(x, tx, dty, dx, [=](T v) {
      const T u = beta * v, z = std::exp(-std::abs(u));
      return u > threshold ? T(0) : beta * z / ((T(1) + z) * (T(1) + z));
    });
  }

 private:
  double beta_ = 1;
  double threshold_ = 20;
};

static_assert(TangentLayer<Softplus>);

}  // namespace eigan

// ======== eigan/layers/spectral_norm.hpp
// SpectralNorm<Layer>: a layer with its weight W divided by an estimate of its largest singular value, so that it
// stretches nothing by more than about 1 (Miyato et al. 2018).     W: out x n as it lies in memory
//   forward: the layer's, with W^ = W / sigma,   sigma = u^T W v;   u and v, the state, follow W by one step of the
//   power method for each update_statistics(model, tape); before the first one a pass takes 15 of them by itself
// Backward:  dW += (dW^ - <dW^, W^> u v^T) / sigma, u and v being constants, as in
// torch.nn.utils.parametrizations.spectral_norm. <dW^, W^> = sum dy (y - b), so that it needs no memory of its own.

// ======== eigan/layers/power_method.hpp
// PowerMethod: singular vectors u and v of a weight W, out x n as it lies in memory, kept in a layer's state.
//   u = W v / |W v|,   v = W^T u / |W^T u|,   and again: they come near to those of the largest singular value, u^T W v
// The state has v in the order of files, channels before taps, and 0 before the first step.

namespace eigan::detail {

class PowerMethod {
 public:
  /// `weight`: a layer's, whose extents in a file begin with out and in.
  explicit PowerMethod(const Parameter& weight)
      : rows_(weight.rows), cols_(weight.cols), inputs_(weight.file_shape()[1]) {}

  Index rows() const { return rows_; }
  Index cols() const { return cols_; }
  /// Of u and v.
  Index state_size() const { return rows_ + cols_; }

  template <class T>
  void init_state(std::span<T> s) const {
    View<T> u(s.data(), rows_, 1);
    fill_normal(u, 0, 1, Rng(0));
    to_length_one(u);
    std::fill_n(s.data() + rows_, cols_, T(0));
  }
  /// One step; the first time as many as PyTorch takes.
  template <class T>
  void update_state(const T* weight, std::span<T> s) const {
    View<T> u(s.data(), rows_, 1), v(s.data() + rows_, cols_, 1);
    const bool first = v.isZero(0);
    in_place(v, inputs_, cols_ / inputs_);
    take_steps(weight, first, first ? first_steps : 1, u, v);
    in_place(v, cols_ / inputs_, inputs_);
  }
  /// u and v as they meet the weight. Where nobody has taken a step, the first ones are taken here.
  template <class T>
  void load(const T* weight, std::span<const T> s, View<T> u, View<T> v) const {
    std::copy_n(s.data(), rows_, u.data());
    transpose(s.data() + rows_, cols_ / inputs_, cols_ / inputs_, inputs_, v.data(), inputs_);
    if (v.isZero(0)) take_steps(weight, true, first_steps, u, v);
  }

 private:
  static constexpr int first_steps = 15;

  template <class T>
  static void to_length_one(View<T> v) {
    v /= std::max(v.norm(), T(1e-12));
  }
  /// v, a matrix of cols x rows, becomes its transpose, of rows x cols.
  template <class T>
  static void in_place(View<T> v, Index rows, Index cols) {
    T* const copy = workspace<T>(v.rows());
    std::copy_n(v.data(), v.rows(), copy);
    transpose(copy, cols, cols, rows, v.data(), rows);
  }
  /// Without a v the first one is that of u.
  template <class T>
  void take_steps(const T* weight, bool without_v, int steps, View<T> u, View<T> v) const {
    const ConstView<T> w(weight, rows_, cols_);
    for (int step = without_v ? 0 : 1; step <= steps; ++step) {
      if (step > 0) {
        gemm::product<T>(w, v, u);
        to_length_one(u);
      }
      gemm::transposed<T>(w, u, v);
      to_length_one(v);
    }
  }

  Index rows_, cols_, inputs_;
};

}  // namespace eigan::detail

namespace eigan {
namespace detail {

template <class L>
inline constexpr Index wrapped_input = dynamic;
template <class L>
inline constexpr Index wrapped_output = dynamic;
template <SizedLayer L>
inline constexpr Index wrapped_input<L> = L::input;
template <SizedLayer L>
inline constexpr Index wrapped_output<L> = L::output;

}  // namespace detail

namespace placed {

/// A layer with a normalised weight where it stands: Linear<> or placed::Conv2d.
template <class L>
class SpectralNorm {
 public:
  static constexpr Index input = dynamic, output = dynamic;
  static constexpr bool piecewise_linear = true;

  /// `out`: what the layer makes of a sample.
  SpectralNorm(L layer, Shape out)
      : layer_(std::move(layer)), out_(out), norm_(layer_.parameters()[0]), rows_(norm_.rows()), cols_(norm_.cols()) {}

  Index input_size() const { return layer_.input_size(); }
  Index output_size() const { return layer_.output_size(); }
  double operations() const { return layer_.operations(); }
  Spec spec() const { return {"SpectralNorm", {}, "::eigan::SpectralNorm", {}, {layer_.spec()}}; }

  Index param_size() const { return layer_.param_size(); }
  std::vector<Parameter> parameters() const {
    std::vector<Parameter> tensors = layer_.parameters();
    tensors[0].name = "parametrizations.weight.original";
    return tensors;
  }
  template <class T>
  void init(std::span<T> p, Rng rng) const {
    layer_.init(p, rng);
  }

  Index state_size() const { return norm_.state_size(); }
  std::vector<Parameter> states() const {
    return {{"parametrizations.weight.0._u", 0, rows_, 1, 1}, {"parametrizations.weight.0._v", rows_, cols_, 1, 1}};
  }
  template <class T>
  void init_state(std::span<T> s) const {
    norm_.init_state(s);
  }
  /// A step of the power method, to be taken once for each step of training.
  template <class T>
  void update_state(std::span<const T> p, std::span<T> s) const {
    norm_.update_state(p.data(), s);
  }

  // Prepared: the layer's parameters with W / sigma, what the layer prepares of them, u, v, sigma.

  Index prepared_size() const { return param_size() + inner_size() + rows_ + cols_ + 1; }
  template <class T>
  void prepare(std::span<const T> p, std::span<const T> s, std::span<T> q, Phase phase) const {
    const ConstView<T> w(p.data(), rows_, cols_);
    View<T> normalised(q.data(), rows_, cols_), u(vectors(q.data()), rows_, 1), v(u.data() + rows_, cols_, 1);
    norm_.load(p.data(), s, u, v);
    const View<T> product(q.data(), cols_, 1);  // its place for a moment
    gemm::transposed<T>(w, u, product);
    T& sigma = v.data()[cols_];
    sigma = product.col(0).dot(v.col(0));
    std::copy(p.begin(), p.end(), q.begin());
    normalised /= sigma;
    if constexpr (PreparedLayer<L, T>)
      layer_.prepare(std::span<const T>(q.first(p.size())), std::span<const T>(),
                     q.subspan(p.size(), static_cast<std::size_t>(inner_size())), phase);
  }

  template <class T>
  void forward(Prepared<T> p, ConstView<T> x, View<T> y) const {
    layer_.forward(inner(p), x, y);
  }
  template <class T>
  void backward_input(Prepared<T> p, ConstView<T> x, ConstView<T> y, ConstView<T> dy, View<T> dx) const {
    layer_.backward_input(inner(p), x, y, dy, dx);
  }
  Index part_count() const { return layer_.part_count(); }
  template <class T>
  void forward_parts(Prepared<T> p, ConstView<T> x, View<T> y, Index first, Index last) const {
    layer_.forward_parts(inner(p), x, y, first, last);
  }
  template <class T>
  void backward_input_parts(Prepared<T> p, ConstView<T> x, ConstView<T> y, ConstView<T> dy, View<T> dx, Index first,
                            Index last) const {
    layer_.backward_input_parts(inner(p), x, y, dy, dx, first, last);
  }

  template <class T>
  void backward_params(Prepared<T> p, ConstView<T> x, ConstView<T> y, ConstView<T> dy, std::span<T> dp) const {
    backward_params_blocks(p, x, y, dy, dp, 0, block_count());
  }
  // Blocks: the layer's, which are whole columns of the weight.
  Index block_count() const { return layer_.block_count(); }
  std::pair<Index, Index> block_range(Index block) const { return layer_.block_range(block); }
  template <class T>
  void backward_params_blocks(Prepared<T> p, ConstView<T> x, ConstView<T> y, ConstView<T> dy, std::span<T> dp,
                              Index first, Index last) const {
    const Index begin = block_range(first).first, end = std::min(block_range(last - 1).second, rows_ * cols_);
    View<T> dw(dp.data() + begin, rows_, (end - begin) / rows_);
    dw *= sigma(p);
    layer_.backward_params_blocks(inner(p), x, y, dy, dp, first, last);
    project(p, begin / rows_, weight_times_gradient(p, y, dy), dw);
  }
  Index gradient_splits(Index batch) const {
    if constexpr (requires { layer_.gradient_splits(batch); })
      return layer_.gradient_splits(batch);
    else
      return 1;
  }

  template <class T>
  void forward_tangent(Prepared<T> p, ConstView<T> x, ConstView<T> y, ConstView<T> tx, View<T> ty) const {
    layer_.forward_tangent(inner(p), x, y, tx, ty);
  }
  template <class T>
  void backward_params_tangent(Prepared<T> p, ConstView<T> x, ConstView<T> y, ConstView<T> tx, ConstView<T> dty,
                               std::span<T> dp) const {
    View<T> dw(dp.data(), rows_, cols_);
    const ConstView<T> normalised(p.prepared.data(), rows_, cols_);
    dw *= sigma(p);
    const T before = dw.cwiseProduct(normalised).sum();
    layer_.backward_params_tangent(inner(p), x, y, tx, dty, dp);
    project(p, 0, dw.cwiseProduct(normalised).sum() - before, dw);
  }

 private:
  Index inner_size() const {
    if constexpr (requires { layer_.prepared_size(); })
      return layer_.prepared_size();
    else
      return 0;
  }
  template <class T>
  ParamsOf<L, T> inner(Prepared<T> p) const {
    const auto values = p.prepared.first(p.params.size());
    if constexpr (PreparedLayer<L, T>)
      return {values, p.prepared.subspan(values.size(), static_cast<std::size_t>(inner_size()))};
    else
      return values;
  }
  /// u, v, sigma.
  template <class T>
  T* vectors(T* prepared) const {
    return prepared + param_size() + inner_size();
  }
  template <class T>
  T sigma(Prepared<T> p) const {
    return vectors(p.prepared.data())[rows_ + cols_];
  }

  /// <dW^, W^> = sum dy (y - b).
  template <class T>
  T weight_times_gradient(Prepared<T> p, const ConstView<T>& y, const ConstView<T>& dy) const {
    const detail::Channels channels(out_);
    const Index weights = rows_ * cols_;
    T sum = 0;
    channels.for_each_run(0, channels.parts(), [&](detail::Run run) {
      detail::Channels::Moments<T> b{};
      if (param_size() > weights) std::copy_n(p.prepared.data() + weights + run.first, run.count, b.center.values);
      const auto with = channels.products(run, y, b, dy);
      for (Index i = 0; i < run.count; ++i) sum += with.product[i];
    });
    return sum * static_cast<T>(y.cols() * out_.pixels());
  }
  /// dw = (dw - product u v^T) / sigma for the columns from `column` on.
  template <class T>
  void project(Prepared<T> p, Index column, T product, View<T> dw) const {
    const ConstView<T> u(vectors(p.prepared.data()), rows_, 1), v(u.data() + rows_ + column, dw.cols(), 1);
    for (Index j = 0; j < dw.cols(); ++j) dw.col(j) = (dw.col(j) - (product * v(j, 0)) * u.col(0)) / sigma(p);
  }

  L layer_;
  Shape out_;
  detail::PowerMethod norm_;
  Index rows_, cols_;
};

}  // namespace placed

/// A layer with a weight of spectral norm 1: `SpectralNorm<Conv2d<64, 128, 4, 2, 1>>`, `SpectralNorm<Linear<128, 1>>`.
template <class L>
class SpectralNorm {
  using Placed = decltype(std::declval<const L&>().at(Shape{}));
  static_assert(std::is_same_v<Placed, Linear<>> || std::is_same_v<Placed, placed::Conv2d>,
                "eigan::SpectralNorm: takes a Linear or a Conv2d");

 public:
  /// The layer's, where its type states them.
  static constexpr Index input = detail::wrapped_input<L>, output = detail::wrapped_output<L>;

  /// Of a layer whose type states its sizes.
  constexpr SpectralNorm() requires std::is_default_constructible_v<L> : SpectralNorm(L{}) {}
  /// Of any.
  constexpr explicit SpectralNorm(L layer) : layer_(std::move(layer)) {}

  /// The layer's, where it knows them at run time alone.
  constexpr Index input_size() const requires requires(const L& layer) { layer.input_size(); }
  { return layer_.input_size(); }
  constexpr Index output_size() const requires requires(const L& layer) { layer.output_size(); }
  { return layer_.output_size(); }

  constexpr Shape output_shape(Shape in) const { return layer_.output_shape(in); }
  std::string expects() const { return layer_.expects(); }
  Spec spec() const { return {"SpectralNorm", {}, "::eigan::SpectralNorm", {}, {layer_.spec()}}; }
  /// The layer where the input is `in`.
  placed::SpectralNorm<Placed> at(Shape in) const { return {layer_.at(in), output_shape(in)}; }

 private:
  L layer_;
};

static_assert(BlockedLayer<placed::SpectralNorm<Linear<>>> &&
              BlockedLayer<placed::SpectralNorm<placed::Conv2d>, double> &&
              TangentLayer<placed::SpectralNorm<placed::Conv2d>> && PartedLayer<placed::SpectralNorm<Linear<>>> &&
              StatefulLayer<placed::SpectralNorm<placed::Conv2d>> && ShapedLayer<SpectralNorm<Linear<3, 2>>>);

}  // namespace eigan

// ======== eigan/layers/unflatten.hpp
// Unflatten: a vector in PyTorch's order (C, H, W) as an image, the inverse of Flatten; see layers/flatten.hpp.

namespace eigan {

/// A vector as an image: `Unflatten<64, 7, 7>`, or `Unflatten<>(64, 7, 7)`, of channels, height and width.
template <Index Channels = dynamic, Index Height = (Channels == dynamic ? dynamic : 0),
          Index Width = detail::width_beside(Height)>
class Unflatten {
  static_assert((Channels > 0 && Height > 0 && Width > 0) ||
                    (Channels == dynamic && Height == dynamic && Width == dynamic),
                "eigan::Unflatten: channels, height and width are positive, or dynamic all three");

 public:
  /// The shape that the type states.
  constexpr Unflatten() requires(Channels != dynamic) : image_{Channels, Height, Width} {}
  /// Throws std::invalid_argument unless all are positive, their product is below 2^31, and the shape is that of the
  /// type where it has one.
  Unflatten(Index channels, Index height, Index width) : image_{channels, height, width} {
    Index size = 0;
    if (!image_ || !checked_mul(channels, height, size) || !checked_mul(size, width, size) || size > most_size ||
        (Channels != dynamic && image_ != Shape{Channels, Height, Width}))
      detail::fail_contract("eigan::Unflatten<", detail::stated_text(Channels), ", ", detail::stated_text(Height), ", ",
                            detail::stated_text(Width), ">: cannot have the shape ", channels, " x ", height, " x ",
                            width, ", expected positive sizes with a product below 2^31 and what the type states");
  }

  constexpr Shape output_shape(Shape in) const { return in == Shape{image_.size()} ? image_ : Shape{}; }
  std::string expects() const { return detail::concat(image_.size(), " features"); }
  Spec spec() const { return at({}).spec(); }
  /// The layer; the input's shape follows from the image's.
  placed::Reorder at(Shape) const { return {image_, false}; }

 private:
  Shape image_;
};

}  // namespace eigan

// ======== eigan/layers/upsample.hpp
// Upsample: images grow by a whole factor s, as torch.nn.Upsample does (bilinear with align_corners=False).
//   x: C x H x W,   y: C x s H x s W
//   nearest:   y(row, col) = x(row / s, col / s)
//   bilinear:  y(row, col) = the mean of four pixels around ((row + 1/2) / s - 1/2, (col + 1/2) / s - 1/2), inside x
// Backward:  each pixel of dx is the sum of dy over all pixels that it went into, with the same weights.

namespace eigan {

/// How a larger image comes about.
enum class Interpolation {
  nearest,  ///< pixels are repeated
  bilinear  ///< pixels lie between four others
};

namespace placed {

/// Upsampling where it stands.
class Upsample : public detail::SpatialLayer<Upsample> {
 public:
  /// Of images of shape `in`, by a factor of `scale`.
  Upsample(Shape in, Index scale, Interpolation mode)
      : SpatialLayer(in, {in.channels, scale * in.height, scale * in.width}),
        scale_(scale),
        bilinear_(mode == Interpolation::bilinear) {}

  Spec spec() const {
    return {"Upsample",
            {{"scale_factor", scale_}, {"bilinear", bilinear_}},
            detail::concat("::eigan::Upsample<", scale_, bilinear_ ? ", ::eigan::Interpolation::bilinear>" : ">")};
  }

  // Parts: rows of x and what they become.

  template <class T>
  void forward_parts(std::span<const T>, ConstView<T> x, View<T> y, Index first, Index last) const {
    const Index c = in().channels;
    for (Index j = 0; j < x.cols(); ++j)
      for (Index row = scale_ * first; row < scale_ * last; ++row)
        for (Index col = 0; col < out().width; ++col) {
          const detail::Image<const T> from = detail::image(x, in(), j);
          detail::Pixel<T> to(detail::image(y, out(), j)(row, col), c);
          const auto pixel = [&](Index r, Index s) { return detail::ConstPixel<T>(from(r, s), c); };
          const Between<T> r = between<T>(row, in().height), s = between<T>(col, in().width);
          if (!bilinear_)
            to = pixel(r.first, s.first);
          else
            to = r.of_first() * (s.of_first() * pixel(r.first, s.first) + s.of_second * pixel(r.first, s.second)) +
                 r.of_second * (s.of_first() * pixel(r.second, s.first) + s.of_second * pixel(r.second, s.second));
        }
  }
  template <class T>
  void backward_input_parts(std::span<const T>, ConstView<T>, ConstView<T>, ConstView<T> dy, View<T> dx, Index first,
                            Index last) const {
    const Index c = in().channels;
    detail::set_zero(dx, in(), {first, last});
    // A row of y lies between rows of x at most one away from its own.
    const Index begin = scale_ * std::max<Index>(first - bilinear_, 0);
    const Index end = scale_ * std::min<Index>(last + bilinear_, in().height);
    for (Index j = 0; j < dy.cols(); ++j)
      for (Index row = begin; row < end; ++row)
        for (Index col = 0; col < out().width; ++col) {
          const detail::ConstPixel<T> d(detail::image(dy, out(), j)(row, col), c);
          const detail::Image<T> to = detail::image(dx, in(), j);
          const Between<T> r = between<T>(row, in().height), s = between<T>(col, in().width);
          const auto add = [&](Index at, T weight) {
            if (at < first || at >= last || weight == 0) return;
            detail::Pixel<T>(to(at, s.first), c) += (weight * s.of_first()) * d;
            if (bilinear_) detail::Pixel<T>(to(at, s.second), c) += (weight * s.of_second) * d;
          };
          add(r.first, r.of_first());
          add(r.second, r.of_second);
        }
  }

 private:
  /// The rows or columns of x that one of y lies between.
  template <class T>
  struct Between {
    Index first, second;
    T of_second;
    T of_first() const { return 1 - of_second; }
  };
  template <class T>
  Between<T> between(Index at, Index size) const {
    if (!bilinear_) return {at / scale_, at / scale_, T(0)};
    const T place = std::max(T(0), (static_cast<T>(at) + T(0.5)) / static_cast<T>(scale_) - T(0.5));
    const auto first = static_cast<Index>(place);
    return {first, std::min(first + 1, size - 1), place - static_cast<T>(first)};
  }

  Index scale_;
  bool bilinear_;
};

}  // namespace placed

/// Larger images: `Upsample<2>` repeats pixels, `Upsample<2, Interpolation::bilinear>` lies between them; or
/// `Upsample<>(2, Interpolation::bilinear)`.
template <Index Scale = dynamic, Interpolation Mode = Interpolation::nearest>
class Upsample {
  static_assert(Scale > 0 || Scale == dynamic, "eigan::Upsample: the scale factor is positive or dynamic");

 public:
  /// The factor that the type states.
  constexpr Upsample() requires(Scale != dynamic) : scale_(Scale) {}
  /// Throws std::invalid_argument unless 0 < scale_factor < 2^16, and as the type says where it does.
  explicit Upsample(Index scale_factor, Interpolation mode = Mode) : scale_(scale_factor), mode_(mode) {
    if (scale_ <= 0 || scale_ >= Index{1} << 16 || (Scale != dynamic && (Scale != scale_ || Mode != mode_)))
      detail::fail_contract("eigan::Upsample<", detail::stated_text(Scale), ">: cannot have the scale factor ", scale_,
                            mode_ == Interpolation::bilinear ? ", bilinear" : "",
                            ", expected 1 to 65535 and what the type states");
  }
  /// The same, of settings as files and generated sources have them.
  Upsample(Index scale_factor, bool is_bilinear)
      : Upsample(scale_factor, is_bilinear ? Interpolation::bilinear : Interpolation::nearest) {}

  constexpr Shape output_shape(Shape in) const {
    return in ? Shape{in.channels, product_or_most(scale_, in.height), product_or_most(scale_, in.width)} : Shape{};
  }
  std::string expects() const { return "an image"; }
  Spec spec() const { return at({}).spec(); }
  /// The layer over images of shape `in`.
  placed::Upsample at(Shape in) const { return {in, scale_, mode_}; }

 private:
  Index scale_;
  Interpolation mode_ = Mode;
};

static_assert(PartedLayer<placed::Upsample> && TangentLayer<placed::Upsample, double> && ShapedLayer<Upsample<2>>);

}  // namespace eigan

// ======== eigan/losses/bce.hpp
// BCE: binary cross entropy of probabilities y against targets t in [0, 1], mean over all elements:
//   L = -mean( t max(log y, -100) + (1 - t) max(log(1 - y), -100) )       dy = (y - t) / max(y (1 - y), 1e-12) / count
// The logarithms stop at -100 so that the loss stays finite at y = 0 and 1, and the gradient's denominator at 1e-12
// so that it does: both as torch.nn.BCELoss has them. Where there is a choice, BCEWithLogits is the better tool.

namespace eigan {
namespace detail {
/// max(x, -100), but a NaN stays a NaN.
template <class T>
T clamp_log(T x) {
  return x < T(-100) ? T(-100) : x;
}

template <class T, class Target, class Gradient>
T bce(const ConstView<T>& y, const Target& target, Gradient dy, const SampleWeights<T>& weights) {
  check_loss_shapes("bce", y, dy);
  const LossMean<T> mean("bce", y.cols(), y.rows(), weights);
  double sum = 0;
  for (Index j = 0; j < y.cols(); ++j) {
    const double weight = mean.weight(j);
    const T share = mean.share(j);
    for (Index i = 0; i < y.rows(); ++i) {
      const T p = y(i, j), t = target(i, j);
      if (p < T(0) || p > T(1))
        fail_contract("eigan::bce: sample ", j, ", feature ", i, ": expected a probability from 0 to 1, found ", p,
                      "; bce_with_logits takes logits");
      const T log_p = clamp_log(std::log(p)), log_q = clamp_log(std::log1p(-p));
      sum = std::fma(-weight, static_cast<double>(std::fma(t, log_p, (T(1) - t) * log_q)), sum);
      dy(i, j) = (p - t) / std::max((T(1) - p) * p, T(1e-12F)) * share;  // a float in PyTorch, for double, too
    }
  }
  return mean.of(sum);
}
}  // namespace detail

/// One target for all elements. Returns the loss and assigns dy. Throws std::invalid_argument for a y outside [0, 1].
template <class T>
T bce(std::type_identity_t<ConstView<T>> y, std::type_identity_t<T> target, View<T> dy,
      std::type_identity_t<SampleWeights<T>> weights = {}) {
  return detail::bce<T>(
      y, [target](Index, Index) { return target; }, dy, weights);
}
/// A target for each element, of the same shape as y.
template <class T>
T bce(std::type_identity_t<ConstView<T>> y, std::type_identity_t<ConstView<T>> target, View<T> dy,
      std::type_identity_t<SampleWeights<T>> weights = {}) {
  detail::check_loss_shapes("bce", y, target);
  return detail::bce<T>(y, target, dy, weights);
}
/// The loss alone.
template <class T>
T bce(std::type_identity_t<ConstView<T>> y, std::type_identity_t<T> target,
      std::type_identity_t<SampleWeights<T>> weights = {}) {
  return detail::bce<T>(
      y, [target](Index, Index) { return target; }, detail::NoGradient{}, weights);
}
template <class T>
T bce(std::type_identity_t<ConstView<T>> y, std::type_identity_t<ConstView<T>> target,
      std::type_identity_t<SampleWeights<T>> weights = {}) {
  detail::check_loss_shapes("bce", y, target);
  return detail::bce<T>(y, target, detail::NoGradient{}, weights);
}

}  // namespace eigan

// ======== eigan/losses/cross_entropy.hpp
// CrossEntropy: of softmax(z) against labels or probabilities t, mean over the batch.     z: classes x batch.
//   L = mean_j( -sum_i t_ij log s_ij ),   s = softmax(z)        dz_ij = (s_ij sum_k t_kj - t_ij) / batch
// A label c is the probability 1 of class c; soft_targets (losses/soft_targets.hpp) smooths labels. Finite for every
// finite logit: the largest is taken out of the sum first. A logit of -infinity rules a class out. Where each of an
// image's pixels is classified, their number is given, and the mean goes over all of them. (torch.nn.CrossEntropyLoss)

// ======== eigan/losses/label_range.hpp
// LabelRange: class numbers of any integral type, in contiguous memory.

namespace eigan {

/// Whole numbers in contiguous memory, such as std::vector<std::uint8_t> or std::span<const int>.
template <class R>
concept LabelRange =
    std::ranges::contiguous_range<R> && std::ranges::sized_range<R> && std::integral<std::ranges::range_value_t<R>>;

namespace detail {

/// labels[i], of a sample or of one of its `pixels` pixels, or std::invalid_argument if it is no class.
template <class Label, std::size_t extent>
Index checked_label(const char* where, std::span<Label, extent> labels, Index i, Index classes, Index pixels = 1) {
  const auto given = +labels[static_cast<std::size_t>(i)];  // characters are numbers, too
  if (std::cmp_less(given, 0) || std::cmp_greater_equal(given, classes))
    fail_contract("eigan::", where, ": sample ", i / pixels, pixels > 1 ? concat(", pixel ", i % pixels) : "",
                  ": expected a label from 0 to ", classes - 1, ", found ", given);
  return static_cast<Index>(given);
}

}  // namespace detail
}  // namespace eigan

namespace eigan {
namespace detail {

/// The classes of z, of which each column has `pixels` times as many.
template <class T>
Index classes_of(const ConstView<T>& z, Index pixels) {
  if (pixels < 1 || z.rows() % pixels != 0)
    fail_contract("eigan::cross_entropy: ", z.rows(), " logits are not those of ", pixels, " pixels");
  return z.rows() / pixels;
}

/// a - b, and 0 where both are the same infinity: the largest logit less itself.
template <class T>
T logit_distance(T a, T b) {
  return a == b ? T(0) : a - b;
}

/// s = softmax(z) over n classes, of which the sum is `weight`, unless s is null; returns log sum e^z and what was
/// taken out of it.
template <class T>
std::pair<T, T> softmax(Index n, const T* z, T* s, T weight) {
  using Column = Eigen::Map<Eigen::Matrix<T, Eigen::Dynamic, 1>>;
  const T largest = Eigen::Map<const Eigen::Matrix<T, Eigen::Dynamic, 1>>(z, n).maxCoeff();
  T total = 0;
  if (s == nullptr) {
    for (Index i = 0; i < n; ++i) total += std::exp(logit_distance(z[i], largest));
  } else {
    for (Index i = 0; i < n; ++i) total += s[i] = std::exp(logit_distance(z[i], largest));
    Column(s, n) *= weight / total;
  }
  return {std::log(total), largest};
}

/// Where the gradient of a pixel's logits begins; null where nobody wants it.
template <class T>
T* logits_of(View<T> dz, Index j, Index first) {
  return dz.data() + j * dz.outerStride() + first;
}
template <class T>
T* logits_of(NoGradient, Index, Index) {
  return nullptr;
}

template <class T, LabelRange Labels, class Gradient>
T cross_entropy(const ConstView<T>& z, const Labels& labels, Gradient dz, Index pixels,
                const SampleWeights<T>& weights) {
  check_loss_shapes("cross_entropy", z, dz);
  const Index classes = classes_of<T>(z, pixels);
  const std::span all(std::ranges::data(labels), std::ranges::size(labels));
  if (std::ssize(all) != z.cols() * pixels)
    fail_contract("eigan::cross_entropy: expected ", z.cols() * pixels, " labels, got ", all.size());
  const LossMean<T> mean("cross_entropy", z.cols(), pixels, weights);
  double sum = 0;
  for (Index j = 0; j < z.cols(); ++j)
    for (Index pixel = 0; pixel < pixels; ++pixel) {
      const Index label = checked_label("cross_entropy", all, j * pixels + pixel, classes, pixels);
      const T* const zj = z.data() + j * z.outerStride() + pixel * classes;
      T* const dzj = logits_of<T>(dz, j, pixel * classes);
      const T share = mean.share(j);
      const auto [log_total, largest] = softmax(classes, zj, dzj, share);
      const T loss =
          std::isinf(largest) ? log_total + logit_distance(largest, zj[label]) : log_total + largest - zj[label];
      sum = std::fma(mean.weight(j), static_cast<double>(loss), sum);
      if (dzj != nullptr) dzj[label] -= share;
    }
  return mean.of(sum);
}

template <class T, class Gradient>
T cross_entropy(const ConstView<T>& z, const ConstView<T>& target, Gradient dz, Index pixels,
                const SampleWeights<T>& weights) {
  check_loss_shapes("cross_entropy", z, target);
  check_loss_shapes("cross_entropy", z, dz);
  const Index classes = classes_of<T>(z, pixels);
  const LossMean<T> mean("cross_entropy", z.cols(), pixels, weights);
  double sum = 0;
  for (Index j = 0; j < z.cols(); ++j)
    for (Index pixel = 0; pixel < pixels; ++pixel) {
      const T* const zj = z.data() + j * z.outerStride() + pixel * classes;
      const T* const tj = target.data() + j * target.outerStride() + pixel * classes;
      T* const dzj = logits_of<T>(dz, j, pixel * classes);
      const T share = mean.share(j);
      T whole = 0;
      for (Index i = 0; i < classes; ++i) whole += tj[i];
      const auto [log_total, largest] = softmax(classes, zj, dzj, whole * share);
      for (Index i = 0; i < classes; ++i) {
        if (tj[i] != T(0))  // else 0 times what may be infinite
          sum = std::fma(mean.weight(j) * static_cast<double>(tj[i]),
                         static_cast<double>(log_total + logit_distance(largest, zj[i])), sum);
        if (dzj != nullptr) dzj[i] = std::fma(-share, tj[i], dzj[i]);
      }
    }
  return mean.of(sum);
}

}  // namespace detail

/// Labels are class numbers, one for each pixel of each column. Returns the loss and assigns dz. Throws
/// std::invalid_argument for a label that is not a class.
template <class T, LabelRange Labels>
T cross_entropy(std::type_identity_t<ConstView<T>> z, const Labels& labels, View<T> dz, Index pixels = 1,
                std::type_identity_t<SampleWeights<T>> weights = {}) {
  return detail::cross_entropy<T>(z, labels, dz, pixels, weights);
}
/// The loss alone.
template <class T, LabelRange Labels>
T cross_entropy(std::type_identity_t<ConstView<T>> z, const Labels& labels, Index pixels = 1,
                std::type_identity_t<SampleWeights<T>> weights = {}) {
  return detail::cross_entropy<T>(z, labels, detail::NoGradient{}, pixels, weights);
}

/// Targets are probabilities, of the shape of z; those of a pixel should add up to 1. Returns the loss and assigns dz.
template <class T>
T cross_entropy(std::type_identity_t<ConstView<T>> z, std::type_identity_t<ConstView<T>> target, View<T> dz,
                Index pixels = 1, std::type_identity_t<SampleWeights<T>> weights = {}) {
  return detail::cross_entropy<T>(z, target, dz, pixels, weights);
}
/// The loss alone.
template <class T>
T cross_entropy(std::type_identity_t<ConstView<T>> z, std::type_identity_t<ConstView<T>> target, Index pixels = 1,
                std::type_identity_t<SampleWeights<T>> weights = {}) {
  return detail::cross_entropy<T>(z, target, detail::NoGradient{}, pixels, weights);
}

}  // namespace eigan

// ======== eigan/losses/huber.hpp
// Huber: squares near the target, absolute values far from it, mean over all elements. With d = y - t:
//   L = mean( d^2 / 2  where |d| <= delta,  delta (|d| - delta / 2) elsewhere )
//   dy = min(max(d, -delta), delta) / count                                          (torch.nn.HuberLoss; Huber 1964)

namespace eigan {
namespace detail {
template <class T, class Gradient>
T huber(const ConstView<T>& y, const ConstView<T>& target, Gradient dy, T delta, const SampleWeights<T>& weights) {
  check_loss_shapes("huber", y, target);
  check_loss_shapes("huber", y, dy);
  if (!(is_finite(static_cast<double>(delta)) && delta > T(0)))
    fail_contract("eigan::huber: delta must be > 0 and finite, is ", delta);
  const LossMean<T> mean("huber", y.cols(), y.rows(), weights);
  const auto bend = static_cast<double>(delta);
  double sum = 0;
  for (Index j = 0; j < y.cols(); ++j) {
    const double weight = mean.weight(j);
    const T share = mean.share(j);
    for (Index i = 0; i < y.rows(); ++i) {
      const T difference = y(i, j) - target(i, j);
      const auto distance = static_cast<double>(std::abs(difference));
      // (2 |d| - m) m / 2 with m = min(|d|, delta): both cases, and a NaN stays one.
      const double bounded = distance > bend ? bend : distance;
      sum = std::fma(weight * (bounded / 2), 2 * distance - bounded, sum);
      dy(i, j) = std::clamp(difference, -delta, delta) * share;
    }
  }
  return mean.of(sum);
}
}  // namespace detail

/// y, target, dy: features x batch. Returns the loss and assigns dy. Throws std::invalid_argument unless delta > 0 and
/// finite.
template <class T>
T huber(std::type_identity_t<ConstView<T>> y, std::type_identity_t<ConstView<T>> target, View<T> dy,
        std::type_identity_t<T> delta = 1, std::type_identity_t<SampleWeights<T>> weights = {}) {
  return detail::huber<T>(y, target, dy, delta, weights);
}
/// The loss alone.
template <class T>
T huber(std::type_identity_t<ConstView<T>> y, std::type_identity_t<ConstView<T>> target,
        std::type_identity_t<T> delta = 1, std::type_identity_t<SampleWeights<T>> weights = {}) {
  return detail::huber<T>(y, target, detail::NoGradient{}, delta, weights);
}

}  // namespace eigan

// ======== eigan/losses/kl_divergence.hpp
// KlDivergence of a diagonal normal distribution, mean mu and variance e^logvar, from the standard one: what a
// variational autoencoder pays for its code (Kingma and Welling 2014). For one element:
//   l = (mu^2 + e^logvar - 1 - logvar) / 2        dl/dmu = mu        dl/dlogvar = (e^logvar - 1) / 2
// Summed over a sample's elements and averaged over the samples, or averaged over all elements.

namespace eigan {
namespace detail {
template <class T, class Gradient>
T kl_divergence(const ConstView<T>& mu, const ConstView<T>& logvar, Gradient dmu, Gradient dlogvar, Reduction reduction,
                const SampleWeights<T>& weights) {
  check_loss_shapes("kl_divergence", mu, logvar);
  check_loss_shapes("kl_divergence", mu, dmu);
  check_loss_shapes("kl_divergence", mu, dlogvar);
  const LossMean<T> mean("kl_divergence", mu.cols(), reduction == Reduction::mean ? mu.rows() : 1, weights);
  double sum = 0;
  for (Index j = 0; j < mu.cols(); ++j) {
    const double weight = mean.weight(j);
    const T share = mean.share(j);
    for (Index i = 0; i < mu.rows(); ++i) {
      const auto m = static_cast<double>(mu(i, j)), l = static_cast<double>(logvar(i, j));
      const double excess = std::expm1(l);  // of the variance over 1
      sum = std::fma(weight, std::fma(m, m, std::isinf(excess) ? excess : excess - l) / 2, sum);
      dmu(i, j) = mu(i, j) * share;
      dlogvar(i, j) = static_cast<T>(excess / 2) * share;
    }
  }
  return mean.of(sum);
}
}  // namespace detail

/// mu, logvar, dmu, dlogvar: features x batch; two halves of an encoder's output are views of its rows. Returns the
/// loss and assigns both gradients.
template <class T>
T kl_divergence(std::type_identity_t<ConstView<T>> mu, std::type_identity_t<ConstView<T>> logvar, View<T> dmu,
                View<T> dlogvar, Reduction reduction = Reduction::batchmean,
                std::type_identity_t<SampleWeights<T>> weights = {}) {
  return detail::kl_divergence<T>(mu, logvar, dmu, dlogvar, reduction, weights);
}
/// The loss alone.
template <class T>
T kl_divergence(std::type_identity_t<ConstView<T>> mu, std::type_identity_t<ConstView<T>> logvar,
                Reduction reduction = Reduction::batchmean, std::type_identity_t<SampleWeights<T>> weights = {}) {
  return detail::kl_divergence<T>(mu, logvar, detail::NoGradient{}, detail::NoGradient{}, reduction, weights);
}

}  // namespace eigan

// ======== eigan/losses/l1.hpp
// L1: L = mean |y - t| over all elements,   dy = sign(y - t) / count, 0 where they are equal.     (torch.nn.L1Loss)

namespace eigan {
namespace detail {
template <class T, class Gradient>
T l1(const ConstView<T>& y, const ConstView<T>& target, Gradient dy, const SampleWeights<T>& weights) {
  check_loss_shapes("l1", y, target);
  check_loss_shapes("l1", y, dy);
  const LossMean<T> mean("l1", y.cols(), y.rows(), weights);
  double sum = 0;
  for (Index j = 0; j < y.cols(); ++j) {
    const double weight = mean.weight(j);
    const T share = mean.share(j);
    for (Index i = 0; i < y.rows(); ++i) {
      const T difference = y(i, j) - target(i, j);
      sum = std::fma(weight, static_cast<double>(std::abs(difference)), sum);
      const bool has_sign = difference < T(0) || difference > T(0);         // no branch on it: it may fall either way
      dy(i, j) = has_sign ? std::copysign(share, difference) : difference;  // 0, or a NaN
    }
  }
  return mean.of(sum);
}
}  // namespace detail

/// y, target, dy: features x batch. Returns the loss and assigns dy.
template <class T>
T l1(std::type_identity_t<ConstView<T>> y, std::type_identity_t<ConstView<T>> target, View<T> dy,
     std::type_identity_t<SampleWeights<T>> weights = {}) {
  return detail::l1<T>(y, target, dy, weights);
}
/// The loss alone.
template <class T>
T l1(std::type_identity_t<ConstView<T>> y, std::type_identity_t<ConstView<T>> target,
     std::type_identity_t<SampleWeights<T>> weights = {}) {
  return detail::l1<T>(y, target, detail::NoGradient{}, weights);
}

}  // namespace eigan

// ======== eigan/losses/mse.hpp
// MSE: L = mean( (y - t)^2 ) over all elements,   dy = 2 (y - t) / count.     (torch.nn.MSELoss)

namespace eigan {
namespace detail {
template <class T, class Gradient>
T mse(const ConstView<T>& y, const ConstView<T>& target, Gradient dy, const SampleWeights<T>& weights) {
  check_loss_shapes("mse", y, target);
  check_loss_shapes("mse", y, dy);
  const LossMean<T> mean("mse", y.cols(), y.rows(), weights);
  double sum = 0;
  for (Index j = 0; j < y.cols(); ++j) {
    const double weight = mean.weight(j);
    const T share = mean.share(j);
    for (Index i = 0; i < y.rows(); ++i) {
      const T difference = y(i, j) - target(i, j);
      sum = std::fma(weight * static_cast<double>(difference), static_cast<double>(difference), sum);
      dy(i, j) = difference * (2 * share);
    }
  }
  return mean.of(sum);
}
}  // namespace detail

/// y, target, dy: features x batch. Returns the loss and assigns dy.
template <class T>
T mse(std::type_identity_t<ConstView<T>> y, std::type_identity_t<ConstView<T>> target, View<T> dy,
      std::type_identity_t<SampleWeights<T>> weights = {}) {
  return detail::mse<T>(y, target, dy, weights);
}
/// The loss alone.
template <class T>
T mse(std::type_identity_t<ConstView<T>> y, std::type_identity_t<ConstView<T>> target,
      std::type_identity_t<SampleWeights<T>> weights = {}) {
  return detail::mse<T>(y, target, detail::NoGradient{}, weights);
}

}  // namespace eigan

// ======== eigan/losses/soft_targets.hpp
// soft_targets: labels as probabilities, smoothed as torch.nn.CrossEntropyLoss's label_smoothing does it:
//   t_ij = (1 - smoothing) [i = label_j] + smoothing / classes                        (Szegedy et al. 2016)

namespace eigan {

/// target: classes x batch, assigned. Throws std::invalid_argument for a label that is not a class, or unless smoothing
/// is in [0, 1].
template <class T, LabelRange Labels>
void soft_targets(const Labels& labels, double smoothing, View<T> target) {
  const std::span all(std::ranges::data(labels), std::ranges::size(labels));
  if (std::ssize(all) != target.cols())
    detail::fail_contract("eigan::soft_targets: expected ", target.cols(), " labels, got ", all.size());
  if (!(detail::at_least(static_cast<double>(smoothing), 0) && smoothing <= 1))
    detail::fail_contract("eigan::soft_targets: smoothing must be in [0, 1], is ", smoothing);
  const double rest = smoothing / static_cast<double>(target.rows());
  for (Index j = 0; j < target.cols(); ++j) {
    const Index label = detail::checked_label("soft_targets", all, j, target.rows());
    target.col(j).setConstant(static_cast<T>(rest));
    target(label, j) = static_cast<T>(1 - smoothing + rest);
  }
}

}  // namespace eigan

// ======== eigan/metrics/accuracy.hpp
// Accuracy of a classifier: the share of samples whose largest output stands in the row of their label.

namespace eigan::metrics {

/// The row of a sample's largest number, the first of several; of a NaN, which counts as the largest, as in PyTorch.
template <class T>
Index argmax(std::type_identity_t<ConstView<T>> z, Index sample) {
  Index best = 0;
  for (Index i = 1; i < z.rows() && !std::isnan(z(best, sample)); ++i)
    if (z(i, sample) > z(best, sample) || std::isnan(z(i, sample))) best = i;
  return best;
}
/// Of each sample.
template <class T>
std::vector<Index> argmax(std::type_identity_t<ConstView<T>> z) {
  std::vector<Index> rows(static_cast<std::size_t>(z.cols()));
  for (Index j = 0; j < z.cols(); ++j) rows[static_cast<std::size_t>(j)] = argmax<T>(z, j);
  return rows;
}

/// z: classes x samples, logits or probabilities; labels: class numbers, one a sample. Throws std::invalid_argument for
/// another number of labels, one that is no class, and without samples.
template <class T, LabelRange Labels>
double accuracy(std::type_identity_t<ConstView<T>> z, const Labels& labels) {
  const std::span all(std::ranges::data(labels), std::ranges::size(labels));
  if (std::ssize(all) != z.cols() || all.empty())
    detail::fail_contract("eigan::metrics::accuracy: expected one label for each of the ", z.cols(),
                          " samples, at least one, got ", all.size());
  Index right = 0;
  for (Index j = 0; j < z.cols(); ++j)
    right += argmax<T>(z, j) == detail::checked_label("metrics::accuracy", all, j, z.rows());
  return static_cast<double>(right) / static_cast<double>(z.cols());
}

}  // namespace eigan::metrics

// ======== eigan/net/copy_parameters.hpp
// copy_parameters: one model's numbers into another of the same layers, as a target network takes those of the network
// that learns; in PyTorch, to.load_state_dict(from.state_dict()). A new model with the same numbers is model.clone(), a
// slow average is Ema.

namespace eigan {

/// Parameters and state, statistics included. Throws std::invalid_argument, with nothing changed, unless both models
/// have the same layers; samples may have another height and width.
template <class T>
void copy_parameters(const BasicModel<T>& from, BasicModel<T>& to) {
  const auto& a = from.steps().steps();
  const auto& b = to.steps().steps();
  const auto same = [](const Step<T>& s, const Step<T>& t) {
    return s.kind == t.kind && s.reads == t.reads && s.size == t.size && s.state_size == t.state_size &&
           (s.kind != StepKind::layer || s.spec().text() == t.spec().text());
  };
  if (!std::equal(a.begin(), a.end(), b.begin(), b.end(), same))
    detail::fail_contract("eigan::copy_parameters: expected a model of '", to.architecture(), "', got one of '",
                          from.architecture(), "'");
  std::copy(from.params().begin(), from.params().end(), to.params().begin());
  std::copy(from.state().begin(), from.state().end(), to.state().begin());
}

}  // namespace eigan

// ======== eigan/net/estimate_statistics.hpp
// What layers keep beside their parameters. Batch normalisations: running averages over training batches, as PyTorch
// keeps them, or statistics estimated from as many samples as one likes for the weights as they are (Wu and Johnson
// 2021, "precise"). Spectral norms: singular vectors, which follow the weights by a step of the power method.

namespace eigan {

/// Moves the state on by one step of training. Running statistics go towards those of the batch whose forward pass is
/// on the tape: running += momentum (batch's - running). SpectralNorm takes one step of the power method on the weights
/// as they are. To be called once for each step, behind the optimiser's for what PyTorch computes; forward itself
/// changes nothing but its tape.
template <class T>
void update_statistics(BasicModel<T>& model, const Tape<T>& tape, double momentum = 0.1) {
  if (!(detail::at_least(momentum, 0) && momentum > 0 && momentum <= 1))
    detail::fail_contract("eigan::update_statistics: momentum must be in (0, 1], is ", momentum);
  if (!detail::same_layout(tape.steps(), model.steps()))
    detail::fail_contract("eigan::update_statistics: this tape was made for a network of other sizes");
  if (tape.batch() == 0) detail::fail_contract("eigan::update_statistics: no forward pass on this tape");
  for (const Step<T>& step : model.steps().steps())
    if (step.state_size > 0)
      step.table->update_state(step.layer.get(), step.slice(std::as_const(model).params()),
                               step.state_slice(model.state()), tape.activation(step.reads[0]), momentum);
}

/// Sends samples through the network as at inference, once for each layer with statistics, and lets that layer take
/// those of all samples of its own input. Samples go in pieces: memory does not grow with their number. To be called
/// before infer or saving, once the weights have changed; the statistics belong to these weights, averaged ones (Ema)
/// included. inputs: input_size x samples each. Throws std::invalid_argument without samples or for others.
template <class T>
void estimate_statistics(BasicModel<T>& model, std::span<const ConstView<T>> inputs, Threads threads = {}) {
  model.check_inputs(inputs);
  const Steps<T>& net = model.steps();
  const Index samples = inputs[0].cols();
  if (samples < 1) detail::fail_contract("eigan::estimate_statistics: needs at least one sample");
  detail::check_variance(net, samples, "eigan::estimate_statistics");
  Index widest = 1;
  for (const Shape& level : net.levels()) widest = std::max(widest, level.size());
  constexpr Index memory = 1 << 26;  // bytes of a level
  const Index piece = std::clamp<Index>(memory / Index{sizeof(T)} / widest, 1, std::min<Index>(samples, 8192));
  Scratch<T> scratch = model.scratch(piece);
  const std::span<const T> params = std::as_const(model).params(), state = std::as_const(model).state();
  for (std::size_t s = 0; s < net.steps().size(); ++s) {
    const Step<T>& step = net.steps()[s];
    if (!step.traits().statistics) continue;
    detail::prepare_inference(net, params, state, scratch.prepared(), s);
    const detail::Inference<T> inference(net, params, scratch.prepared(), inputs, View<T>());  // never gets so far
    for (Index first = 0; first < samples; first += piece) {
      inference.tile(scratch, first, std::min(piece, samples - first), threads, s);
      step.table->merge_statistics(step.layer.get(), step.state_slice(model.state()), scratch.views()[step.reads[0]],
                                   first);
    }
  }
}
/// Statistics of a network of one input.
template <class T>
void estimate_statistics(BasicModel<T>& model, std::type_identity_t<ConstView<T>> x, Threads threads = {}) {
  estimate_statistics(model, std::span<const ConstView<T>>(&x, 1), threads);
}
/// Statistics of a network of several inputs: `estimate_statistics(model, {x, condition})`.
template <class T>
void estimate_statistics(BasicModel<T>& model, std::initializer_list<std::type_identity_t<ConstView<T>>> inputs,
                         Threads threads = {}) {
  estimate_statistics(model, std::span<const ConstView<T>>(inputs.begin(), inputs.size()), threads);
}

}  // namespace eigan

// ======== eigan/net/model.hpp
// Model: a network and its parameters, in one flat buffer, and the state that no optimiser changes in another.
//
// Everything that changes during a pass is the caller's Tape or Scratch, so a model is const in forward, backward
// and infer, and any number of threads can share it. BasicModel<T> is a model of any network: what takes one takes all.

namespace eigan {

/// A `Net`, which is a Sequential or a Network, and its parameters, numbers of T.
template <class Net, class T = float>
class Model : public BasicModel<T> {
  static_assert(detail::ShapeAfter<Net, detail::unknown_shape>::value != Shape{},
                "eigan::Model: the network's layers do not fit together");

 public:
  using Scalar = T;     ///< of parameters and samples
  using Network = Net;  ///< the Sequential, or the run-time Network

  /// A network with freshly initialised parameters, for samples of the shapes that it states.
  Model(Net net, Rng rng) : Model(std::move(net), std::span<const Shape>(), rng) {}
  /// A network with freshly initialised parameters, for samples of the shape given.
  Model(Net net, Shape input, Rng rng) : Model(std::move(net), std::span<const Shape>(&input, 1), rng) {}
  /// A network of several inputs, with a shape for each. Without any shape: for those that the network states.
  Model(Net net, std::initializer_list<Shape> inputs, Rng rng)
      : Model(std::move(net), std::span<const Shape>(inputs.begin(), inputs.size()), rng) {}
  Model(Net net, std::span<const Shape> inputs, Rng rng) : Model(list(net, inputs), std::move(net), rng) {}
  /// A network whose type states all sizes.
  explicit Model(Rng rng) requires std::is_default_constructible_v<Net> : Model(Net{}, rng) {}

  /// A network with the parameters given, and the state, if it has any.
  Model(Net net, Buffer<T> params, Buffer<T> state = {})
      : BasicModel<T>(list(net, {}), architecture_of(net, {}), std::move(params), std::move(state)),
        net_(std::move(net)) {}

  Model(const Model&) = delete;             // a copy is model.clone(): it allocates, so it has a name
  Model& operator=(const Model&) = delete;  // to copy numbers, copy_parameters(from, to)
  /// Hands its numbers on.
  Model(Model&&) noexcept = default;
  /// Takes the other's numbers.
  Model& operator=(Model&&) noexcept = default;
  ~Model() = default;

  /// The layers, without parameters.
  const Net& net() const { return net_; }
  /// Their description. It begins with the shapes of samples, unless the layers state just these.
  Spec spec() const { return detail::spec_with_inputs(net_, detail::inputs_of(this->steps())); }

  /// The same weights for samples of another height and width.
  Model at(Shape input) const { return at(std::span<const Shape>(&input, 1)); }
  /// The same weights for samples of other heights and widths, with a shape for each of several inputs.
  Model at(std::initializer_list<Shape> inputs) const {
    return at(std::span<const Shape>(inputs.begin(), inputs.size()));
  }
  Model at(std::span<const Shape> inputs) const {
    return Model(net_, list(net_, inputs), this->copy_of(this->params()), this->copy_of(this->state()));
  }
  /// A copy. It is a word of its own, because it allocates.
  Model clone() const {
    return Model(net_, this->shared_steps(), this->copy_of(this->params()), this->copy_of(this->state()));
  }

  /// Layer I's own parameters, e.g. for `net().layer<0>().weight(params<0>())`.
  using BasicModel<T>::params;
  template <std::size_t I>
  std::span<T> params() {
    return params(I);
  }
  template <std::size_t I>
  std::span<const T> params() const {
    return params(I);
  }

  /// See BasicModel::forward. Where the type says that a pass draws random numbers, one without an Rng does not
  /// compile.
  template <class... Arguments>
  ConstView<T> forward(Tape<T>& tape, Arguments&&... arguments) const {
    constexpr bool has_rng = ((std::is_same_v<std::remove_cvref_t<Arguments>, Rng> ||
                               std::is_same_v<std::remove_cvref_t<Arguments>, Draw>) ||
                              ...);
    if constexpr (requires { typename std::bool_constant<Net::stochastic>; })
      static_assert(
          has_rng || !Net::stochastic,
          "eigan::Model::forward: this network has a layer that draws random numbers in training; pass an Rng");
    return BasicModel<T>::forward(tape, std::forward<Arguments>(arguments)...);
  }
  /// A forward pass of a network of several inputs: `model.forward(tape, {x, condition})`.
  template <class... Arguments>
  ConstView<T> forward(Tape<T>& tape, std::initializer_list<LastingView<T>> inputs, Arguments&&... arguments) const {
    return forward<std::initializer_list<LastingView<T>>&, Arguments...>(tape, inputs,
                                                                         std::forward<Arguments>(arguments)...);
  }

 private:
  using List = std::shared_ptr<const Steps<T>>;
  Model(const List& steps, Net&& net, Rng rng)
      : BasicModel<T>(steps, architecture_of(net, detail::inputs_of(*steps)), rng), net_(std::move(net)) {}
  Model(Net net, const List& steps, Buffer<T> params, Buffer<T> state)
      : BasicModel<T>(steps, architecture_of(net, detail::inputs_of(*steps)), std::move(params), std::move(state)),
        net_(std::move(net)) {}

  static std::vector<Shape> given_or_stated(const Net& net, std::span<const Shape> given) {
    if (!given.empty()) return {given.begin(), given.end()};
    std::vector<Shape> stated = detail::stated_inputs(net);
    if (stated.empty())
      detail::fail_contract(
          "eigan::Model: no layer states the shape of a sample; begin with an Input, or give the shape");
    return stated;
  }
  static List list(const Net& net, std::span<const Shape> inputs) {
    auto steps = std::make_shared<Steps<T>>(given_or_stated(net, inputs));
    net.append(*steps, 0, "");
    return steps;
  }
  static std::string architecture_of(const Net& net, std::span<const Shape> inputs) {
    std::string text;
    for (const Spec& layer : detail::spec_with_inputs(net, given_or_stated(net, inputs)).children)
      text += (text.empty() ? "" : ", ") + layer.text();
    return text;
  }

  Net net_;
};

}  // namespace eigan

// ======== eigan/net/non_finite.hpp
// find_non_finite: where a model's parameters or its state have stopped being numbers. Training that diverges shows it
// here first: a gradient that is infinite or NaN makes every parameter that it updates NaN, a batch every running
// average.

#include <optional>

namespace eigan {

/// True if there is neither an infinity nor a NaN among the values. Looks at the bits, so that no compiler's flag for
/// "finite mathematics" removes it.
template <std::floating_point T>
bool all_finite(std::span<const T> values) {
  using Bits = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;
  constexpr auto exponent = std::bit_cast<Bits>(std::numeric_limits<T>::infinity());
  Bits found = 0;  // without a jump in the loop, so that it becomes vector instructions
  for (const T value : values) found |= static_cast<Bits>((std::bit_cast<Bits>(value) & exponent) == exponent);
  return found == 0;
}

/// all_finite on several threads; the values may lie anywhere.
template <std::floating_point T>
bool all_finite(std::span<const T> values, Threads threads) {
  constexpr Index part = 1 << 14;
  const Index size = std::ssize(values);
  const double work = detail::memory_access * static_cast<double>(size);
  std::atomic<bool> finite = true;
  detail::parallel_for((size + part - 1) / part, work, threads, [&](Index p) {
    const auto some =
        values.subspan(static_cast<std::size_t>(p * part), static_cast<std::size_t>(std::min(part, size - p * part)));
    if (!all_finite(some)) finite.store(false, std::memory_order_relaxed);
  });
  return finite;
}

namespace detail {

/// "[17, 4]": the place of element number i, in the file's order, of a tensor of these extents.
inline std::string place_text(const std::vector<Index>& extents, Index i) {
  std::string text;
  for (std::size_t axis = extents.size(); axis-- > 0; i /= extents[axis])
    text = concat(i % extents[axis], text.empty() ? "" : ", ", text);
  return extents.empty() ? text : '[' + text + ']';
}

template <class T>
std::optional<std::string> find_non_finite(std::span<const T> values, const std::vector<Parameter>& tensors) {
  for (const Parameter& p : tensors) {
    std::optional<std::string> found;
    Index i = 0;
    p.for_each_in_file_order([&](Index place) {
      const T value = values[static_cast<std::size_t>(p.offset + place)];
      if (!found && !all_finite(std::span(&value, 1)))
        found = concat(p.name, place_text(p.file_shape(), i), " is ", value);
      ++i;
    });
    if (found) return found;
  }
  return std::nullopt;
}

}  // namespace detail

/// The first parameter, or number of the state, that is infinite or NaN, with its place in the tensor as files and
/// PyTorch have it: "3.weight[17, 4] is nan"; nothing if all are finite.
template <class M>
std::optional<std::string> find_non_finite(const M& model, Threads threads = {}) {
  if (!all_finite(std::span(model.params()), threads))
    return detail::find_non_finite(std::span(model.params()), model.parameters());
  if (!all_finite(std::span(model.state()), threads))
    return detail::find_non_finite(std::span(model.state()), model.states());
  return std::nullopt;
}

}  // namespace eigan

// ======== eigan/net/parallel.hpp
// Parallel<A, B, ...>: y = a(x) and b(x), ..., channels side by side: several heads on one trunk. Each is a layer or a
// composition, all give one height and width, one pixel included; they are named "0", "1", ...
// Backward: dx = (da/dx)^T dy's first channels + (db/dx)^T dy's next + ...

namespace eigan {

namespace detail {
/// Unlike inputs, where a vector is repeated at every pixel: of heads that give one pixel, one forgot to grow.
template <Shape A, Shape B, std::size_t... Path>
struct HeadsMustHaveOneHeightAndWidth {
  static constexpr bool unknown = A == unknown_shape || B == unknown_shape;
  static_assert(unknown || (A.height == B.height && A.width == B.width),
                "eigan: the heads of a Parallel must have one height and width; the template arguments are the two "
                "shapes (channels, height, width) and the place in the network");
  static constexpr Shape value = unknown ? unknown_shape : Shape{A.channels + B.channels, A.height, A.width};
};
/// Throws std::invalid_argument, for shapes known at run time. ends: the levels that the heads make.
template <class T>
void check_one_height_and_width(const Steps<T>& steps, const std::vector<std::size_t>& ends, const std::string& name) {
  for (const std::size_t end : ends)
    if (const Shape a = steps.levels()[ends.front()], b = steps.levels()[end];
        a.height != b.height || a.width != b.width)
      fail_contract("eigan: the heads of a Parallel must have one height and width: ", name, " receives ",
                    shape_text(a), " and ", shape_text(b));
}

/// Every head by itself, then together.
template <Shape In, class Path, class Numbers, class... Heads>
struct CheckHeads;
template <Shape In, std::size_t... Path, std::size_t... I, class... Heads>
struct CheckHeads<In, std::index_sequence<Path...>, std::index_sequence<I...>, Heads...>
    : SideBySide<HeadsMustHaveOneHeightAndWidth, std::index_sequence<Path...>,
                 ShapeAfter<Heads, In, Path..., I>::value...> {};
}  // namespace detail

/// y = a(x) beside b(x): `Parallel<Linear<64, 1>, Sequential<Linear<64, 10>, ReLU>>`.
template <class... Heads>
class Parallel {
  static_assert(sizeof...(Heads) > 1, "eigan::Parallel: needs at least two heads");
  static_assert(!(detail::is_input<Heads> || ...),
                "eigan::Parallel: an Input states what goes into the network; it is no head");

 public:
  using Composes = void;  ///< it is a Composition
  static constexpr bool stochastic = (detail::is_stochastic<Heads>() || ...);

  /// Of heads whose types state all sizes.
  Parallel() requires(std::is_default_constructible_v<Heads>&&...) = default;
  /// Of any heads.
  explicit Parallel(Heads... heads) requires(sizeof...(Heads) > 0) : heads_(std::move(heads)...) {}

  /// Head I.
  template <std::size_t I>
  const auto& head() const {
    return std::get<I>(heads_);
  }
  std::vector<Shape> input_shapes() const {
    const auto all = std::apply(
        [](const auto&... head) { return std::vector<std::vector<Shape>>{detail::input_shapes_of(head)...}; }, heads_);
    return detail::input_shapes_of_heads(all.size(), [&](std::size_t i) { return all[i]; });
  }
  template <class T>
  std::size_t append(Steps<T>& steps, std::size_t level, const std::string& prefix) const {
    std::vector<std::size_t> ends;
    const auto add = [&](const auto& head) {
      ends.push_back(detail::append(steps, head, level, prefix + std::to_string(ends.size())));
    };
    std::apply([&](const auto&... head) { (add(head), ...); }, heads_);
    detail::check_one_height_and_width(steps, ends, prefix + "concatenation");
    return steps.concatenate(std::move(ends), prefix + "concatenation");
  }
  Spec spec() const {
    Spec all{"Parallel", {}, "::eigan::Parallel"};
    std::apply([&](const auto&... head) { (all.children.push_back(detail::spec_of_any(head)), ...); }, heads_);
    return all;
  }

  template <Shape In, std::size_t... Path>
  struct Check : detail::CheckHeads<In, std::index_sequence<Path...>, std::index_sequence_for<Heads...>, Heads...> {};

 private:
  std::tuple<Heads...> heads_;
};

}  // namespace eigan

// ======== eigan/net/residual.hpp
// Residual<Layers...>: y = x + f(x), f being the layers in a row, which keep the shape (He et al. 2016).
// Backward: dx = dy + (df/dx)^T dy. Its layers are named "body.0", "body.1", ...

namespace eigan {

namespace detail {
/// Layers in a row, or the one row that is given.
template <class... Ls>
struct Row {
  using type = Sequential<Ls...>;
};
template <class... Ls>
struct Row<Sequential<Ls...>> {
  using type = Sequential<Ls...>;
};
template <class R>
requires requires {
  typename R::IsRow;
}
struct Row<R> {
  using type = R;
};

template <Shape Receives, Shape Gives, std::size_t... Path>
struct ResidualMustKeepTheShape {
  static_assert(
      Receives == Gives || Receives == unknown_shape || Gives == unknown_shape,
      "eigan: a sum needs equal shapes; the template arguments are what a Residual's layers receive and what they give "
      "(channels, height, width) and its place in the network");
};
}  // namespace detail

/// y = x + f(x): `Residual<Conv2d<8, 8, 3, 1, 1>, ReLU, Conv2d<8, 8, 3, 1, 1>>`.
template <class... Ls>
class Residual {
 public:
  using Composes = void;                           ///< it is a Composition
  using Body = typename detail::Row<Ls...>::type;  ///< f
  static constexpr bool stochastic = detail::is_stochastic<Body>();

  /// Of layers whose types state all sizes.
  Residual() requires(std::is_default_constructible_v<Body>) = default;
  /// Of any layers.
  explicit Residual(Ls... layers) requires(sizeof...(Ls) > 0) : body_(std::move(layers)...) {}

  /// f.
  const Body& body() const { return body_; }
  std::vector<Shape> input_shapes() const { return body_.input_shapes(); }
  template <class T>
  std::size_t append(Steps<T>& steps, std::size_t level, const std::string& prefix) const {
    return steps.sum({level, body_.append(steps, level, prefix + "body.")}, prefix + "sum");
  }
  Spec spec() const { return {"Residual", {}, "::eigan::Residual", {}, body_.spec().children}; }

  template <Shape In, std::size_t... Path>
  struct Check {
    static constexpr Shape value = detail::ShapeAfter<Body, In, Path...>::value;
    static_assert(sizeof(detail::ResidualMustKeepTheShape<In, value, Path...>) > 0);
  };

 private:
  Body body_;
};

}  // namespace eigan

// ======== eigan/net/skip_connection.hpp
// SkipConnection<Layers...>: y = x and f(x), channels side by side, f being the layers in a row, which must keep height
// and width, one pixel included. Nested, it is a U-Net (Ronneberger et al. 2015). Backward: dx = dy's first channels +
// (df/dx)^T dy's others. Its layers are named "body.0", "body.1", ...

namespace eigan {
namespace detail {

template <Shape A, Shape B, std::size_t... Path>
struct SkipMustKeepHeightAndWidth : SideBySideMustHaveOneHeightAndWidth<A, B, Path...> {
  static_assert(A == unknown_shape || B == unknown_shape || (A.height == B.height && A.width == B.width),
                "eigan: the layers of a SkipConnection must keep height and width; the template arguments are the "
                "shapes in front of them and behind (channels, height, width) and the place in the network");
};
/// Throws std::invalid_argument, for shapes known at run time.
inline void check_keeps_height_and_width(Shape in, Shape out, const std::string& name) {
  if (in.height != out.height || in.width != out.width)
    fail_contract("eigan: the layers of a SkipConnection must keep height and width: ", name, " receives ",
                  shape_text(in), " and ", shape_text(out));
}

}  // namespace detail

/// y = x beside f(x).
template <class... Ls>
class SkipConnection {
 public:
  using Composes = void;                           ///< it is a Composition
  using Body = typename detail::Row<Ls...>::type;  ///< f
  static constexpr bool stochastic = detail::is_stochastic<Body>();

  /// Of layers whose types state all sizes.
  SkipConnection() requires(std::is_default_constructible_v<Body>) = default;
  /// Of any layers.
  explicit SkipConnection(Ls... layers) requires(sizeof...(Ls) > 0) : body_(std::move(layers)...) {}

  /// f.
  const Body& body() const { return body_; }
  std::vector<Shape> input_shapes() const {
    return detail::input_shapes_of_heads(1, [&](std::size_t) { return body_.input_shapes(); });
  }
  template <class T>
  std::size_t append(Steps<T>& steps, std::size_t level, const std::string& prefix) const {
    const std::size_t end = body_.append(steps, level, prefix + "body.");
    detail::check_keeps_height_and_width(steps.levels()[level], steps.levels()[end], prefix + "concatenation");
    return steps.concatenate({level, end}, prefix + "concatenation");
  }
  Spec spec() const { return {"SkipConnection", {}, "::eigan::SkipConnection", {}, body_.spec().children}; }

  template <Shape In, std::size_t... Path>
  struct Check : detail::SkipMustKeepHeightAndWidth<In, detail::ShapeAfter<Body, In, Path...>::value, Path...> {};

 private:
  Body body_;
};

}  // namespace eigan

// ======== eigan/net/summary.hpp
// summary(model): a network as text, step by step, in the manner of torch.nn.Module's, with shapes and counts.

namespace eigan {

/// The text, for example
///     Sequential(
///       (0): Linear(in_features=2, out_features=4)   2 -> 4   12 parameters
///       (1): Tanh()                                  4 -> 4
///     )
///     12 parameters
/// A join tells whose outputs it reads.
template <class T>
std::string summary(const BasicModel<T>& model) {
  const Steps<T>& net = model.steps();
  std::vector<std::string> lines;
  std::size_t widest = 0;
  for (const Step<T>& step : net.steps()) {
    std::string line = '(' + step.name + "): ";
    if (step.kind == StepKind::layer) {
      line += step.spec().text();
    } else {
      line += step.kind == StepKind::sum ? "sum of" : "channels of";
      for (std::size_t read = 0; read < step.reads.size(); ++read) {
        const std::size_t level = step.reads[read];
        line += detail::concat(read == 0 ? " " : ", ", level < net.inputs()
                                                           ? detail::concat("input ", level)
                                                           : '(' + net.steps()[level - net.inputs()].name + ')');
      }
    }
    widest = std::max(widest, line.size());
    lines.push_back(std::move(line));
  }
  std::string text = "Sequential(\n";
  for (std::size_t s = 0; s < lines.size(); ++s) {
    const Step<T>& step = net.steps()[s];
    text += "  " + lines[s] + std::string(widest - lines[s].size() + 3, ' ');
    text += shape_text(net.levels()[step.reads[0]]);
    if (step.kind == StepKind::concatenation)
      for (std::size_t read = 1; read < step.reads.size(); ++read)
        text += ", " + shape_text(net.levels()[step.reads[read]]);
    text += " -> " + shape_text(net.levels()[step.writes]);
    if (step.size > 0) text += detail::concat("   ", step.size, " parameters");
    text += '\n';
  }
  return text + detail::concat(")\n", net.param_size(), " parameters\n");
}

}  // namespace eigan

// ======== eigan/optim/adam.hpp
// Adam (Kingma and Ba 2015), with the semantics of torch.optim.Adam. At step t, counted from 1, for each parameter:
//   g += weight_decay p
//   m = beta1 m + (1 - beta1) g          v = beta2 v + (1 - beta2) g^2
//   p -= lr / (1 - beta1^t) m / ( sqrt(v) / sqrt(1 - beta2^t) + eps )
// One optimiser serves one flat parameter buffer: one clock t, two moment buffers.

// ======== eigan/kernels/adam.hpp
// One step of Adam or AdamW over a range of parameters; optim/adam.hpp and optim/adamw.hpp have the formulas.

// ======== eigan/kernels/denormals.hpp
// What optimisers' kernels share: numbers too small to be normal are taken for zeros.

// ======== eigan/kernels/for_each_isa.inc
// Compiles the text EIGAN_KERNELS, one subject's kernels, once for every instruction set, with
//   EIGAN_ISA           the namespace
//   EIGAN_TARGET        the function attribute that allows the instructions
//   EIGAN_VECTOR_BYTES  the register's width
//   EIGAN_X86_VECTORS   where fused multiply-add, square root and masked moves are x86 instructions
// Every function of such a text carries EIGAN_TARGET and calls nothing but its like, so no code of one set can be
// inlined into, or merged with, code for another. No #pragma once: every subject includes this file.

#define EIGAN_INLINE [[gnu::always_inline]] inline
#define EIGAN_NOINLINE [[gnu::noinline]] inline  // long ones: a single copy for all callers
#if defined(__clang__)
#define EIGAN_UNROLL _Pragma("unroll")
#define EIGAN_UNROLL_TWICE _Pragma("unroll(2)")
#else
#define EIGAN_UNROLL _Pragma("GCC unroll 16")
#define EIGAN_UNROLL_TWICE _Pragma("GCC unroll 2")
#endif

#define EIGAN_ISA portable
#if defined(__x86_64__)
// What every such processor has, although -march or -mavx2 allow this file more: of a program whose files have different
// flags the linker keeps any one of several bodies of a kernel.
#define EIGAN_TARGET [[gnu::target("arch=x86-64,no-sse3,no-popcnt,no-lzcnt,no-movbe,no-bmi,no-bmi2")]]
#else
#define EIGAN_TARGET
#endif
#define EIGAN_VECTOR_BYTES 16

// ======== eigan/kernels/denormals.inc
// Numbers too small to be normal, for the kernels of optimisers. Compiled by for_each_isa.inc.

namespace eigan::detail::EIGAN_ISA {

/// While it lives, results too small for a normal number are zeros, and so are such operands: division and square root
/// take many times as long for them. Moments that decay get there, where they no longer move anything. The state that
/// the caller had comes back with its end.
class FlushDenormals {
#if defined(__x86_64__)
 public:
  EIGAN_TARGET EIGAN_INLINE FlushDenormals() : before_(__builtin_ia32_stmxcsr()) {
    constexpr unsigned flush_results = 0x8000, read_as_zero = 0x0040;
    __builtin_ia32_ldmxcsr(before_ | flush_results | read_as_zero);
    asm volatile("" ::: "memory");  // no arithmetic on memory moves across
  }
  EIGAN_TARGET EIGAN_INLINE ~FlushDenormals() {
    asm volatile("" ::: "memory");
    __builtin_ia32_ldmxcsr(before_);
  }
  FlushDenormals(const FlushDenormals&) = delete;
  FlushDenormals& operator=(const FlushDenormals&) = delete;

 private:
  unsigned before_;
#endif
};

}  // namespace eigan::detail::EIGAN_ISA
#undef EIGAN_ISA
#undef EIGAN_TARGET
#undef EIGAN_VECTOR_BYTES

#if defined(__x86_64__)
#define EIGAN_X86_VECTORS

#define EIGAN_ISA avx2
#define EIGAN_TARGET [[gnu::target("avx2,fma")]]
#define EIGAN_VECTOR_BYTES 32

// ======== eigan/kernels/denormals.inc
// Numbers too small to be normal, for the kernels of optimisers. Compiled by for_each_isa.inc.

namespace eigan::detail::EIGAN_ISA {

/// While it lives, results too small for a normal number are zeros, and so are such operands: division and square root
/// take many times as long for them. Moments that decay get there, where they no longer move anything. The state that
/// the caller had comes back with its end.
class FlushDenormals {
#if defined(__x86_64__)
 public:
  EIGAN_TARGET EIGAN_INLINE FlushDenormals() : before_(__builtin_ia32_stmxcsr()) {
    constexpr unsigned flush_results = 0x8000, read_as_zero = 0x0040;
    __builtin_ia32_ldmxcsr(before_ | flush_results | read_as_zero);
    asm volatile("" ::: "memory");  // no arithmetic on memory moves across
  }
  EIGAN_TARGET EIGAN_INLINE ~FlushDenormals() {
    asm volatile("" ::: "memory");
    __builtin_ia32_ldmxcsr(before_);
  }
  FlushDenormals(const FlushDenormals&) = delete;
  FlushDenormals& operator=(const FlushDenormals&) = delete;

 private:
  unsigned before_;
#endif
};

}  // namespace eigan::detail::EIGAN_ISA
#undef EIGAN_ISA
#undef EIGAN_TARGET
#undef EIGAN_VECTOR_BYTES

#define EIGAN_ISA avx512
#define EIGAN_TARGET [[gnu::target("avx2,fma,avx512f")]]
#define EIGAN_VECTOR_BYTES 64

// ======== eigan/kernels/denormals.inc
// Numbers too small to be normal, for the kernels of optimisers. Compiled by for_each_isa.inc.

namespace eigan::detail::EIGAN_ISA {

/// While it lives, results too small for a normal number are zeros, and so are such operands: division and square root
/// take many times as long for them. Moments that decay get there, where they no longer move anything. The state that
/// the caller had comes back with its end.
class FlushDenormals {
#if defined(__x86_64__)
 public:
  EIGAN_TARGET EIGAN_INLINE FlushDenormals() : before_(__builtin_ia32_stmxcsr()) {
    constexpr unsigned flush_results = 0x8000, read_as_zero = 0x0040;
    __builtin_ia32_ldmxcsr(before_ | flush_results | read_as_zero);
    asm volatile("" ::: "memory");  // no arithmetic on memory moves across
  }
  EIGAN_TARGET EIGAN_INLINE ~FlushDenormals() {
    asm volatile("" ::: "memory");
    __builtin_ia32_ldmxcsr(before_);
  }
  FlushDenormals(const FlushDenormals&) = delete;
  FlushDenormals& operator=(const FlushDenormals&) = delete;

 private:
  unsigned before_;
#endif
};

}  // namespace eigan::detail::EIGAN_ISA
#undef EIGAN_ISA
#undef EIGAN_TARGET
#undef EIGAN_VECTOR_BYTES

#undef EIGAN_X86_VECTORS
#endif

#undef EIGAN_INLINE
#undef EIGAN_NOINLINE
#undef EIGAN_UNROLL
#undef EIGAN_UNROLL_TWICE

namespace eigan::detail {

/// What one update needs besides the arrays. rest1 is 1 - beta1, rounded once: in float 1 - 0.999f is already wrong in
/// the fifth digit. keep is the share of p that stays beside the step: 1, unless weights decay apart from gradients.
template <class T>
struct AdamCoefficients {
  T beta1, rest1, beta2, rest2, step_size, inv_sqrt_correction2, eps, weight_decay, keep;
};

template <class T>
struct AdamKernels {
  void (*adam)(Index n, const AdamCoefficients<T>& c, const T* grad, T* moment1, T* moment2, T* params);
};

template <class T>
const AdamKernels<T>& adam_kernels() {
  return kernels<AdamKernels<T>>();
}

}  // namespace eigan::detail

// ======== eigan/kernels/for_each_isa.inc
// Compiles the text EIGAN_KERNELS, one subject's kernels, once for every instruction set, with
//   EIGAN_ISA           the namespace
//   EIGAN_TARGET        the function attribute that allows the instructions
//   EIGAN_VECTOR_BYTES  the register's width
//   EIGAN_X86_VECTORS   where fused multiply-add, square root and masked moves are x86 instructions
// Every function of such a text carries EIGAN_TARGET and calls nothing but its like, so no code of one set can be
// inlined into, or merged with, code for another. No #pragma once: every subject includes this file.

#define EIGAN_INLINE [[gnu::always_inline]] inline
#define EIGAN_NOINLINE [[gnu::noinline]] inline  // long ones: a single copy for all callers
#if defined(__clang__)
#define EIGAN_UNROLL _Pragma("unroll")
#define EIGAN_UNROLL_TWICE _Pragma("unroll(2)")
#else
#define EIGAN_UNROLL _Pragma("GCC unroll 16")
#define EIGAN_UNROLL_TWICE _Pragma("GCC unroll 2")
#endif

#define EIGAN_ISA portable
#if defined(__x86_64__)
// What every such processor has, although -march or -mavx2 allow this file more: of a program whose files have different
// flags the linker keeps any one of several bodies of a kernel.
#define EIGAN_TARGET [[gnu::target("arch=x86-64,no-sse3,no-popcnt,no-lzcnt,no-movbe,no-bmi,no-bmi2")]]
#else
#define EIGAN_TARGET
#endif
#define EIGAN_VECTOR_BYTES 16

// ======== eigan/kernels/adam.inc
// One step of Adam: see adam.hpp. Compiled by for_each_isa.inc.

namespace eigan::detail::EIGAN_ISA {

template <class T>
struct AdamStep {
  AdamCoefficients<T> c;
  EIGAN_TARGET EIGAN_INLINE void operator()(Vector<T> g, Vector<T>& m, Vector<T>& v, Vector<T>& p) const {
    g = fma(broadcast(c.weight_decay), p, g);
    m = fma(broadcast(c.beta1), m, c.rest1 * g);
    v = fma(broadcast(c.beta2), v, (c.rest2 * g) * g);
    const Vector<T> denominator = fma(square_root(v), broadcast(c.inv_sqrt_correction2), broadcast(c.eps));
    p = fma(broadcast(c.keep), p, (-c.step_size * m) / denominator);
  }
};
template <class T>
EIGAN_TARGET inline void adam(Index n, const AdamCoefficients<T>& coefficients, const T* grad, T* moment1, T* moment2,
                              T* params) {
  constexpr Index L = lanes<T>;
  [[maybe_unused]] const FlushDenormals flush;
  const AdamStep<T> step{coefficients};
  Index i = 0;
  for (; i + L <= n; i += L) {
    Vector<T> m = load(moment1 + i), v = load(moment2 + i), p = load(params + i);
    step(load(grad + i), m, v, p);
    store(moment1 + i, m);
    store(moment2 + i, v);
    store(params + i, p);
  }
  if (i < n) {
    Vector<T> m = load_part(moment1 + i, n - i), v = load_part(moment2 + i, n - i), p = load_part(params + i, n - i);
    step(load_part(grad + i, n - i), m, v, p);
    store_part(moment1 + i, m, n - i);
    store_part(moment2 + i, v, n - i);
    store_part(params + i, p, n - i);
  }
}

template <class T>
struct TableOf<AdamKernels<T>> {
  static constexpr AdamKernels<T> table{
      .adam = adam<T>,
  };
};

}  // namespace eigan::detail::EIGAN_ISA
#undef EIGAN_ISA
#undef EIGAN_TARGET
#undef EIGAN_VECTOR_BYTES

#if defined(__x86_64__)
#define EIGAN_X86_VECTORS

#define EIGAN_ISA avx2
#define EIGAN_TARGET [[gnu::target("avx2,fma")]]
#define EIGAN_VECTOR_BYTES 32

// ======== eigan/kernels/adam.inc
// One step of Adam: see adam.hpp. Compiled by for_each_isa.inc.

namespace eigan::detail::EIGAN_ISA {

template <class T>
struct AdamStep {
  AdamCoefficients<T> c;
  EIGAN_TARGET EIGAN_INLINE void operator()(Vector<T> g, Vector<T>& m, Vector<T>& v, Vector<T>& p) const {
    g = fma(broadcast(c.weight_decay), p, g);
    m = fma(broadcast(c.beta1), m, c.rest1 * g);
    v = fma(broadcast(c.beta2), v, (c.rest2 * g) * g);
    const Vector<T> denominator = fma(square_root(v), broadcast(c.inv_sqrt_correction2), broadcast(c.eps));
    p = fma(broadcast(c.keep), p, (-c.step_size * m) / denominator);
  }
};
template <class T>
EIGAN_TARGET inline void adam(Index n, const AdamCoefficients<T>& coefficients, const T* grad, T* moment1, T* moment2,
                              T* params) {
  constexpr Index L = lanes<T>;
  [[maybe_unused]] const FlushDenormals flush;
  const AdamStep<T> step{coefficients};
  Index i = 0;
  for (; i + L <= n; i += L) {
    Vector<T> m = load(moment1 + i), v = load(moment2 + i), p = load(params + i);
    step(load(grad + i), m, v, p);
    store(moment1 + i, m);
    store(moment2 + i, v);
    store(params + i, p);
  }
  if (i < n) {
    Vector<T> m = load_part(moment1 + i, n - i), v = load_part(moment2 + i, n - i), p = load_part(params + i, n - i);
    step(load_part(grad + i, n - i), m, v, p);
    store_part(moment1 + i, m, n - i);
    store_part(moment2 + i, v, n - i);
    store_part(params + i, p, n - i);
  }
}

template <class T>
struct TableOf<AdamKernels<T>> {
  static constexpr AdamKernels<T> table{
      .adam = adam<T>,
  };
};

}  // namespace eigan::detail::EIGAN_ISA
#undef EIGAN_ISA
#undef EIGAN_TARGET
#undef EIGAN_VECTOR_BYTES

#define EIGAN_ISA avx512
#define EIGAN_TARGET [[gnu::target("avx2,fma,avx512f")]]
#define EIGAN_VECTOR_BYTES 64

// ======== eigan/kernels/adam.inc
// One step of Adam: see adam.hpp. Compiled by for_each_isa.inc.

namespace eigan::detail::EIGAN_ISA {

template <class T>
struct AdamStep {
  AdamCoefficients<T> c;
  EIGAN_TARGET EIGAN_INLINE void operator()(Vector<T> g, Vector<T>& m, Vector<T>& v, Vector<T>& p) const {
    g = fma(broadcast(c.weight_decay), p, g);
    m = fma(broadcast(c.beta1), m, c.rest1 * g);
    v = fma(broadcast(c.beta2), v, (c.rest2 * g) * g);
    const Vector<T> denominator = fma(square_root(v), broadcast(c.inv_sqrt_correction2), broadcast(c.eps));
    p = fma(broadcast(c.keep), p, (-c.step_size * m) / denominator);
  }
};
template <class T>
EIGAN_TARGET inline void adam(Index n, const AdamCoefficients<T>& coefficients, const T* grad, T* moment1, T* moment2,
                              T* params) {
  constexpr Index L = lanes<T>;
  [[maybe_unused]] const FlushDenormals flush;
  const AdamStep<T> step{coefficients};
  Index i = 0;
  for (; i + L <= n; i += L) {
    Vector<T> m = load(moment1 + i), v = load(moment2 + i), p = load(params + i);
    step(load(grad + i), m, v, p);
    store(moment1 + i, m);
    store(moment2 + i, v);
    store(params + i, p);
  }
  if (i < n) {
    Vector<T> m = load_part(moment1 + i, n - i), v = load_part(moment2 + i, n - i), p = load_part(params + i, n - i);
    step(load_part(grad + i, n - i), m, v, p);
    store_part(moment1 + i, m, n - i);
    store_part(moment2 + i, v, n - i);
    store_part(params + i, p, n - i);
  }
}

template <class T>
struct TableOf<AdamKernels<T>> {
  static constexpr AdamKernels<T> table{
      .adam = adam<T>,
  };
};

}  // namespace eigan::detail::EIGAN_ISA
#undef EIGAN_ISA
#undef EIGAN_TARGET
#undef EIGAN_VECTOR_BYTES

#undef EIGAN_X86_VECTORS
#endif

#undef EIGAN_INLINE
#undef EIGAN_NOINLINE
#undef EIGAN_UNROLL
#undef EIGAN_UNROLL_TWICE
EIGAN_SHARE_KERNELS(AdamKernels)

namespace eigan {

/// Names and values as in torch.optim.Adam.
struct AdamOptions {
  double lr = 1e-3;         ///< the learning rate, >= 0 and finite, as all that follow
  double beta1 = 0.9;       ///< how much of m stays, in [0, 1)
  double beta2 = 0.999;     ///< how much of v stays, in [0, 1)
  double eps = 1e-8;        ///< added to the root
  double weight_decay = 0;  ///< the share of p in its gradient
};

/// Adam (Kingma and Ba 2015): steps by the gradient's running mean over the root of its running square.
template <class T = float>
class Adam {
 public:
  /// For `size` parameters. Throws std::invalid_argument for an option outside its range.
  explicit Adam(Index size, AdamOptions options = {}) : Adam(size, options, "eigan::Adam", false) {}

  /// One step over all parameters.
  void step(std::span<T> params, std::span<const T> grad) {
    detail::check_update(name_, moment1_.size(), params, grad, 0, moment1_.size());
    begin_step();
    update(params, grad, 0, moment1_.size());
  }

  /// A step in parts: begin_step advances the clock, then disjoint ranges are updated in any order, from any thread.
  /// Throws std::invalid_argument, before anything has changed, for an option that was set to something out of range.
  void begin_step() {
    check_options();
    ++t_;
    begun_ = true;
    const auto t = static_cast<double>(t_);
    coefficients_ = {.beta1 = static_cast<T>(options_.beta1),
                     .rest1 = static_cast<T>(1 - options_.beta1),
                     .beta2 = static_cast<T>(options_.beta2),
                     .rest2 = static_cast<T>(1 - options_.beta2),
                     .step_size = static_cast<T>(options_.lr / (1 - std::pow(options_.beta1, t))),
                     .inv_sqrt_correction2 = static_cast<T>(1 / std::sqrt(1 - std::pow(options_.beta2, t))),
                     .eps = static_cast<T>(options_.eps),
                     .weight_decay = static_cast<T>(decoupled_ ? 0 : options_.weight_decay),
                     .keep = static_cast<T>(decoupled_ ? std::fma(-options_.lr, options_.weight_decay, 1.0) : 1.0)};
  }
  /// Updates the parameters [first, first + count) by their gradients.
  void update(std::span<T> params, std::span<const T> grad, Index first, Index count) {
    detail::check_update(name_, moment1_.size(), params, grad, first, count);
    if (count == 0) return check_options();
    if (!begun_) detail::fail_contract(name_, ": update() before the first begin_step()");
    detail::adam_kernels<T>().adam(count, coefficients_, grad.data() + first, moment1_.data() + first,
                                   moment2_.data() + first, params.data() + first);
  }

  /// They may be changed between steps, as a learning rate's schedule does.
  AdamOptions& options() { return options_; }
  const AdamOptions& options() const { return options_; }
  /// Steps taken.
  std::int64_t steps() const { return t_; }

  /// Names everything that steps change, as torch.optim.Adam's state_dict does: for checkpoints (io/checkpoint.hpp).
  template <class Visit>
  void visit_state(Visit&& visit) {
    begun_ = false;  // coefficients belong to a step, and no step is going on
    visit("step", t_, 0, std::int64_t{1} << 53);
    visit("exp_avg", moment1_);
    visit("exp_avg_sq", moment2_);
  }

 protected:
  /// For AdamW: the name in messages, and whether weights decay apart from their gradients.
  Adam(Index size, AdamOptions options, const char* name, bool decoupled)
      : name_(name), decoupled_(decoupled), options_(options), moment1_(size), moment2_(size) {
    check_options();
  }

 private:
  void check_options() const {
    detail::check_setting<T>(name_, "lr", options_.lr);
    detail::check_share(name_, "beta1", options_.beta1);
    detail::check_share(name_, "beta2", options_.beta2);
    detail::check_setting<T>(name_, "eps", options_.eps);
    detail::check_setting<T>(name_, "weight_decay", options_.weight_decay);
  }

  const char* name_;
  bool decoupled_;
  AdamOptions options_;
  Buffer<T> moment1_;
  Buffer<T> moment2_;
  detail::AdamCoefficients<T> coefficients_{};
  std::int64_t t_ = 0;
  bool begun_ = false;
};

}  // namespace eigan

// ======== eigan/optim/adamw.hpp
// AdamW (Loshchilov and Hutter 2019), with the semantics of torch.optim.AdamW: Adam whose weights decay by themselves
// instead of through their gradients, so that the decay of a weight does not depend on the size of its gradients.
//   m, v as Adam has them, of the gradient alone
//   p = (1 - lr weight_decay) p - lr / (1 - beta1^t) m / ( sqrt(v) / sqrt(1 - beta2^t) + eps )

namespace eigan {

/// Names and values as in torch.optim.AdamW.
struct AdamWOptions {
  double lr = 1e-3;            ///< the learning rate, >= 0 and finite, as all that follow
  double beta1 = 0.9;          ///< how much of m stays, in [0, 1)
  double beta2 = 0.999;        ///< how much of v stays, in [0, 1)
  double eps = 1e-8;           ///< added to the root
  double weight_decay = 1e-2;  ///< times lr, the share that p loses in a step
};

/// Adam with weight decay apart from the gradient.
template <class T = float>
class AdamW : public Adam<T> {
 public:
  /// For `size` parameters. Throws std::invalid_argument for an option outside its range.
  explicit AdamW(Index size, AdamWOptions options = {})
      : Adam<T>(size, {options.lr, options.beta1, options.beta2, options.eps, options.weight_decay}, "eigan::AdamW",
                true) {}
};

}  // namespace eigan

// ======== eigan/optim/clip_weights.hpp
// clip_weights: p = min(max(p, -c), c) for every parameter, between two steps. It bounds a critic's slope as the first
// Wasserstein networks did (Arjovsky et al. 2017); in PyTorch, p.data.clamp_(-c, c). A NaN stays one.

namespace eigan {

/// Of a flat parameter buffer, such as model.params(). Throws std::invalid_argument unless c is more than 0.
template <class T>
void clip_weights(std::span<T> params, double c) {
  const T bound = static_cast<T>(c);
  if (detail::is_nan(c) || !(bound > 0)) detail::fail_contract("eigan::clip_weights: c must be more than 0, is ", c);
  for (T& p : params) p = std::clamp(p, -bound, bound);
}

}  // namespace eigan

// ======== eigan/optim/ema.hpp
// Ema: an exponential moving average of parameters, which often serves better than the parameters themselves. At update
// t, counted from 0:
//   d = min(decay, (1 + t) / (10 + t))          average += (1 - d) (p - average)
// The average begins at the parameters it is made with; the rising d lets it forget them within a few updates, so that
// it is worth something early on (as TensorFlow's ExponentialMovingAverage has it with num_updates).
// The loop multiplies and adds in one rounding, so its bits do not follow the compiler's flags. Where the flags lack
// FMA that is a call for each element.

namespace eigan {

/// The average of a parameter buffer over the steps.
template <class T = float>
class Ema {
 public:
  /// Of a flat parameter buffer. Throws std::invalid_argument unless 0 <= decay < 1.
  explicit Ema(std::span<const T> params, double decay = 0.999) : decay_(decay), average_(std::ssize(params)) {
    if (!(detail::at_least(decay, 0) && decay < 1))
      detail::fail_contract("eigan::Ema: decay must be in [0, 1), is ", decay);
    std::copy(params.begin(), params.end(), average_.data());
  }

  /// Takes in the parameters as they are now.
  void update(std::span<const T> params, Threads threads = {}) {
    if (std::ssize(params) != average_.size())
      detail::fail_contract("eigan::Ema: expected ", average_.size(), " parameters, got ", params.size());
    const auto t = static_cast<double>(updates_++);
    const T rest = static_cast<T>(1 - std::min(decay_, (1 + t) / (10 + t)));
    T* const average = average_.data();
    constexpr Index part = 4096;
    const Index size = std::ssize(params);
    const double work = 3 * detail::memory_access * static_cast<double>(size);
    detail::parallel_for((size + part - 1) / part, work, threads, [&](Index p) {
      for (Index i = p * part; i < std::min(size, (p + 1) * part); ++i)
        average[i] = std::fma(rest, params[static_cast<std::size_t>(i)] - average[i], average[i]);
    });
  }

  /// The average.
  std::span<const T> params() const { return average_; }
  /// Updates made.
  std::int64_t updates() const { return updates_; }

  /// Names everything that updates change: for checkpoints (io/checkpoint.hpp).
  template <class Visit>
  void visit_state(Visit&& visit) {
    visit("updates", updates_, 0, std::int64_t{1} << 53);
    visit("average", average_);
  }

 private:
  double decay_;
  Buffer<T> average_;
  std::int64_t updates_ = 0;
};

}  // namespace eigan

// ======== eigan/optim/rmsprop.hpp
// RMSprop (Hinton 2012), with the semantics of torch.optim.RMSprop:
//   g += weight_decay p
//   v = alpha v + (1 - alpha) g^2          u = momentum u + g / ( sqrt(v) + eps )          p -= lr u
// Its centred variant is refused by name.

// ======== eigan/kernels/rmsprop.hpp
// One step of RMSprop over a range of parameters; optim/rmsprop.hpp has the formula.

namespace eigan::detail {

/// What one update needs besides the arrays. rest is 1 - alpha, rounded once.
template <class T>
struct RmspropCoefficients {
  T lr, alpha, rest, eps, weight_decay, momentum;
};

template <class T>
struct RmspropKernels {
  void (*rmsprop)(Index n, const RmspropCoefficients<T>& c, const T* grad, T* square, T* velocity, T* params);
};

template <class T>
const RmspropKernels<T>& rmsprop_kernels() {
  return kernels<RmspropKernels<T>>();
}

}  // namespace eigan::detail

// ======== eigan/kernels/for_each_isa.inc
// Compiles the text EIGAN_KERNELS, one subject's kernels, once for every instruction set, with
//   EIGAN_ISA           the namespace
//   EIGAN_TARGET        the function attribute that allows the instructions
//   EIGAN_VECTOR_BYTES  the register's width
//   EIGAN_X86_VECTORS   where fused multiply-add, square root and masked moves are x86 instructions
// Every function of such a text carries EIGAN_TARGET and calls nothing but its like, so no code of one set can be
// inlined into, or merged with, code for another. No #pragma once: every subject includes this file.

#define EIGAN_INLINE [[gnu::always_inline]] inline
#define EIGAN_NOINLINE [[gnu::noinline]] inline  // long ones: a single copy for all callers
#if defined(__clang__)
#define EIGAN_UNROLL _Pragma("unroll")
#define EIGAN_UNROLL_TWICE _Pragma("unroll(2)")
#else
#define EIGAN_UNROLL _Pragma("GCC unroll 16")
#define EIGAN_UNROLL_TWICE _Pragma("GCC unroll 2")
#endif

#define EIGAN_ISA portable
#if defined(__x86_64__)
// What every such processor has, although -march or -mavx2 allow this file more: of a program whose files have different
// flags the linker keeps any one of several bodies of a kernel.
#define EIGAN_TARGET [[gnu::target("arch=x86-64,no-sse3,no-popcnt,no-lzcnt,no-movbe,no-bmi,no-bmi2")]]
#else
#define EIGAN_TARGET
#endif
#define EIGAN_VECTOR_BYTES 16

// ======== eigan/kernels/rmsprop.inc
// One step of RMSprop: see rmsprop.hpp. Compiled by for_each_isa.inc.

namespace eigan::detail::EIGAN_ISA {

template <class T>
struct RmspropStep {
  RmspropCoefficients<T> c;
  EIGAN_TARGET EIGAN_INLINE void operator()(Vector<T> g, Vector<T>& v, Vector<T>& u, Vector<T>& p) const {
    g = fma(broadcast(c.weight_decay), p, g);
    v = fma(broadcast(c.alpha), v, (c.rest * g) * g);
    u = fma(broadcast(c.momentum), u, g / (square_root(v) + c.eps));
    p = fma(broadcast(-c.lr), u, p);
  }
};
template <class T>
EIGAN_TARGET inline void rmsprop(Index n, const RmspropCoefficients<T>& coefficients, const T* grad, T* square,
                                 T* velocity, T* params) {
  constexpr Index L = lanes<T>;
  [[maybe_unused]] const FlushDenormals flush;
  const RmspropStep<T> step{coefficients};
  Index i = 0;
  for (; i + L <= n; i += L) {
    Vector<T> v = load(square + i), u = load(velocity + i), p = load(params + i);
    step(load(grad + i), v, u, p);
    store(square + i, v);
    store(velocity + i, u);
    store(params + i, p);
  }
  if (i < n) {
    Vector<T> v = load_part(square + i, n - i), u = load_part(velocity + i, n - i), p = load_part(params + i, n - i);
    step(load_part(grad + i, n - i), v, u, p);
    store_part(square + i, v, n - i);
    store_part(velocity + i, u, n - i);
    store_part(params + i, p, n - i);
  }
}

template <class T>
struct TableOf<RmspropKernels<T>> {
  static constexpr RmspropKernels<T> table{
      .rmsprop = rmsprop<T>,
  };
};

}  // namespace eigan::detail::EIGAN_ISA
#undef EIGAN_ISA
#undef EIGAN_TARGET
#undef EIGAN_VECTOR_BYTES

#if defined(__x86_64__)
#define EIGAN_X86_VECTORS

#define EIGAN_ISA avx2
#define EIGAN_TARGET [[gnu::target("avx2,fma")]]
#define EIGAN_VECTOR_BYTES 32

// ======== eigan/kernels/rmsprop.inc
// One step of RMSprop: see rmsprop.hpp. Compiled by for_each_isa.inc.

namespace eigan::detail::EIGAN_ISA {

template <class T>
struct RmspropStep {
  RmspropCoefficients<T> c;
  EIGAN_TARGET EIGAN_INLINE void operator()(Vector<T> g, Vector<T>& v, Vector<T>& u, Vector<T>& p) const {
    g = fma(broadcast(c.weight_decay), p, g);
    v = fma(broadcast(c.alpha), v, (c.rest * g) * g);
    u = fma(broadcast(c.momentum), u, g / (square_root(v) + c.eps));
    p = fma(broadcast(-c.lr), u, p);
  }
};
template <class T>
EIGAN_TARGET inline void rmsprop(Index n, const RmspropCoefficients<T>& coefficients, const T* grad, T* square,
                                 T* velocity, T* params) {
  constexpr Index L = lanes<T>;
  [[maybe_unused]] const FlushDenormals flush;
  const RmspropStep<T> step{coefficients};
  Index i = 0;
  for (; i + L <= n; i += L) {
    Vector<T> v = load(square + i), u = load(velocity + i), p = load(params + i);
    step(load(grad + i), v, u, p);
    store(square + i, v);
    store(velocity + i, u);
    store(params + i, p);
  }
  if (i < n) {
    Vector<T> v = load_part(square + i, n - i), u = load_part(velocity + i, n - i), p = load_part(params + i, n - i);
    step(load_part(grad + i, n - i), v, u, p);
    store_part(square + i, v, n - i);
    store_part(velocity + i, u, n - i);
    store_part(params + i, p, n - i);
  }
}

template <class T>
struct TableOf<RmspropKernels<T>> {
  static constexpr RmspropKernels<T> table{
      .rmsprop = rmsprop<T>,
  };
};

}  // namespace eigan::detail::EIGAN_ISA
#undef EIGAN_ISA
#undef EIGAN_TARGET
#undef EIGAN_VECTOR_BYTES

#define EIGAN_ISA avx512
#define EIGAN_TARGET [[gnu::target("avx2,fma,avx512f")]]
#define EIGAN_VECTOR_BYTES 64

// ======== eigan/kernels/rmsprop.inc
// One step of RMSprop: see rmsprop.hpp. Compiled by for_each_isa.inc.

namespace eigan::detail::EIGAN_ISA {

template <class T>
struct RmspropStep {
  RmspropCoefficients<T> c;
  EIGAN_TARGET EIGAN_INLINE void operator()(Vector<T> g, Vector<T>& v, Vector<T>& u, Vector<T>& p) const {
    g = fma(broadcast(c.weight_decay), p, g);
    v = fma(broadcast(c.alpha), v, (c.rest * g) * g);
    u = fma(broadcast(c.momentum), u, g / (square_root(v) + c.eps));
    p = fma(broadcast(-c.lr), u, p);
  }
};
template <class T>
EIGAN_TARGET inline void rmsprop(Index n, const RmspropCoefficients<T>& coefficients, const T* grad, T* square,
                                 T* velocity, T* params) {
  constexpr Index L = lanes<T>;
  [[maybe_unused]] const FlushDenormals flush;
  const RmspropStep<T> step{coefficients};
  Index i = 0;
  for (; i + L <= n; i += L) {
    Vector<T> v = load(square + i), u = load(velocity + i), p = load(params + i);
    step(load(grad + i), v, u, p);
    store(square + i, v);
    store(velocity + i, u);
    store(params + i, p);
  }
  if (i < n) {
    Vector<T> v = load_part(square + i, n - i), u = load_part(velocity + i, n - i), p = load_part(params + i, n - i);
    step(load_part(grad + i, n - i), v, u, p);
    store_part(square + i, v, n - i);
    store_part(velocity + i, u, n - i);
    store_part(params + i, p, n - i);
  }
}

template <class T>
struct TableOf<RmspropKernels<T>> {
  static constexpr RmspropKernels<T> table{
      .rmsprop = rmsprop<T>,
  };
};

}  // namespace eigan::detail::EIGAN_ISA
#undef EIGAN_ISA
#undef EIGAN_TARGET
#undef EIGAN_VECTOR_BYTES

#undef EIGAN_X86_VECTORS
#endif

#undef EIGAN_INLINE
#undef EIGAN_NOINLINE
#undef EIGAN_UNROLL
#undef EIGAN_UNROLL_TWICE
EIGAN_SHARE_KERNELS(RmspropKernels)

namespace eigan {

/// Names and values as in torch.optim.RMSprop.
struct RMSpropOptions {
  double lr = 1e-2;         ///< the learning rate, >= 0 and finite, as all that follow
  double alpha = 0.99;      ///< how much of v stays, in [0, 1)
  double eps = 1e-8;        ///< added to the root
  double weight_decay = 0;  ///< the share of p in its gradient
  double momentum = 0;      ///< how much of u stays
  bool centered = false;    ///< not built
};

/// RMSprop: steps by the gradient over the root of its running square.
template <class T = float>
class RMSprop {
 public:
  /// For `size` parameters. Throws std::invalid_argument for an option outside its range.
  explicit RMSprop(Index size, RMSpropOptions options = {}) : options_(options), square_(size), velocity_(size) {
    check_options();
  }

  /// One step over all parameters.
  void step(std::span<T> params, std::span<const T> grad) {
    detail::check_update("eigan::RMSprop", square_.size(), params, grad, 0, square_.size());
    begin_step();
    update(params, grad, 0, square_.size());
  }

  /// A step in parts, as in Adam: disjoint ranges are updated in any order, from any thread.
  void begin_step() { check_options(); }
  /// Updates the parameters [first, first + count) by their gradients.
  void update(std::span<T> params, std::span<const T> grad, Index first, Index count) {
    detail::check_update("eigan::RMSprop", square_.size(), params, grad, first, count);
    if (count == 0) return check_options();
    const detail::RmspropCoefficients<T> coefficients{.lr = static_cast<T>(options_.lr),
                                                      .alpha = static_cast<T>(options_.alpha),
                                                      .rest = static_cast<T>(1 - options_.alpha),
                                                      .eps = static_cast<T>(options_.eps),
                                                      .weight_decay = static_cast<T>(options_.weight_decay),
                                                      .momentum = static_cast<T>(options_.momentum)};
    detail::rmsprop_kernels<T>().rmsprop(count, coefficients, grad.data() + first, square_.data() + first,
                                         velocity_.data() + first, params.data() + first);
  }

  /// They may be changed between steps, as a learning rate's schedule does.
  RMSpropOptions& options() { return options_; }
  const RMSpropOptions& options() const { return options_; }

  /// Names everything that steps change, as torch.optim.RMSprop's state_dict does: for checkpoints (io/checkpoint.hpp).
  template <class Visit>
  void visit_state(Visit&& visit) {
    visit("square_avg", square_);
    visit("momentum_buffer", velocity_);
  }

 private:
  void check_options() const {
    detail::check_setting<T>("eigan::RMSprop", "lr", options_.lr);
    detail::check_share("eigan::RMSprop", "alpha", options_.alpha);
    detail::check_setting<T>("eigan::RMSprop", "eps", options_.eps);
    detail::check_setting<T>("eigan::RMSprop", "weight_decay", options_.weight_decay);
    detail::check_setting<T>("eigan::RMSprop", "momentum", options_.momentum);
    if (options_.centered) detail::fail_contract("eigan::RMSprop: centered is not built");
  }

  RMSpropOptions options_;
  Buffer<T> square_;
  Buffer<T> velocity_;
};

}  // namespace eigan

// ======== eigan/optim/schedules.hpp
// Schedules: the factor of a learning rate at each step, as a pure function of the step. Steps count from 0.
//   linear_decay     1 - step / total, and 0 from there on
//   warmup_cosine    (step + 1) / warmup                                                while step < warmup
//                    1/2 (1 + cos(pi (step - warmup) / (total - warmup)))               then, down to 0 at step = total
//   cosine_decay     warmup_cosine without a rise              (torch.optim.lr_scheduler.CosineAnnealingLR, eta_min 0)
//   step_decay       gamma^floor(step / every)                 (StepLR)
//   one_cycle        a rise by half a cosine from 1 / div_factor to 1, then a fall to 1 / (div_factor final_div_factor)
//                    at the last step                          (OneCycleLR; Smith and Topin 2019)
// (Loshchilov and Hutter 2017, "SGDR", without restarts; the rise before it as in Goyal et al. 2017.)

namespace eigan {

/// Falls evenly from 1 to 0 at `total`. Throws std::invalid_argument unless step >= 0 and total > 0.
inline double linear_decay(Index step, Index total) {
  if (step < 0 || total < 1)
    detail::fail_contract("eigan::linear_decay: expected step >= 0 and total >= 1, found ", step, " and ", total);
  return step >= total ? 0 : 1 - static_cast<double>(step) / static_cast<double>(total);
}

/// Rises linearly over `warmup` steps, reaches 1 with the last of them, and falls as half a cosine; 0 from `total` on.
/// Throws std::invalid_argument unless 0 <= warmup <= total and step >= 0.
inline double warmup_cosine(Index step, Index total, Index warmup) {
  if (step < 0 || warmup < 0 || warmup > total)
    detail::fail_contract("eigan::warmup_cosine: expected step >= 0 and 0 <= warmup <= total, found step ", step,
                          ", warmup ", warmup, " and total ", total);
  if (step >= total) return 0;
  if (step < warmup) return static_cast<double>(step + 1) / static_cast<double>(warmup);
  return (1 + std::cos(std::numbers::pi * static_cast<double>(step - warmup) / static_cast<double>(total - warmup))) /
         2;
}

/// Falls from 1 as half a cosine; 0 from `total` on. Throws std::invalid_argument unless step >= 0 and total >= 0.
inline double cosine_decay(Index step, Index total) {
  if (step < 0 || total < 0)
    detail::fail_contract("eigan::cosine_decay: expected step >= 0 and total >= 0, found ", step, " and ", total);
  return warmup_cosine(step, total, 0);
}

/// Falls by the factor gamma each `every` steps. Throws std::invalid_argument unless step >= 0, every > 0 and gamma is
/// in [0, 1].
inline double step_decay(Index step, Index every, double gamma = 0.1) {
  if (step < 0 || every < 1 || !(detail::at_least(gamma, 0) && gamma <= 1))
    detail::fail_contract("eigan::step_decay: expected step >= 0, every >= 1 and gamma in [0, 1], found ", step, ", ",
                          every, " and ", gamma);
  return std::pow(gamma, static_cast<double>(step / every));
}

/// Names and values as in torch.optim.lr_scheduler.OneCycleLR.
struct OneCycleOptions {
  double pct_start = 0.3;         ///< the share of the steps that rise, in (0, 1)
  double div_factor = 25;         ///< the peak over the first rate, at least 1
  double final_div_factor = 1e4;  ///< the first rate over the last, at least 1
};

/// One rise and one fall; 1 is the peak. Behind the last step it stays where that was. Throws std::invalid_argument
/// unless step >= 0, and total leaves a step for the rise and one for the fall.
inline double one_cycle(Index step, Index total, OneCycleOptions options = {}) {
  const double peak = options.pct_start * static_cast<double>(total) - 1, last = static_cast<double>(total - 1);
  const auto is_factor = [](double f) { return detail::is_finite(f) && f >= 1; };
  if (step < 0 || !(detail::at_least(peak, 0) && peak < last) || !is_factor(options.div_factor) ||
      !is_factor(options.final_div_factor))
    detail::fail_contract(
        "eigan::one_cycle: expected step >= 0, 1 <= pct_start * total < total and factors of at least 1, found step ",
        step, ", total ", total, ", pct_start ", options.pct_start, ", div_factor ", options.div_factor,
        ", final_div_factor ", options.final_div_factor);
  const auto anneal = [](double from, double to, double share) {
    return to + (from - to) / 2 * (1 + std::cos(std::numbers::pi * share));
  };
  const double at = std::min(static_cast<double>(step), last), first = 1 / options.div_factor;
  if (at <= peak) return anneal(first, 1, peak == 0 ? 1 : at / peak);
  return anneal(1, first / options.final_div_factor, (at - peak) / (last - peak));
}

}  // namespace eigan

// ======== eigan/optim/sgd.hpp
// SGD with momentum, with the semantics of torch.optim.SGD (dampening 0):
//   g += weight_decay p          v = momentum v + g          p -= lr v,  or  p -= lr (g + momentum v) with Nesterov's

namespace eigan {

/// Names and values as in torch.optim.SGD.
struct SGDOptions {
  double lr = 1e-2;         ///< the learning rate, >= 0 and finite, as all that follow
  double momentum = 0;      ///< how much of v stays
  double weight_decay = 0;  ///< the share of p in its gradient
  bool nesterov = false;    ///< look ahead; needs momentum
};

/// Gradient descent with momentum: v = momentum v + g, p -= lr v.
template <class T = float>
class SGD {
 public:
  /// For `size` parameters. Throws std::invalid_argument for an option outside its range.
  explicit SGD(Index size, SGDOptions options = {}) : options_(options), velocity_(size) { check_options(); }

  /// One step over all parameters.
  void step(std::span<T> params, std::span<const T> grad) {
    detail::check_update("eigan::SGD", velocity_.size(), params, grad, 0, velocity_.size());
    begin_step();
    update(params, grad, 0, velocity_.size());
  }

  /// A step in parts, as in Adam: disjoint ranges are updated in any order, from any thread.
  void begin_step() { check_options(); }
  /// Updates the parameters [first, first + count) by their gradients.
  void update(std::span<T> params, std::span<const T> grad, Index first, Index count) {
    detail::check_update("eigan::SGD", velocity_.size(), params, grad, first, count);
    if (count == 0) return check_options();
    const T lr = static_cast<T>(options_.lr), momentum = static_cast<T>(options_.momentum);
    const T decay = static_cast<T>(options_.weight_decay);
    T* p = params.data() + first;
    T* v = velocity_.data() + first;
    const T* g = grad.data() + first;
    for (Index i = 0; i < count; ++i) {
      // fma, so that the result does not depend on the compiler's flags.
      const T gi = std::fma(decay, p[i], g[i]);
      v[i] = std::fma(momentum, v[i], gi);
      p[i] = std::fma(-lr, options_.nesterov ? std::fma(momentum, v[i], gi) : v[i], p[i]);
    }
  }

  /// They may be changed between steps, as a learning rate's schedule does.
  SGDOptions& options() { return options_; }
  const SGDOptions& options() const { return options_; }

  /// Names everything that steps change, as torch.optim.SGD's state_dict does: for checkpoints (io/checkpoint.hpp).
  template <class Visit>
  void visit_state(Visit&& visit) {
    visit("momentum_buffer", velocity_);
  }

 private:
  void check_options() const {
    detail::check_setting<T>("eigan::SGD", "lr", options_.lr);
    detail::check_setting<T>("eigan::SGD", "momentum", options_.momentum);
    detail::check_setting<T>("eigan::SGD", "weight_decay", options_.weight_decay);
    if (options_.nesterov && options_.momentum == 0) detail::fail_contract("eigan::SGD: nesterov needs momentum > 0");
  }

  SGDOptions options_;
  Buffer<T> velocity_;
};

}  // namespace eigan

// ======== eigan/version.hpp
// The one place that states eigan's version; CMakeLists.txt and the package files read it from here.

/// The version for the preprocessor: grows when programs must change.
#define EIGAN_VERSION_MAJOR 0
/// Grows with what is new; before 1.0.0 also when programs must change.
#define EIGAN_VERSION_MINOR 1
/// Grows with what is mended.
#define EIGAN_VERSION_PATCH 0

namespace eigan {

/// The version as text, for banners and file metadata.
inline constexpr const char* version = "0.1.0";

}  // namespace eigan

// ======== eigan/io/model_file.hpp
// Models as safetensors files that PyTorch can read, too.
//
// Every tensor is named, shaped and laid out as in torch.nn.Sequential: "0.weight" is [out, in], row by row, a
// convolution's [out, in, kh, kw]; parameters and state stand side by side, counts as int64.
// The metadata says what the file is: "format" = "eigan", "eigan_version", "architecture".

#include <functional>
#include <map>

// ======== eigan/io/model_tensors.hpp
// Tensors of a model as files hold them: PyTorch's names, extents and order of elements, int64 for counts. What a file
// has goes through here on its way to the model's buffers: all of it is checked and converted before anything changes.

// ======== eigan/io/dtype.hpp
// Dtype: the element types that eigan's tensor files may hold, named as safetensors names them, and what follows from
// them: sizes in bytes and conversion to float and double.

namespace eigan {

/// In the order of safetensors' reference implementation, which sorts tensors by it.
enum class Dtype {
  other,    ///< one that is not here, such as F8_E4M3: carried along, never looked into
  boolean,  ///< one byte
  u8,       ///< unsigned, 8 bits
  i8,       ///< signed, 8 bits
  i16,      ///< signed, 16 bits
  u16,      ///< unsigned, 16 bits
  f16,      ///< IEEE 754, 16 bits
  bf16,     ///< the upper half of an f32
  i32,      ///< signed, 32 bits
  u32,      ///< unsigned, 32 bits
  f32,      ///< IEEE 754, 32 bits
  f64,      ///< IEEE 754, 64 bits
  i64,      ///< signed, 64 bits
  u64       ///< unsigned, 64 bits
};

namespace detail {

struct DtypeInfo {
  Dtype dtype;
  std::string_view name;
  std::size_t size;
};

inline constexpr std::array dtypes{
    DtypeInfo{Dtype::other, "another", 1}, DtypeInfo{Dtype::boolean, "BOOL", 1}, DtypeInfo{Dtype::u8, "U8", 1},
    DtypeInfo{Dtype::i8, "I8", 1},         DtypeInfo{Dtype::i16, "I16", 2},      DtypeInfo{Dtype::u16, "U16", 2},
    DtypeInfo{Dtype::f16, "F16", 2},       DtypeInfo{Dtype::bf16, "BF16", 2},    DtypeInfo{Dtype::i32, "I32", 4},
    DtypeInfo{Dtype::u32, "U32", 4},       DtypeInfo{Dtype::f32, "F32", 4},      DtypeInfo{Dtype::f64, "F64", 8},
    DtypeInfo{Dtype::i64, "I64", 8},       DtypeInfo{Dtype::u64, "U64", 8},
};

/// Whether the elements are floating-point numbers.
constexpr bool is_floating(Dtype dtype) {
  return dtype == Dtype::f64 || dtype == Dtype::f32 || dtype == Dtype::f16 || dtype == Dtype::bf16;
}

/// IEEE 754 half precision. Every value is exact in float.
inline float half_to_float(std::uint16_t bits) {
  const int exponent = bits >> 10 & 31;
  const int fraction = bits & 1023;
  float value = 0;
  if (exponent == 31) {
    value = fraction == 0 ? std::numeric_limits<float>::infinity() : std::numeric_limits<float>::quiet_NaN();
  } else if (exponent == 0) {
    value = std::ldexp(static_cast<float>(fraction), -24);
  } else {
    value = std::ldexp(static_cast<float>(1024 + fraction), exponent - 25);
  }
  return (bits & 0x8000) != 0 ? -value : value;
}

/// The upper half of a float.
inline float bfloat16_to_float(std::uint16_t bits) {
  return std::bit_cast<float>(std::uint32_t{bits} << 16);
}

}  // namespace detail

/// "F32" for Dtype::f32.
constexpr std::string_view dtype_name(Dtype dtype) {
  return detail::dtypes[static_cast<std::size_t>(dtype)].name;
}

/// Bytes of one element; 1 for another dtype, whose elements nobody knows.
constexpr std::size_t dtype_size(Dtype dtype) {
  return detail::dtypes[static_cast<std::size_t>(dtype)].size;
}

/// The dtype in which eigan stores its scalars.
template <class T>
requires(std::same_as<T, float> ||
         std::same_as<T, double>) inline constexpr Dtype dtype_of = std::same_as<T, float> ? Dtype::f32 : Dtype::f64;

namespace detail {
/// f(element), of its type, for each of `count` stored elements (little-endian, unaligned) of a known dtype.
template <class F>
void for_each_element(Dtype dtype, const std::byte* bytes, std::size_t count, const F& f) {
  const auto each = [&]<class Stored>(Stored, auto value_of) {
    for (std::size_t i = 0; i < count; ++i) {
      Stored stored;
      std::memcpy(&stored, bytes + i * sizeof stored, sizeof stored);
      f(i, value_of(stored));
    }
  };
  const auto itself = [](auto stored) { return stored; };
  switch (dtype) {
    case Dtype::f32:
      return each(float(), itself);
    case Dtype::f64:
      return each(double(), itself);
    case Dtype::f16:
      return each(std::uint16_t(), half_to_float);
    case Dtype::bf16:
      return each(std::uint16_t(), bfloat16_to_float);
    case Dtype::boolean:
      return each(std::uint8_t(), [](std::uint8_t stored) { return static_cast<std::uint8_t>(stored != 0); });
    case Dtype::u8:
      return each(std::uint8_t(), itself);
    case Dtype::i8:
      return each(std::int8_t(), itself);
    case Dtype::i16:
      return each(std::int16_t(), itself);
    case Dtype::u16:
      return each(std::uint16_t(), itself);
    case Dtype::i32:
      return each(std::int32_t(), itself);
    case Dtype::u32:
      return each(std::uint32_t(), itself);
    case Dtype::i64:
      return each(std::int64_t(), itself);
    case Dtype::u64:
      return each(std::uint64_t(), itself);
    default:
      fail_contract("convert_elements: expected a dtype that eigan knows, found ", dtype_name(dtype));
  }
}
}  // namespace detail

/// Converts stored elements (little-endian, unaligned) of any dtype but `other` to T; `bytes` holds `count` of them.
template <std::floating_point T>
void convert_elements(Dtype dtype, const std::byte* bytes, std::size_t count, T* values) {
  detail::for_each_element(dtype, bytes, count, [&](std::size_t i, auto value) { values[i] = static_cast<T>(value); });
}

/// Stored integers, or bool, as T. Error if they are no integers, or one does not fit.
template <std::integral T>
void convert_integers(Dtype dtype, const std::byte* bytes, std::size_t count, T* values) {
  if (detail::is_floating(dtype)) detail::fail_data("expected integers, found ", dtype_name(dtype));
  detail::for_each_element(dtype, bytes, count, [&](std::size_t i, auto value) {
    if constexpr (std::integral<decltype(value)>) {
      constexpr auto least = std::numeric_limits<T>::min(), most = std::numeric_limits<T>::max();
      if (std::cmp_less(+value, +least) || std::cmp_greater(+value, +most))
        detail::fail_data("element ", i, ": expected an integer from ", +least, " to ", +most, ", found ", +value);
      values[i] = static_cast<T>(value);
    }
  });
}

namespace detail {

/// "[128, 784]"; of a shape with very many extents only the first ones.
inline std::string shape_text(std::span<const std::uint64_t> shape) {
  constexpr std::size_t shown = 8;
  std::string text = "[";
  for (const std::uint64_t extent : shape.first(std::min(shown, shape.size()))) {
    text.append(text.size() > 1 ? ", " : "").append(std::to_string(extent));
  }
  return text + (shape.size() > shown ? ", ...]" : "]");
}

/// The bytes of a tensor; false if an extent is above 2^48, the limit of the format's schema, or the product overflows.
inline bool checked_byte_size(Dtype dtype, std::span<const std::uint64_t> shape, std::uint64_t& size) {
  size = dtype_size(dtype);
  return std::all_of(shape.begin(), shape.end(), [&](std::uint64_t extent) {
    return extent <= std::uint64_t{1} << 48 && checked_mul(size, extent, size);
  });
}

}  // namespace detail
}  // namespace eigan

// ======== eigan/io/safetensors.hpp
// SafetensorsFile: a strict reader of the safetensors format, the one in which eigan keeps models.
//
// Layout: the header's length N (u64, little-endian), N bytes of JSON, the data. The header maps each tensor's name to
// {"dtype", "shape", "data_offsets": [begin, end]}, offsets counting from the start of the data, and "__metadata__" to
// an object of strings. Elements are row-major and little-endian.
// A file may come from anybody: every number is checked before it is used, and the tensors must tile the data without
// hole, overlap or rest, so that no two readers see different things in one file. Values are not looked at: NaN is
// allowed. Reference: huggingface/safetensors.

// ======== eigan/io/foreign_file.hpp
// what_it_is: what a file that is none of ours looks like, by its first bytes, and what to do about it. A reader adds
// the text to its message: a length or a magic number alone would be a riddle.

namespace eigan::detail {

/// "; this is ...", or nothing where the bytes are not known.
inline std::string what_it_is(std::span<const std::byte> file) {
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): bytes are looked at as characters
  std::string_view text(reinterpret_cast<const char*>(file.data()), std::min<std::size_t>(file.size(), 4096));
  struct Kind {
    std::string_view start;
    const char* text;
  };
  using namespace std::string_view_literals;
  static constexpr Kind kinds[] = {
      {"PK\3\4"sv,
       "a zip archive, as torch.save and numpy.savez write them; in Python, "
       "safetensors.torch.save_file(model.state_dict(), path) or numpy.save write what is read here"},
      {"\x80\2"sv,
       "a pickle, as torch.save wrote it before 1.6; in Python, safetensors.torch.save_file writes what is "
       "read here"},
      {"version https://git-lfs"sv, "a git-lfs pointer in place of the file; `git lfs pull` fetches that"},
      {"\x93NUMPY"sv, "an array of NumPy (.npy)"},
      {"\x89HDF"sv, "an HDF5 file, as Keras writes them"},
      {"GGUF"sv, "a GGUF file"},
      {"\xFF\xD8\xFF"sv, "a JPEG image"},
      {"\x89PNG"sv, "a PNG image"},
      {"\x1F\x8B"sv, "gzip data"},
      {"\0\0\x08"sv, "IDX data, as MNIST has them"}};
  for (const Kind& kind : kinds)
    if (text.starts_with(kind.start)) return std::string("; this is ") + kind.text;
  const std::size_t first = text.find_first_not_of("\xEF\xBB\xBF \t\r\n");  // behind a byte order mark and blanks
  if (first == std::string_view::npos) return "";
  if (text[first] == '<') return "; this is an HTML or XML page, perhaps a download's error page saved under this name";
  if (text[first] == '{' && text.find("\"weight_map\"") != std::string_view::npos)
    return "; this is the index of a sharded model, which load() takes by its path";
  if (text[first] == '{' && text.find('"') < first + 64) return "; this is JSON text";
  return "";
}

}  // namespace eigan::detail

// ======== eigan/io/read_file.hpp
// read_file: a whole file in memory, with a limit on how large it may be.
//
// The file is read, not mapped: a mapped file that somebody truncates meanwhile kills the process.

// ======== eigan/io/file_descriptor.hpp
// FileDescriptor: an open POSIX file that is closed when it goes out of scope, and how a failed operation is told.

// ======== eigan/io/has_files.hpp
// EIGAN_HAS_FILES: whether the system has files. WebAssembly's WASI lacks a part of what they take; there, models are
// read from memory and written to it.

#if !defined(__wasi__)
#define EIGAN_HAS_FILES
#endif
#if defined(EIGAN_HAS_FILES)
#include <fcntl.h>
#include <unistd.h>

#include <filesystem>
#endif

#include <cerrno>
#include <system_error>

#if defined(EIGAN_HAS_FILES)
namespace eigan::detail {

/// How a path appears in messages.
inline std::string display(const std::filesystem::path& path) {
  return printable(path.native(), 4096);
}

/// Throws Error "PATH: cannot OPERATION: REASON" with the system's text for `code`, an errno.
[[noreturn]] inline void fail_system(const std::filesystem::path& path, std::string_view operation, int code) {
  fail_data(display(path), ": cannot ", operation, ": ", std::generic_category().message(code));
}

/// Repeats a system call that a signal interrupted.
template <class Call>
auto retry_interrupted(Call call) {
  auto result = call();
  while (result == -1 && errno == EINTR) result = call();
  return result;
}

class FileDescriptor {
 public:
  FileDescriptor() = default;
  FileDescriptor(const std::filesystem::path& path, int flags, mode_t mode = 0)
      : descriptor_(retry_interrupted([&] { return ::open(path.c_str(), flags | O_CLOEXEC, mode); })) {}
  FileDescriptor(FileDescriptor&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    return *this;
  }
  ~FileDescriptor() { close(); }

  bool is_open() const { return descriptor_ >= 0; }
  int get() const { return descriptor_; }

  /// False, with errno set, if data written earlier turned out not to be storable.
  bool close() {
    const int descriptor = std::exchange(descriptor_, -1);
    return descriptor < 0 || ::close(descriptor) == 0;
  }

 private:
  int descriptor_ = -1;
};

}  // namespace eigan::detail
#endif

#if defined(EIGAN_HAS_FILES)
#include <sys/stat.h>

namespace eigan {

/// How large a file is read if nobody says otherwise: 16 GiB.
inline constexpr std::uint64_t max_file_size = std::uint64_t{1} << 34;

/// All bytes of the file, which may also be a pipe. Error if it cannot be read or has more than `max_size` bytes.
inline std::vector<std::byte> read_file(const std::filesystem::path& path, std::uint64_t max_size = max_file_size) {
  const detail::FileDescriptor file(path, O_RDONLY);
  if (!file.is_open()) detail::fail_system(path, "open", errno);

  const auto too_large = [&](const auto& found) {
    detail::fail_data(detail::display(path), ": expected at most ", max_size, " bytes, found ", found);
  };
  constexpr std::size_t chunk = 1 << 20;
  std::size_t room = chunk;  // of the first read; for a regular file its size and one byte, to see the end at once
  struct ::stat status {};
  if (::fstat(file.get(), &status) == 0 && S_ISREG(status.st_mode)) {
    const auto size = static_cast<std::uint64_t>(status.st_size);
    if (size > max_size) too_large(size);
    room = static_cast<std::size_t>(size) + 1;
  }

  std::vector<std::byte> bytes;
  for (std::size_t size = 0;;) {
    if (size == bytes.size()) bytes.resize(size + (size == 0 ? room : std::max(chunk, size)));
    const auto count =
        detail::retry_interrupted([&] { return ::read(file.get(), bytes.data() + size, bytes.size() - size); });
    if (count < 0) detail::fail_system(path, "read", errno);
    size += static_cast<std::size_t>(count);
    if (size > max_size) too_large("more");
    if (count == 0) {
      bytes.resize(size);
      return bytes;
    }
  }
}

}  // namespace eigan
#endif

// ======== eigan/io/safetensors_header.hpp
// The header of a safetensors file taken apart: rules 2 and 3 of the format, UTF-8, JSON, and each value of its type.
// Where the tensors lie is not looked at here; SafetensorsFile (io/safetensors.hpp) checks that.

// ======== eigan/io/json_reader.hpp
// JsonReader: a strict cursor over the part of JSON that file headers use: objects, arrays, strings and non-negative
// integers (RFC 8259, without floats, literals and leniency).
//
// The caller says at every place what must come next, so there is no tree, no recursion and nothing that deep
// nesting could exhaust: a bracket too many is simply not what was expected.

#include <charconv>

// ======== eigan/io/utf8.hpp
// UTF-8, decoded and encoded: what the strings of a JSON header are made of.

namespace eigan::detail {

struct CodePoint {
  char32_t value;
  std::size_t length;  ///< bytes taken; 0 if they are no valid UTF-8
};

/// The first code point of a text that is not empty. Overlong forms, surrogates and values past U+10FFFF are invalid.
inline CodePoint decode_utf8(std::string_view text) {
  const auto byte = [&](std::size_t i) -> char32_t { return static_cast<unsigned char>(text[i]); };
  const char32_t first = byte(0);
  if (first < 0x80) return {first, 1};
  const std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || text.size() < length) return {0, 0};
  char32_t value = first & (0x7Fu >> length);
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return {0, 0};
    value = value << 6 | (byte(i) & 0x3F);
  }
  constexpr char32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = value >= 0xD800 && value <= 0xDFFF;
  if (value < smallest[length] || value > 0x10FFFF || surrogate) return {0, 0};
  return {value, length};
}

/// The offset of the first byte that is not part of valid UTF-8, or npos.
inline std::size_t find_invalid_utf8(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = decode_utf8(text.substr(at)).length;
    if (length == 0) return at;
    at += length;
  }
  return std::string_view::npos;
}

/// Appends a code point up to U+10FFFF that is no surrogate.
inline void append_utf8(std::string& text, char32_t value) {
  const auto put = [&](char32_t byte) { text.push_back(static_cast<char>(static_cast<unsigned char>(byte))); };
  const auto continuation = [&](int shift) { put(0x80 | (value >> shift & 0x3F)); };
  if (value < 0x80) {
    put(value);
  } else if (value < 0x800) {
    put(0xC0 | value >> 6), continuation(0);
  } else if (value < 0x10000) {
    put(0xE0 | value >> 12), continuation(6), continuation(0);
  } else {
    put(0xF0 | value >> 18), continuation(12), continuation(6), continuation(0);
  }
}

}  // namespace eigan::detail

namespace eigan::detail {

class JsonReader {
 public:
  /// `text` must be valid UTF-8. `name` opens every message, and `first` is what the offset of the text's first byte
  /// is called there.
  JsonReader(std::string_view text, std::string name, std::size_t first = 0)
      : text_(text), name_(std::move(name)), first_(first) {}

  /// Reads {"key": value, ...}; calls member(std::string key) where the value begins.
  template <class Member>
  void object(Member&& member) {
    expect('{', "'{'");
    if (accept('}')) return;
    do {
      std::string key = string("a key in double quotes");
      expect(':', "':'");
      member(std::move(key));
    } while (accept(','));
    expect('}', "',' or '}'");
  }

  /// Reads [value, ...]; calls element() where each value begins.
  template <class Element>
  void array(Element&& element) {
    expect('[', "'['");
    if (accept(']')) return;
    do {
      element();
    } while (accept(','));
    expect(']', "',' or ']'");
  }

  std::string string(const char* expected = "a string") {
    expect('"', expected);
    std::string result;
    for (;;) {
      const std::size_t begin = at_;
      while (at_ < text_.size() && is_plain(text_[at_])) ++at_;
      result += text_.substr(begin, at_ - begin);
      if (at_ == text_.size()) fail("the string's closing quote");
      if (text_[at_] == '"') {
        ++at_;
        return result;
      }
      if (text_[at_] != '\\') fail("a control character to be escaped");
      ++at_;
      escape(result);
    }
  }

  /// An integer from 0 to 2^64 - 1, written in plain digits.
  std::uint64_t unsigned_integer() {
    skip_space();
    std::uint64_t value = 0;
    const char* const begin = text_.data() + at_;
    const auto [end, error] = std::from_chars(begin, text_.data() + text_.size(), value);
    if (error == std::errc::invalid_argument) fail("a non-negative integer");
    if (error == std::errc::result_out_of_range) fail("an integer below 2^64");
    if (*begin == '0' && end != begin + 1) fail("an integer without leading zeros");
    at_ = static_cast<std::size_t>(end - text_.data());
    if (at_ < text_.size() && (text_[at_] == '.' || text_[at_] == 'e' || text_[at_] == 'E')) {
      fail("an integer without fraction and exponent");
    }
    return value;
  }

  /// A string, number, true, false or null that nobody wants to know; letters and digits are not looked at closely.
  void skip_scalar() {
    skip_space();
    if (at_ < text_.size() && text_[at_] == '"') return void(string());
    const auto among = [](char c) {
      return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c == 'E' || c == '+' || c == '-' || c == '.';
    };
    const std::size_t begin = at_;
    while (at_ < text_.size() && among(text_[at_])) ++at_;
    if (at_ == begin) fail("a string or a number");
  }

  /// Requires that nothing but white space is left.
  void end() {
    skip_space();
    if (at_ != text_.size()) fail("nothing after the closing bracket");
  }

  /// Throws Error "NAME: at byte N: expected EXPECTED, found ...".
  [[noreturn]] void fail(std::string_view expected) const {
    const std::size_t length = at_ < text_.size() ? decode_utf8(text_.substr(at_)).length : 0;
    const std::string found =
        at_ < text_.size() ? concat("'", printable(text_.substr(at_, length)), "'") : "the end of the text";
    fail_data(name_, ": at byte ", first_ + at_, ": expected ", expected, ", found ", found);
  }

 private:
  // Stands for itself in a string.
  static bool is_plain(char c) { return c != '"' && c != '\\' && static_cast<unsigned char>(c) >= 0x20; }

  static bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

  void skip_space() {
    while (at_ < text_.size() && is_space(text_[at_])) ++at_;
  }

  bool accept(char c) {
    skip_space();
    const bool found = at_ < text_.size() && text_[at_] == c;
    if (found) ++at_;
    return found;
  }

  void expect(char c, std::string_view expected) {
    if (!accept(c)) fail(expected);
  }

  // What follows a backslash.
  void escape(std::string& result) {
    constexpr std::string_view letters = "\"\\/bfnrt";
    constexpr std::string_view meanings = "\"\\/\b\f\n\r\t";
    const char letter = at_ < text_.size() ? text_[at_] : '\0';
    if (const std::size_t i = letters.find(letter); i != std::string_view::npos) {
      ++at_;
      result += meanings[i];
      return;
    }
    if (letter != 'u') fail("one of \" \\ / b f n r t u after a backslash");
    ++at_;
    char32_t value = four_digits();
    if (value >= 0xDC00 && value <= 0xDFFF) fail("a high surrogate before a low one");
    if (value >= 0xD800 && value <= 0xDBFF) {
      if (text_.substr(at_, 2) != "\\u") fail("a low surrogate after a high one");
      at_ += 2;
      const char32_t low = four_digits();
      if (low < 0xDC00 || low > 0xDFFF) fail("a low surrogate after a high one");
      value = 0x10000 + ((value - 0xD800) << 10) + (low - 0xDC00);
    }
    append_utf8(result, value);
  }

  char32_t four_digits() {
    std::uint16_t value = 0;
    const std::string_view digits = text_.substr(at_, 4);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
    if (error != std::errc() || end - digits.data() != 4) fail("four hexadecimal digits");
    at_ += 4;
    return value;
  }

  std::string_view text_;
  std::string name_;
  std::size_t first_;
  std::size_t at_ = 0;
};

/// Appends `text`, valid UTF-8, as a JSON string with as few escapes as JSON allows.
inline void append_json_string(std::string& json, std::string_view text) {
  json += '"';
  for (const char c : text) {
    constexpr std::string_view letters = "\"\\bfnrt";
    constexpr std::string_view meanings = "\"\\\b\f\n\r\t";
    if (const std::size_t i = meanings.find(c); i != std::string_view::npos) {
      json += {'\\', letters[i]};
    } else if (static_cast<unsigned char>(c) < 0x20) {
      const auto byte = static_cast<unsigned char>(c);
      json += "\\u00";
      json += {"0123456789abcdef"[byte >> 4], "0123456789abcdef"[byte & 15]};
    } else {
      json += c;
    }
  }
  json += '"';
}

}  // namespace eigan::detail

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

// ======== eigan/io/sharded_model.hpp
// A model in several safetensors files, and the index that says which tensor is in which, as Hugging Face's libraries
// write them:    {"metadata": {"total_size": 8}, "weight_map": {"0.weight": "model-00001-of-00002.safetensors", ...}}
// The files lie beside the index.

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

// ======== eigan/io/write_safetensors.hpp
// write_safetensors: the format's writer, byte for byte like the reference's: tensors sorted by falling alignment, then
// by name; a compact header, metadata first, filled with spaces to a multiple of 8 so that every element is aligned.

#include <set>

// ======== eigan/io/atomic_file.hpp
// AtomicFile: a file that appears whole or not at all.
//
// The bytes go to a temporary file in the same folder, are forced to the disk, and only then does the file take its
// name, replacing what was there. A reader of the path sees the old file or the new one, even after a power cut;
// a failure half-way leaves the old file alone and removes the temporary.

#if defined(EIGAN_HAS_FILES)
#include <sys/stat.h>

namespace eigan {

/// A file in the making; without commit() nothing comes of it.
class AtomicFile {
 public:
  /// Opens the temporary file; `path` itself is not touched before commit(). A symbolic link is followed, and a file
  /// that is replaced hands its permissions on. Error if the folder does not take a file, if `path` is there and is
  /// not a regular file, or if it is a symbolic link that leads nowhere.
  explicit AtomicFile(const std::filesystem::path& path) : path_(path), target_(path) {
    std::error_code error;
    if (std::filesystem::is_symlink(path, error)) {
      target_ = std::filesystem::canonical(path, error);
      if (error) detail::fail_system(path_, "resolve the symbolic link", error.value());
    }
    struct ::stat status {};
    const bool replaces = ::stat(target_.c_str(), &status) == 0;
    if (replaces && S_ISDIR(status.st_mode)) detail::fail_system(path_, "write", EISDIR);
    if (replaces && !S_ISREG(status.st_mode)) {
      detail::fail_data(detail::display(path_), ": cannot write: expected a regular file, found a device or a pipe");
    }
    create_temporary(replaces ? status.st_mode & 0600 : 0666);  // never readable by more than the file that it replaces
    if (replaces) static_cast<void>(::fchmod(file_.get(), status.st_mode & 07777));
  }

  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;
  /// Removes the temporary file if commit() was not reached.
  ~AtomicFile() { discard(); }

  /// Appends. Error if the disk does not take it.
  void write(std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
      const auto count = detail::retry_interrupted([&] { return ::write(file_.get(), bytes.data(), bytes.size()); });
      if (count <= 0) fail("write", count == 0 ? ENOSPC : errno);
      bytes = bytes.subspan(static_cast<std::size_t>(count));
    }
  }
  void write(std::string_view text) { write(std::as_bytes(std::span(text.data(), text.size()))); }

  /// Makes the file appear under its name. Nothing may be written afterwards. What had that name before is kept in the
  /// same folder under the name `keep`, unless that is empty. At every moment there is a whole file under `path`, as
  /// long as the file system has hard links.
  void commit(const std::filesystem::path& keep = {}) {
    if (!sync(file_)) fail("flush to disk", errno);
    if (!file_.close()) fail("close", errno);
    const detail::FileDescriptor folder(this->folder(), O_RDONLY | O_DIRECTORY);  // what can fail comes before the end
    if (!folder.is_open()) fail("open its folder", errno);
    const std::filesystem::path kept = keep.empty() ? keep : this->folder() / keep.filename();
    const bool moved = !keep.empty() && keep_target(kept);
    if (std::rename(temporary_.c_str(), target_.c_str()) != 0) {
      const int error = errno;
      if (moved) std::rename(kept.c_str(), target_.c_str());
      fail("rename the finished file", error);
    }
    temporary_.clear();
    // The new name itself must reach the disk, too.
    if (!sync(folder)) fail("flush its folder to disk", errno);
  }

 private:
  std::filesystem::path folder() const { return target_.has_parent_path() ? target_.parent_path() : "."; }

  // First a second name for the old file, so that the first one is never without a file. Where there are no links it is
  // moved, and the answer is true.
  bool keep_target(const std::filesystem::path& keep) {
    const std::filesystem::path second = temporary_.native() + "2";
    if (::link(target_.c_str(), second.c_str()) == 0) {
      const int error = std::rename(second.c_str(), keep.c_str()) == 0 ? 0 : errno;
      ::unlink(second.c_str());  // still there if `keep` was a name of the same file
      if (error != 0) fail("keep the old file under another name", error);
      return false;
    }
    if (errno == ENOENT) return false;
    if (std::rename(target_.c_str(), keep.c_str()) != 0) fail("keep the old file under another name", errno);
    return true;
  }

  // The name is short and does not repeat the target's: a target of the longest allowed name must have room.
  void create_temporary(mode_t mode) {
    const std::string prefix = ".eigan-" + std::to_string(::getpid()) + "-";
    for (int attempt = 0; attempt < 1000; ++attempt) {
      auto name = folder() / (prefix + std::to_string(attempt) + ".tmp");
      file_ = detail::FileDescriptor(name, O_WRONLY | O_CREAT | O_EXCL, mode);
      if (file_.is_open()) {
        temporary_ = std::move(name);
        return;
      }
      if (errno != EEXIST) break;
    }
    fail("create a temporary file in its folder", errno);
  }

  // Some network file systems cannot flush and say EINVAL: then there is nothing better to be had.
  static bool sync(const detail::FileDescriptor& file) {
    return detail::retry_interrupted([&] { return ::fsync(file.get()); }) == 0 || errno == EINVAL;
  }

  [[noreturn]] void fail(std::string_view operation, int code) {
    discard();
    detail::fail_system(path_, operation, code);
  }

  void discard() {
    file_.close();
    if (!temporary_.empty()) ::unlink(temporary_.c_str());
    temporary_.clear();
  }

  std::filesystem::path path_;       // as the caller said it
  std::filesystem::path target_;     // symbolic links resolved
  std::filesystem::path temporary_;  // empty when there is none to remove
  detail::FileDescriptor file_;
};

/// Writes a whole file atomically. Error if that fails; then whatever was at `path` is unchanged (except that a folder
/// which cannot be flushed has the new file already, only not yet for sure on the disk).
inline void write_file(const std::filesystem::path& path, std::span<const std::byte> bytes) {
  AtomicFile file(path);
  file.write(bytes);
  file.commit();
}
inline void write_file(const std::filesystem::path& path, std::string_view text) {
  write_file(path, std::as_bytes(std::span(text.data(), text.size())));
}

}  // namespace eigan
#endif

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

namespace eigan {

/// What a file's tensor is called in the model; empty for one that the model is not to have.
using TensorNames = std::function<std::string(const std::string& in_file)>;

/// For a model that is a part of what the file holds: "model.encoder.0.weight" is the encoder's "0.weight", and what
/// does not begin with `prefix` is passed over.
inline TensorNames strip_prefix(std::string prefix) {
  return [prefix = std::move(prefix)](const std::string& name) {
    return name.starts_with(prefix) ? name.substr(prefix.size()) : std::string();
  };
}

namespace detail {

/// A tensor and the file that holds it.
struct FoundTensor {
  const SafetensorsFile* file = nullptr;
  const TensorInfo* tensor = nullptr;
};

/// The tensors of one file, or of the parts of one, by the names that the model has for them. Error if two have one.
inline std::map<std::string, FoundTensor> name_tensors(std::span<const SafetensorsFile> files,
                                                       const TensorNames& names) {
  std::map<std::string, FoundTensor> named;
  for (const SafetensorsFile& file : files)
    for (const TensorInfo& tensor : file.tensors()) {
      std::string name = names ? names(tensor.name) : tensor.name;
      if (names && name.empty()) continue;
      const auto [place, added] = named.try_emplace(std::move(name), FoundTensor{&file, &tensor});
      if (!added)
        fail_data(file.name(), ": tensor '", printable(tensor.name), "': expected a name of its own, '",
                  printable(place->first), "' is that of '", printable(place->second.tensor->name), "'");
    }
  return named;
}

/// The tensors that a model has, in its order; none for a count that the file lacks, as those of revision 6189ee1 do.
/// Error if the file lacks another, has one too many, or has one of another shape.
inline std::vector<FoundTensor> find_tensors(const std::string& file, std::map<std::string, FoundTensor> named,
                                             const std::vector<Parameter>& tensors) {
  std::vector<FoundTensor> found;
  for (const Parameter& p : tensors) {
    const auto shape = file_shape(p, static_cast<std::size_t>(p.offset + p.size()));
    const auto fail = [&](const auto&... what) {
      fail_data(file, ": tensor '", printable(p.name), "': expected ", shape_text(shape), ", found ", what...);
    };
    const auto place = named.find(p.name);
    if (place == named.end()) {
      if (!p.integer) fail("no tensor of that name");
      found.emplace_back();
      continue;
    }
    if (place->second.tensor->shape != shape) fail(shape_text(place->second.tensor->shape));
    found.push_back(place->second);
    named.erase(place);
  }
  if (!named.empty())
    fail_data(file, ": tensor '", printable(named.begin()->first), "': expected only the model's ", tensors.size(),
              " tensors, found one that it does not have");
  return found;
}

/// What load() does, for one file or the parts of one; `file` is what messages call it.
template <SavableModel M>
void load(const std::string& file, std::span<const SafetensorsFile> parts, M& model, const TensorNames& names) {
  using T = ModelScalar<M>;
  const std::string architecture = model.architecture();
  for (const SafetensorsFile& part : parts)
    if (const auto stated = part.metadata().find("architecture");
        !names && stated != part.metadata().end() && !same_architecture(stated->second, architecture))
      fail_data(file, ": expected a model of architecture '", printable(architecture), "', found '",
                printable(stated->second), "'");

  const auto tensors = tensors_of(model);
  std::vector<Parameter> places;
  for (const auto& tensor : tensors) {
    file_shape(tensor.place, tensor.buffer.size());
    places.push_back(tensor.place);
  }
  const std::vector<FoundTensor> found = find_tensors(file, name_tensors(parts, names), places);
  std::vector<std::vector<T>> values;  // all of them, before the first number changes
  for (std::size_t i = 0; i < found.size(); ++i)
    values.push_back(found[i].tensor == nullptr ? std::vector<T>(static_cast<std::size_t>(places[i].size()), T(1))
                                                : file_values<T>(*found[i].file, *found[i].tensor, places[i]));
  for (std::size_t i = 0; i < found.size(); ++i) std::copy(values[i].begin(), values[i].end(), tensors[i].data());
}

/// Calls write(tensors, metadata) with what a file of the model holds.
template <SavableModel M, class Write>
auto as_safetensors(const M& model, const std::map<std::string, std::string>& extra_metadata, const Write& write) {
  std::map<std::string, std::string> metadata{
      {"format", "eigan"}, {"eigan_version", version}, {"architecture", model.architecture()}};
  metadata.insert(extra_metadata.begin(), extra_metadata.end());

  std::vector<std::vector<std::byte>> bytes;
  std::vector<TensorView> views;
  for (const auto& tensor : tensors_of(model)) {
    auto shape = file_shape(tensor.place, tensor.buffer.size());
    bytes.push_back(file_bytes(tensor));
    views.push_back(
        {tensor.place.name, file_dtype<ModelScalar<const M>>(tensor.place), std::move(shape), bytes.back()});
  }
  return write(std::move(views), metadata);
}

}  // namespace detail

/// The bytes of a model's file: F32 for float, F64 for double, counts as I64. `extra_metadata` joins what the file says
/// of itself; it cannot replace it.
template <SavableModel M>
std::vector<std::byte> model_bytes(const M& model, const std::map<std::string, std::string>& extra_metadata = {}) {
  return detail::as_safetensors(model, extra_metadata, safetensors_bytes);
}

#if defined(EIGAN_HAS_FILES)
/// Writes these bytes atomically. Error if the file cannot be written.
template <SavableModel M>
void save(const std::filesystem::path& path, const M& model,
          const std::map<std::string, std::string>& extra_metadata = {}) {
  detail::as_safetensors(model, extra_metadata, [&](std::vector<TensorView> tensors, const auto& metadata) {
    write_safetensors(path, std::move(tensors), metadata);
  });
}
#endif

/// Loads a model that was constructed with the same architecture, from a file of eigan or PyTorch: F64, F32, F16 and
/// BF16 become the model's numbers. Samples may have another height and width than in the file. Error, with the model
/// as it was, if the file states another architecture, lacks a tensor, has one too many, or has one of another shape or
/// dtype. With `names` the file may hold more and be of any model:
///
///   load("vae.safetensors", decoder, strip_prefix("decoder."));
template <SavableModel M>
void load(const SafetensorsFile& file, M& model, const TensorNames& names = {}) {
  detail::load(file.name(), std::span(&file, 1), model, names);
}
#if defined(EIGAN_HAS_FILES)
/// Loads a model from the file at a path, or from the files that an index at that path names. Error also if one cannot
/// be read.
template <SavableModel M>
void load(const std::filesystem::path& path, M& model, const TensorNames& names = {}) {
  detail::load(detail::display(path), read_model_files(path), model, names);
}
#endif

}  // namespace eigan
