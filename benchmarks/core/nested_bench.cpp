// Inference called from threads that the caller has started: in an OpenMP region, where eigan keeps to the calling
// thread, and in std::threads, each of which gets OpenMP threads of its own. The last argument is the number of
// callers; with as many processors as callers the time should be that of one.
#include <cstddef>
#include <thread>
#include <vector>

#include <eigan/core/buffer.hpp>
#include <eigan/gan/networks.hpp>
#include <eigan/net/model.hpp>

#include "../micro.hpp"

namespace {

using namespace eigan;

using Net = Discriminator<784, 512, 256, 1>;
constexpr Index batch = 64;

/// What one caller does.
struct Work {
  void run() const { benchmark::DoNotOptimize(model->infer(x.view(), threads)); }

  const Model<Net>* model;
  Threads threads{};
  BufferMatrix<float> x{784, batch};
};

std::vector<Work> work_for(const benchmark::State& state, const Model<Net>& model) {
  std::vector<Work> work;
  for (std::int64_t i = 0; i < state.range(0); ++i) work.push_back({.model = &model});
  return work;
}

void parallel_region(benchmark::State& state) {
  const Model<Net> model(Rng(1));
  auto work = work_for(state, model);
  const int callers = static_cast<int>(work.size());
  if (callers == 1) work.front().threads = {1};  // a region of one thread counts as none
  for (auto _ : state) {
#if defined(_OPENMP)
#pragma omp parallel for num_threads(callers) schedule(static)
#endif
    for (int i = 0; i < callers; ++i)
      for (int repeat = 0; repeat < 20; ++repeat) work[static_cast<std::size_t>(i)].run();
  }
}

void own_threads(benchmark::State& state) {
  const Model<Net> model(Rng(1));
  auto work = work_for(state, model);
  for (Work& each : work) each.threads = {1};
  for (auto _ : state) {
    std::vector<std::thread> threads;
    for (Work& each : work)
      threads.emplace_back([&each] {
        for (int repeat = 0; repeat < 20; ++repeat) each.run();
      });
    for (auto& thread : threads) thread.join();
  }
}

BENCHMARK(parallel_region)->Name("inference/in_parallel_region")->Arg(1)->Arg(2)->UseRealTime();
BENCHMARK(own_threads)->Name("inference/in_own_threads")->Arg(1)->Arg(2)->UseRealTime();

}  // namespace

BENCHMARK_MAIN();
