// Benchmarks of an element-wise layer: forward and backward_input over sizes from the first cache to memory.
#pragma once

#include <cstddef>
#include <vector>

#include <eigan/core/layer_defaults.hpp>

#include "../micro.hpp"

namespace bench {

/// "features/batch": 32 kB, 200 kB and 400 kB (seed's images), 512 kB, 16 MB.
inline void elementwise_sizes(benchmark::internal::Benchmark* b) {
  for (const auto& size :
       std::vector<std::vector<std::int64_t>>{{128, 64}, {784, 64}, {784, 128}, {1024, 128}, {2048, 2048}})
    b->Args(size);
  b->ArgNames({"features", "batch"});
}

/// As they are at first; none for most layers.
template <class L>
std::vector<float> parameters(const L& layer) {
  std::vector<float> p(static_cast<std::size_t>(eigan::detail::param_size_of(layer)));
  if constexpr (eigan::ParametricLayer<L>) layer.template init<float>(p, eigan::Rng(1));
  return p;
}

template <class L>
void layer_forward(benchmark::State& state, const L& layer) {
  const BufferMatrix<float> x = random_matrix(state.range(0), state.range(1));
  BufferMatrix<float> y(x.rows(), x.cols());
  const std::vector<float> p = parameters(layer);
  std::int64_t step = 0;
  run_bytes(state, 2.0 * sizeof(float) * static_cast<double>(x.rows() * x.cols()), [&] {
    if constexpr (eigan::StochasticLayer<L>)
      layer.template forward_train<float>(p, x.view(), y.view(), {eigan::Rng(1), step++ * x.cols()});
    else
      layer.template forward<float>(p, x.view(), y.view());
  });
}

template <class L>
void layer_backward_input(benchmark::State& state, const L& layer) {
  const BufferMatrix<float> x = random_matrix(state.range(0), state.range(1));
  const BufferMatrix<float> dy = random_matrix(state.range(0), state.range(1));
  BufferMatrix<float> y_memory(x.rows(), x.cols()), dx(x.rows(), x.cols());
  const std::vector<float> p = parameters(layer);
  layer.template forward<float>(p, x.view(), y_memory.view());
  const ConstView<float> y = y_memory.view();
  std::int64_t step = 0;
  // dy and dx, and what else the layer reads.
  const double matrices =
      2 + (eigan::detail::backward_reads_x<L>() ? 1 : 0) + (eigan::detail::backward_reads_y<L>() ? 1 : 0);
  run_bytes(state, matrices * sizeof(float) * static_cast<double>(x.rows() * x.cols()), [&] {
    if constexpr (eigan::StochasticLayer<L>)
      layer.template backward_input_train<float>(p, x.view(), y, dy.view(), dx.view(),
                                                 {eigan::Rng(1), step++ * x.cols()});
    else
      layer.template backward_input<float>(p, x.view(), y, dy.view(), dx.view());
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
