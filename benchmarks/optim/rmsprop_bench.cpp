#include <eigan/optim/rmsprop.hpp>

#include "optimizer.hpp"

// Reads gradient, squares, velocity and parameters, writes all but the gradient.
static void rmsprop(benchmark::State& state) {
  bench::time_optimizer(state, eigan::RMSprop<>(state.range(0)), 7);
}
BENCHMARK(rmsprop)->Apply(bench::optimizer_sizes)->Name("RMSprop");

BENCHMARK_MAIN();
