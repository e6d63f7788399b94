// ConvTranspose2d: the transposed map of a convolution, from its output's size to its input's: images grow by the
// stride.
//   y(o, r stride - padding + i, s stride - padding + j) = b(o) + sum over c of w(c, o, i, j) x(c, r, s)
//   x: C x H x W,   y: O x H' x W',   H' = (H - 1) stride - 2 padding + kernel + output_padding
// Backward:  dx is the convolution of dy,   dw(c, o, i, j) += sum over r, s of x(c, r, s) dy(o, ...),   db += sum dy.
// As in torch.nn.ConvTranspose2d, without dilation and groups. Memory: O x (kernel kernel C), channels fastest; below
// 16 channels O (kernel kernel O) x C.
#pragma once

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include <eigan/core/transpose.hpp>
#include <eigan/layers/channels.hpp>
#include <eigan/layers/convolution.hpp>

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
