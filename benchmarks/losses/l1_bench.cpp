#include <eigan/losses/l1.hpp>

#include "loss.hpp"

static void l1(benchmark::State& state) {
  const auto target = bench::random_matrix(state.range(0), state.range(1));
  bench::time_loss(state, -1, 1, [&](bench::ConstView<float> y, bench::View<float> dy) {
    return eigan::l1<float>(y, target.view(), dy);
  });
}
BENCHMARK(l1)->Apply(bench::loss_sizes);

BENCHMARK_MAIN();
