// Inference: the latency of one sample through the generator of the recipe `seed`, and batches; with a scratch area
// of the caller's it allocates nothing.
#include <eigan/gan/networks.hpp>
#include <eigan/net/model.hpp>

#include "../allocations.hpp"
#include "../micro.hpp"

static void infer(benchmark::State& state) {
  using Net = eigan::Generator<100, 32, 64, 128, 784>;
  const eigan::Model<Net> model(eigan::make_generator<100, 32, 64, 128, 784>(), eigan::Rng(1));
  auto scratch = model.scratch();
  const auto z = bench::random_matrix(100, state.range(0));
  eigan::BufferMatrix<float> images(784, state.range(0));
  const auto infer_all = [&] { model.infer(z.view(), images.view(), scratch); };
  long allocated = 0;
  bench::run_flop(state, 2.0 * static_cast<double>(model.param_size() * state.range(0)), 1,
                  bench::counting_allocations(allocated, infer_all));
  state.counters["allocations"] = static_cast<double>(allocated);
}
BENCHMARK(infer)->Arg(1)->Arg(8)->Arg(64)->ArgName("batch")->Unit(benchmark::kMicrosecond)->Name("Generator/infer");

BENCHMARK_MAIN();
