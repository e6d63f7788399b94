// GlobalAvgPool2d: y is the mean of all pixels, channel by channel: torch.nn.AdaptiveAvgPool2d(1).
//   x: C x H x W,   y: C     Backward:  dx = dy / (H W) at every pixel.
#pragma once

#include <eigan/layers/channels.hpp>
#include <eigan/layers/spatial.hpp>

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
