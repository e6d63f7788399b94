// Window: the square of pixels that a pooling looks at, and how it moves over an image. What max and average poolings
// share: sizes, names, and the walk over windows.
#pragma once

#include <algorithm>
#include <string>

#include <eigan/core/checked.hpp>
#include <eigan/core/error.hpp>
#include <eigan/layers/spatial.hpp>

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
