#include <eigan/losses/kl_divergence.hpp>

#include "loss.hpp"

static void kl_divergence(benchmark::State& state) {
  const auto logvar = bench::random_matrix(state.range(0), state.range(1));
  bench::BufferMatrix<float> dlogvar(logvar.rows(), logvar.cols());
  bench::time_loss(state, -1, 1, [&](bench::ConstView<float> mu, bench::View<float> dmu) {
    return eigan::kl_divergence<float>(mu, logvar.view(), dmu, dlogvar.view());
  });
}
BENCHMARK(kl_divergence)->Apply(bench::loss_sizes);

BENCHMARK_MAIN();
