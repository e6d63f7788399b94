// Benchmarks of layers of images where they stand: forward, backward_input and backward_params on one thread.
#pragma once

#include <span>
#include <utility>

#include <eigan/core/layer_defaults.hpp>

#include "../micro.hpp"

namespace bench {

/// A layer with parameters, a batch and its gradients, in training.
template <class L>
class PlacedCase {
 public:
  PlacedCase(const L& layer, Index batch)
      : layer_(layer),
        params_(eigan::detail::param_size_of(layer)),
        grad_(params_.size()),
        x_(random_matrix(layer.input_size(), batch)),
        dx_(layer.input_size(), batch),
        y_(layer.output_size(), batch),
        dy_(random_matrix(layer.output_size(), batch)) {
    dy_.view() *= 1e-6f;  // sums of gradients grow with every call; numbers this small never overflow
    if constexpr (eigan::ParametricLayer<L>) layer_.template init<float>(params_, eigan::Rng(1));
    if constexpr (eigan::PreparedLayer<L>) {
      prepared_ = eigan::Buffer<float>(layer_.prepared_size());
      prepare();
    }
  }

  void prepare() { layer_.template prepare<float>(std::as_const(params_), {}, prepared_, eigan::Phase::training); }
  void forward() {
    if constexpr (eigan::BatchCoupledLayer<L>)
      layer_.template forward_parts<float>(p(), x_.view(), y_.view(), 0, layer_.part_count());
    else
      layer_.template forward<float>(p(), x_.view(), y_.view());
  }
  void backward_input() {
    const ConstView<float> x = x_.view(), y = y_.view(), dy = dy_.view();
    if constexpr (eigan::BatchCoupledLayer<L>)
      layer_.template backward_input_parts<float>(p(), x, y, dy, dx_.view(), 0, layer_.part_count());
    else
      layer_.template backward_input<float>(p(), x, y, dy, dx_.view());
  }
  void backward_params() {
    const ConstView<float> x = x_.view(), y = y_.view(), dy = dy_.view();
    layer_.template backward_params<float>(p(), x, y, dy, grad_);
  }

  /// Floating-point operations of each of the three.
  double flop() const { return layer_.operations() * static_cast<double>(x_.cols()); }
  /// Of the batch that goes in, and of what comes out.
  double input_bytes() const { return sizeof(float) * static_cast<double>(x_.rows() * x_.cols()); }
  double output_bytes() const { return sizeof(float) * static_cast<double>(y_.rows() * y_.cols()); }

 private:
  eigan::ParamsOf<L, float> p() const {
    const std::span<const float> params = params_;
    if constexpr (eigan::PreparedLayer<L>)
      return {params, prepared_};
    else
      return params;
  }

  L layer_;
  eigan::Buffer<float> params_, grad_, prepared_;
  BufferMatrix<float> x_, dx_, y_, dy_;
};

/// Channels, height and width, samples: the hidden images of a small adversarial network, of a U-Net and of pix2pix.
inline void image_sizes(benchmark::internal::Benchmark* b) {
  b->ArgNames({"channels", "pixels", "batch"})->Unit(benchmark::kMicrosecond);
  for (const auto& size : std::vector<std::vector<std::int64_t>>{
           {64, 14, 64}, {128, 7, 64}, {32, 64, 8}, {128, 16, 8}, {64, 128, 1}, {512, 4, 8}})
    b->Args(size);
}
inline eigan::Shape image_shape(const benchmark::State& state) {
  return {state.range(0), state.range(1), state.range(1)};
}

/// GB/s beside memcpy's: each batch that goes in or out counts once, however often it is read.
template <class Layer>
void image_forward(benchmark::State& state, Layer layer) {
  PlacedCase c(layer(image_shape(state)), state.range(2));
  run_bytes(state, c.input_bytes() + c.output_bytes(), [&] { c.forward(); });
}
template <class Layer>
void image_backward_input(benchmark::State& state, Layer layer) {
  PlacedCase c(layer(image_shape(state)), state.range(2));
  c.forward();
  run_bytes(state, 2 * c.input_bytes() + c.output_bytes(), [&] { c.backward_input(); });
}
template <class Layer>
void image_backward_params(benchmark::State& state, Layer layer) {
  PlacedCase c(layer(image_shape(state)), state.range(2));
  run_bytes(state, c.input_bytes() + c.output_bytes(), [&] { c.backward_params(); });
}

}  // namespace bench

/// LAYER: the layer as an expression of the shape `in`.
#define BENCH_IMAGE_LAYER(NAME, WAY, LAYER)                                   \
  BENCHMARK_CAPTURE(image_##WAY, NAME, [](eigan::Shape in) { return LAYER; }) \
      ->Apply(bench::image_sizes)                                             \
      ->Name(#NAME "/" #WAY)
