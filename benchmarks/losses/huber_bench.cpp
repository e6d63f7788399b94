#include <eigan/losses/huber.hpp>

#include "loss.hpp"

static void huber(benchmark::State& state) {
  const auto target = bench::random_matrix(state.range(0), state.range(1));
  bench::time_loss(state, -1, 1, [&](bench::ConstView<float> y, bench::View<float> dy) {
    return eigan::huber<float>(y, target.view(), dy);
  });
}
BENCHMARK(huber)->Apply(bench::loss_sizes);

BENCHMARK_MAIN();
