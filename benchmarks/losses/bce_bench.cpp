#include <eigan/losses/bce.hpp>

#include "loss.hpp"

static void bce(benchmark::State& state) {
  bench::time_loss(state, 0.01, 0.99,
                   [](bench::ConstView<float> y, bench::View<float> dy) { return eigan::bce<float>(y, 0.9f, dy); });
}
BENCHMARK(bce)->Apply(bench::loss_sizes);

BENCHMARK_MAIN();
