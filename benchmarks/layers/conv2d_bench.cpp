// The three products of Conv2d on one thread, what a pass prepares apart: operations inside the image beside the FMA
// peak. bench_convolution has the kernels beside oneDNN's.
#include <eigan/layers/conv2d.hpp>

#include "placed.hpp"

namespace {

using namespace bench;

/// Channels in and out, height and width, kernel, stride, padding, samples.
void sizes(benchmark::internal::Benchmark* b) {
  b->ArgNames({"in", "out", "pixels", "kernel", "stride", "padding", "batch"})->Unit(benchmark::kMicrosecond);
  for (const auto& size : std::vector<std::vector<std::int64_t>>{{64, 128, 14, 4, 2, 1, 64},
                                                                 {64, 64, 16, 3, 1, 1, 32},
                                                                 {64, 128, 32, 4, 2, 1, 16},
                                                                 {256, 256, 8, 3, 1, 1, 32},
                                                                 {128, 256, 16, 4, 2, 1, 16},
                                                                 {1, 64, 28, 4, 2, 1, 64},
                                                                 {3, 64, 64, 4, 2, 1, 16},
                                                                 {64, 64, 32, 1, 1, 0, 16}})
    b->Args(size);
}
PlacedCase<eigan::placed::Conv2d> conv2d(const benchmark::State& s) {
  const eigan::Conv2d<> layer(s.range(0), s.range(1), s.range(3), s.range(4), s.range(5));
  return {layer.at({s.range(0), s.range(2), s.range(2)}), s.range(6)};
}

void forward(benchmark::State& state) {
  auto c = conv2d(state);
  run_flop(state, c.flop(), 1, [&] { c.forward(); });
}
void backward_input(benchmark::State& state) {
  auto c = conv2d(state);
  run_flop(state, c.flop(), 1, [&] { c.backward_input(); });
}
void backward_params(benchmark::State& state) {
  auto c = conv2d(state);
  run_flop(state, c.flop(), 1, [&] { c.backward_params(); });
}
void prepare(benchmark::State& state) {
  auto c = conv2d(state);
  run(state, [&] { c.prepare(); });
}

BENCHMARK(forward)->Apply(sizes)->Name("Conv2d/forward");
BENCHMARK(backward_input)->Apply(sizes)->Name("Conv2d/backward_input");
BENCHMARK(backward_params)->Apply(sizes)->Name("Conv2d/backward_params");
BENCHMARK(prepare)->Apply(sizes)->Name("Conv2d/prepare");

}  // namespace

BENCHMARK_MAIN();
