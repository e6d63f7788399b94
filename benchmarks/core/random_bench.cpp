#include <eigan/core/random.hpp>

#include "../micro.hpp"

// The generator's latent vectors, and a weight matrix.
static void fill_uniform(benchmark::State& state) {
  eigan::BufferMatrix<float> matrix(state.range(0), state.range(1));
  std::uint64_t step = 0;
  bench::run_bytes(state, 1.0 * sizeof(float) * static_cast<double>(state.range(0) * state.range(1)),
                   [&] { eigan::fill_uniform(matrix.view(), -1, 1, eigan::Rng(step++)); });
}
BENCHMARK(fill_uniform)->Args({100, 64})->Args({100, 128})->Args({1024, 784});

static void fill_normal(benchmark::State& state) {
  eigan::BufferMatrix<float> matrix(state.range(0), state.range(1));
  std::uint64_t step = 0;
  const double seconds = bench::run(state, [&] { eigan::fill_normal(matrix.view(), 0, 1, eigan::Rng(step++)); });
  state.counters["ns_an_element"] = 1e9 * seconds / static_cast<double>(state.range(0) * state.range(1));
}
BENCHMARK(fill_normal)->Args({64, 64})->Args({100, 64})->Args({257, 64})->Args({1024, 784});

BENCHMARK_MAIN();
