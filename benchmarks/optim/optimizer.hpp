// Benchmarks of an optimiser's step over one flat buffer: the networks of the recipe `seed` (110 849 and 114 792
// parameters are alike), of `wide` (1.5 million), and 16 million, which no cache holds.
#pragma once

#include <algorithm>
#include <span>

#include "../micro.hpp"

namespace bench {

inline void optimizer_sizes(benchmark::internal::Benchmark* b) {
  for (const std::int64_t size : {1000, 110'849, 1'500'000, 16'000'000}) b->Arg(size);
  b->ArgName("parameters");
}

/// `floats_moved`: how many floats a step reads and writes for each parameter.
template <class O>
void time_optimizer(benchmark::State& state, O optimizer, double floats_moved) {
  const Index size = state.range(0);
  eigan::Buffer<float> params(size), grad(size);
  eigan::fill_uniform<float>({grad.data(), size, 1}, -0.01, 0.01, eigan::Rng(1));
  run_bytes(state, floats_moved * sizeof(float) * static_cast<double>(size),
            [&] { optimizer.step(params, std::span<const float>(grad)); });
}

}  // namespace bench
