// Benchmarks of a loss: features x batch as the programs use it, and large.
#pragma once

#include "../micro.hpp"

namespace bench {

inline void loss_sizes(benchmark::internal::Benchmark* b) {
  for (const auto& size : std::vector<std::vector<std::int64_t>>{{1, 64}, {1, 128}, {10, 100}, {784, 128}})
    b->Args(size);
  b->ArgNames({"features", "batch"});
}

/// f(input, gradient) computes the loss; the input is uniform in [low, high).
template <class F>
void time_loss(benchmark::State& state, double low, double high, const F& f) {
  const BufferMatrix<float> input = random_matrix(state.range(0), state.range(1), low, high);
  BufferMatrix<float> gradient(input.rows(), input.cols());
  const auto elements = static_cast<double>(input.rows() * input.cols());
  const double time = run(state, [&] { benchmark::DoNotOptimize(f(input.view(), gradient.view())); });
  state.counters["ns_per_element"] = time / elements * 1e9;
}

}  // namespace bench
