#include <eigan/losses/bce_with_logits.hpp>

#include "loss.hpp"

static void bce_with_logits(benchmark::State& state) {
  bench::time_loss(state, -4, 4, [](bench::ConstView<float> y, bench::View<float> dy) {
    return eigan::bce_with_logits<float>(y, 0.9f, dy);
  });
}
BENCHMARK(bce_with_logits)->Apply(bench::loss_sizes);

BENCHMARK_MAIN();
