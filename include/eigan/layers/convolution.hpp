// What Conv2d and ConvTranspose2d share: settings, how tensors start, blocks of their gradients, workspace of kernels.
//
// Both have a ConvolutionShape (kernels/convolution_shape.hpp), the transposed one from its output to its input.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>

#include <eigan/core/checked.hpp>
#include <eigan/core/error.hpp>
#include <eigan/core/layer.hpp>
#include <eigan/core/random.hpp>
#include <eigan/kernels/convolve.hpp>
#include <eigan/kernels/thread_memory.hpp>

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
