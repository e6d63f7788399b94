#include <span>
#include <vector>

#include <eigan/losses/cross_entropy.hpp>

#include "loss.hpp"

static void cross_entropy(benchmark::State& state) {
  std::vector<int> labels(static_cast<std::size_t>(state.range(1)));
  for (std::size_t j = 0; j < labels.size(); ++j) labels[j] = static_cast<int>(j) % static_cast<int>(state.range(0));
  bench::time_loss(state, -4, 4, [&](bench::ConstView<float> z, bench::View<float> dz) {
    return eigan::cross_entropy<float>(z, std::span<const int>(labels), dz);
  });
}
BENCHMARK(cross_entropy)->Apply(bench::loss_sizes);

static void cross_entropy_of_soft_targets(benchmark::State& state) {
  const auto target = bench::random_matrix(state.range(0), state.range(1), 0, 1);
  bench::time_loss(state, -4, 4, [&](bench::ConstView<float> z, bench::View<float> dz) {
    return eigan::cross_entropy<float>(z, target.view(), dz);
  });
}
BENCHMARK(cross_entropy_of_soft_targets)->Apply(bench::loss_sizes);

BENCHMARK_MAIN();
