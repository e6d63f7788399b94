#include <eigan/optim/sgd.hpp>

#include "optimizer.hpp"

// Reads gradient, velocity and parameters, writes velocity and parameters.
static void sgd(benchmark::State& state) {
  bench::time_optimizer(state, eigan::SGD<>(state.range(0), {.lr = 1e-3, .momentum = 0.9}), 5);
}
BENCHMARK(sgd)->Apply(bench::optimizer_sizes)->Name("SGD/momentum");

BENCHMARK_MAIN();
