// Conv2d: each output pixel is a product of the weight with a square of kernel x kernel input pixels.
//   y(o, r, s) = b(o) + sum over c, i, j of w(o, c, i, j) x(c, r stride - padding + i, s stride - padding + j)
//   x: C x H x W, zero outside,   y: O x H' x W',   H' = floor((H + 2 padding - kernel) / stride) + 1
// Backward:  dx is the transposed map of dy,   dw(o, c, i, j) += sum over r, s of dy(o, r, s) x(c, ...),   db += sum
// dy. As in torch.nn.Conv2d, without dilation and groups. Memory: the weight is O x (kernel kernel C), channels
// fastest.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include <eigan/layers/convolution.hpp>

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
