#include <eigan/optim/adam.hpp>

#include "optimizer.hpp"

// Reads gradient, moments and parameters, writes moments and parameters.
static void adam(benchmark::State& state) {
  bench::time_optimizer(state, eigan::Adam<>(state.range(0)), 7);
}
BENCHMARK(adam)->Apply(bench::optimizer_sizes)->Name("Adam");

// Gradients that vanish leave moments that shrink until they are denormal: the time must not explode.
static void adam_denormal(benchmark::State& state) {
  const bench::Index size = state.range(0);
  eigan::Adam<> adam(size);
  eigan::Buffer<float> params(size), grad(size);
  const auto step = [&](float gradient) {
    std::fill(grad.begin(), grad.end(), gradient);
    adam.step(params, std::span<const float>(grad));
  };
  step(1e-16f);
  for (int i = 0; i < 1000; ++i) step(0);
  bench::run_bytes(state, 7.0 * sizeof(float) * static_cast<double>(size),
                   [&] { adam.step(params, std::span<const float>(grad)); });
}
BENCHMARK(adam_denormal)->Arg(110'849)->ArgName("parameters")->Name("Adam/denormal_moments");

BENCHMARK_MAIN();
