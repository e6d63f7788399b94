#include <eigan/optim/adamw.hpp>

#include "optimizer.hpp"

// Reads gradient, moments and parameters, writes moments and parameters.
static void adamw(benchmark::State& state) {
  bench::time_optimizer(state, eigan::AdamW<>(state.range(0)), 7);
}
BENCHMARK(adamw)->Apply(bench::optimizer_sizes)->Name("AdamW");

BENCHMARK_MAIN();
