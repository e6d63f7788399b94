// Linear: y = w x + b.     w: out x in, b: out.    x: in x batch, y: out x batch.
//
// Backward:  dx = w^T dy,   dw += dy x^T,   db += sum over the batch of dy.
// Parameters: the weight, column-major (one input feature's weights are contiguous), then the bias. As in
// torch.nn.Linear, both start uniform in [-1/sqrt(in), 1/sqrt(in)) (there: kaiming_uniform_ with a = sqrt 5).
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include <eigan/core/error.hpp>
#include <eigan/core/layer.hpp>
#include <eigan/init/initializers.hpp>
#include <eigan/kernels/gemm.hpp>

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
