// The three products of ConvTranspose2d on one thread, what a pass prepares apart: operations inside the image beside
// the FMA peak.
#include <eigan/layers/conv_transpose2d.hpp>

#include "placed.hpp"

namespace {

using namespace bench;

/// Channels in and out, height and width, kernel, stride, padding, samples.
void sizes(benchmark::internal::Benchmark* b) {
  b->ArgNames({"in", "out", "pixels", "kernel", "stride", "padding", "batch"})->Unit(benchmark::kMicrosecond);
  for (const auto& size : std::vector<std::vector<std::int64_t>>{{128, 64, 7, 4, 2, 1, 64},
                                                                 {64, 1, 14, 4, 2, 1, 64},
                                                                 {64, 3, 32, 4, 2, 1, 16},
                                                                 {256, 128, 8, 4, 2, 1, 16},
                                                                 {100, 512, 1, 4, 1, 0, 64}})
    b->Args(size);
}
PlacedCase<eigan::placed::ConvTranspose2d> conv_transpose2d(const benchmark::State& s) {
  const eigan::ConvTranspose2d<> layer(s.range(0), s.range(1), s.range(3), s.range(4), s.range(5));
  return {layer.at({s.range(0), s.range(2), s.range(2)}), s.range(6)};
}

void forward(benchmark::State& state) {
  auto c = conv_transpose2d(state);
  run_flop(state, c.flop(), 1, [&] { c.forward(); });
}
void backward_input(benchmark::State& state) {
  auto c = conv_transpose2d(state);
  run_flop(state, c.flop(), 1, [&] { c.backward_input(); });
}
void backward_params(benchmark::State& state) {
  auto c = conv_transpose2d(state);
  run_flop(state, c.flop(), 1, [&] { c.backward_params(); });
}
void prepare(benchmark::State& state) {
  auto c = conv_transpose2d(state);
  run(state, [&] { c.prepare(); });
}

BENCHMARK(forward)->Apply(sizes)->Name("ConvTranspose2d/forward");
BENCHMARK(backward_input)->Apply(sizes)->Name("ConvTranspose2d/backward_input");
BENCHMARK(backward_params)->Apply(sizes)->Name("ConvTranspose2d/backward_params");
BENCHMARK(prepare)->Apply(sizes)->Name("ConvTranspose2d/prepare");

}  // namespace

BENCHMARK_MAIN();
