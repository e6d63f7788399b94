// Benchmarks of an element-wise layer: forward and backward_input over sizes from the first cache to memory.
#pragma once

#include <span>

#include <eigan/core/layer.hpp>

#include "../micro.hpp"

namespace bench {

/// "features/batch": 32 kB, 200 kB and 400 kB (seed's images), 512 kB, 16 MB.
inline void elementwise_sizes(benchmark::internal::Benchmark* b) {
  for (const auto& size :
       std::vector<std::vector<std::int64_t>>{{128, 64}, {784, 64}, {784, 128}, {1024, 128}, {2048, 2048}})
    b->Args(size);
  b->ArgNames({"features", "batch"});
}

template <class L>
void layer_forward(benchmark::State& state, const L& layer) {
  const BufferMatrix<float> x = random_matrix(state.range(0), state.range(1));
  BufferMatrix<float> y(x.rows(), x.cols());
  const std::span<const float> none;
  std::int64_t step = 0;
  run_bytes(state, 2.0 * sizeof(float) * static_cast<double>(x.rows() * x.cols()), [&] {
    if constexpr (eigan::StochasticLayer<L>)
      layer.template forward_train<float>(none, x.view(), y.view(), {eigan::Rng(1), step++ * x.cols()});
    else
      layer.template forward<float>(none, x.view(), y.view());
  });
}

template <class L>
void layer_backward_input(benchmark::State& state, const L& layer) {
  const BufferMatrix<float> x = random_matrix(state.range(0), state.range(1));
  const BufferMatrix<float> dy = random_matrix(state.range(0), state.range(1));
  BufferMatrix<float> y_memory(x.rows(), x.cols()), dx(x.rows(), x.cols());
  const std::span<const float> none;
  layer.template forward<float>(none, x.view(), y_memory.view());
  const ConstView<float> y = y_memory.view();
  std::int64_t step = 0;
  // dy and dx, and y where the layer reads it.
  const double matrices = eigan::detail::backward_reads_y<L>() ? 3 : 2;
  run_bytes(state, matrices * sizeof(float) * static_cast<double>(x.rows() * x.cols()), [&] {
    if constexpr (eigan::StochasticLayer<L>)
      layer.template backward_input_train<float>(none, x.view(), y, dy.view(), dx.view(),
                                                 {eigan::Rng(1), step++ * x.cols()});
    else
      layer.template backward_input<float>(none, x.view(), y, dy.view(), dx.view());
  });
}

}  // namespace bench

#define BENCH_ELEMENTWISE_LAYER(NAME, LAYER)                                                              \
  using bench::layer_forward;                                                                             \
  using bench::layer_backward_input;                                                                      \
  BENCHMARK_CAPTURE(layer_forward, NAME, LAYER)->Apply(bench::elementwise_sizes)->Name(#NAME "/forward"); \
  BENCHMARK_CAPTURE(layer_backward_input, NAME, LAYER)                                                    \
      ->Apply(bench::elementwise_sizes)                                                                   \
      ->Name(#NAME "/backward_input");                                                                    \
  BENCHMARK_MAIN()
