// clang-format off
// eigan 0.1.0: neural networks with hand-written gradients, in one file. Needs the standard library and Eigen/Core.
// It has what <eigan/eigan.hpp> and <eigan/io/model_file.hpp> have: networks, training, adversarial training, and models
// in files. Left out, because they need more or take long to compile: networks put together at run time (Network), models
// as ONNX or C++ source, checkpoints, data sets (zlib), sheets of images (stb), charts, .npy files, metrics and the gradient
// checker. For those take the folder include/ instead of this file, not beside it. A header that save_cpp_source wrote
// needs the folder, too.
//
// Made by scripts/single-header from include/eigan: change those files, not this one.
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
// composition and adversarial training. Networks put together at run time (eigan/net/network.hpp), files (eigan/io),
// data sets (eigan/data), the gradient checker (eigan/testing) and the metrics (eigan/metrics.hpp) are separate
// headers, because they need more than the standard library and Eigen/Core, or take long to compile.

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
// Arithmetic on sizes that come from outside: the result, or false when it does not fit.

#include <concepts>

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
#include <locale>
#include <sstream>
#include <stdexcept>
#include <string>

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

template <class... Parts>
std::string concat(const Parts&... parts) {
  std::ostringstream text;
  text.exceptions(std::ios::badbit);   // without memory a stream would leave out the rest and say nothing
  text.imbue(std::locale::classic());  // these texts go into files and are compared: no 1.024 for 1024
  (text << ... << parts);
  return text.str();
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

}  // namespace eigan

// ======== eigan/core/view.hpp
// View<T> and ConstView<T>: a matrix that somebody else owns.
//
// Samples are columns: a batch is features x batch, column-major, so that one sample is contiguous and a batch is a
// block of columns. Columns may stand further apart than they are long (`outerStride()`), which lets buffers pad
// them to cache lines. Both types are Eigen maps: every Eigen expression works on them.

#include <Eigen/Core>

namespace eigan {

/// An owning matrix, for a user's own data; the library's own memory is Buffer. It is Eigen's, whose allocation depends
/// on -march: translation units compiled for different processors must not hand a Matrix to each other, views they may.
template <class T>
using Matrix = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic>;

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
// Both are given x and y of the forward pass and dy.

#include <array>
#include <vector>

// ======== eigan/core/parameter.hpp
// Parameter: the name, place and shape of one tensor inside a network's flat parameter buffer.
//
// Matrices lie column-major in the buffer (a Linear weight is out x in, so one input feature's weights are contiguous);
// files store them row-major, as PyTorch does, and the file code transposes.

namespace eigan {

/// One tensor of a network.
struct Parameter {
  std::string name;  ///< as in torch.nn.Sequential: "0.weight"
  Index offset;      ///< of the first element in the flat buffer
  Index rows;        ///< first extent; the length of a vector
  Index cols;        ///< second extent; 1 for a vector
  int rank;          ///< 1 for a vector such as a bias, 2 for a matrix

  /// Its elements.
  Index size() const { return rows * cols; }
};

}  // namespace eigan

// ======== eigan/core/rng.hpp
// Counter-based random numbers: Philox4x32-10 (Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy as
// 1, 2, 3", SC 2011).
//
// A number is a pure function of (key, index, sample): nobody advances a state, so it does not matter which thread
// asks first, and a dropout mask can be made again instead of being stored. Independent streams come from
// `fold_in`, as in JAX: `Rng(seed).fold_in(step).fold_in(layer)`.

#include <cstdint>

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

namespace eigan {

/// Where a stochastic layer's numbers come from: sample j of the views is sample first_sample + j of the pass.
struct Draw {
  Rng rng;             ///< of this layer in this pass
  Index first_sample;  ///< the number in the pass of the views' first sample
};

/// Declares `static constexpr bool elementwise = true`: each output depends on the input in the same place alone, so
/// the sizes are equal, and forward may run in place (y over x), as may backward_input (dx over dy).
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

/// What every layer has: a kind of size, `forward` and `backward_input`. It may state `backward_reads_x = false` (or
/// _y) where both backward functions do without the input (the output), whose memory is then used again.
template <class L, class T = float>
concept Layer = (ElementwiseLayer<L> || SizedLayer<L>)&&requires(const L layer, std::span<const T> p, ConstView<T> c,
                                                                 View<T> v) {
  layer.forward(p, c, v);               // (p, x, y)          y = f(x), at inference
  layer.backward_input(p, c, c, c, v);  // (p, x, y, dy, dx)  assigns dx
};

/// A layer with parameters to train.
template <class L, class T = float>
concept ParametricLayer = Layer<L, T> &&
    requires(const L layer, std::span<const T> p, std::span<T> dp, ConstView<T> c, const Rng rng) {
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
    requires(const L layer, std::span<const T> p, std::span<T> dp, ConstView<T> c, Index first, Index last) {
  { layer.block_count() } -> std::convertible_to<Index>;
  { layer.block_range(first) } -> std::convertible_to<std::pair<Index, Index>>;  // [first, last) parameter
  // (p, x, y, dy, dp, first, last)  adds to the blocks [first, last) of dp, one at least
  layer.backward_params_blocks(p, c, c, c, dp, first, last);
};

/// A layer that behaves differently in training because it draws random numbers (dropout). `forward` is inference.
template <class L, class T = float>
concept StochasticLayer = Layer<L, T> &&
    requires(const L layer, std::span<const T> p, ConstView<T> c, View<T> v, Draw draw) {
  layer.forward_train(p, c, v, draw);               // (p, x, y, draw)
  layer.backward_input_train(p, c, c, c, v, draw);  // (p, x, y, dy, dx, draw)  the same draw as forward's
};

/// A layer whose output for one sample depends on the other samples of the batch in training (batch normalisation): a
/// training pass gives it the whole batch at once, in independent parts whose number depends on its sizes alone.
/// `forward` and `backward_input` are inference.
template <class L, class T = float>
concept BatchCoupledLayer = Layer<L, T> &&
    requires(const L layer, std::span<const T> p, ConstView<T> c, View<T> v, Index part) {
  { layer.part_count() } -> std::convertible_to<Index>;
  layer.forward_part(p, c, v, part);               // (p, x, y, part)          assigns its part of y
  layer.backward_input_part(p, c, c, c, v, part);  // (p, x, y, dy, dx, part)  assigns its part of dx
};

/// Declares `static constexpr bool piecewise_linear = true`: y is linear in x around almost every x, so that the second
/// derivative of a network of such layers comes from its weights alone. One that is not element-wise also has
///   forward_tangent(p, tx, ty)                        assigns the derivative of y in the direction tx
///   backward_tangent_blocks(tx, dy, dp, first, last)  adds the derivative of <dy, ty> to its parameters' gradient
/// with the blocks of a BlockedLayer. An element-wise one needs neither: backward_input maps tangents as well.
template <class L, class T = float>
concept PiecewiseLinearLayer = Layer<L, T> && requires {
  requires L::piecewise_linear;
} &&(ElementwiseLayer<L> || (BlockedLayer<L, T> && requires(const L layer, std::span<const T> p, std::span<T> dp,
                                                            ConstView<T> c, View<T> v, Index first, Index last) {
       layer.forward_tangent(p, c, v);
       layer.backward_tangent_blocks(c, c, dp, first, last);
     }));

namespace detail {

// A layer may state `static constexpr bool backward_reads_x = false` (or _y) where that holds for both backward
// functions; the tape then reuses the memory. Silence means that both are read.
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

/// Compile-time sizes; `dynamic` where the type does not say.
template <class L>
constexpr Index static_input() {
  if constexpr (ElementwiseLayer<L>)
    return dynamic;
  else
    return L::input;
}
template <class L>
constexpr Index static_output(Index input) {
  if constexpr (ElementwiseLayer<L>)
    return input;
  else
    return L::output;
}

/// Sizes at run time; input_of is `dynamic` for a layer that takes any size.
template <class L>
Index input_of(const L& layer) {
  if constexpr (requires { layer.input_size(); })
    return layer.input_size();
  else
    return static_input<L>();
}
template <class L>
Index output_of(const L& layer, Index input) {
  if constexpr (ElementwiseLayer<L>)
    return input;
  else if constexpr (requires { layer.output_size(); })
    return layer.output_size();
  else
    return L::output;
}

template <class L>
Index param_size_of(const L& layer) {
  if constexpr (requires { layer.param_size(); })
    return layer.param_size();
  else
    return 0;
}

/// What passes and tapes ask of a layer.
struct LayerTraits {
  bool elementwise, parametric, stochastic, coupled, reads_x, reads_y;
  bool operator==(const LayerTraits&) const = default;
};
template <class L, class T>
inline constexpr LayerTraits static_traits{ElementwiseLayer<L>,     ParametricLayer<L, T>, StochasticLayer<L, T>,
                                           BatchCoupledLayer<L, T>, backward_reads_x<L>(), backward_reads_y<L>()};
/// A layer that is known only at run time, AnyLayer, answers with its own.
template <class L>
concept RunTimeLayer = requires(const L layer) {
  { layer.traits() } -> std::same_as<const LayerTraits&>;
};
template <class T, class L>
constexpr LayerTraits traits_of([[maybe_unused]] const L& layer) {
  if constexpr (RunTimeLayer<L>)
    return layer.traits();
  else
    return static_traits<L, T>;
}

/// How many of the layer's parameters an optimiser changes: the first `trained_size()`, all where it says nothing.
template <class L>
Index trained_size_of(const L& layer) {
  if constexpr (requires { layer.trained_size(); })
    return layer.trained_size();
  else
    return param_size_of(layer);
}

/// How the layer is printed: `Linear(in_features=784, out_features=128)`.
template <class L>
std::string describe(const L& layer) {
  if constexpr (requires { layer.describe(); })
    return layer.describe();
  else
    return "Layer";
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

}  // namespace detail
}  // namespace eigan

// ======== eigan/core/parallel.hpp
// parallel_for: the only place that knows OpenMP. Without OpenMP it is a loop.
//
// Work items are independent and each is computed the same way whoever takes it, so results never depend on the
// number of threads. Small work stays on the calling thread, and so does work asked for inside a parallel region of the
// caller's or in a process that has lost its helpers to fork().

#include <bit>
#include <exception>

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

// ======== eigan/core/processors.hpp
// How many processors this process may keep busy: by its affinity (taskset, a scheduler of jobs), and by the share that
// its control groups grant it (a container). Linux tells; elsewhere no limit is known.

#include <cmath>
#include <cstring>
#include <limits>
#include <string_view>

#if defined(__linux__)
#include <sched.h>
#endif

namespace eigan::detail {

inline constexpr int no_limit = std::numeric_limits<int>::max();

/// Those that the calling thread may run on, and so threads that it starts.
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
  /// At most; 0 for as many as the work is worth, of those that OpenMP would use (OMP_NUM_THREADS) and that the process
  /// has processors for (its affinity, its control group).
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

#if defined(_OPENMP)
/// Processors for the threads of a region that the calling thread would open.
inline int usable_processors() {
  static const int granted = granted_processors();
  // Where OpenMP binds its threads to places, this one's own place says nothing of the others'.
  const bool bound = omp_get_proc_bind() != omp_proc_bind_false;
  return std::min(granted, bound ? omp_get_num_procs() : allowed_processors());
}
#endif

inline int usable_threads([[maybe_unused]] Threads threads, [[maybe_unused]] double work) {
#if defined(_OPENMP)
  const bool named = threads.count > 0;
  if (threads.count == 1 || work < (named ? named_threshold : parallel_threshold)) return 1;
  if (omp_in_parallel() || helpers_lost()) return 1;
  return named ? threads.count : worthwhile_threads(work, std::min(omp_get_max_threads(), usable_processors()));
#else
  return 1;
#endif
}

/// Calls f(part, parts) on each of `parts` threads, part = 0, ..., parts - 1. What a part throws reaches the caller
/// when all parts have ended; of several exceptions, one.
template <class F>
void parallel(int parts, const F& f) {
#if defined(_OPENMP)
  if (parts > 1) {
    // The run time may grant fewer threads than were asked for.
#if defined(__cpp_exceptions)
    std::exception_ptr error;
#pragma omp parallel num_threads(parts)
    try {
      f(omp_get_thread_num(), omp_get_num_threads());
    } catch (...) {
#pragma omp critical(eigan_parallel_error)
      error = std::current_exception();
    }
    if (error) std::rethrow_exception(error);
#else
#pragma omp parallel num_threads(parts)
    f(omp_get_thread_num(), omp_get_num_threads());
#endif
    return;
  }
#endif
  static_cast<void>(parts);
  f(0, 1);
}

/// Where part 0, ..., `of` begins, when [0, n) is divided equally.
constexpr Index part_begin(Index n, Index part, Index of) {
  return static_cast<Index>(std::int64_t{n} * part / of);  // Index may have 32 bits
}

/// Calls f(first, last) for contiguous ranges of equal length that make up [0, n). `work`: floating-point operations in
/// all. All usable threads take part, even where n is smaller.
template <class F>
void parallel_ranges(Index n, double work, Threads threads, const F& f) {
  parallel(usable_threads(threads, work), [&](int part, int of) {
    const Index first = part_begin(n, part, of), last = part_begin(n, part + 1, of);
    if (first < last) f(first, last);
  });
}

/// The same with f(i) for each i.
template <class F>
void parallel_for(Index n, double work, Threads threads, const F& f) {
  parallel_ranges(n, work, threads, [&](Index first, Index last) {
    for (Index i = first; i < last; ++i) f(i);
  });
}

}  // namespace detail

/// The number of threads that a large piece of work would use.
inline int thread_count(Threads threads = {}) {
  return detail::usable_threads(threads, 1e12);
}

}  // namespace eigan

// ======== eigan/core/random.hpp
// Filling matrices with random numbers from Rng. Element (i, j) depends on the generator's key, i and
// first_sample + j alone: a batch can be filled in parts, by anybody, with the same result. The distributions are
// our own, because the standard library's differ between vendors.

#include <numbers>

// ======== eigan/kernels/random.hpp
// Random numbers of a sample's stream (see core/rng.hpp), many at a time.

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
    fail_data("EIGAN_FORCE_ISA: expected portable, avx2 or avx512, found another word");
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
#define EIGAN_TARGET
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
  V product = a * b;
#if defined(__x86_64__) && EIGAN_VECTOR_BYTES == 16
  // Two roundings everywhere: a translation unit compiled for a newer processor must not make one instruction of them.
  asm("" : "+x"(product));
#endif
  return product + c;
}
#endif
#if !defined(EIGAN_X86_VECTORS)
template <class V>
EIGAN_TARGET EIGAN_INLINE V square_root(V a) {
  for (unsigned i = 0; i < sizeof(V) / sizeof(a[0]); ++i) a[i] = std::sqrt(a[i]);
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
  V product = a * b;
#if defined(__x86_64__) && EIGAN_VECTOR_BYTES == 16
  // Two roundings everywhere: a translation unit compiled for a newer processor must not make one instruction of them.
  asm("" : "+x"(product));
#endif
  return product + c;
}
#endif
#if !defined(EIGAN_X86_VECTORS)
template <class V>
EIGAN_TARGET EIGAN_INLINE V square_root(V a) {
  for (unsigned i = 0; i < sizeof(V) / sizeof(a[0]); ++i) a[i] = std::sqrt(a[i]);
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
  V product = a * b;
#if defined(__x86_64__) && EIGAN_VECTOR_BYTES == 16
  // Two roundings everywhere: a translation unit compiled for a newer processor must not make one instruction of them.
  asm("" : "+x"(product));
#endif
  return product + c;
}
#endif
#if !defined(EIGAN_X86_VECTORS)
template <class V>
EIGAN_TARGET EIGAN_INLINE V square_root(V a) {
  for (unsigned i = 0; i < sizeof(V) / sizeof(a[0]); ++i) a[i] = std::sqrt(a[i]);
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

namespace eigan::detail {

template <class T>
struct RandomKernels {
  /// y[i] = x[i] * scale where the i-th 16-bit number of the sample's stream is >= threshold, else 0.
  void (*dropout)(Index n, std::uint64_t key, std::uint64_t sample, std::uint32_t threshold, T scale, const T* x, T* y);
  /// y[i] = low + width * u, u uniform in [0, 1) from the sample's stream.
  void (*uniform)(Index n, std::uint64_t key, std::uint64_t sample, T low, T width, T* y);
};

template <class T>
const RandomKernels<T>& random_kernels() {
  return kernels<RandomKernels<T>>();
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
#define EIGAN_TARGET
#define EIGAN_VECTOR_BYTES 16

// ======== eigan/kernels/random.inc
// Random numbers: see random.hpp. Compiled by for_each_isa.inc.

namespace eigan::detail::EIGAN_ISA {

#if defined(EIGAN_X86_VECTORS)
using FourWords = std::uint64_t __attribute__((vector_size(32)));
using EightWords = std::uint32_t __attribute__((vector_size(32)));
/// a b for the low 32 bits of each lane.
EIGAN_TARGET EIGAN_INLINE FourWords multiply_low_words(FourWords a, FourWords b) {
#if defined(__clang__)  // finds the instruction by itself
  return (a & 0xFFFFFFFFu) * (b & 0xFFFFFFFFu);
#else
  using Signed = std::int32_t __attribute__((vector_size(32)));
  return reinterpret_cast<FourWords>(
      __builtin_ia32_pmuludq256(reinterpret_cast<Signed>(a), reinterpret_cast<Signed>(b)));
#endif
}
#endif

/// The g-th group of 32 words of a sample's stream: see Rng::word for their order.
EIGAN_TARGET EIGAN_INLINE void philox_group(std::uint64_t key, std::uint64_t sample, std::uint64_t group,
                                            std::uint32_t* words) {
#if defined(EIGAN_X86_VECTORS)
  // Eight counters, four to a register, each 32-bit word in the low half of a 64-bit lane.
  constexpr std::uint64_t low = 0xFFFFFFFF;
  const std::uint64_t first = 8 * group;
  const FourWords index[2] = {first + FourWords{0, 1, 2, 3}, first + FourWords{4, 5, 6, 7}};
  FourWords c[2][4];
  EIGAN_UNROLL for (unsigned h = 0; h < 2; ++h) {
    c[h][0] = index[h] & low;
    c[h][1] = index[h] >> 32;
    c[h][2] = FourWords{} + (sample & low);
    c[h][3] = FourWords{} + (sample >> 32);
  }
  auto k0 = static_cast<std::uint32_t>(key);
  auto k1 = static_cast<std::uint32_t>(key >> 32);
  for (int round = 0; round < 10; ++round) {
    // NOLINTNEXTLINE(modernize-loop-convert): unrolled as the loop above
    EIGAN_UNROLL for (unsigned h = 0; h < 2; ++h) {
      const FourWords p0 = multiply_low_words(c[h][0], FourWords{} + 0xD2511F53);
      const FourWords p1 = multiply_low_words(c[h][2], FourWords{} + 0xCD9E8D57);
      c[h][0] = (p1 >> 32) ^ c[h][1] ^ std::uint64_t{k0};
      c[h][2] = (p0 >> 32) ^ c[h][3] ^ std::uint64_t{k1};
      // The products' high halves stay where they are: the product does not read them, and only low halves are stored.
      c[h][1] = p1 & low;
      c[h][3] = p0 & low;
    }
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  EIGAN_UNROLL for (unsigned w = 0; w < 4; ++w) {
    // The even 32-bit lanes of both registers, in order.
    const auto ordered = __builtin_shufflevector(reinterpret_cast<EightWords>(c[0][w]),
                                                 reinterpret_cast<EightWords>(c[1][w]), 0, 2, 4, 6, 8, 10, 12, 14);
    std::memcpy(words + 8 * w, &ordered, sizeof ordered);
  }
#else
  for (std::size_t lane = 0; lane < 8; ++lane) {
    const Rng::Words block = Rng(key).block(8 * group + lane, sample);
    for (std::size_t w = 0; w < 4; ++w) words[8 * w + lane] = block[w];
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
    for (Index i = 0; i < count; ++i)
      y[first + i] = fma(width, static_cast<T>(static_cast<std::int32_t>(words[i] >> 8)) * T(0x1p-24), low);
  }
}

template <class T>
struct TableOf<RandomKernels<T>> {
  static constexpr RandomKernels<T> table{
      .dropout = dropout<T>,
      .uniform = uniform<T>,
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

// ======== eigan/kernels/random.inc
// Random numbers: see random.hpp. Compiled by for_each_isa.inc.

namespace eigan::detail::EIGAN_ISA {

#if defined(EIGAN_X86_VECTORS)
using FourWords = std::uint64_t __attribute__((vector_size(32)));
using EightWords = std::uint32_t __attribute__((vector_size(32)));
/// a b for the low 32 bits of each lane.
EIGAN_TARGET EIGAN_INLINE FourWords multiply_low_words(FourWords a, FourWords b) {
#if defined(__clang__)  // finds the instruction by itself
  return (a & 0xFFFFFFFFu) * (b & 0xFFFFFFFFu);
#else
  using Signed = std::int32_t __attribute__((vector_size(32)));
  return reinterpret_cast<FourWords>(
      __builtin_ia32_pmuludq256(reinterpret_cast<Signed>(a), reinterpret_cast<Signed>(b)));
#endif
}
#endif

/// The g-th group of 32 words of a sample's stream: see Rng::word for their order.
EIGAN_TARGET EIGAN_INLINE void philox_group(std::uint64_t key, std::uint64_t sample, std::uint64_t group,
                                            std::uint32_t* words) {
#if defined(EIGAN_X86_VECTORS)
  // Eight counters, four to a register, each 32-bit word in the low half of a 64-bit lane.
  constexpr std::uint64_t low = 0xFFFFFFFF;
  const std::uint64_t first = 8 * group;
  const FourWords index[2] = {first + FourWords{0, 1, 2, 3}, first + FourWords{4, 5, 6, 7}};
  FourWords c[2][4];
  EIGAN_UNROLL for (unsigned h = 0; h < 2; ++h) {
    c[h][0] = index[h] & low;
    c[h][1] = index[h] >> 32;
    c[h][2] = FourWords{} + (sample & low);
    c[h][3] = FourWords{} + (sample >> 32);
  }
  auto k0 = static_cast<std::uint32_t>(key);
  auto k1 = static_cast<std::uint32_t>(key >> 32);
  for (int round = 0; round < 10; ++round) {
    // NOLINTNEXTLINE(modernize-loop-convert): unrolled as the loop above
    EIGAN_UNROLL for (unsigned h = 0; h < 2; ++h) {
      const FourWords p0 = multiply_low_words(c[h][0], FourWords{} + 0xD2511F53);
      const FourWords p1 = multiply_low_words(c[h][2], FourWords{} + 0xCD9E8D57);
      c[h][0] = (p1 >> 32) ^ c[h][1] ^ std::uint64_t{k0};
      c[h][2] = (p0 >> 32) ^ c[h][3] ^ std::uint64_t{k1};
      // The products' high halves stay where they are: the product does not read them, and only low halves are stored.
      c[h][1] = p1 & low;
      c[h][3] = p0 & low;
    }
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  EIGAN_UNROLL for (unsigned w = 0; w < 4; ++w) {
    // The even 32-bit lanes of both registers, in order.
    const auto ordered = __builtin_shufflevector(reinterpret_cast<EightWords>(c[0][w]),
                                                 reinterpret_cast<EightWords>(c[1][w]), 0, 2, 4, 6, 8, 10, 12, 14);
    std::memcpy(words + 8 * w, &ordered, sizeof ordered);
  }
#else
  for (std::size_t lane = 0; lane < 8; ++lane) {
    const Rng::Words block = Rng(key).block(8 * group + lane, sample);
    for (std::size_t w = 0; w < 4; ++w) words[8 * w + lane] = block[w];
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
    for (Index i = 0; i < count; ++i)
      y[first + i] = fma(width, static_cast<T>(static_cast<std::int32_t>(words[i] >> 8)) * T(0x1p-24), low);
  }
}

template <class T>
struct TableOf<RandomKernels<T>> {
  static constexpr RandomKernels<T> table{
      .dropout = dropout<T>,
      .uniform = uniform<T>,
  };
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
using FourWords = std::uint64_t __attribute__((vector_size(32)));
using EightWords = std::uint32_t __attribute__((vector_size(32)));
/// a b for the low 32 bits of each lane.
EIGAN_TARGET EIGAN_INLINE FourWords multiply_low_words(FourWords a, FourWords b) {
#if defined(__clang__)  // finds the instruction by itself
  return (a & 0xFFFFFFFFu) * (b & 0xFFFFFFFFu);
#else
  using Signed = std::int32_t __attribute__((vector_size(32)));
  return reinterpret_cast<FourWords>(
      __builtin_ia32_pmuludq256(reinterpret_cast<Signed>(a), reinterpret_cast<Signed>(b)));
#endif
}
#endif

/// The g-th group of 32 words of a sample's stream: see Rng::word for their order.
EIGAN_TARGET EIGAN_INLINE void philox_group(std::uint64_t key, std::uint64_t sample, std::uint64_t group,
                                            std::uint32_t* words) {
#if defined(EIGAN_X86_VECTORS)
  // Eight counters, four to a register, each 32-bit word in the low half of a 64-bit lane.
  constexpr std::uint64_t low = 0xFFFFFFFF;
  const std::uint64_t first = 8 * group;
  const FourWords index[2] = {first + FourWords{0, 1, 2, 3}, first + FourWords{4, 5, 6, 7}};
  FourWords c[2][4];
  EIGAN_UNROLL for (unsigned h = 0; h < 2; ++h) {
    c[h][0] = index[h] & low;
    c[h][1] = index[h] >> 32;
    c[h][2] = FourWords{} + (sample & low);
    c[h][3] = FourWords{} + (sample >> 32);
  }
  auto k0 = static_cast<std::uint32_t>(key);
  auto k1 = static_cast<std::uint32_t>(key >> 32);
  for (int round = 0; round < 10; ++round) {
    // NOLINTNEXTLINE(modernize-loop-convert): unrolled as the loop above
    EIGAN_UNROLL for (unsigned h = 0; h < 2; ++h) {
      const FourWords p0 = multiply_low_words(c[h][0], FourWords{} + 0xD2511F53);
      const FourWords p1 = multiply_low_words(c[h][2], FourWords{} + 0xCD9E8D57);
      c[h][0] = (p1 >> 32) ^ c[h][1] ^ std::uint64_t{k0};
      c[h][2] = (p0 >> 32) ^ c[h][3] ^ std::uint64_t{k1};
      // The products' high halves stay where they are: the product does not read them, and only low halves are stored.
      c[h][1] = p1 & low;
      c[h][3] = p0 & low;
    }
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  EIGAN_UNROLL for (unsigned w = 0; w < 4; ++w) {
    // The even 32-bit lanes of both registers, in order.
    const auto ordered = __builtin_shufflevector(reinterpret_cast<EightWords>(c[0][w]),
                                                 reinterpret_cast<EightWords>(c[1][w]), 0, 2, 4, 6, 8, 10, 12, 14);
    std::memcpy(words + 8 * w, &ordered, sizeof ordered);
  }
#else
  for (std::size_t lane = 0; lane < 8; ++lane) {
    const Rng::Words block = Rng(key).block(8 * group + lane, sample);
    for (std::size_t w = 0; w < 4; ++w) words[8 * w + lane] = block[w];
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
    for (Index i = 0; i < count; ++i)
      y[first + i] = fma(width, static_cast<T>(static_cast<std::int32_t>(words[i] >> 8)) * T(0x1p-24), low);
  }
}

template <class T>
struct TableOf<RandomKernels<T>> {
  static constexpr RandomKernels<T> table{
      .dropout = dropout<T>,
      .uniform = uniform<T>,
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
EIGAN_SHARE_KERNELS(RandomKernels)

namespace eigan {

/// Uniform in [low, high), on a grid of (high - low) 2^-24. Where T cannot tell the last grid points from high, as
/// float cannot in [1, 2), rounding may give high itself.
template <class T>
void fill_uniform(View<T> out, double low, double high, Rng rng, Index first_sample = 0) {
  for (Index j = 0; j < out.cols(); ++j)
    detail::random_kernels<T>().uniform(out.rows(), rng.key(), static_cast<std::uint64_t>(first_sample + j),
                                        static_cast<T>(low), static_cast<T>(high - low),
                                        out.data() + j * out.outerStride());
}

/// Normal with the given mean and standard deviation, by Box and Muller's transformation.
template <class T>
void fill_normal(View<T> out, double mean, double deviation, Rng rng, Index first_sample = 0) {
  // Uniform numbers come faster many at once; they are whole multiples of 2^-24, exact in float.
  std::array<float, 512> u;
  constexpr auto pairs = static_cast<Index>(u.size() / 2);
  for (Index j = 0; j < out.cols(); ++j) {
    const Index sample = first_sample + j;
    if (out.rows() <= pairs)
      detail::random_kernels<float>().uniform(2 * out.rows(), rng.key(), static_cast<std::uint64_t>(sample), 0, 1,
                                              u.data());
    const auto uniform = [&](Index i) {
      return out.rows() <= pairs ? static_cast<double>(u[static_cast<std::size_t>(i)]) : rng.uniform(i, sample);
    };
    for (Index i = 0; i < out.rows(); ++i) {
      const double radius = std::sqrt(-2 * std::log(1 - uniform(2 * i)));  // 1 - u is never 0
      const double angle = 2 * std::numbers::pi * uniform(2 * i + 1);
      out(i, j) = static_cast<T>(std::fma(deviation * radius, std::cos(angle), mean));
    }
  }
}

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
// Finite for every finite logit. A smoothed label is just a target of 0.9. (torch.nn.BCEWithLogitsLoss)

// ======== eigan/losses/loss.hpp
// What the losses share. A loss is a function: it returns the mean over the batch and assigns the gradient with
// respect to its first argument, usually straight into Tape::output_gradient(). Sums run in double, and what is
// multiplied and added is written as std::fma: otherwise the compiler's flags would decide on one rounding or two.

namespace eigan::detail {

template <class A, class B>
void check_loss_shapes(const char* loss, const A& a, const B& b) {
  if (a.rows() != b.rows() || a.cols() != b.cols() || a.size() == 0)
    fail_contract("eigan::", loss, ": shapes must be equal and not empty, are ", a.rows(), " x ", a.cols(), " and ",
                  b.rows(), " x ", b.cols());
}

}  // namespace eigan::detail

namespace eigan {
namespace detail {
template <class T, class Target>
T bce_with_logits(const ConstView<T>& z, const Target& target, View<T> dz) {
  check_loss_shapes("bce_with_logits", z, dz);
  const T scale = T(1) / static_cast<T>(z.size());
  double sum = 0;
  for (Index j = 0; j < z.cols(); ++j)
    for (Index i = 0; i < z.rows(); ++i) {
      const T zij = z(i, j), t = target(i, j);
      const T e = std::exp(-std::abs(zij));
      sum += static_cast<double>(std::fma(-t, zij, std::max(zij, T(0))) + std::log1p(e));
      dz(i, j) = ((zij >= T(0) ? T(1) : e) / (T(1) + e) - t) * scale;
    }
  return static_cast<T>(sum) * scale;
}
}  // namespace detail

/// One target for all elements. Returns the loss and assigns dz.
template <class T>
T bce_with_logits(std::type_identity_t<ConstView<T>> z, std::type_identity_t<T> target, View<T> dz) {
  return detail::bce_with_logits<T>(
      z, [target](Index, Index) { return target; }, dz);
}
/// A target for each element, of the same shape as z.
template <class T>
T bce_with_logits(std::type_identity_t<ConstView<T>> z, std::type_identity_t<ConstView<T>> target, View<T> dz) {
  detail::check_loss_shapes("bce_with_logits", z, target);
  return detail::bce_with_logits<T>(z, target, dz);
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
  /// The same for generated samples.
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
// Batch normalisation in the generator, against a discriminator without dropout but with R1Penalty, gives far better
// samples (docs/quality.md).

// ======== eigan/layers/batch_norm.hpp
// BatchNorm1d: each feature is centred and scaled by its mean and variance over the batch (Ioffe and Szegedy 2015).
//   y = gamma x^ + beta,    x^ = (x - mean) / sqrt(var + eps)        x, y: features x batch;  all else per feature
// Backward:  dgamma += sum dy x^,   dbeta += sum dy,   dx = gamma / sqrt(var + eps) (dy - mean(dy) - x^ mean(dy x^)).
// At inference mean and var are constants, kept behind gamma and beta in the parameters as PyTorch names them:
// running_mean, running_var. Training leaves them alone; estimate_statistics (net/estimate_statistics.hpp) writes them,
// from as many samples as one likes, for the weights as they are (Wu and Johnson 2021, "precise" batch normalisation).

// ======== eigan/core/exact_text.hpp
// exact_text: a number as the shortest text of the usual form ("0.2", "1e-05") that reads back as the same number, and
// the way back. Neither depends on the locale, and neither needs memory that it could lack.
//
// Both are built on the C library. std::from_chars of a double is missing in libc++ up to 19, std::to_chars of one on
// older systems of Apple's, and <charconv> would cost every user compile time.

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

// ======== eigan/kernels/rows.hpp
// Functions of a batch's rows, which are features: moments, products with a gradient, scaling. For normalisations.

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

namespace eigan::detail {

template <class T>
struct RowKernels {
  /// Over the columns of x, for each row: the mean and the mean squared distance from it.  x: m x n, columns
  /// contiguous.
  void (*row_moments)(Index m, Index n, Strided<const T> x, T* mean, T* variance);
  /// sums[i] += sum_j dy(i, j) and products[i] += sum_j dy(i, j) (x(i, j) - mean[i]).  All with contiguous columns.
  void (*add_row_products)(Index m, Index n, Strided<const T> x, const T* mean, Strided<const T> dy, T* sums,
                           T* products);
  /// y(i, j) = a[i] x(i, j) + c[i].  x, y: m x n, columns contiguous.
  void (*scale_rows)(Index m, Index n, Strided<const T> x, const T* a, const T* c, Strided<T> y);
  /// z(i, j) = a[i] x(i, j) + b[i] y(i, j) + c[i].  x, y, z: m x n, columns contiguous.
  void (*combine_rows)(Index m, Index n, Strided<const T> x, const T* a, Strided<const T> y, const T* b, const T* c,
                       Strided<T> z);
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
#define EIGAN_TARGET
#define EIGAN_VECTOR_BYTES 16

// ======== eigan/kernels/rows.inc
// Rows over a batch: see rows.hpp. Compiled by for_each_isa.inc.

namespace eigan::detail::EIGAN_ISA {

/// f(i, count) for strips of rows, `count` a whole vector or, in the last strip, the rest.
template <class T, class F>
EIGAN_TARGET EIGAN_INLINE void for_each_strip(Index m, F f) {
  constexpr Index L = lanes<T>;
  Index i = 0;
  for (; i + L <= m; i += L) f(i, L);
  if (i < m) f(i, m - i);
}
template <class T>
EIGAN_TARGET EIGAN_INLINE Vector<T> load_rows(const T* p, Index count) {
  return count == lanes<T> ? load(p) : load_part(p, count);
}
template <class T>
EIGAN_TARGET EIGAN_INLINE void store_rows(T* p, Vector<T> v, Index count) {
  if (count == lanes<T>)
    store(p, v);
  else
    store_part(p, v, count);
}

// Functions of a strip as types: a lambda could not be given the target.
template <class T>
struct RowMoments {
  Index n;
  Strided<const T> x;
  T *mean, *variance;
  EIGAN_TARGET EIGAN_INLINE void operator()(Index i, Index count) const {
    Vector<T> sum{}, squares{};
    for (Index j = 0; j < n; ++j) sum += load_rows(x.data + j * x.col + i, count);
    const Vector<T> center = sum / static_cast<T>(n);
    for (Index j = 0; j < n; ++j) {
      const Vector<T> d = load_rows(x.data + j * x.col + i, count) - center;
      squares = fma(d, d, squares);
    }
    store_rows(mean + i, center, count);
    store_rows(variance + i, squares / static_cast<T>(n), count);
  }
};
template <class T>
EIGAN_TARGET inline void row_moments(Index m, Index n, Strided<const T> x, T* mean, T* variance) {
  for_each_strip<T>(m, RowMoments<T>{n, x, mean, variance});
}

template <class T>
struct AddRowProducts {
  Index n;
  Strided<const T> x;
  const T* mean;
  Strided<const T> dy;
  T *sums, *products;
  EIGAN_TARGET EIGAN_INLINE void operator()(Index i, Index count) const {
    const Vector<T> center = load_rows(mean + i, count);
    Vector<T> sum = load_rows(sums + i, count), product = load_rows(products + i, count);
    for (Index j = 0; j < n; ++j) {
      const Vector<T> d = load_rows(dy.data + j * dy.col + i, count);
      sum += d;
      product = fma(d, load_rows(x.data + j * x.col + i, count) - center, product);
    }
    store_rows(sums + i, sum, count);
    store_rows(products + i, product, count);
  }
};
template <class T>
EIGAN_TARGET inline void add_row_products(Index m, Index n, Strided<const T> x, const T* mean, Strided<const T> dy,
                                          T* sums, T* products) {
  for_each_strip<T>(m, AddRowProducts<T>{n, x, mean, dy, sums, products});
}

template <class T>
struct ScaleRows {
  Index n;
  Strided<const T> x;
  const T *a, *c;
  Strided<T> y;
  EIGAN_TARGET EIGAN_INLINE void operator()(Index i, Index count) const {
    const Vector<T> ai = load_rows(a + i, count), ci = load_rows(c + i, count);
    for (Index j = 0; j < n; ++j)
      store_rows(y.data + j * y.col + i, fma(ai, load_rows(x.data + j * x.col + i, count), ci), count);
  }
};
template <class T>
EIGAN_TARGET inline void scale_rows(Index m, Index n, Strided<const T> x, const T* a, const T* c, Strided<T> y) {
  for_each_strip<T>(m, ScaleRows<T>{n, x, a, c, y});
}

template <class T>
struct CombineRows {
  Index n;
  Strided<const T> x;
  const T* a;
  Strided<const T> y;
  const T *b, *c;
  Strided<T> z;
  EIGAN_TARGET EIGAN_INLINE void operator()(Index i, Index count) const {
    const Vector<T> ai = load_rows(a + i, count), bi = load_rows(b + i, count), ci = load_rows(c + i, count);
    for (Index j = 0; j < n; ++j) {
      const Vector<T> by = fma(bi, load_rows(y.data + j * y.col + i, count), ci);
      store_rows(z.data + j * z.col + i, fma(ai, load_rows(x.data + j * x.col + i, count), by), count);
    }
  }
};
template <class T>
EIGAN_TARGET inline void combine_rows(Index m, Index n, Strided<const T> x, const T* a, Strided<const T> y, const T* b,
                                      const T* c, Strided<T> z) {
  for_each_strip<T>(m, CombineRows<T>{n, x, a, y, b, c, z});
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

/// f(i, count) for strips of rows, `count` a whole vector or, in the last strip, the rest.
template <class T, class F>
EIGAN_TARGET EIGAN_INLINE void for_each_strip(Index m, F f) {
  constexpr Index L = lanes<T>;
  Index i = 0;
  for (; i + L <= m; i += L) f(i, L);
  if (i < m) f(i, m - i);
}
template <class T>
EIGAN_TARGET EIGAN_INLINE Vector<T> load_rows(const T* p, Index count) {
  return count == lanes<T> ? load(p) : load_part(p, count);
}
template <class T>
EIGAN_TARGET EIGAN_INLINE void store_rows(T* p, Vector<T> v, Index count) {
  if (count == lanes<T>)
    store(p, v);
  else
    store_part(p, v, count);
}

// Functions of a strip as types: a lambda could not be given the target.
template <class T>
struct RowMoments {
  Index n;
  Strided<const T> x;
  T *mean, *variance;
  EIGAN_TARGET EIGAN_INLINE void operator()(Index i, Index count) const {
    Vector<T> sum{}, squares{};
    for (Index j = 0; j < n; ++j) sum += load_rows(x.data + j * x.col + i, count);
    const Vector<T> center = sum / static_cast<T>(n);
    for (Index j = 0; j < n; ++j) {
      const Vector<T> d = load_rows(x.data + j * x.col + i, count) - center;
      squares = fma(d, d, squares);
    }
    store_rows(mean + i, center, count);
    store_rows(variance + i, squares / static_cast<T>(n), count);
  }
};
template <class T>
EIGAN_TARGET inline void row_moments(Index m, Index n, Strided<const T> x, T* mean, T* variance) {
  for_each_strip<T>(m, RowMoments<T>{n, x, mean, variance});
}

template <class T>
struct AddRowProducts {
  Index n;
  Strided<const T> x;
  const T* mean;
  Strided<const T> dy;
  T *sums, *products;
  EIGAN_TARGET EIGAN_INLINE void operator()(Index i, Index count) const {
    const Vector<T> center = load_rows(mean + i, count);
    Vector<T> sum = load_rows(sums + i, count), product = load_rows(products + i, count);
    for (Index j = 0; j < n; ++j) {
      const Vector<T> d = load_rows(dy.data + j * dy.col + i, count);
      sum += d;
      product = fma(d, load_rows(x.data + j * x.col + i, count) - center, product);
    }
    store_rows(sums + i, sum, count);
    store_rows(products + i, product, count);
  }
};
template <class T>
EIGAN_TARGET inline void add_row_products(Index m, Index n, Strided<const T> x, const T* mean, Strided<const T> dy,
                                          T* sums, T* products) {
  for_each_strip<T>(m, AddRowProducts<T>{n, x, mean, dy, sums, products});
}

template <class T>
struct ScaleRows {
  Index n;
  Strided<const T> x;
  const T *a, *c;
  Strided<T> y;
  EIGAN_TARGET EIGAN_INLINE void operator()(Index i, Index count) const {
    const Vector<T> ai = load_rows(a + i, count), ci = load_rows(c + i, count);
    for (Index j = 0; j < n; ++j)
      store_rows(y.data + j * y.col + i, fma(ai, load_rows(x.data + j * x.col + i, count), ci), count);
  }
};
template <class T>
EIGAN_TARGET inline void scale_rows(Index m, Index n, Strided<const T> x, const T* a, const T* c, Strided<T> y) {
  for_each_strip<T>(m, ScaleRows<T>{n, x, a, c, y});
}

template <class T>
struct CombineRows {
  Index n;
  Strided<const T> x;
  const T* a;
  Strided<const T> y;
  const T *b, *c;
  Strided<T> z;
  EIGAN_TARGET EIGAN_INLINE void operator()(Index i, Index count) const {
    const Vector<T> ai = load_rows(a + i, count), bi = load_rows(b + i, count), ci = load_rows(c + i, count);
    for (Index j = 0; j < n; ++j) {
      const Vector<T> by = fma(bi, load_rows(y.data + j * y.col + i, count), ci);
      store_rows(z.data + j * z.col + i, fma(ai, load_rows(x.data + j * x.col + i, count), by), count);
    }
  }
};
template <class T>
EIGAN_TARGET inline void combine_rows(Index m, Index n, Strided<const T> x, const T* a, Strided<const T> y, const T* b,
                                      const T* c, Strided<T> z) {
  for_each_strip<T>(m, CombineRows<T>{n, x, a, y, b, c, z});
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

/// f(i, count) for strips of rows, `count` a whole vector or, in the last strip, the rest.
template <class T, class F>
EIGAN_TARGET EIGAN_INLINE void for_each_strip(Index m, F f) {
  constexpr Index L = lanes<T>;
  Index i = 0;
  for (; i + L <= m; i += L) f(i, L);
  if (i < m) f(i, m - i);
}
template <class T>
EIGAN_TARGET EIGAN_INLINE Vector<T> load_rows(const T* p, Index count) {
  return count == lanes<T> ? load(p) : load_part(p, count);
}
template <class T>
EIGAN_TARGET EIGAN_INLINE void store_rows(T* p, Vector<T> v, Index count) {
  if (count == lanes<T>)
    store(p, v);
  else
    store_part(p, v, count);
}

// Functions of a strip as types: a lambda could not be given the target.
template <class T>
struct RowMoments {
  Index n;
  Strided<const T> x;
  T *mean, *variance;
  EIGAN_TARGET EIGAN_INLINE void operator()(Index i, Index count) const {
    Vector<T> sum{}, squares{};
    for (Index j = 0; j < n; ++j) sum += load_rows(x.data + j * x.col + i, count);
    const Vector<T> center = sum / static_cast<T>(n);
    for (Index j = 0; j < n; ++j) {
      const Vector<T> d = load_rows(x.data + j * x.col + i, count) - center;
      squares = fma(d, d, squares);
    }
    store_rows(mean + i, center, count);
    store_rows(variance + i, squares / static_cast<T>(n), count);
  }
};
template <class T>
EIGAN_TARGET inline void row_moments(Index m, Index n, Strided<const T> x, T* mean, T* variance) {
  for_each_strip<T>(m, RowMoments<T>{n, x, mean, variance});
}

template <class T>
struct AddRowProducts {
  Index n;
  Strided<const T> x;
  const T* mean;
  Strided<const T> dy;
  T *sums, *products;
  EIGAN_TARGET EIGAN_INLINE void operator()(Index i, Index count) const {
    const Vector<T> center = load_rows(mean + i, count);
    Vector<T> sum = load_rows(sums + i, count), product = load_rows(products + i, count);
    for (Index j = 0; j < n; ++j) {
      const Vector<T> d = load_rows(dy.data + j * dy.col + i, count);
      sum += d;
      product = fma(d, load_rows(x.data + j * x.col + i, count) - center, product);
    }
    store_rows(sums + i, sum, count);
    store_rows(products + i, product, count);
  }
};
template <class T>
EIGAN_TARGET inline void add_row_products(Index m, Index n, Strided<const T> x, const T* mean, Strided<const T> dy,
                                          T* sums, T* products) {
  for_each_strip<T>(m, AddRowProducts<T>{n, x, mean, dy, sums, products});
}

template <class T>
struct ScaleRows {
  Index n;
  Strided<const T> x;
  const T *a, *c;
  Strided<T> y;
  EIGAN_TARGET EIGAN_INLINE void operator()(Index i, Index count) const {
    const Vector<T> ai = load_rows(a + i, count), ci = load_rows(c + i, count);
    for (Index j = 0; j < n; ++j)
      store_rows(y.data + j * y.col + i, fma(ai, load_rows(x.data + j * x.col + i, count), ci), count);
  }
};
template <class T>
EIGAN_TARGET inline void scale_rows(Index m, Index n, Strided<const T> x, const T* a, const T* c, Strided<T> y) {
  for_each_strip<T>(m, ScaleRows<T>{n, x, a, c, y});
}

template <class T>
struct CombineRows {
  Index n;
  Strided<const T> x;
  const T* a;
  Strided<const T> y;
  const T *b, *c;
  Strided<T> z;
  EIGAN_TARGET EIGAN_INLINE void operator()(Index i, Index count) const {
    const Vector<T> ai = load_rows(a + i, count), bi = load_rows(b + i, count), ci = load_rows(c + i, count);
    for (Index j = 0; j < n; ++j) {
      const Vector<T> by = fma(bi, load_rows(y.data + j * y.col + i, count), ci);
      store_rows(z.data + j * z.col + i, fma(ai, load_rows(x.data + j * x.col + i, count), by), count);
    }
  }
};
template <class T>
EIGAN_TARGET inline void combine_rows(Index m, Index n, Strided<const T> x, const T* a, Strided<const T> y, const T* b,
                                      const T* c, Strided<T> z) {
  for_each_strip<T>(m, CombineRows<T>{n, x, a, y, b, c, z});
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

namespace eigan {

/// Batch normalisation. `BatchNorm1d<256>`, or `BatchNorm1d<>(256)` with the number of features given at run time.
template <Index Features = dynamic>
class BatchNorm1d {
  static_assert(Features > 0 || Features == dynamic, "eigan::BatchNorm1d: features are positive or dynamic");

 public:
  static constexpr Index input = Features;
  static constexpr Index output = Features;
  static constexpr bool backward_reads_y = false;

  /// The features that the type states, eps 1e-5.
  constexpr BatchNorm1d() requires(Features != dynamic) : features_(Features) {}
  /// Throws std::invalid_argument unless 0 < features < 2^31, as the type says where it does, and eps > 0.
  explicit BatchNorm1d(Index features, double eps = 1e-5) : features_(features), eps_(eps) {
    // An Index of 32 bits ends sooner.
    constexpr Index most =
        std::min<std::int64_t>(std::numeric_limits<std::int32_t>::max(), std::numeric_limits<Index>::max() / 4);
    if (features_ <= 0 || features_ > most || (Features != dynamic && Features != features_))
      detail::fail_contract("eigan::BatchNorm1d<", Features, ">: cannot have ", features_, " features");
    if (!(eps_ > 0 && std::isfinite(eps_))) detail::fail_contract("eigan::BatchNorm1d: eps must be > 0, is ", eps_);
  }

  Index input_size() const { return features_; }
  Index output_size() const { return features_; }
  /// What is added to the variance.
  double eps() const { return eps_; }
  Index param_size() const { return 4 * features_; }
  /// What an optimiser changes: gamma and beta.
  Index trained_size() const { return 2 * features_; }
  std::string describe() const {
    return detail::concat("BatchNorm1d(num_features=", features_, ", eps=", exact_text(eps_), ")");
  }
  std::vector<Parameter> parameters() const {
    return {{"weight", 0, features_, 1, 1},
            {"bias", features_, features_, 1, 1},
            {"running_mean", 2 * features_, features_, 1, 1},
            {"running_var", 3 * features_, features_, 1, 1}};
  }

  template <class T>
  void init(std::span<T> p, Rng) const {
    const auto fill = [&](Index tensor, T value) { std::fill_n(p.data() + tensor * features_, features_, value); };
    fill(0, T(1)), fill(1, T(0)), fill(2, T(0)), fill(3, T(1));
  }

  /// Writes the mean and the variance over x's samples (divided by their number less one, as PyTorch keeps it).
  template <class T>
  void set_statistics(std::span<T> p, ConstView<T> x) const {
    T* const mean = p.data() + 2 * features_;
    T* const variance = mean + features_;
    detail::row_kernels<T>().row_moments(features_, x.cols(), strided(x, 0), mean, variance);
    const T unbiased = static_cast<T>(x.cols()) / static_cast<T>(std::max<Index>(x.cols() - 1, 1));
    for (Index i = 0; i < features_; ++i) variance[i] *= unbiased;
  }

  // Inference: an affine map of each feature.

  template <class T>
  void forward(std::span<const T> p, ConstView<T> x, View<T> y) const {
    for (Index part = 0; part < part_count(); ++part) {
      Coefficients<T> scale, shift;
      inference_coefficients(p, part, scale, shift);
      detail::row_kernels<T>().scale_rows(rows(part), x.cols(), strided(x, first(part)), scale.data(), shift.data(),
                                          strided(y, first(part)));
    }
  }
  template <class T>
  void backward_input(std::span<const T> p, ConstView<T>, ConstView<T>, ConstView<T> dy, View<T> dx) const {
    const Coefficients<T> zero{};
    for (Index part = 0; part < part_count(); ++part) {
      Coefficients<T> scale, shift;
      inference_coefficients(p, part, scale, shift);
      detail::row_kernels<T>().scale_rows(rows(part), dy.cols(), strided(dy, first(part)), scale.data(), zero.data(),
                                          strided(dx, first(part)));
    }
  }

  // Training, over the whole batch, in parts of consecutive features.

  Index part_count() const { return (features_ + part_rows - 1) / part_rows; }

  template <class T>
  void forward_part(std::span<const T> p, ConstView<T> x, View<T> y, Index part) const {
    const Index f = first(part), n = rows(part);
    const Batch<T> batch = moments(x, part);
    Coefficients<T> scale, shift;
    for (Index i = 0; i < n; ++i) {
      const auto at = static_cast<std::size_t>(i);
      scale[at] = p[static_cast<std::size_t>(f + i)] * batch.inv_std[at];
      shift[at] = std::fma(-batch.mean[at], scale[at], p[static_cast<std::size_t>(features_ + f + i)]);
    }
    detail::row_kernels<T>().scale_rows(n, x.cols(), strided(x, f), scale.data(), shift.data(), strided(y, f));
  }

  template <class T>
  void backward_input_part(std::span<const T> p, ConstView<T> x, ConstView<T>, ConstView<T> dy, View<T> dx,
                           Index part) const {
    const Index f = first(part), n = rows(part);
    const Batch<T> batch = moments(x, part);
    Coefficients<T> sum{}, product{}, of_dy, of_x, constant;
    detail::row_kernels<T>().add_row_products(n, x.cols(), strided(x, f), batch.mean.data(), strided(dy, f), sum.data(),
                                              product.data());
    const T share = T(1) / static_cast<T>(x.cols());
    for (Index i = 0; i < n; ++i) {
      const auto at = static_cast<std::size_t>(i);
      // dx = of_dy (dy - mean(dy) - (x - mean) mean(dy (x - mean)) / (var + eps))
      of_dy[at] = p[static_cast<std::size_t>(f + i)] * batch.inv_std[at];
      of_x[at] = -of_dy[at] * (product[at] * share) * (batch.inv_std[at] * batch.inv_std[at]);
      constant[at] = std::fma(-of_x[at], batch.mean[at], -of_dy[at] * (sum[at] * share));
    }
    detail::row_kernels<T>().combine_rows(n, x.cols(), strided(dy, f), of_dy.data(), strided(x, f), of_x.data(),
                                          constant.data(), strided(dx, f));
  }

  template <class T>
  void backward_params(std::span<const T>, ConstView<T> x, ConstView<T>, ConstView<T> dy, std::span<T> dp) const {
    for (Index part = 0; part < part_count(); ++part) {
      const Index f = first(part), n = rows(part);
      const Batch<T> batch = moments(x, part);
      Coefficients<T> product{};
      detail::row_kernels<T>().add_row_products(n, x.cols(), strided(x, f), batch.mean.data(), strided(dy, f),
                                                dp.data() + features_ + f, product.data());
      for (Index i = 0; i < n; ++i) {
        const auto at = static_cast<std::size_t>(i);
        T& dgamma = dp[static_cast<std::size_t>(f + i)];
        dgamma = std::fma(product[at], batch.inv_std[at], dgamma);
      }
    }
  }

 private:
  /// As many as fit on the stack and give threads something to share.
  static constexpr Index part_rows = 64;
  template <class T>
  using Coefficients = std::array<T, part_rows>;
  template <class T>
  struct Batch {
    Coefficients<T> mean, inv_std;
  };

  static Index first(Index part) { return part * part_rows; }
  Index rows(Index part) const { return std::min(part_rows, features_ - first(part)); }
  template <class T>
  static detail::Strided<const T> strided(const ConstView<T>& m, Index row) {
    return {m.data() + row, 1, m.outerStride()};
  }
  template <class T>
  static detail::Strided<T> strided(View<T> m, Index row) {
    return {m.data() + row, 1, m.outerStride()};
  }

  // Computed anew by each function that needs it: two reads of x cost less than a place to keep it would.
  template <class T>
  Batch<T> moments(const ConstView<T>& x, Index part) const {
    Batch<T> batch;
    detail::row_kernels<T>().row_moments(rows(part), x.cols(), strided(x, first(part)), batch.mean.data(),
                                         batch.inv_std.data());
    for (Index i = 0; i < rows(part); ++i) {
      T& v = batch.inv_std[static_cast<std::size_t>(i)];
      v = T(1) / std::sqrt(v + static_cast<T>(eps_));
    }
    return batch;
  }

  template <class T>
  void inference_coefficients(std::span<const T> p, Index part, Coefficients<T>& scale, Coefficients<T>& shift) const {
    for (Index i = 0; i < rows(part); ++i) {
      const auto at = static_cast<std::size_t>(i);
      const T* const q = p.data() + first(part) + i;
      scale[at] = q[0] / std::sqrt(q[3 * features_] + static_cast<T>(eps_));
      shift[at] = std::fma(-q[2 * features_], scale[at], q[features_]);
    }
  }

  Index features_;
  double eps_ = 1e-5;
};

static_assert(BatchCoupledLayer<BatchNorm1d<3>> && BatchCoupledLayer<BatchNorm1d<3>, double>);

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
    if (!(p >= 0 && p < 1)) detail::fail_contract("eigan::Dropout: p must be in [0, 1), is ", p);
    if (threshold() == draws) detail::fail_contract("eigan::Dropout: p is too close to 1: ", p);
  }

  /// The probability of zeroing an element.
  double p() const { return p_; }
  std::string describe() const { return "Dropout(p=" + exact_text(p_) + ")"; }

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
      detail::random_kernels<T>().dropout(out.rows(), draw.rng.key(), static_cast<std::uint64_t>(draw.first_sample + j),
                                          threshold(), scale, in.data() + j * in.outerStride(),
                                          out.data() + j * out.outerStride());
  }

  static constexpr std::uint32_t draws = 1 << 16;
  /// Of all draws, those below this are dropped.
  std::uint32_t threshold() const { return static_cast<std::uint32_t>(std::lround(p_ * draws)); }

  double p_ = 0.5;
};

static_assert(StochasticLayer<Dropout>);

}  // namespace eigan

// ======== eigan/layers/leaky_relu.hpp
// LeakyReLU: y = x for x >= 0, slope x below.     Backward: dx = dy where x > 0, slope dy elsewhere.
//
// Element-wise; for slope >= 0 the signs of x and y agree, so backward reads y alone. As in torch.nn.LeakyReLU the
// slope is 0.01 unless given, and the gradient at 0 is slope dy.

// ======== eigan/layers/elementwise.hpp
// for_each_column: hands element-wise kernels the columns of matrices, which may be padded apart.

// ======== eigan/kernels/elementwise.hpp
// Element-wise functions of n numbers, and gradients through them. Any input may be the output itself.

namespace eigan::detail {

template <class T>
struct ElementwiseKernels {
  void (*relu)(Index n, const T* x, T* y);
  void (*leaky_relu)(Index n, T slope, const T* x, T* y);
  void (*leaky_relu_backward)(Index n, T slope, const T* y, const T* dy, T* dx);
  void (*tanh)(Index n, const T* x, T* y);
  void (*tanh_backward)(Index n, const T* y, const T* dy, T* dx);
  void (*sigmoid)(Index n, const T* x, T* y);
  void (*sigmoid_backward)(Index n, const T* y, const T* dy, T* dx);
  /// y[i] = pixels[i] / 127.5 - 1.
  void (*pixels)(Index n, const std::uint8_t* pixels, T* y);
};

template <class T>
const ElementwiseKernels<T>& elementwise_kernels() {
  return kernels<ElementwiseKernels<T>>();
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
#define EIGAN_TARGET
#define EIGAN_VECTOR_BYTES 16

// ======== eigan/kernels/elementwise.inc
// Element-wise functions: see elementwise.hpp. Compiled by for_each_isa.inc.

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

/// e^t - 1 = 2^k (e^r - 1) + (2^k - 1) with t = k ln 2 + r, |r| <= ln 2 / 2; t in [-104, 88]. Taylor's series of
/// (e^r - 1 - r) / r^2 to r^5: the first term left out is below 2^-26 of the result.
EIGAN_TARGET EIGAN_INLINE void split_exp(Simd<float>::V t, Simd<float>::V& fraction, Simd<float>::V& power) {
  using V = Simd<float>::V;
  using I = Simd<float>::I;
  const V rounding = t < 0.0f ? broadcast(-0.5f) : broadcast(0.5f);
  const I k = __builtin_convertvector(fma(t, broadcast(1.44269504f), rounding), I);
  const V kf = __builtin_convertvector(k, V);
  // ln 2 in two parts; k times the first is exact.
  const V r = fma(kf, broadcast(2.12194440e-4f), fma(kf, broadcast(-0.693359375f), t));
  V q = fma(r, broadcast(1.0f / 5040), broadcast(1.0f / 720));
  q = fma(q, r, broadcast(1.0f / 120));
  q = fma(q, r, broadcast(1.0f / 24));
  q = fma(q, r, broadcast(1.0f / 6));
  q = fma(q, r, broadcast(1.0f / 2));
  fraction = fma(q, r * r, r);
  // 2^k as a product of two powers, so that results below the smallest normal number come out right.
  const I half = k >> 1;
  const I rest = k - half;
  const I low = (half + 127) << 23;
  const I high = (rest + 127) << 23;
  V low_power, high_power;
  std::memcpy(&low_power, &low, sizeof low);
  std::memcpy(&high_power, &high, sizeof high);
  power = low_power * high_power;
}

/// tanh |x| = (e^(2|x|) - 1) / (e^(2|x|) + 1); tests/layers/tanh_test.cpp states the error.
struct TanhFloat {
  EIGAN_TARGET EIGAN_INLINE Simd<float>::V operator()(Simd<float>::V x) const {
    using V = Simd<float>::V;
    const V magnitude = x < 0.0f ? -x : x;
    const V t = magnitude < 9.5f ? magnitude + magnitude : broadcast(19.0f);
    V fraction, power;
    split_exp(t, fraction, power);
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
    for (Index i = 0; i < n; ++i) y[i] = std::tanh(x[i]);
}
template <class T>
EIGAN_TARGET inline void sigmoid(Index n, const T* x, T* y) {
  if constexpr (sizeof(T) == sizeof(float))
    map(n, SigmoidFloat{}, y, x);
  else
    for (Index i = 0; i < n; ++i) {
      const T z = std::exp(x[i] < 0 ? x[i] : -x[i]);
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
  constexpr Index L = lanes<T>;
  // A reciprocal would be a multiplication, but 255 must give exactly 1.
  Index i = 0;
  for (; i + L <= n; i += L)
    store(y + i, __builtin_convertvector(load_as<U8>(pixels + i), Vector<T>) / T(127.5) - T(1));
  for (; i < n; ++i) y[i] = static_cast<T>(pixels[i]) / T(127.5) - T(1);
}

template <class T>
struct TableOf<ElementwiseKernels<T>> {
  static constexpr ElementwiseKernels<T> table{
      .relu = relu<T>,
      .leaky_relu = leaky_relu<T>,
      .leaky_relu_backward = leaky_relu_backward<T>,
      .tanh = tanh<T>,
      .tanh_backward = tanh_backward<T>,
      .sigmoid = sigmoid<T>,
      .sigmoid_backward = sigmoid_backward<T>,
      .pixels = pixels<T>,
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

// ======== eigan/kernels/elementwise.inc
// Element-wise functions: see elementwise.hpp. Compiled by for_each_isa.inc.

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

/// e^t - 1 = 2^k (e^r - 1) + (2^k - 1) with t = k ln 2 + r, |r| <= ln 2 / 2; t in [-104, 88]. Taylor's series of
/// (e^r - 1 - r) / r^2 to r^5: the first term left out is below 2^-26 of the result.
EIGAN_TARGET EIGAN_INLINE void split_exp(Simd<float>::V t, Simd<float>::V& fraction, Simd<float>::V& power) {
  using V = Simd<float>::V;
  using I = Simd<float>::I;
  const V rounding = t < 0.0f ? broadcast(-0.5f) : broadcast(0.5f);
  const I k = __builtin_convertvector(fma(t, broadcast(1.44269504f), rounding), I);
  const V kf = __builtin_convertvector(k, V);
  // ln 2 in two parts; k times the first is exact.
  const V r = fma(kf, broadcast(2.12194440e-4f), fma(kf, broadcast(-0.693359375f), t));
  V q = fma(r, broadcast(1.0f / 5040), broadcast(1.0f / 720));
  q = fma(q, r, broadcast(1.0f / 120));
  q = fma(q, r, broadcast(1.0f / 24));
  q = fma(q, r, broadcast(1.0f / 6));
  q = fma(q, r, broadcast(1.0f / 2));
  fraction = fma(q, r * r, r);
  // 2^k as a product of two powers, so that results below the smallest normal number come out right.
  const I half = k >> 1;
  const I rest = k - half;
  const I low = (half + 127) << 23;
  const I high = (rest + 127) << 23;
  V low_power, high_power;
  std::memcpy(&low_power, &low, sizeof low);
  std::memcpy(&high_power, &high, sizeof high);
  power = low_power * high_power;
}

/// tanh |x| = (e^(2|x|) - 1) / (e^(2|x|) + 1); tests/layers/tanh_test.cpp states the error.
struct TanhFloat {
  EIGAN_TARGET EIGAN_INLINE Simd<float>::V operator()(Simd<float>::V x) const {
    using V = Simd<float>::V;
    const V magnitude = x < 0.0f ? -x : x;
    const V t = magnitude < 9.5f ? magnitude + magnitude : broadcast(19.0f);
    V fraction, power;
    split_exp(t, fraction, power);
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
    for (Index i = 0; i < n; ++i) y[i] = std::tanh(x[i]);
}
template <class T>
EIGAN_TARGET inline void sigmoid(Index n, const T* x, T* y) {
  if constexpr (sizeof(T) == sizeof(float))
    map(n, SigmoidFloat{}, y, x);
  else
    for (Index i = 0; i < n; ++i) {
      const T z = std::exp(x[i] < 0 ? x[i] : -x[i]);
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
  constexpr Index L = lanes<T>;
  // A reciprocal would be a multiplication, but 255 must give exactly 1.
  Index i = 0;
  for (; i + L <= n; i += L)
    store(y + i, __builtin_convertvector(load_as<U8>(pixels + i), Vector<T>) / T(127.5) - T(1));
  for (; i < n; ++i) y[i] = static_cast<T>(pixels[i]) / T(127.5) - T(1);
}

template <class T>
struct TableOf<ElementwiseKernels<T>> {
  static constexpr ElementwiseKernels<T> table{
      .relu = relu<T>,
      .leaky_relu = leaky_relu<T>,
      .leaky_relu_backward = leaky_relu_backward<T>,
      .tanh = tanh<T>,
      .tanh_backward = tanh_backward<T>,
      .sigmoid = sigmoid<T>,
      .sigmoid_backward = sigmoid_backward<T>,
      .pixels = pixels<T>,
  };
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

/// y[i] = f(in[i]...), a vector at a time; the last part is computed in a zero-padded vector. Any input may be y
/// itself.
template <class T, class F, class... In>
EIGAN_TARGET EIGAN_INLINE void map(Index n, F f, T* y, const In*... in) {
  constexpr Index L = lanes<T>;
  Index i = 0;
  for (; i + L <= n; i += L) store(y + i, f(load(in + i)...));
  if (i < n) store_part(y + i, f(load_part(in + i, n - i)...), n - i);
}

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

/// e^t - 1 = 2^k (e^r - 1) + (2^k - 1) with t = k ln 2 + r, |r| <= ln 2 / 2; t in [-104, 88]. Taylor's series of
/// (e^r - 1 - r) / r^2 to r^5: the first term left out is below 2^-26 of the result.
EIGAN_TARGET EIGAN_INLINE void split_exp(Simd<float>::V t, Simd<float>::V& fraction, Simd<float>::V& power) {
  using V = Simd<float>::V;
  using I = Simd<float>::I;
  const V rounding = t < 0.0f ? broadcast(-0.5f) : broadcast(0.5f);
  const I k = __builtin_convertvector(fma(t, broadcast(1.44269504f), rounding), I);
  const V kf = __builtin_convertvector(k, V);
  // ln 2 in two parts; k times the first is exact.
  const V r = fma(kf, broadcast(2.12194440e-4f), fma(kf, broadcast(-0.693359375f), t));
  V q = fma(r, broadcast(1.0f / 5040), broadcast(1.0f / 720));
  q = fma(q, r, broadcast(1.0f / 120));
  q = fma(q, r, broadcast(1.0f / 24));
  q = fma(q, r, broadcast(1.0f / 6));
  q = fma(q, r, broadcast(1.0f / 2));
  fraction = fma(q, r * r, r);
  // 2^k as a product of two powers, so that results below the smallest normal number come out right.
  const I half = k >> 1;
  const I rest = k - half;
  const I low = (half + 127) << 23;
  const I high = (rest + 127) << 23;
  V low_power, high_power;
  std::memcpy(&low_power, &low, sizeof low);
  std::memcpy(&high_power, &high, sizeof high);
  power = low_power * high_power;
}

/// tanh |x| = (e^(2|x|) - 1) / (e^(2|x|) + 1); tests/layers/tanh_test.cpp states the error.
struct TanhFloat {
  EIGAN_TARGET EIGAN_INLINE Simd<float>::V operator()(Simd<float>::V x) const {
    using V = Simd<float>::V;
    const V magnitude = x < 0.0f ? -x : x;
    const V t = magnitude < 9.5f ? magnitude + magnitude : broadcast(19.0f);
    V fraction, power;
    split_exp(t, fraction, power);
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
    for (Index i = 0; i < n; ++i) y[i] = std::tanh(x[i]);
}
template <class T>
EIGAN_TARGET inline void sigmoid(Index n, const T* x, T* y) {
  if constexpr (sizeof(T) == sizeof(float))
    map(n, SigmoidFloat{}, y, x);
  else
    for (Index i = 0; i < n; ++i) {
      const T z = std::exp(x[i] < 0 ? x[i] : -x[i]);
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
  constexpr Index L = lanes<T>;
  // A reciprocal would be a multiplication, but 255 must give exactly 1.
  Index i = 0;
  for (; i + L <= n; i += L)
    store(y + i, __builtin_convertvector(load_as<U8>(pixels + i), Vector<T>) / T(127.5) - T(1));
  for (; i < n; ++i) y[i] = static_cast<T>(pixels[i]) / T(127.5) - T(1);
}

template <class T>
struct TableOf<ElementwiseKernels<T>> {
  static constexpr ElementwiseKernels<T> table{
      .relu = relu<T>,
      .leaky_relu = leaky_relu<T>,
      .leaky_relu_backward = leaky_relu_backward<T>,
      .tanh = tanh<T>,
      .tanh_backward = tanh_backward<T>,
      .sigmoid = sigmoid<T>,
      .sigmoid_backward = sigmoid_backward<T>,
      .pixels = pixels<T>,
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
EIGAN_SHARE_KERNELS(ElementwiseKernels)

namespace eigan::detail {

/// f(n, out column, in column) for every column of `out`.
template <class T, class F>
void for_each_column(View<T> out, const ConstView<T>& in, const F& f) {
  for (Index j = 0; j < out.cols(); ++j)
    f(out.rows(), out.data() + j * out.outerStride(), in.data() + j * in.outerStride());
}
/// The same with two inputs.
template <class T, class F>
void for_each_column(View<T> out, const ConstView<T>& in1, const ConstView<T>& in2, const F& f) {
  for (Index j = 0; j < out.cols(); ++j)
    f(out.rows(), out.data() + j * out.outerStride(), in1.data() + j * in1.outerStride(),
      in2.data() + j * in2.outerStride());
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
    if (!(slope_ >= 0 && slope_ <= 1e30))
      detail::fail_contract("eigan::LeakyReLU: negative_slope must be at least 0 and at most 1e30, is ", slope_);
  }

  /// The slope below 0.
  double negative_slope() const { return slope_; }
  std::string describe() const { return "LeakyReLU(negative_slope=" + exact_text(slope_) + ")"; }

  template <class T>
  void forward(std::span<const T>, ConstView<T> x, View<T> y) const {
    detail::for_each_column(y, x, [s = static_cast<T>(slope_)](Index n, T* yj, const T* xj) {
      detail::elementwise_kernels<T>().leaky_relu(n, s, xj, yj);
    });
  }

  template <class T>
  void backward_input(std::span<const T>, ConstView<T>, ConstView<T> y, ConstView<T> dy, View<T> dx) const {
    detail::for_each_column(dx, y, dy, [s = static_cast<T>(slope_)](Index n, T* dxj, const T* yj, const T* dyj) {
      detail::elementwise_kernels<T>().leaky_relu_backward(n, s, yj, dyj, dxj);
    });
  }

 private:
  double slope_ = 0.01;
};

static_assert(Layer<LeakyReLU>);

}  // namespace eigan

// ======== eigan/layers/linear.hpp
// Linear: y = w x + b.     w: out x in, b: out.    x: in x batch, y: out x batch.
//
// Backward:  dx = w^T dy,   dw += dy x^T,   db += sum over the batch of dy.
// Parameters: the weight, column-major (one input feature's weights are contiguous), then the bias. As in
// torch.nn.Linear, both start uniform in [-1/sqrt(in), 1/sqrt(in)) (there: kaiming_uniform_ with a = sqrt 5).

// ======== eigan/init/initializers.hpp
// How weights start. Names and formulas are those of torch.nn.init; w is out x in, so fan_in = cols, fan_out = rows.
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
#define EIGAN_TARGET
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
      detail::fail_contract("eigan::Linear<", In, ", ", Out, ">: cannot have sizes ", in_, " and ", out_);
  }

  Index input_size() const { return in_; }
  Index output_size() const { return out_; }
  Index param_size() const { return out_ * in_ + out_; }
  std::string describe() const { return detail::concat("Linear(in_features=", in_, ", out_features=", out_, ")"); }
  std::vector<Parameter> parameters() const { return {{"weight", 0, out_, in_, 2}, {"bias", out_ * in_, out_, 1, 1}}; }

  /// The weight inside this layer's parameters (or gradients, or moments): out x in.
  template <class T>
  View<T> weight(std::span<T> p) const {
    return {p.data(), out_, in_};
  }
  template <class T>
  ConstView<T> weight(std::span<const T> p) const {
    return {p.data(), out_, in_};
  }
  /// The bias: out x 1.
  template <class T>
  View<T> bias(std::span<T> p) const {
    return {p.data() + out_ * in_, out_, 1};
  }
  template <class T>
  ConstView<T> bias(std::span<const T> p) const {
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
    backward_tangent_blocks(x, dy, dp, first, last);
    if (last == block_count())
      detail::product_kernels<T>().add_row_sums(out_, dy.cols(), {dy.data(), 1, dy.outerStride()}, bias(dp).data());
  }

  // The derivative of y in the direction tx, and what <dy, that> adds to the parameters' gradient, by blocks.

  template <class T>
  void forward_tangent(std::span<const T> p, ConstView<T> tx, View<T> ty) const {
    gemm::product<T>(weight(p), tx, ty);
  }
  template <class T>
  void backward_tangent_blocks(ConstView<T> tx, ConstView<T> dy, std::span<T> dp, Index first, Index last) const {
    const Index column = first * block_columns();
    const Index count = std::min(last * block_columns(), in_) - column;
    const ConstView<T> some_tx(tx.data() + column, count, tx.cols(), tx.outerStride());
    gemm::add_outer<T>(dy, some_tx, weight(dp).columns(column, count));
  }

 private:
  Index block_columns() const {
    const Index params = std::clamp<Index>(out_ * in_ / 16, 8192, 65536);
    return std::max<Index>(8, params / out_ / 8 * 8);
  }

  Index in_;
  Index out_;
};

static_assert(BlockedLayer<Linear<3, 2>> && BlockedLayer<Linear<3, 2>, double>);

}  // namespace eigan

// ======== eigan/layers/tanh.hpp
// Tanh: y = tanh x.     Backward: dx = (1 - y^2) dy.     Element-wise.

namespace eigan {

/// y = tanh x.
class Tanh {
 public:
  static constexpr bool elementwise = true;
  static constexpr bool backward_reads_x = false;

  std::string describe() const { return "Tanh()"; }

  template <class T>
  void forward(std::span<const T>, ConstView<T> x, View<T> y) const {
    detail::for_each_column(y, x,
                            [](Index n, T* yj, const T* xj) { detail::elementwise_kernels<T>().tanh(n, xj, yj); });
  }

  template <class T>
  void backward_input(std::span<const T>, ConstView<T>, ConstView<T> y, ConstView<T> dy, View<T> dx) const {
    detail::for_each_column(dx, y, dy, [](Index n, T* dxj, const T* yj, const T* dyj) {
      detail::elementwise_kernels<T>().tanh_backward(n, yj, dyj, dxj);
    });
  }
};

static_assert(Layer<Tanh>);

}  // namespace eigan

// ======== eigan/net/sequential.hpp
// Sequential<Layers...>: layers one after the other, with sizes checked at compile time where the types state them
// and at construction otherwise. Like a layer it is a value without memory; Model adds the parameters.

#include <tuple>

// ======== eigan/net/must_be_a_layer.hpp
// MustBeALayer<L, Position>: what a network asks of a type that it takes for a layer, with the compiler's words for
// what is missing. A misspelt or mistyped optional member must not be passed over in silence.

namespace eigan::detail {

template <class L, std::size_t... Position>
struct MustBeAParametricLayer {
  static_assert(ParametricLayer<L>,
                "eigan: this layer has param_size() but lacks init or backward_params as the concept "
                "eigan::ParametricLayer asks for them. The template arguments are the type and its place in a "
                "Sequential");
};

template <class L>
concept has_forward_train = requires(const L layer, std::span<const float> p, ConstView<float> x, View<float> y,
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
concept has_block_count = requires(const L layer) {
  layer.block_count();
};

/// Position: none, or one, of a layer in a Sequential.
template <class L, std::size_t... Position>
struct MustBeALayer {
  static_assert(ElementwiseLayer<L> || SizedLayer<L>,
                "eigan: this type states neither `elementwise = true` nor `input` and `output`; see the concept "
                "eigan::Layer. The template arguments are the type and its place in a Sequential");
  static_assert(Layer<L>,
                "eigan: this type lacks forward or backward_input as the concept eigan::Layer asks for them. The "
                "template arguments are the type and its place in a Sequential");
  static_assert(!has_forward_train<L> || StochasticLayer<L>,
                "eigan: this layer has forward_train, but not as the concept eigan::StochasticLayer asks for it, or no "
                "backward_input_train. The template arguments are the type and its place in a Sequential");
  static_assert(!has_block_count<L> || BlockedLayer<L>,
                "eigan: this layer has block_count(), but not the rest that the concept eigan::BlockedLayer asks for. "
                "The template arguments are the type and its place in a Sequential");
  static constexpr bool parametric = requires(const L layer) { layer.param_size(); };
  static_assert(sizeof(std::conditional_t<parametric, MustBeAParametricLayer<L, Position...>, L>) > 0);
};

}  // namespace eigan::detail

namespace eigan {
namespace detail {

// The numbers travel as template arguments because a C++20 static_assert cannot print them: the compiler shows
// LayerInputMustMatchPreviousOutput<position, layer, expects, receives>.
template <std::size_t Position, class L, Index Expects, Index Receives>
struct LayerInputMustMatchPreviousOutput {
  static_assert(
      Expects == Receives,
      "eigan::Sequential: this layer's input size differs from the previous layer's output size; the template "
      "arguments are the layer's position, its type, the size it expects and the size it receives");
};

// A class, not a constexpr function: clang would add a second, unhelpful error to a function's.
template <std::size_t Position, Index Size, class... Ls>
struct CheckLayers {
  static constexpr Index output = Size;
};
template <std::size_t Position, Index Size, class L, class... Ls>
struct CheckLayers<Position, Size, L, Ls...> : MustBeALayer<L, Position> {
  static_assert(!RunTimeLayer<L>,
                "eigan::Sequential: what an AnyLayer holds is known only at run time; use eigan::Network");
  static constexpr Index expects = static_input<L>() == dynamic || Size == dynamic ? Size : static_input<L>();
  // sizeof in an assertion, because it instantiates the check with this class; a data member would wait for its use.
  static_assert(sizeof(LayerInputMustMatchPreviousOutput<Position, L, expects, Size>) > 0);
  static constexpr Index output = CheckLayers<Position + 1, static_output<L>(Size), Ls...>::output;
};

}  // namespace detail

/// Layers in a row, left to right: `Sequential<Linear<784, 128>, ReLU, Linear<128, 10>>`.
template <class... Ls>
class Sequential {
  static_assert(sizeof...(Ls) > 0, "eigan::Sequential: needs at least one layer");
  static_assert(detail::CheckLayers<0, dynamic, Ls...>::output >= dynamic);

 public:
  /// How many layers.
  static constexpr std::size_t depth() { return sizeof...(Ls); }
  /// Of layer I.
  template <std::size_t I>
  using LayerType = std::tuple_element_t<I, std::tuple<Ls...>>;

  /// Whether a training pass draws random numbers.
  static constexpr bool stochastic = (StochasticLayer<Ls> || ...);

  /// Of layers whose types state all sizes.
  Sequential() requires(std::is_default_constructible_v<Ls>&&...) { measure(); }
  /// Throws std::invalid_argument where run-time sizes do not fit together.
  explicit Sequential(Ls... layers) requires(sizeof...(Ls) > 0) : layers_(std::move(layers)...) { measure(); }

  /// Layer I.
  template <std::size_t I>
  const LayerType<I>& layer() const {
    return std::get<I>(layers_);
  }
  /// The same for the argument that for_each_layer hands out.
  template <std::size_t I>
  const LayerType<I>& layer(std::integral_constant<std::size_t, I>) const {
    return layer<I>();
  }

  /// Features of a sample at level i: 0 is the input, i the output of layer i - 1.
  Index features(std::size_t level) const { return features_[level]; }
  /// Two networks of one type with equal layouts fit the same tapes.
  using Layout = std::array<Index, sizeof...(Ls) + 1>;
  /// The features of all levels.
  const Layout& layout() const { return features_; }
  /// Features of a sample going in.
  Index input_size() const { return features_.front(); }
  /// Features of a sample coming out.
  Index output_size() const { return features_.back(); }
  /// The number of parameters.
  Index param_size() const { return offsets_.back(); }

  /// The part of a parameter-shaped buffer (parameters, gradients, moments) that belongs to layer I.
  template <std::size_t I, class T>
  std::span<T> slice(std::span<T> params) const {
    return slice(I, params);
  }
  template <class T>
  std::span<T> slice(std::size_t layer, std::span<T> params) const {
    return params.subspan(static_cast<std::size_t>(offsets_[layer]),
                          static_cast<std::size_t>(offsets_[layer + 1] - offsets_[layer]));
  }
  /// Where the layer's part begins.
  Index offset(std::size_t layer) const { return offsets_[layer]; }

  /// Every tensor, named as torch.nn.Sequential names it: "0.weight".
  std::vector<Parameter> parameters() const {
    std::vector<Parameter> all;
    for_each_layer([&](auto i) {
      for (Parameter p : detail::parameters_of(layer(i))) {
        p.name = detail::concat(i, '.', p.name);
        p.offset += offsets_[i];
        all.push_back(std::move(p));
      }
    });
    return all;
  }

  /// One line that tells two architectures apart: `Linear(in_features=2, out_features=1), Sigmoid()`.
  std::string architecture() const {
    std::string text;
    for_each_layer([&](auto i) { text += detail::concat(i == 0 ? "" : ", ", detail::describe(layer(i))); });
    return text;
  }

  /// Writes every layer's initial parameters.
  template <class T>
  void init(std::span<T> params, Rng rng) const {
    for_each_layer([&](auto i) {
      if constexpr (ParametricLayer<LayerType<i>, T>) layer(i).init(slice(i, params), rng.fold_in(i));
    });
  }

  /// f(i) for i = 0, ..., depth() - 1, constants as types: `layer(i)` has the type `LayerType<i>`.
  template <class F>
  static constexpr void for_each_layer(F&& f) {
    [&]<std::size_t... I>(std::index_sequence<I...>) {
      (f(std::integral_constant<std::size_t, I>{}), ...);
    }
    (std::make_index_sequence<depth()>{});
  }
  /// The same from the last layer to the first.
  template <class F>
  static constexpr void for_each_layer_reversed(F&& f) {
    [&]<std::size_t... I>(std::index_sequence<I...>) {
      (f(std::integral_constant<std::size_t, depth() - 1 - I>{}), ...);
    }
    (std::make_index_sequence<depth()>{});
  }
  /// f(i) for one layer, whose number is known at run time.
  template <class F>
  static constexpr void visit_layer(std::size_t layer, F&& f) {
    for_each_layer([&](auto i) {
      if (i == layer) f(i);
    });
  }

 private:
  void measure() {
    // Layers in front of the first sized one are element-wise and share its input size.
    Index size = dynamic;
    for_each_layer([&](auto i) {
      if (size == dynamic) size = detail::input_of(layer(i));
    });
    if (size == dynamic) detail::fail_contract("eigan::Sequential: no layer states a size");
    features_[0] = size;
    offsets_[0] = 0;
    for_each_layer([&](auto i) {
      const Index expects = detail::input_of(layer(i));
      if (expects != dynamic && expects != features_[i])
        detail::fail_contract(
            "eigan::Sequential: this layer's input size differs from the previous layer's output size: "
            "layer ",
            i, ", ", detail::describe(layer(i)), ", expects ", expects, " and receives ", features_[i]);
      features_[i + 1] = detail::output_of(layer(i), features_[i]);
      if (!checked_add(offsets_[i], detail::param_size_of(layer(i)), offsets_[i + 1]))
        detail::fail_contract("eigan::Sequential: more parameters than can be counted, with layer ", i, ", ",
                              detail::describe(layer(i)));
    });
  }

  std::tuple<Ls...> layers_;
  Layout features_{};
  std::array<Index, sizeof...(Ls) + 1> offsets_{};
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

/// The same with batch normalisation in place of dropout.
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

// ======== eigan/gan/r1_penalty.hpp
// R1Penalty: keeps the discriminator's logit flat at the real images (Mescheder, Geiger, Nowozin 2018):
//   R = gamma / 2 mean_j |g_j|^2,      g_j = dD/dx at the j-th real image        x: features x batch
// Its gradient is a second derivative. For layers that are linear piece by piece it is written by hand: with the
// direction u_j = gamma / batch g_j held fixed, dR = d<g, u> = d(the derivative of D in the direction u), so sending
// u forward through the linearised network gives a tangent t at each layer, and dW += delta t^T, where delta is what
// backward_input left there. Costs about as much as half a discriminator step; every few steps is enough, with gamma
// that much larger (Karras et al. 2020, "lazy regularisation").

// ======== eigan/net/model.hpp
// Model: a network and its parameters, in one flat buffer.
//
// Everything that changes during a pass is the caller's Tape or Scratch, so a model is const in forward, backward
// and infer, and any number of threads can share it. A pass runs over tiles of samples, the weight gradients over
// blocks of parameters; neither depends on the number of threads, so the results do not either, to the last bit.

// ======== eigan/net/scratch.hpp
// Scratch: the working memory of one inference at a time. A model is shared by all threads; a scratch is not.

namespace eigan {

/// What Model::infer works in.
template <class Net, class T = float>
class Scratch {
 public:
  /// Room for two levels of up to `tile` samples; layers alternate between them.
  Scratch(const Net& net, Index tile) : layout_(net.layout()), tile_(tile) {
    Index widest = 0;
    for (std::size_t level = 1; level <= net.depth(); ++level) widest = std::max(widest, net.features(level));
    for (auto& level : levels_) level = Buffer<T>(padded_stride<T>(widest) * tile);
  }

  /// Whether it was made for a network of these sizes, and for tiles of at least `tile` samples.
  bool fits(const Net& net, Index tile) const { return layout_ == net.layout() && tile_ >= tile; }

  /// One of the two levels, as a matrix of so many features.
  View<T> level(std::size_t which, Index features, Index samples) {
    return {levels_[which].data(), features, samples, padded_stride<T>(features)};
  }

 private:
  Buffer<T> levels_[2];
  typename Net::Layout layout_;
  Index tile_;
};

}  // namespace eigan

// ======== eigan/net/tape.hpp
// Tape: one forward pass remembered: every layer's input and output, and room for the gradients on the way back.
//
// A tape belongs to one network shape and is allocated once, for batches up to a capacity. It remembers exactly one
// pass: views taken from it hold until the next forward pass on the same tape. The input is not copied; it must
// outlive the backward pass. Two passes alive at once are two tapes.

namespace eigan {

/// The memory of one forward pass of a `Net`, and of the way back.
template <class Net, class T = float>
class Tape {
 public:
  /// Allocates for batches of up to `capacity` samples.
  Tape(const Net& net, Index capacity)
      : activation_memory_(net.depth()),
        gradient_memory_(net.depth()),
        activations_(net.depth() + 1),
        gradients_(net.depth() + 1),
        layout_(net.layout()),
        capacity_(capacity) {
    if (capacity <= 0) detail::fail_contract("eigan::Tape: the capacity must be positive, is ", capacity);
    // A layer may write its output over its input if nothing on the way back reads that input again. The network's
    // input is the caller's.
    bool input_is_read = true;
    net.for_each_layer([&](auto i) {
      const detail::LayerTraits traits = detail::traits_of<T>(net.layer(i));
      if (traits.elementwise && !traits.reads_x && !input_is_read) {
        activations_[i + 1].rebind(activations_[i]);
      } else {
        activation_memory_[i] = BufferMatrix<T>(net.features(i + 1), capacity);
        activations_[i + 1].rebind(activation_memory_[i].view());
      }
      input_is_read = traits.reads_y;
    });
    // An element-wise layer turns dy into dx in place, unless it needs dy for its own parameters afterwards.
    bool passed_down = false;
    net.for_each_layer_reversed([&](auto i) {
      if (passed_down) {
        gradients_[i + 1].rebind(gradients_[i + 2]);
      } else {
        gradient_memory_[i] = BufferMatrix<T>(net.features(i + 1), capacity);
        gradients_[i + 1].rebind(gradient_memory_[i].view());
      }
      const detail::LayerTraits traits = detail::traits_of<T>(net.layer(i));
      passed_down = traits.elementwise && !traits.parametric;
    });
  }

  /// How many samples it has room for.
  Index capacity() const { return capacity_; }
  /// Whether it was made for a network of these sizes: types with run-time sizes do not tell.
  bool fits(const Net& net) const { return layout_ == net.layout(); }
  /// Samples in the remembered pass; 0 before the first.
  Index batch() const { return batch_; }
  /// The generator of the remembered pass, from which its masks can be drawn again.
  Rng rng() const { return rng_; }

  /// The remembered pass's input, which is the caller's.
  ConstView<T> input() const { return input_; }
  /// The network's output: features x batch.
  ConstView<T> output() const { return activation(depth()); }
  /// Where the loss writes its gradient with respect to the output before a backward pass, which consumes it: layers
  /// may pass it down in place, so a second backward pass wants it written again.
  View<T> output_gradient() { return gradient(depth()); }

  /// Level 0 is the input, level i the output of layer i - 1, as it stands: a layer that works in place has
  /// overwritten the level below it.
  ConstView<T> activation(std::size_t level) const {
    return level == 0 ? input_ : ConstView<T>(activations_[level].columns(0, batch_));
  }
  /// The same, for who computes it.
  View<T> writable_activation(std::size_t level) { return activations_[level].columns(0, batch_); }
  /// The gradient with respect to activation(level), level > 0.
  View<T> gradient(std::size_t level) { return gradients_[level].columns(0, batch_); }

  /// Lets the output live in the caller's memory, e.g. in another network's input: features x capacity or more.
  void bind_output(View<T> y) {
    if (y.rows() != activations_.back().rows())
      detail::fail_contract("eigan::Tape::bind_output: expected ", activations_.back().rows(), " features, got ",
                            y.rows());
    activations_.back().rebind(y);
    capacity_ = std::min<Index>(activation_memory_[0].cols(), y.cols());
  }

  /// Starts a new pass over the columns of x.
  void begin(ConstView<T> x, Rng rng) {
    input_.rebind(x);
    batch_ = x.cols();
    rng_ = rng;
  }

 private:
  std::size_t depth() const { return activation_memory_.size(); }

  std::vector<BufferMatrix<T>> activation_memory_;  // of level i + 1, empty where it shares another's
  std::vector<BufferMatrix<T>> gradient_memory_;
  std::vector<View<T>> activations_;
  std::vector<View<T>> gradients_;
  ConstView<T> input_;
  typename Net::Layout layout_;
  Index capacity_;
  Index batch_ = 0;
  Rng rng_{0};
};

}  // namespace eigan

namespace eigan {

/// A `Net`, which is a Sequential or a Network, and its parameters in one buffer of T.
template <class Net, class T = float>
class Model {
 public:
  using Scalar = T;     ///< of parameters and samples
  using Network = Net;  ///< the Sequential, or the run-time Network

  /// A network with freshly initialised parameters.
  Model(Net net, Rng rng) : net_(std::move(net)), params_(net_.param_size()) {
    net_.template init<T>(params(), rng);
    plan();
  }
  /// A network whose type states all sizes.
  explicit Model(Rng rng) requires std::is_default_constructible_v<Net> : Model(Net{}, rng) {}

  /// A network with the parameters given.
  Model(Net net, Buffer<T> params) : net_(std::move(net)), params_(std::move(params)) {
    if (params_.size() != net_.param_size())
      detail::fail_contract("eigan::Model: the network has ", net_.param_size(), " parameters, given are ",
                            params_.size());
    plan();
  }

  /// The layers, without parameters.
  const Net& net() const { return net_; }
  /// All parameters, layer after layer.
  std::span<T> params() { return params_; }
  std::span<const T> params() const { return params_; }
  /// Layer I's own parameters, e.g. for `net().layer<0>().weight(params<0>())`.
  template <std::size_t I>
  std::span<T> params() {
    return params(I);
  }
  std::span<T> params(std::size_t layer) { return net_.slice(layer, params()); }
  /// The tensors in that buffer: names, places, shapes.
  std::vector<Parameter> parameters() const { return net_.parameters(); }
  /// One line, equal for models that can exchange parameters.
  std::string architecture() const { return net_.architecture(); }

  /// A tape for batches of up to `capacity` samples.
  Tape<Net, T> tape(Index capacity) const { return {net_, capacity}; }
  /// Working memory for infer, one per thread.
  Scratch<Net, T> scratch() const { return Scratch<Net, T>(net_, tile_); }
  /// A buffer of the parameters' length: a gradient, a moment, an average.
  Buffer<T> zeros() const { return Buffer<T>(net_.param_size()); }

  /// A forward pass for training: remembers on the tape what backward needs. x: input_size x batch, not copied.
  /// Layers that draw random numbers draw them from `rng`, so every pass wants its own: `rng.fold_in(step)`.
  ConstView<T> forward(Tape<Net, T>& tape, ConstView<T> x, Rng rng, Threads threads = {}) const {
    check_tape(tape);
    check_features(x);
    if (x.cols() < 1 || x.cols() > tape.capacity())
      detail::fail_contract("eigan::Model::forward: this tape holds 1 to ", tape.capacity(), " samples, the input has ",
                            x.cols());
    tape.begin(x, rng);
    sweep(tape, threads);
    return tape.output();
  }
  /// The same for a network without randomness.
  ConstView<T> forward(Tape<Net, T>& tape, ConstView<T> x, Threads threads = {}) const {
    if constexpr (requires { typename std::bool_constant<Net::stochastic>; })
      static_assert(
          !Net::stochastic,
          "eigan::Model::forward: this network has a layer that draws random numbers in training; pass an Rng");
    else if (net_.stochastic())
      detail::fail_contract(
          "eigan::Model::forward: this network has a layer that draws random numbers in training; pass an Rng");
    return forward(tape, x, Rng(0), threads);
  }
  /// A temporary would be gone before backward reads it.
  template <std::same_as<Matrix<T>> M>
  ConstView<T> forward(Tape<Net, T>& tape, M&& x, Rng rng, Threads threads = {}) const = delete;
  template <std::same_as<Matrix<T>> M>
  ConstView<T> forward(Tape<Net, T>& tape, M&& x, Threads threads = {}) const = delete;

  /// The gradient with respect to the input alone; the caller has written tape.output_gradient(). Assigns dx.
  void backward_input(Tape<Net, T>& tape, View<T> dx, Threads threads = {}) const {
    check_pass(tape);
    if (dx.rows() != net_.input_size() || dx.cols() != tape.batch())
      detail::fail_contract("eigan::Model::backward_input: dx must be ", net_.input_size(), " x ", tape.batch(),
                            ", is ", dx.rows(), " x ", dx.cols());
    propagate(tape, 0, &dx, threads);
  }

  /// What follows each finished piece of the gradient, [first, first + count): nothing, unless an optimiser wants to
  /// use it while it is in cache.
  struct Nothing {
    void operator()(Index /*first*/, Index /*count*/) const {}  ///< does nothing
  };

  /// Adds the gradient with respect to the parameters to `grad`; the gradient with respect to the input is not
  /// computed. `after_block(first, count)` is called after each piece, on any thread; it may change those parameters.
  template <class AfterBlock = Nothing>
  void backward_params(Tape<Net, T>& tape, std::span<T> grad, Threads threads = {},
                       const AfterBlock& after_block = {}) const {
    check_backward(tape, grad);
    propagate(tape, first_parametric() + 1, nullptr, threads);
    accumulate(tape, grad, threads, after_block);
  }

  /// Throws std::invalid_argument if backward_params would refuse this tape or this gradient.
  void check_backward(const Tape<Net, T>& tape, std::span<const T> grad) const {
    check_pass(tape);
    check_size(grad);
  }

  /// Both: assigns dx and adds to grad.
  void backward(Tape<Net, T>& tape, std::span<T> grad, View<T> dx, Threads threads = {}) const {
    check_size(grad);
    backward_input(tape, dx, threads);
    accumulate(tape, grad, threads, Nothing{});
  }

  /// Inference on one thread: y = net(x), dropout off. x: input_size x n, y: output_size x n, any n.
  void infer(ConstView<T> x, View<T> y, Scratch<Net, T>& scratch) const {
    check_features(x);
    if (!scratch.fits(net_, tile_))
      detail::fail_contract("eigan::Model::infer: this scratch was made for a network of other sizes");
    if (y.rows() != net_.output_size() || y.cols() != x.cols())
      detail::fail_contract("eigan::Model::infer: y must be ", net_.output_size(), " x ", x.cols(), ", is ", y.rows(),
                            " x ", y.cols());
    for (Index first = 0; first < x.cols(); first += tile_)
      infer_tile(x, y, scratch, first, std::min(tile_, x.cols() - first));
  }

  /// Inference into a new matrix, on several threads for large batches.
  Matrix<T> infer(ConstView<T> x, Threads threads = {}) const {
    check_features(x);
    Matrix<T> y(net_.output_size(), x.cols());
    const int parts = detail::usable_threads(threads, 2.0 * work(x.cols()));
    std::vector<Scratch<Net, T>> scratches;
    scratches.reserve(static_cast<std::size_t>(parts));
    for (int i = 0; i < parts; ++i) scratches.push_back(scratch());
    const Index tile = tile_width(x.cols(), parts), n = tiles(x.cols(), tile);
    detail::parallel(parts, [&](int part, int of) {
      for (Index i = detail::part_begin(n, part, of); i < detail::part_begin(n, part + 1, of); ++i)
        infer_tile(x, View<T>(y), scratches[static_cast<std::size_t>(part)], i * tile,
                   std::min(tile, x.cols() - i * tile));
    });
    return y;
  }

 private:
  struct Block {
    std::size_t layer;
    Index index;
    Index first, last;
  };

  void plan() {
    net_.for_each_layer([&](auto i) {
      // Weights larger than a second-level cache are read anew for each tile, so that larger tiles serve them better.
      if ((net_.offset(i + 1) - net_.offset(i)) * static_cast<Index>(sizeof(T)) > 1 << 20) tile_ = 128;
      const auto& layer = net_.layer(i);
      using L = std::remove_cvref_t<decltype(layer)>;
      if constexpr (BlockedLayer<L, T>) {
        for (Index b = 0; b < layer.block_count(); ++b) {
          const auto [first, last] = layer.block_range(b);
          blocks_.push_back({i, b, net_.offset(i) + first, net_.offset(i) + last});
        }
      } else if constexpr (ParametricLayer<L, T>) {
        blocks_.push_back({i, 0, net_.offset(i), net_.offset(i) + detail::trained_size_of(layer)});
      }
    });
  }

  /// How wide to cut the tiles of a batch for so many threads: narrower than could be where threads would be left
  /// without one. A sample's result does not depend on the tile that it is in.
  Index tile_width(Index batch, Index parts) const {
    const Index share = std::max<Index>((batch + parts - 1) / parts, 1);
    return std::min(tile_, (share + least_tile - 1) / least_tile * least_tile);
  }
  static Index tiles(Index batch, Index tile) { return (batch + tile - 1) / tile; }
  double work(Index batch) const { return static_cast<double>(net_.param_size()) * static_cast<double>(batch); }

  /// f(first, count) for each tile of a batch, on several threads where that pays.
  template <class F>
  void for_each_tile(Index batch, Threads threads, const F& f) const {
    const Index tile = tile_width(batch, detail::usable_threads(threads, 2.0 * work(batch)));
    detail::parallel_for(tiles(batch, tile), 2.0 * work(batch), threads,
                         [&](Index i) { f(i * tile, std::min(tile, batch - i * tile)); });
  }

  template <class I>
  detail::LayerTraits traits(I layer) const {
    return detail::traits_of<T>(net_.layer(layer));
  }
  /// Where the tiles that start at layer `first` end on their way up: at the next layer that wants to see the whole
  /// batch, or at the output.
  std::size_t sweep_end(std::size_t first) const {
    std::size_t end = net_.depth();
    net_.for_each_layer_reversed([&](auto i) {
      if (i >= first && traits(i).coupled) end = i;
    });
    return end;
  }
  /// Where the tiles that end before layer `end` start: after the last coupled layer below it, or at the input.
  std::size_t sweep_start(std::size_t end) const {
    std::size_t start = 0;
    net_.for_each_layer([&](auto i) {
      if (i < end && traits(i).coupled) start = i + 1;
    });
    return start;
  }
  std::size_t first_parametric() const {
    std::size_t first = net_.depth();
    net_.for_each_layer_reversed([&](auto i) {
      if (traits(i).parametric) first = i;
    });
    return first;
  }

  void check_features(const ConstView<T>& x) const {
    if (x.rows() != net_.input_size())
      detail::fail_contract("eigan::Model: a sample of the input must have ", net_.input_size(), " features, has ",
                            x.rows());
  }
  void check_tape(const Tape<Net, T>& tape) const {
    if (!tape.fits(net_)) detail::fail_contract("eigan::Model: this tape was made for a network of other sizes");
  }
  void check_size(std::span<const T> grad) const {
    if (std::ssize(grad) != net_.param_size())
      detail::fail_contract("eigan::Model: the gradient must have ", net_.param_size(), " elements, has ", grad.size());
  }
  void check_pass(const Tape<Net, T>& tape) const {
    check_tape(tape);
    if (tape.batch() == 0) detail::fail_contract("eigan::Model: backward without a forward pass on this tape");
  }

  /// f(part) for the parts of a coupled layer.
  template <class F>
  void for_each_part(Index parts, Index batch, std::size_t layer, Threads threads, const F& f) const {
    constexpr double passes = 8;  // of a few operations over the layer's values
    detail::parallel_for(parts, passes * static_cast<double>(net_.features(layer)) * static_cast<double>(batch),
                         threads, f);
  }

  /// The forward pass: tiles go through as many layers as they can, then the coupled layer that stopped them sees the
  /// whole batch, and so on.
  void sweep(Tape<Net, T>& tape, Threads threads) const {
    for (std::size_t start = 0; start < net_.depth();) {
      const std::size_t end = sweep_end(start);
      if (start < end)
        for_each_tile(tape.batch(), threads, [&](Index first, Index count) {
          net_.for_each_layer([&](auto i) {
            if (i >= start && i < end) forward_tile(i, tape, first, count);
          });
        });
      if (end < net_.depth()) net_.visit_layer(end, [&](auto i) { forward_coupled(i, tape, threads); });
      start = end + 1;
    }
  }

  template <class I>
  void forward_tile(I i, Tape<Net, T>& tape, Index first, Index count) const {
    const auto& layer = net_.layer(i);
    const auto p = net_.slice(i, params());
    const ConstView<T> x = tape.activation(i).columns(first, count);
    const View<T> y = tape.writable_activation(i + 1).columns(first, count);
    if constexpr (StochasticLayer<std::remove_cvref_t<decltype(layer)>, T>)
      layer.forward_train(p, x, y, Draw{tape.rng().fold_in(i), first});
    else
      layer.forward(p, x, y);
  }

  template <class I>
  void forward_coupled(I i, Tape<Net, T>& tape, Threads threads) const {
    const auto& layer = net_.layer(i);
    if constexpr (BatchCoupledLayer<std::remove_cvref_t<decltype(layer)>, T>)
      for_each_part(layer.part_count(), tape.batch(), i, threads, [&](Index part) {
        layer.forward_part(net_.slice(i, params()), tape.activation(i), tape.writable_activation(i + 1), part);
      });
  }

  /// Carries the gradient from the output down to level `level`, which is dx where that is 0.
  void propagate(Tape<Net, T>& tape, std::size_t level, const View<T>* dx, Threads threads) const {
    const auto below = [&](std::size_t i) { return i == 0 ? *dx : tape.gradient(i); };
    for (std::size_t end = net_.depth(); end > level;) {
      const std::size_t start = std::max(sweep_start(end), level);
      if (start < end)
        for_each_tile(tape.batch(), threads, [&](Index first, Index count) {
          net_.for_each_layer_reversed([&](auto i) {
            if (i >= start && i < end) backward_tile(i, tape, below(i).columns(first, count), first, count);
          });
        });
      if (start == level) break;
      end = start - 1;
      net_.visit_layer(end, [&](auto i) { backward_coupled(i, tape, below(i), threads); });
    }
  }

  template <class I>
  void backward_tile(I i, Tape<Net, T>& tape, View<T> dx, Index first, Index count) const {
    const auto& layer = net_.layer(i);
    const auto p = net_.slice(i, params());
    const ConstView<T> x = tape.activation(i).columns(first, count);
    const ConstView<T> y = tape.activation(i + 1).columns(first, count);
    const ConstView<T> dy = tape.gradient(i + 1).columns(first, count);
    if constexpr (StochasticLayer<std::remove_cvref_t<decltype(layer)>, T>)
      layer.backward_input_train(p, x, y, dy, dx, Draw{tape.rng().fold_in(i), first});
    else
      layer.backward_input(p, x, y, dy, dx);
  }

  template <class I>
  void backward_coupled(I i, Tape<Net, T>& tape, View<T> dx, Threads threads) const {
    const auto& layer = net_.layer(i);
    if constexpr (BatchCoupledLayer<std::remove_cvref_t<decltype(layer)>, T>)
      for_each_part(layer.part_count(), tape.batch(), i, threads, [&](Index part) {
        layer.backward_input_part(net_.slice(i, params()), tape.activation(i), tape.activation(i + 1),
                                  ConstView<T>(tape.gradient(i + 1)), dx, part);
      });
  }

  /// Adds the parameters' gradients, each over the whole batch. A thread's share is the blocks of a contiguous part of
  /// the parameter buffer; blocks of one layer are computed together, a run of them, because their products read the
  /// same activations, but no more at a time than a core's cache holds of the gradient until the optimiser reads it.
  template <class AfterBlock>
  void accumulate(Tape<Net, T>& tape, std::span<T> grad, Threads threads, const AfterBlock& after_block) const {
    const int parts = detail::usable_threads(threads, 2.0 * work(tape.batch()));
    detail::parallel(parts, [&](int part, int of) {
      const Index begin = detail::part_begin(net_.param_size(), part, of);
      const Index end = detail::part_begin(net_.param_size(), part + 1, of);
      const auto is_mine = [&](const Block& block) {
        const Index middle = (block.first + block.last) / 2;
        return middle >= begin && middle < end;
      };
      for (auto block = blocks_.begin(); block != blocks_.end();) {
        auto next = block + 1;
        if (is_mine(*block)) {
          while (next != blocks_.end() && next->layer == block->layer && is_mine(*next) &&
                 next->last - block->first <= most_in_a_run)
            ++next;
          net_.visit_layer(block->layer,
                           [&](auto i) { accumulate_blocks(i, tape, grad, block->index, (next - 1)->index + 1); });
          after_block(block->first, (next - 1)->last - block->first);
        }
        block = next;
      }
    });
  }

  template <class I>
  void accumulate_blocks(I i, Tape<Net, T>& tape, std::span<T> grad, [[maybe_unused]] Index first,
                         [[maybe_unused]] Index last) const {
    const auto& layer = net_.layer(i);
    using L = std::remove_cvref_t<decltype(layer)>;
    const auto p = net_.slice(i, params());
    const auto dp = net_.slice(i, grad);
    const ConstView<T> x = tape.activation(i), y = tape.activation(i + 1), dy = tape.gradient(i + 1);
    if constexpr (BlockedLayer<L, T>)
      layer.backward_params_blocks(p, x, y, dy, dp, first, last);
    else if constexpr (ParametricLayer<L, T>)
      layer.backward_params(p, x, y, dy, dp);
  }

  void infer_tile(const ConstView<T>& x, View<T> y, Scratch<Net, T>& scratch, Index first, Index count) const {
    ConstView<T> in = x.columns(first, count);
    net_.for_each_layer([&](auto i) {
      const View<T> out =
          i + 1 == net_.depth() ? y.columns(first, count) : scratch.level(i % 2, net_.features(i + 1), count);
      net_.layer(i).forward(net_.slice(i, params()), in, out);
      in.rebind(out);
    });
  }

  Net net_;
  Buffer<T> params_;
  std::vector<Block> blocks_;
  static constexpr Index most_in_a_run = 131072;  // parameters
  static constexpr Index least_tile = 32;
  /// Samples that travel through all layers together while they are in cache, at most.
  Index tile_ = least_tile;
};

}  // namespace eigan

namespace eigan {

/// The memory of the penalty. `Net` may have any layers that satisfy PiecewiseLinearLayer.
template <class Net, class T = float>
class R1Penalty {
 public:
  /// For batches of up to `capacity` samples. `features`: how many of the input's first rows are the image and count;
  /// 0 for all (a condition may follow the image).
  R1Penalty(const Model<Net, T>& discriminator, Index capacity, Index features = 0)
      : tape_(discriminator.tape(capacity)),
        tangent_(discriminator.tape(capacity)),
        slope_(discriminator.net().input_size(), capacity),
        features_(features == 0 ? discriminator.net().input_size() : features) {
    discriminator.net().for_each_layer([&](auto i) {
      static_assert(PiecewiseLinearLayer<std::remove_cvref_t<decltype(discriminator.net().layer(i))>, T>,
                    "eigan::R1Penalty: every layer of the discriminator must satisfy PiecewiseLinearLayer");
    });
    if (features_ < 0 || features_ > slope_.rows())
      detail::fail_contract("eigan::R1Penalty: ", features_, " features of an input of ", slope_.rows());
    if (discriminator.net().output_size() != 1)
      detail::fail_contract("eigan::R1Penalty: the discriminator must give 1 logit, gives ",
                            discriminator.net().output_size());
  }

  /// Adds the penalty's gradient to `grad`, as a discriminator_step that follows expects it in its workspace, and
  /// returns the penalty. real: input_size x batch. Dropout masks come from `rng`.
  T add_gradient(const Model<Net, T>& discriminator, std::type_identity_t<ConstView<T>> real, T gamma,
                 std::span<T> grad, Rng rng, Threads threads = {}) {
    const Index batch = real.cols();
    discriminator.forward(tape_, real, rng, threads);
    discriminator.check_backward(tape_, grad);
    tape_.output_gradient().setOnes();
    View<T> slope = slope_.view().columns(0, batch);
    discriminator.backward_input(tape_, slope, threads);
    slope.bottomRows(slope.rows() - features_).setZero();

    double squares = 0;
    for (Index j = 0; j < batch; ++j) squares += static_cast<double>(slope.col(j).squaredNorm());
    const T share = gamma / static_cast<T>(batch);
    slope *= share;
    tangent_.begin(slope, rng);

    const double work = 2.0 * static_cast<double>(discriminator.net().param_size()) * static_cast<double>(batch);
    constexpr Index tile = 32;
    detail::parallel_for((batch + tile - 1) / tile, work, threads,
                         [&](Index i) { send_tangent(discriminator, i * tile, std::min(tile, batch - i * tile)); });
    discriminator.net().for_each_layer([&](auto i) {
      const auto& layer = discriminator.net().layer(i);
      if constexpr (!ElementwiseLayer<std::remove_cvref_t<decltype(layer)>>) {
        const auto dp = discriminator.net().slice(i, grad);
        detail::parallel_ranges(layer.block_count(),
                                2.0 * static_cast<double>(layer.param_size()) * static_cast<double>(batch), threads,
                                [&](Index first, Index last) {
                                  layer.backward_tangent_blocks(tangent_.activation(i),
                                                                ConstView<T>(tape_.gradient(i + 1)), dp, first, last);
                                });
      }
    });
    return static_cast<T>(squares / 2) * share;
  }
  T add_gradient(const Model<Net, T>& discriminator, std::type_identity_t<ConstView<T>> real, T gamma, Buffer<T>& grad,
                 Rng rng, Threads threads = {}) {
    return add_gradient(discriminator, real, gamma, std::span<T>(grad), rng, threads);
  }

 private:
  /// The tangents of some samples, through all layers.
  void send_tangent(const Model<Net, T>& discriminator, Index first, Index count) {
    discriminator.net().for_each_layer([&](auto i) {
      const auto& layer = discriminator.net().layer(i);
      using L = std::remove_cvref_t<decltype(layer)>;
      const auto p = discriminator.net().slice(i, discriminator.params());
      const ConstView<T> x = tape_.activation(i).columns(first, count);
      const ConstView<T> y = tape_.activation(i + 1).columns(first, count);
      const ConstView<T> tx = tangent_.activation(i).columns(first, count);
      const View<T> ty = tangent_.writable_activation(i + 1).columns(first, count);
      if constexpr (!ElementwiseLayer<L>)
        layer.forward_tangent(p, tx, ty);
      else if constexpr (StochasticLayer<L, T>)  // a diagonal Jacobian is its own transpose
        layer.backward_input_train(p, x, y, tx, ty, Draw{tape_.rng().fold_in(i), first});
      else
        layer.backward_input(p, x, y, tx, ty);
    });
  }

  Tape<Net, T> tape_;
  Tape<Net, T> tangent_;
  BufferMatrix<T> slope_;
  Index features_;
};

}  // namespace eigan

// ======== eigan/gan/steps.hpp
// The two steps of adversarial training, as free functions: the training loop that alternates them stays in the
// program. Each is one forward pass, one backward pass and one step of the optimiser.

// ======== eigan/gan/workspace.hpp
// GanWorkspace: the memory of adversarial training: both tapes, both gradients, and one image buffer whose left half
// holds real images and whose right half the generator writes, so that the discriminator sees both as one batch.
//
// A discriminator that takes more features than the generator gives is conditional: what follows the image in its input
// (a one-hot label, say) is the caller's to write, in real(batch) and in fake_condition(batch).

namespace eigan {

/// The memory of the steps in gan/steps.hpp.
template <class G, class D, class T = float>
class GanWorkspace {
 public:
  /// For batches of up to `capacity` real and as many generated samples.
  GanWorkspace(const Model<G, T>& generator, const Model<D, T>& discriminator, Index capacity)
      : g_tape(generator.tape(capacity)),
        d_tape(discriminator.tape(2 * capacity)),
        g_grad(generator.zeros()),
        d_grad(discriminator.zeros()),
        images_(discriminator.net().input_size(), 2 * capacity),
        generated_(generator.net().output_size()),
        capacity_(capacity) {
    if (generated_ > images_.rows())
      detail::fail_contract("eigan::GanWorkspace: the generator gives ", generated_,
                            " features, the discriminator takes ", images_.rows());
    if (generated_ < images_.rows()) input_gradient_ = BufferMatrix<T>(images_.rows(), capacity);
    if (discriminator.net().output_size() != 1)
      detail::fail_contract("eigan::GanWorkspace: the discriminator must give 1 logit, gives ",
                            discriminator.net().output_size());
  }

  /// How many real samples it has room for.
  Index capacity() const { return capacity_; }

  // Each throws std::invalid_argument for a batch above the capacity.

  /// Where a batch of real samples may be written in place; a step given this view copies nothing. A larger one than
  /// was generated reaches into what was generated.
  View<T> real(Index batch) {
    const View<T> view = checked(batch).columns(0, batch);
    if (batch > fresh_) fresh_ = 0;
    return view;
  }
  /// The generator's last batch.
  View<T> fake(Index batch) { return fake_rows(batch, 0, generated_); }
  /// What the discriminator is told besides: condition x batch, of no rows where it takes images alone.
  View<T> fake_condition(Index batch) { return fake_rows(batch, generated_, images_.rows() - generated_); }
  /// Both, as the discriminator sees a generated sample.
  ConstView<T> fake_input(Index batch) { return checked(batch).columns(batch, batch); }
  /// Both, real first.
  ConstView<T> both(Index batch) { return checked(batch).columns(0, 2 * batch); }

  /// Where the gradient with respect to fake_input goes; its first rows must end in g_tape.output_gradient().
  View<T> input_gradient(Index batch) {
    return generated_ == images_.rows() ? g_tape.output_gradient() : input_gradient_.view().columns(0, batch);
  }

  /// Says that fake(batch) holds samples of the generator as it is, with its tape.
  void set_fresh(Index batch) { fresh_ = batch; }
  /// How many such samples there are; from now on none, for whoever asks is about to change the generator.
  Index take_fresh() { return std::exchange(fresh_, 0); }

  Tape<G, T> g_tape;  ///< of the generator's pass
  Tape<D, T> d_tape;  ///< of the discriminator's
  Buffer<T> g_grad;   ///< the generator's gradient; zero between steps
  Buffer<T> d_grad;   ///< the discriminator's; what it holds joins the next step

 private:
  View<T> checked(Index batch) {
    if (batch < 0 || batch > capacity_)
      detail::fail_contract("eigan: this GanWorkspace holds batches of up to ", capacity_, ", got ", batch);
    return images_.view();
  }

  View<T> fake_rows(Index batch, Index first, Index count) {
    View<T> all = checked(batch).columns(batch, batch);
    return {all.data() + first, count, batch, all.outerStride()};
  }

  BufferMatrix<T> images_;
  BufferMatrix<T> input_gradient_;
  Index generated_;
  Index capacity_;
  Index fresh_ = 0;
};

}  // namespace eigan

// ======== eigan/optim/optimizer.hpp
// What an optimiser is, and the backward pass that updates parameters while their gradients are in cache.

namespace eigan {

/// Steps over one flat buffer: begin_step() once, then update() for disjoint ranges, from any thread. An update of no
/// elements changes nothing, may come at any time, and throws if the buffers do not fit.
template <class O, class T = float>
concept Optimizer = requires(O optimizer, std::span<T> params, std::span<const T> grad, Index i) {
  optimizer.begin_step();
  optimizer.update(params, grad, i, i);
};

/// backward_params and one optimiser step in a single sweep: the result is that of
///     zero grad; model.backward_params(tape, grad); optimizer.step(model.params(), grad);
/// but each run of blocks is updated right after its gradient, while that is in cache. `grad` is working memory:
/// zeros on entry, as Model::zeros() gives it, or a gradient to be added to (a penalty's), and zeros on return.
template <class Net, class T, Optimizer<T> O>
void backward_and_step(Model<Net, T>& model, Tape<Net, T>& tape, O& optimizer, std::span<T> grad,
                       Threads threads = {}) {
  struct Update {
    Model<Net, T>& model;
    O& optimizer;
    std::span<T> grad;
    void operator()(Index first, Index count) const {
      optimizer.update(model.params(), grad, first, count);
      std::fill_n(grad.data() + first, count, T(0));
    }
  };
  // Whatever does not fit throws here, before anything has changed.
  model.check_backward(tape, grad);
  optimizer.update(model.params(), grad, 0, 0);
  optimizer.begin_step();
  model.backward_params(tape, grad, threads, Update{model, optimizer, grad});
}
template <class Net, class T, Optimizer<T> O>
void backward_and_step(Model<Net, T>& model, Tape<Net, T>& tape, O& optimizer, Buffer<T>& grad, Threads threads = {}) {
  backward_and_step(model, tape, optimizer, std::span<T>(grad), threads);
}

}  // namespace eigan

namespace eigan {

/// What discriminator_step saw, before it changed anything.
template <class T>
struct DiscriminatorResult {
  T loss;    ///< loss on real + loss on fake
  T d_real;  ///< mean of sigmoid(D(real))
  T d_fake;  ///< mean of sigmoid(D(fake))
};

/// What generator_step saw, before it changed anything.
template <class T>
struct GeneratorResult {
  T loss;    ///< of the generator
  T d_fake;  ///< mean of sigmoid(D(fake))
};

namespace detail {

template <class T>
T mean_sigmoid(ConstView<T> logits) {
  double sum = 0;
  for (Index j = 0; j < logits.cols(); ++j) sum += 1 / (1 + std::exp(-static_cast<double>(logits(0, j))));
  return static_cast<T>(sum / static_cast<double>(logits.cols()));
}

/// G(z) into the right half of the workspace's images.
template <class G, class D, class T>
void generate(const Model<G, T>& generator, GanWorkspace<G, D, T>& ws, ConstView<T> z, Rng rng, Threads threads) {
  ws.g_tape.bind_output(ws.fake(z.cols()));
  generator.forward(ws.g_tape, z, rng, threads);
  ws.set_fresh(z.cols());
}

}  // namespace detail

/// Trains the discriminator on `real` against as many samples of the generator: the loss of both halves, one backward
/// pass, one step. The generator is not changed. real: features x batch, z: latent x batch; dropout masks of this
/// step come from `rng`, which must differ from step to step. What ws.d_grad holds, such as a penalty's gradient, joins
/// the gradient of the loss; it is zero afterwards.
template <class G, class D, class T, Optimizer<T> O, class Loss = NonSaturatingLoss>
DiscriminatorResult<T> discriminator_step(const Model<G, T>& generator, Model<D, T>& discriminator, O& optimizer,
                                          GanWorkspace<G, D, T>& ws, std::type_identity_t<ConstView<T>> real,
                                          std::type_identity_t<ConstView<T>> z, Rng rng, const Loss& loss = {},
                                          Threads threads = {}) {
  const Index batch = real.cols();
  if (z.cols() != batch)
    detail::fail_contract("eigan::discriminator_step: ", batch, " real samples but ", z.cols(), " z");
  if (real.rows() != discriminator.net().input_size())
    detail::fail_contract("eigan::discriminator_step: a real sample must have ", discriminator.net().input_size(),
                          " features, has ", real.rows());
  detail::generate(generator, ws, ConstView<T>(z), rng.fold_in(0), threads);
  if (real.data() != ws.real(batch).data()) ws.real(batch) = real;

  const ConstView<T> logits = discriminator.forward(ws.d_tape, ws.both(batch), rng.fold_in(1), threads);
  const ConstView<T> on_real = logits.columns(0, batch), on_fake = logits.columns(batch, batch);
  const View<T> gradient = ws.d_tape.output_gradient();
  const T real_loss = loss.real(on_real, gradient.columns(0, batch));
  const T fake_loss = loss.fake(on_fake, gradient.columns(batch, batch));

  backward_and_step(discriminator, ws.d_tape, optimizer, ws.d_grad, threads);
  return {real_loss + fake_loss, detail::mean_sigmoid(on_real), detail::mean_sigmoid(on_fake)};
}

/// Trains the generator against the discriminator, which only passes the gradient through: its own weight gradients
/// are not computed and it is not changed. The samples are those of the discriminator_step before; they serve for one
/// step, after which the generator is another. The z that they were made from must still lie where it lay.
template <class G, class D, class T, Optimizer<T> O, class Loss = NonSaturatingLoss>
GeneratorResult<T> generator_step(Model<G, T>& generator, const Model<D, T>& discriminator, O& optimizer,
                                  GanWorkspace<G, D, T>& ws, Rng rng, const Loss& loss = {}, Threads threads = {}) {
  const Index batch = ws.take_fresh();
  if (batch == 0)
    detail::fail_contract(
        "eigan::generator_step: no samples of the generator as it is; a discriminator_step makes them");
  const ConstView<T> logits = discriminator.forward(ws.d_tape, ws.fake_input(batch), rng.fold_in(1), threads);
  const T value = loss.generator(logits, ws.d_tape.output_gradient());

  const View<T> to_input = ws.input_gradient(batch);
  View<T> to_image = ws.g_tape.output_gradient();
  discriminator.backward_input(ws.d_tape, to_input, threads);
  if (to_input.data() != to_image.data()) to_image = to_input.topRows(to_image.rows());
  backward_and_step(generator, ws.g_tape, optimizer, ws.g_grad, threads);
  return {value, detail::mean_sigmoid(logits)};
}

/// The same on samples of its own, at the price of one more forward pass. z: latent x batch.
template <class G, class D, class T, Optimizer<T> O, class Loss = NonSaturatingLoss>
GeneratorResult<T> generator_step(Model<G, T>& generator, const Model<D, T>& discriminator, O& optimizer,
                                  GanWorkspace<G, D, T>& ws, std::type_identity_t<ConstView<T>> z, Rng rng,
                                  const Loss& loss = {}, Threads threads = {}) {
  detail::generate(generator, ws, ConstView<T>(z), rng.fold_in(0), threads);
  return generator_step(generator, discriminator, optimizer, ws, rng, loss, threads);
}

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

  std::string describe() const { return "ReLU()"; }

  template <class T>
  void forward(std::span<const T>, ConstView<T> x, View<T> y) const {
    detail::for_each_column(y, x,
                            [](Index n, T* yj, const T* xj) { detail::elementwise_kernels<T>().relu(n, xj, yj); });
  }

  template <class T>
  void backward_input(std::span<const T>, ConstView<T>, ConstView<T> y, ConstView<T> dy, View<T> dx) const {
    detail::for_each_column(dx, y, dy, [](Index n, T* dxj, const T* yj, const T* dyj) {
      detail::elementwise_kernels<T>().leaky_relu_backward(n, T(0), yj, dyj, dxj);
    });
  }
};

static_assert(Layer<ReLU>);

}  // namespace eigan

// ======== eigan/layers/sigmoid.hpp
// Sigmoid: y = 1 / (1 + e^-x).     Backward: dx = y (1 - y) dy.     Element-wise.

namespace eigan {

/// y = 1 / (1 + e^-x).
class Sigmoid {
 public:
  static constexpr bool elementwise = true;
  static constexpr bool backward_reads_x = false;

  std::string describe() const { return "Sigmoid()"; }

  template <class T>
  void forward(std::span<const T>, ConstView<T> x, View<T> y) const {
    detail::for_each_column(y, x,
                            [](Index n, T* yj, const T* xj) { detail::elementwise_kernels<T>().sigmoid(n, xj, yj); });
  }

  template <class T>
  void backward_input(std::span<const T>, ConstView<T>, ConstView<T> y, ConstView<T> dy, View<T> dx) const {
    detail::for_each_column(dx, y, dy, [](Index n, T* dxj, const T* yj, const T* dyj) {
      detail::elementwise_kernels<T>().sigmoid_backward(n, yj, dyj, dxj);
    });
  }
};

static_assert(Layer<Sigmoid>);

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

template <class T, class Target>
T bce(const ConstView<T>& y, const Target& target, View<T> dy) {
  check_loss_shapes("bce", y, dy);
  const T scale = T(1) / static_cast<T>(y.size());
  double sum = 0;
  for (Index j = 0; j < y.cols(); ++j)
    for (Index i = 0; i < y.rows(); ++i) {
      const T p = y(i, j), t = target(i, j);
      const T log_p = clamp_log(std::log(p)), log_q = clamp_log(std::log1p(-p));
      sum -= static_cast<double>(std::fma(t, log_p, (T(1) - t) * log_q));
      dy(i, j) = (p - t) / std::max((T(1) - p) * p, T(1e-12F)) * scale;  // a float in PyTorch, for double, too
    }
  return static_cast<T>(sum) * scale;
}
}  // namespace detail

/// One target for all elements. Returns the loss and assigns dy.
template <class T>
T bce(std::type_identity_t<ConstView<T>> y, std::type_identity_t<T> target, View<T> dy) {
  return detail::bce<T>(
      y, [target](Index, Index) { return target; }, dy);
}
/// A target for each element, of the same shape as y.
template <class T>
T bce(std::type_identity_t<ConstView<T>> y, std::type_identity_t<ConstView<T>> target, View<T> dy) {
  detail::check_loss_shapes("bce", y, target);
  return detail::bce<T>(y, target, dy);
}

}  // namespace eigan

// ======== eigan/losses/cross_entropy.hpp
// CrossEntropy: of softmax(z) against integer labels, mean over the batch.     z: classes x batch.
//   L = mean_j( log sum_i e^z_ij - z_{label_j, j} )          dz_ij = (softmax(z)_ij - [i = label_j]) / batch
// Finite for every finite logit: the largest is taken out of the sum first. (torch.nn.CrossEntropyLoss)

#include <ranges>

namespace eigan {

/// Whole numbers in contiguous memory, such as std::vector<std::uint8_t> or std::span<const int>.
template <class R>
concept LabelRange =
    std::ranges::contiguous_range<R> && std::ranges::sized_range<R> && std::integral<std::ranges::range_value_t<R>>;

/// Labels are class numbers, one for each column. Returns the loss and assigns dz. Throws std::invalid_argument for a
/// label that is not a class.
template <class T, LabelRange Labels>
T cross_entropy(std::type_identity_t<ConstView<T>> z, const Labels& labels, View<T> dz) {
  detail::check_loss_shapes("cross_entropy", z, dz);
  const std::span all(std::ranges::data(labels), std::ranges::size(labels));
  if (std::ssize(all) != z.cols())
    detail::fail_contract("eigan::cross_entropy: expected ", z.cols(), " labels, got ", all.size());
  const T scale = T(1) / static_cast<T>(z.cols());
  double sum = 0;
  for (Index j = 0; j < z.cols(); ++j) {
    const auto given = +all[static_cast<std::size_t>(j)];  // characters are numbers, too
    if (std::cmp_less(given, 0) || std::cmp_greater_equal(given, z.rows()))
      detail::fail_contract("eigan::cross_entropy: sample ", j, ": expected a label from 0 to ", z.rows() - 1,
                            ", found ", given);
    const auto label = static_cast<Index>(given);
    const T largest = z.col(j).maxCoeff();
    T total = 0;
    for (Index i = 0; i < z.rows(); ++i) total += dz(i, j) = std::exp(z(i, j) - largest);
    sum += static_cast<double>(std::log(total) + largest - z(label, j));
    dz.col(j) *= scale / total;
    dz(label, j) -= scale;
  }
  return static_cast<T>(sum) * scale;
}

}  // namespace eigan

// ======== eigan/losses/mse.hpp
// MSE: L = mean( (y - t)^2 ) over all elements,   dy = 2 (y - t) / count.     (torch.nn.MSELoss)

namespace eigan {

/// y, target, dy: features x batch. Returns the loss and assigns dy.
template <class T>
T mse(std::type_identity_t<ConstView<T>> y, std::type_identity_t<ConstView<T>> target, View<T> dy) {
  detail::check_loss_shapes("mse", y, target);
  detail::check_loss_shapes("mse", y, dy);
  const T scale = T(1) / static_cast<T>(y.size());
  double sum = 0;
  for (Index j = 0; j < y.cols(); ++j)
    for (Index i = 0; i < y.rows(); ++i) {
      const T difference = y(i, j) - target(i, j);
      sum = std::fma(static_cast<double>(difference), static_cast<double>(difference), sum);
      dy(i, j) = difference * (2 * scale);
    }
  return static_cast<T>(sum) * scale;
}

}  // namespace eigan

// ======== eigan/net/estimate_statistics.hpp
// estimate_statistics: writes what batch-coupled layers use at inference, from samples of the network's input.

namespace eigan {

/// Sends x (input_size x samples) through the network layer by layer, as at inference, and lets every BatchNorm1d take
/// its means and variances over all samples of its own input. To be called before infer or saving, once the weights
/// have changed: thousands of samples give steadier statistics than the averages over training batches that others
/// keep, and they belong to these weights, averaged ones (Ema) included. Throws std::invalid_argument without samples
/// or for samples of another size.
template <class Net, class T>
void estimate_statistics(Model<Net, T>& model, std::type_identity_t<ConstView<T>> x) {
  const Net& net = model.net();
  if (x.rows() != net.input_size() || x.cols() < 1)
    detail::fail_contract("eigan::estimate_statistics: expected samples of ", net.input_size(), " features, got ",
                          x.cols(), " of ", x.rows());
  Matrix<T> level = x;
  net.for_each_layer([&](auto i) {
    const auto& layer = net.layer(i);
    const std::span<T> p = model.params(i);
    if constexpr (requires { layer.set_statistics(p, ConstView<T>(level)); })
      layer.set_statistics(p, ConstView<T>(level));
    Matrix<T> next(net.features(i + 1), level.cols());
    layer.forward(std::span<const T>(p), ConstView<T>(level), View<T>(next));
    level.swap(next);
  });
}

}  // namespace eigan

// ======== eigan/net/non_finite.hpp
// find_non_finite: where a model's parameters have stopped being numbers. Training that diverges shows it here first: a
// gradient that is infinite or NaN makes every parameter that it updates NaN.

#include <atomic>
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

/// The same on several threads; the values may lie anywhere.
template <std::floating_point T>
bool all_finite(std::span<const T> values, Threads threads) {
  constexpr Index part = 1 << 14;
  const Index size = std::ssize(values);
  std::atomic<bool> finite = true;
  detail::parallel_for((size + part - 1) / part, detail::memory_access * static_cast<double>(size), threads, [&](Index p) {
    const auto some =
        values.subspan(static_cast<std::size_t>(p * part), static_cast<std::size_t>(std::min(part, size - p * part)));
    if (!all_finite(some)) finite.store(false, std::memory_order_relaxed);
  });
  return finite;
}

/// The first parameter that is infinite or NaN, as "3.weight[17, 4] is nan"; nothing if all are finite.
template <class M>
std::optional<std::string> find_non_finite(const M& model, Threads threads = {}) {
  const std::span params = model.params();
  if (all_finite(std::span(params), threads)) return std::nullopt;

  for (const Parameter& p : model.parameters()) {
    for (Index i = 0; i < p.size(); ++i) {
      const auto value = params[static_cast<std::size_t>(p.offset + i)];
      if (all_finite(std::span(&value, 1))) continue;
      const Index row = i % p.rows;
      return p.rank == 1 ? detail::concat(p.name, '[', row, "] is ", value)
                         : detail::concat(p.name, '[', row, ", ", i / p.rows, "] is ", value);
    }
  }
  return std::nullopt;
}

}  // namespace eigan

// ======== eigan/net/summary.hpp
// summary(model): a network as text, layer by layer, in the manner of torch.nn.Module's, with shapes and counts.

namespace eigan {

/// The text, for example
///     Sequential(
///       (0): Linear(in_features=2, out_features=4)   2 -> 4   12 parameters
///       (1): Tanh()                                  4 -> 4
///     )
///     12 parameters
template <class ModelType>
std::string summary(const ModelType& model) {
  const auto& net = model.net();
  std::size_t widest = 0;
  net.for_each_layer(
      [&](auto i) { widest = std::max(widest, detail::describe(net.layer(i)).size() + std::to_string(i).size()); });
  std::ostringstream text;
  text.imbue(std::locale::classic());
  text << "Sequential(\n";
  net.for_each_layer([&](auto i) {
    const std::string layer = detail::concat('(', i, "): ", detail::describe(net.layer(i)));
    text << "  " << layer << std::string(widest + 4 - layer.size(), ' ') << "   " << net.features(i) << " -> "
         << net.features(i + 1);
    if (const Index count = detail::param_size_of(net.layer(i))) text << "   " << count << " parameters";
    text << '\n';
  });
  text << ")\n" << net.param_size() << " parameters\n";
  return text.str();
}

}  // namespace eigan

// ======== eigan/optim/adam.hpp
// Adam (Kingma and Ba 2015), with the semantics of torch.optim.Adam. At step t, counted from 1, for each parameter:
//   g += weight_decay p
//   m = beta1 m + (1 - beta1) g          v = beta2 v + (1 - beta2) g^2
//   p -= lr / (1 - beta1^t) m / ( sqrt(v) / sqrt(1 - beta2^t) + eps )
// One optimiser serves one flat parameter buffer: one clock t, two moment buffers.

// ======== eigan/kernels/adam.hpp
// One step of Adam over a range of parameters; optim/adam.hpp has the formula.

namespace eigan::detail {

/// What one Adam update needs besides the arrays; see optim/adam.hpp for the formula. rest1 is 1 - beta1, rounded once:
/// in float 1 - 0.999f is already wrong in the fifth digit.
template <class T>
struct AdamCoefficients {
  T beta1, rest1, beta2, rest2, step_size, inv_sqrt_correction2, eps, weight_decay;
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
#define EIGAN_TARGET
#define EIGAN_VECTOR_BYTES 16

// ======== eigan/kernels/adam.inc
// One step of Adam: see adam.hpp. Compiled by for_each_isa.inc.

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

template <class T>
struct AdamStep {
  AdamCoefficients<T> c;
  EIGAN_TARGET EIGAN_INLINE void operator()(Vector<T> g, Vector<T>& m, Vector<T>& v, Vector<T>& p) const {
    g = fma(broadcast(c.weight_decay), p, g);
    m = fma(broadcast(c.beta1), m, c.rest1 * g);
    v = fma(broadcast(c.beta2), v, (c.rest2 * g) * g);
    const Vector<T> denominator = fma(square_root(v), broadcast(c.inv_sqrt_correction2), broadcast(c.eps));
    p -= (c.step_size * m) / denominator;
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

template <class T>
struct AdamStep {
  AdamCoefficients<T> c;
  EIGAN_TARGET EIGAN_INLINE void operator()(Vector<T> g, Vector<T>& m, Vector<T>& v, Vector<T>& p) const {
    g = fma(broadcast(c.weight_decay), p, g);
    m = fma(broadcast(c.beta1), m, c.rest1 * g);
    v = fma(broadcast(c.beta2), v, (c.rest2 * g) * g);
    const Vector<T> denominator = fma(square_root(v), broadcast(c.inv_sqrt_correction2), broadcast(c.eps));
    p -= (c.step_size * m) / denominator;
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

template <class T>
struct AdamStep {
  AdamCoefficients<T> c;
  EIGAN_TARGET EIGAN_INLINE void operator()(Vector<T> g, Vector<T>& m, Vector<T>& v, Vector<T>& p) const {
    g = fma(broadcast(c.weight_decay), p, g);
    m = fma(broadcast(c.beta1), m, c.rest1 * g);
    v = fma(broadcast(c.beta2), v, (c.rest2 * g) * g);
    const Vector<T> denominator = fma(square_root(v), broadcast(c.inv_sqrt_correction2), broadcast(c.eps));
    p -= (c.step_size * m) / denominator;
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

// ======== eigan/optim/check_update.hpp
// What every optimiser refuses: buffers that are not as long as its own, and ranges that do not lie in them.

namespace eigan::detail {

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

/// Names and values as in torch.optim.Adam.
struct AdamOptions {
  double lr = 1e-3;         ///< the learning rate, >= 0
  double beta1 = 0.9;       ///< how much of m stays, in [0, 1)
  double beta2 = 0.999;     ///< how much of v stays, in [0, 1)
  double eps = 1e-8;        ///< added to the root, >= 0
  double weight_decay = 0;  ///< the share of p in its gradient, >= 0
};

/// Adam (Kingma and Ba 2015): steps by the gradient's running mean over the root of its running square.
template <class T = float>
class Adam {
 public:
  /// For `size` parameters. Throws std::invalid_argument for an option outside its range.
  explicit Adam(Index size, AdamOptions options = {}) : options_(options), moment1_(size), moment2_(size) {
    check_options();
  }

  /// One step over all parameters.
  void step(std::span<T> params, std::span<const T> grad) {
    detail::check_update("eigan::Adam", moment1_.size(), params, grad, 0, moment1_.size());
    begin_step();
    update(params, grad, 0, moment1_.size());
  }

  /// The same in parts: advance the clock once, then update disjoint ranges in any order, from any thread.
  /// Throws std::invalid_argument, before anything has changed, for an option that was set to something out of range.
  void begin_step() {
    check_options();
    ++t_;
    const auto t = static_cast<double>(t_);
    coefficients_ = {.beta1 = static_cast<T>(options_.beta1),
                     .rest1 = static_cast<T>(1 - options_.beta1),
                     .beta2 = static_cast<T>(options_.beta2),
                     .rest2 = static_cast<T>(1 - options_.beta2),
                     .step_size = static_cast<T>(options_.lr / (1 - std::pow(options_.beta1, t))),
                     .inv_sqrt_correction2 = static_cast<T>(1 / std::sqrt(1 - std::pow(options_.beta2, t))),
                     .eps = static_cast<T>(options_.eps),
                     .weight_decay = static_cast<T>(options_.weight_decay)};
  }
  /// Updates the parameters [first, first + count) by their gradients.
  void update(std::span<T> params, std::span<const T> grad, Index first, Index count) {
    detail::check_update("eigan::Adam", moment1_.size(), params, grad, first, count);
    if (t_ == 0 && count > 0) detail::fail_contract("eigan::Adam: update() before the first begin_step()");
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
    visit("step", t_);
    visit("exp_avg", moment1_);
    visit("exp_avg_sq", moment2_);
  }

 private:
  void check_options() const {
    const auto& o = options_;
    if (!(o.lr >= 0)) detail::fail_contract("eigan::Adam: lr must be >= 0, is ", o.lr);
    if (!(o.beta1 >= 0 && o.beta1 < 1)) detail::fail_contract("eigan::Adam: beta1 must be in [0, 1), is ", o.beta1);
    if (!(o.beta2 >= 0 && o.beta2 < 1)) detail::fail_contract("eigan::Adam: beta2 must be in [0, 1), is ", o.beta2);
    if (!(o.eps >= 0)) detail::fail_contract("eigan::Adam: eps must be >= 0, is ", o.eps);
    if (!(o.weight_decay >= 0)) detail::fail_contract("eigan::Adam: weight_decay must be >= 0, is ", o.weight_decay);
  }

  AdamOptions options_;
  Buffer<T> moment1_;
  Buffer<T> moment2_;
  detail::AdamCoefficients<T> coefficients_{};
  std::int64_t t_ = 0;
};

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
    if (!(decay >= 0 && decay < 1)) detail::fail_contract("eigan::Ema: decay must be in [0, 1), is ", decay);
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
    detail::parallel_for((size + part - 1) / part, 3 * detail::memory_access * static_cast<double>(size), threads, [&](Index p) {
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
    visit("updates", updates_);
    visit("average", average_);
  }

 private:
  double decay_;
  Buffer<T> average_;
  std::int64_t updates_ = 0;
};

}  // namespace eigan

// ======== eigan/optim/schedules.hpp
// Schedules: the factor of a learning rate at each step, as a pure function of the step. Steps count from 0.
//   linear_decay     1 - step / total, and 0 from there on
//   warmup_cosine    (step + 1) / warmup                                                while step < warmup
//                    1/2 (1 + cos(pi (step - warmup) / (total - warmup)))               then, down to 0 at step = total
// (Loshchilov and Hutter 2017, "SGDR", without restarts; the rise before it as in Goyal et al. 2017.)

namespace eigan {

/// Falls evenly from 1 to 0 at `total`. Throws std::invalid_argument unless step >= 0 and total > 0.
inline double linear_decay(Index step, Index total) {
  if (step < 0 || total < 1) detail::fail_contract("linear_decay: step ", step, " of ", total);
  return step >= total ? 0 : 1 - static_cast<double>(step) / static_cast<double>(total);
}

/// Rises linearly over `warmup` steps, reaches 1 with the last of them, and falls as half a cosine; 0 from `total` on.
/// Throws std::invalid_argument unless 0 <= warmup <= total and step >= 0.
inline double warmup_cosine(Index step, Index total, Index warmup) {
  if (step < 0 || warmup < 0 || warmup > total)
    detail::fail_contract("warmup_cosine: step ", step, " of ", total, " with ", warmup, " to warm up");
  if (step >= total) return 0;
  if (step < warmup) return static_cast<double>(step + 1) / static_cast<double>(warmup);
  return (1 + std::cos(std::numbers::pi * static_cast<double>(step - warmup) / static_cast<double>(total - warmup))) /
         2;
}

}  // namespace eigan

// ======== eigan/optim/sgd.hpp
// SGD with momentum, with the semantics of torch.optim.SGD (dampening 0):
//   g += weight_decay p          v = momentum v + g          p -= lr v,  or  p -= lr (g + momentum v) with Nesterov's

namespace eigan {

/// Names and values as in torch.optim.SGD.
struct SGDOptions {
  double lr = 1e-2;         ///< the learning rate, >= 0
  double momentum = 0;      ///< how much of v stays, >= 0
  double weight_decay = 0;  ///< the share of p in its gradient, >= 0
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

  /// The same in parts, as in Adam: disjoint ranges in any order, from any thread.
  void begin_step() { check_options(); }
  /// Updates the parameters [first, first + count) by their gradients.
  void update(std::span<T> params, std::span<const T> grad, Index first, Index count) {
    detail::check_update("eigan::SGD", velocity_.size(), params, grad, first, count);
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
    const auto& o = options_;
    if (!(o.lr >= 0)) detail::fail_contract("eigan::SGD: lr must be >= 0, is ", o.lr);
    if (!(o.momentum >= 0)) detail::fail_contract("eigan::SGD: momentum must be >= 0, is ", o.momentum);
    if (!(o.weight_decay >= 0)) detail::fail_contract("eigan::SGD: weight_decay must be >= 0, is ", o.weight_decay);
    if (o.nesterov && o.momentum == 0) detail::fail_contract("eigan::SGD: nesterov needs momentum > 0");
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
// Every parameter is one tensor, named and shaped as in torch.nn.Sequential: "0.weight" is [out, in]. Matrices lie
// column-major in a model's flat parameter buffer and row-major in the file, so both directions transpose.
// The metadata says what the file is: "format" = "eigan", "eigan_version", "architecture".

#include <filesystem>
#include <map>

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

// ======== eigan/io/safetensors.hpp
// SafetensorsFile: a strict reader of the safetensors format, the one in which eigan keeps models.
//
// Layout: the header's length N (u64, little-endian), N bytes of JSON, the data. The header maps each tensor's name to
// {"dtype", "shape", "data_offsets": [begin, end]}, offsets counting from the start of the data, and "__metadata__" to
// an object of strings. Elements are row-major and little-endian.
// A file may come from anybody: every number is checked before it is used, and the tensors must tile the data without
// hole, overlap or rest, so that no two readers see different things in one file. Values are not looked at: NaN is
// allowed. Reference: huggingface/safetensors.

#include <numeric>

// ======== eigan/io/dtype.hpp
// Dtype: the element types that eigan's tensor files may hold, named as safetensors names them, and what follows from
// them: sizes in bytes and conversion to float and double.

namespace eigan {

/// In the order of safetensors' reference implementation, which sorts tensors by it.
enum class Dtype {
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
    DtypeInfo{Dtype::boolean, "BOOL", 1}, DtypeInfo{Dtype::u8, "U8", 1},   DtypeInfo{Dtype::i8, "I8", 1},
    DtypeInfo{Dtype::i16, "I16", 2},      DtypeInfo{Dtype::u16, "U16", 2}, DtypeInfo{Dtype::f16, "F16", 2},
    DtypeInfo{Dtype::bf16, "BF16", 2},    DtypeInfo{Dtype::i32, "I32", 4}, DtypeInfo{Dtype::u32, "U32", 4},
    DtypeInfo{Dtype::f32, "F32", 4},      DtypeInfo{Dtype::f64, "F64", 8}, DtypeInfo{Dtype::i64, "I64", 8},
    DtypeInfo{Dtype::u64, "U64", 8},
};

/// "BOOL, U8, ...": for messages.
inline std::string dtype_names() {
  std::string names;
  for (const DtypeInfo& info : dtypes) names.append(names.empty() ? "" : ", ").append(info.name);
  return names;
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

/// Bytes of one element.
constexpr std::size_t dtype_size(Dtype dtype) {
  return detail::dtypes[static_cast<std::size_t>(dtype)].size;
}

/// The dtype in which eigan stores its scalars.
template <class T>
requires(std::same_as<T, float> ||
         std::same_as<T, double>) inline constexpr Dtype dtype_of = std::same_as<T, float> ? Dtype::f32 : Dtype::f64;

/// Converts stored elements (little-endian, unaligned) to T; `bytes` holds `count` elements of a
/// floating dtype or of u8.
template <std::floating_point T>
void convert_elements(Dtype dtype, const std::byte* bytes, std::size_t count, T* values) {
  const auto convert = [&]<class Stored>(Stored, auto value_of) {
    for (std::size_t i = 0; i < count; ++i) {
      Stored stored;
      std::memcpy(&stored, bytes + i * sizeof stored, sizeof stored);
      values[i] = static_cast<T>(value_of(stored));
    }
  };
  const auto itself = [](auto stored) { return stored; };
  switch (dtype) {
    case Dtype::f32:
      return convert(float(), itself);
    case Dtype::f64:
      return convert(double(), itself);
    case Dtype::f16:
      return convert(std::uint16_t(), detail::half_to_float);
    case Dtype::u8:
      return convert(std::uint8_t(), itself);
    case Dtype::bf16:
      return convert(std::uint16_t(), detail::bfloat16_to_float);
    default:
      detail::fail_contract("convert_elements: expected a floating dtype or U8, found ", dtype_name(dtype));
  }
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

// ======== eigan/io/json_reader.hpp
// JsonReader: a strict cursor over the part of JSON that file headers use: objects, arrays, strings and non-negative
// integers (RFC 8259, without floats, literals and leniency).
//
// The caller says at every place what must come next, so there is no tree, no recursion and nothing that deep
// nesting could exhaust: a bracket too many is simply not what was expected.

#include <charconv>
#include <system_error>

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

// ======== eigan/io/read_file.hpp
// read_file: a whole file in memory, with a limit on how large it may be.
//
// The file is read, not mapped: a mapped file that somebody truncates meanwhile kills the process.

#include <sys/stat.h>

// ======== eigan/io/file_descriptor.hpp
// FileDescriptor: an open POSIX file that is closed when it goes out of scope, and how a failed operation is told.

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

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

namespace eigan {

static_assert(std::endian::native == std::endian::little, "the file formats are little-endian and read in place");

/// How large a header is believed. A tensor takes some 70 bytes in it, so this is room for 200000 of them.
inline constexpr std::size_t max_safetensors_header = std::size_t{16} << 20;

/// Where one tensor lies in a safetensors file.
struct TensorInfo {
  std::string name;                  ///< unique in the file
  Dtype dtype{};                     ///< of its elements
  std::vector<std::uint64_t> shape;  ///< outermost extent first; empty for a single value
  std::uint64_t begin = 0;           ///< offset of the first byte in the data section
  std::uint64_t end = 0;             ///< one past the last

  /// All members are equal.
  bool operator==(const TensorInfo&) const = default;
};

/// A file that was found to be valid, in memory.
class SafetensorsFile {
 public:
  /// Reads and checks a whole file. Error if it cannot be read or breaks a rule of the format.
  static SafetensorsFile read(const std::filesystem::path& path) {
    return SafetensorsFile(read_file(path), detail::display(path));
  }

  /// Checks a file that is in memory already. `name` opens every message.
  explicit SafetensorsFile(std::vector<std::byte> file, std::string name = "safetensors",
                           std::size_t max_header = max_safetensors_header)
      : file_(std::move(file)), name_(std::move(name)) {
    const std::string_view header = find_header(max_header);
    parse(header);
    check_names();
    check_places();
  }

  /// In the order in which they lie in the file.
  const std::vector<TensorInfo>& tensors() const { return tensors_; }
  /// What the file says of itself.
  const std::map<std::string, std::string>& metadata() const { return metadata_; }
  /// What messages about this file begin with.
  const std::string& name() const { return name_; }

  /// The tensor of that name, or nullptr.
  const TensorInfo* find(std::string_view name) const {
    const auto before = [&](std::size_t i, std::string_view n) { return tensors_[i].name < n; };
    const auto it = std::lower_bound(by_name_.begin(), by_name_.end(), name, before);
    return it != by_name_.end() && tensors_[*it].name == name ? &tensors_[*it] : nullptr;
  }

  /// The tensor's elements as they lie in the file, not aligned.
  std::span<const std::byte> bytes(const TensorInfo& tensor) const {
    return data().subspan(tensor.begin, tensor.end - tensor.begin);
  }

  /// Converts the elements of an F64, F32, F16 or BF16 tensor, still row-major. Error for other dtypes;
  /// std::invalid_argument if `values` has another length than the tensor.
  template <std::floating_point T>
  void copy_to(const TensorInfo& tensor, std::span<T> values) const {
    if (tensor.dtype != Dtype::f64 && tensor.dtype != Dtype::f32 && tensor.dtype != Dtype::f16 &&
        tensor.dtype != Dtype::bf16) {
      fail(tensor, ": expected dtype F64, F32, F16 or BF16, found ", dtype_name(tensor.dtype));
    }
    const std::size_t count = (tensor.end - tensor.begin) / dtype_size(tensor.dtype);
    if (values.size() != count) {
      detail::fail_contract("SafetensorsFile: expected room for ", count, " elements of tensor '",
                            printable(tensor.name), "', found ", values.size());
    }
    convert_elements(tensor.dtype, bytes(tensor).data(), count, values.data());
  }

 private:
  std::span<const std::byte> data() const { return std::span(file_).subspan(data_offset_); }

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
      detail::fail_data(name_, ": at byte 0: expected a header of at most ", max_header, " bytes, found a length of ",
                        length, " (not a safetensors file?)");
    }
    const std::size_t rest = file_.size() - sizeof length;
    if (length > rest) {
      detail::fail_data(name_, ": at byte 8: expected a header of ", length, " bytes, found the end of the file after ",
                        rest);
    }
    data_offset_ = sizeof length + static_cast<std::size_t>(length);
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): bytes are looked at as characters
    return {reinterpret_cast<const char*>(file_.data()) + sizeof length, static_cast<std::size_t>(length)};
  }

  // Rules 2 and 3: UTF-8, JSON, and of the right types.
  void parse(std::string_view header) {
    constexpr std::size_t first = sizeof(std::uint64_t);
    if (const std::size_t at = detail::find_invalid_utf8(header); at != std::string_view::npos) {
      detail::fail_data(name_, ": at byte ", first + at, ": expected a header in UTF-8, found an invalid byte");
    }
    detail::JsonReader json(header, name_, first);
    bool has_metadata = false;
    json.object([&](std::string key) {
      if (key != "__metadata__") return parse_tensor(json, std::move(key));
      if (std::exchange(has_metadata, true)) detail::fail_data(name_, ": expected '__metadata__' once, found it twice");
      json.object([&](std::string name) {
        const auto [entry, added] = metadata_.try_emplace(std::move(name));
        if (!added) detail::fail_data(name_, ": metadata '", printable(entry->first), "': expected once, found twice");
        entry->second = json.string();
      });
    });
    json.end();
  }

  void parse_tensor(detail::JsonReader& json, std::string name) {
    TensorInfo& tensor = tensors_.emplace_back();
    tensor.name = std::move(name);
    bool has_dtype = false, has_shape = false, has_offsets = false;
    const auto once = [&](bool& seen, const char* field) {
      if (std::exchange(seen, true)) fail(tensor, ": expected '", field, "' once, found it twice");
    };
    json.object([&](const std::string& field) {
      if (field == "dtype") {
        once(has_dtype, "dtype");
        tensor.dtype = parse_dtype(tensor, json.string());
      } else if (field == "shape") {
        once(has_shape, "shape");
        json.array([&] { tensor.shape.push_back(json.unsigned_integer()); });
      } else if (field == "data_offsets") {
        once(has_offsets, "data_offsets");
        std::vector<std::uint64_t> offsets;
        json.array([&] { offsets.push_back(json.unsigned_integer()); });
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

  Dtype parse_dtype(const TensorInfo& tensor, std::string_view name) const {
    for (const detail::DtypeInfo& info : detail::dtypes) {
      if (info.name == name) return info.dtype;
    }
    fail(tensor, ": expected a dtype of ", detail::dtype_names(), ", found '", printable(name), "'");
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
        fail(tensor, ": expected extents of at most 2^48 and less than 2^64 bytes, found ", dtype_name(tensor.dtype),
             " ", detail::shape_text(tensor.shape));
      }
      if (size != tensor.end - tensor.begin) {
        fail(tensor, ": expected ", size, " bytes for ", dtype_name(tensor.dtype), " ",
             detail::shape_text(tensor.shape), ", found ", tensor.end - tensor.begin);
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

// ======== eigan/io/write_safetensors.hpp
// write_safetensors: the format's writer, byte for byte like the reference's: tensors sorted by falling alignment, then
// by name; a compact header, metadata first, filled with spaces to a multiple of 8 so that every element is aligned.

#include <set>

// ======== eigan/io/atomic_file.hpp
// AtomicFile: a file that appears whole or not at all.
//
// The bytes go to a temporary file in the same folder, are forced to the disk, and only then does the file take its
// name, replacing what was there. Whoever opens the path sees the old file or the new one, even after a power cut;
// a failure half-way leaves the old file alone and removes the temporary.

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
    create_temporary();
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
  void create_temporary() {
    const std::string prefix = ".eigan-" + std::to_string(::getpid()) + "-";
    for (int attempt = 0; attempt < 1000; ++attempt) {
      auto name = folder() / (prefix + std::to_string(attempt) + ".tmp");
      file_ = detail::FileDescriptor(name, O_WRONLY | O_CREAT | O_EXCL, 0666);
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

namespace eigan {

/// A tensor to be written: its bytes are row-major and little-endian and belong to somebody else.
struct TensorView {
  std::string name;                  ///< valid UTF-8, unique
  Dtype dtype;                       ///< of its elements
  std::vector<std::uint64_t> shape;  ///< outermost extent first
  std::span<const std::byte> data;   ///< all elements
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
    if (!checked_byte_size(tensor.dtype, tensor.shape, size) || size != tensor.data.size()) {
      fail_contract("write_safetensors: tensor '", printable(tensor.name), "': expected the bytes of ",
                    dtype_name(tensor.dtype), " ", shape_text(tensor.shape), ", found ", tensor.data.size());
    }
    append_json_string(json, tensor.name);
    json.append(":{\"dtype\":\"").append(dtype_name(tensor.dtype)).append("\",\"shape\":[");
    for (const std::uint64_t extent : tensor.shape) json.append(std::to_string(extent)).append(",");
    if (!tensor.shape.empty()) json.pop_back();
    json.append("],\"data_offsets\":[").append(std::to_string(begin)).append(",");
    begin += size;
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

/// Writes the tensors atomically; `keep` as in AtomicFile::commit. Error if the file cannot be written;
/// std::invalid_argument if the result would not be a valid file: a name twice, a shape that does not match the bytes,
/// text that is not UTF-8.
inline void write_safetensors(const std::filesystem::path& path, std::vector<TensorView> tensors,
                              const std::map<std::string, std::string>& metadata = {},
                              const std::filesystem::path& keep = {}) {
  const std::string header = detail::safetensors_header(tensors, metadata);
  AtomicFile file(path);
  file.write(header);
  for (const TensorView& tensor : tensors) file.write(tensor.data);
  file.commit(keep);
}

}  // namespace eigan

namespace eigan {

/// What save() and load() need of a model: `params()` is its flat parameter buffer, `parameters()` tells what lies
/// where in it, and `architecture()` is a text that is equal exactly for models that can exchange parameters.
template <class M>
concept SavableModel = requires(const M& model) {
  std::span(model.params());
  { model.parameters() } -> std::convertible_to<std::vector<Parameter>>;
  { model.architecture() } -> std::convertible_to<std::string>;
};

namespace detail {

template <class T>
using RowMajorMatrix = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// The parameter's shape in a file. std::invalid_argument if it does not lie inside a buffer of `buffer_size`.
inline std::vector<std::uint64_t> file_shape(const Parameter& p, std::size_t buffer_size) {
  Index size = 0, end = 0;
  const bool valid = (p.rank == 2 || (p.rank == 1 && p.cols == 1)) && p.rows >= 0 && p.cols >= 0 && p.offset >= 0 &&
                     checked_mul(p.rows, p.cols, size) && checked_add(p.offset, size, end) &&
                     end <= static_cast<Index>(buffer_size);
  if (!valid) {
    fail_contract("parameter '", printable(p.name), "': expected a vector or matrix inside ", buffer_size,
                  " elements, found rank ", p.rank, ", ", p.rows, " x ", p.cols, " at ", p.offset);
  }
  std::vector<std::uint64_t> shape{static_cast<std::uint64_t>(p.rows)};
  if (p.rank == 2) shape.push_back(static_cast<std::uint64_t>(p.cols));
  return shape;
}

/// The tensors of the parameters, in their order. Error if the file lacks one, has one too many, or has one of another
/// shape or of a dtype other than F32 and F64.
inline std::vector<const TensorInfo*> find_tensors(const SafetensorsFile& file,
                                                   const std::vector<Parameter>& parameters, std::size_t buffer_size) {
  std::vector<const TensorInfo*> tensors;
  for (const Parameter& p : parameters) {
    const auto shape = file_shape(p, buffer_size);
    const auto fail = [&](const auto&... found) {
      fail_data(file.name(), ": tensor '", printable(p.name), "': expected ", found...);
    };
    const TensorInfo* const tensor = tensors.emplace_back(file.find(p.name));
    if (tensor == nullptr) fail(shape_text(shape), ", found no tensor of that name");
    if (tensor->shape != shape) fail(shape_text(shape), ", found ", shape_text(tensor->shape));
    if (tensor->dtype != Dtype::f32 && tensor->dtype != Dtype::f64) {
      fail("dtype F32 or F64, found ", dtype_name(tensor->dtype));
    }
  }
  for (const TensorInfo& tensor : file.tensors()) {
    const auto matches = [&](const Parameter& p) { return p.name == tensor.name; };
    if (std::none_of(parameters.begin(), parameters.end(), matches)) {
      fail_data(file.name(), ": tensor '", printable(tensor.name), "': expected only the model's ", parameters.size(),
                " tensors, found one that it does not have");
    }
  }
  return tensors;
}

}  // namespace detail

/// Writes a flat parameter buffer atomically: F32 for float, F64 for double. `extra_metadata` joins what the file says
/// of itself; it cannot replace it. Error if the file cannot be written.
template <class T>
void save_parameters(const std::filesystem::path& path, std::span<const T> params,
                     const std::vector<Parameter>& parameters, const std::string& architecture,
                     const std::map<std::string, std::string>& extra_metadata = {}) {
  std::map<std::string, std::string> metadata{
      {"format", "eigan"}, {"eigan_version", version}, {"architecture", architecture}};
  metadata.insert(extra_metadata.begin(), extra_metadata.end());

  std::vector<detail::RowMajorMatrix<T>> matrices;
  std::vector<TensorView> tensors;
  matrices.reserve(parameters.size());
  for (const Parameter& p : parameters) {
    auto shape = detail::file_shape(p, params.size());
    const auto& matrix = matrices.emplace_back(ConstView<T>(params.data() + p.offset, p.rows, p.cols));
    const std::span values(matrix.data(), static_cast<std::size_t>(matrix.size()));
    tensors.push_back({p.name, dtype_of<T>, std::move(shape), std::as_bytes(values)});
  }
  write_safetensors(path, std::move(tensors), metadata);
}

/// Takes a flat parameter buffer out of a file that save_parameters or PyTorch wrote, converting between float and
/// double. Error, with `params` untouched, if the file states another architecture, lacks a tensor, has one too many,
/// or has one of another shape or of a dtype other than F32 and F64.
template <class T>
void load_parameters(const SafetensorsFile& file, std::span<T> params, const std::vector<Parameter>& parameters,
                     const std::string& architecture) {
  if (const auto stated = file.metadata().find("architecture");
      stated != file.metadata().end() && stated->second != architecture) {
    detail::fail_data(file.name(), ": expected a model of architecture '", printable(architecture), "', found '",
                      printable(stated->second), "'");
  }

  const std::vector<const TensorInfo*> tensors = detail::find_tensors(file, parameters, params.size());
  std::vector<detail::RowMajorMatrix<T>> matrices;  // all of them, before the first parameter changes
  matrices.reserve(parameters.size());
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    auto& matrix = matrices.emplace_back(parameters[i].rows, parameters[i].cols);
    file.copy_to(*tensors[i], std::span(matrix.data(), static_cast<std::size_t>(matrix.size())));
  }
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const Parameter& p = parameters[i];
    View<T>(params.data() + p.offset, p.rows, p.cols) = matrices[i];
  }
}

/// The same from a path. Error, with `params` untouched, also if the file cannot be read.
template <class T>
void load_parameters(const std::filesystem::path& path, std::span<T> params, const std::vector<Parameter>& parameters,
                     const std::string& architecture) {
  load_parameters(SafetensorsFile::read(path), params, parameters, architecture);
}

/// Saves a model; see save_parameters.
template <SavableModel M>
void save(const std::filesystem::path& path, const M& model,
          const std::map<std::string, std::string>& extra_metadata = {}) {
  const std::span params = model.params();
  save_parameters<std::remove_const_t<typename decltype(params)::element_type>>(path, params, model.parameters(),
                                                                                model.architecture(), extra_metadata);
}

/// Loads a model that was constructed with the same architecture; see load_parameters.
template <SavableModel M>
void load(const SafetensorsFile& file, M& model) {
  load_parameters(file, std::span(model.params()), model.parameters(), model.architecture());
}
template <SavableModel M>
void load(const std::filesystem::path& path, M& model) {
  load(SafetensorsFile::read(path), model);
}

}  // namespace eigan
