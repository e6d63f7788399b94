// Linear's three products in turns with OpenBLAS's and Eigen's, one thread. An iteration is one turn of each;
// `ratio` is eigan's time to that of the better of the two (medians over the iterations): the target is 1.05.
#include <span>
#include <utility>

#include <eigan/layers/linear.hpp>

#include "../micro.hpp"
#include "../products/eigen.hpp"
#include "../products/openblas.hpp"

namespace {

using namespace bench;

/// in, out, batch: square layers from 64 to 2048, and those of the recipe `seed`.
void sizes(benchmark::internal::Benchmark* b) {
  b->ArgNames({"in", "out", "batch"})->UseManualTime()->Unit(benchmark::kMicrosecond)->Iterations(25);
  for (const std::int64_t width : {64, 128, 256, 512, 1024, 2048})
    for (const std::int64_t batch : {1, 8, 32, 64, 128, 512}) b->Args({width, width, batch});
  for (const auto& [in, out] : std::vector<std::pair<int, int>>{
           {784, 128}, {128, 64}, {64, 32}, {32, 1}, {100, 32}, {32, 64}, {64, 128}, {128, 784}})
    for (const std::int64_t batch : {32, 64, 128}) b->Args({in, out, batch});
}

template <class Eigan>
void in_turns(benchmark::State& state, const Product& product, const Eigan& eigan) {
  const auto blas = [&] { openblas_multiply(product); };
  const auto eigen = [&] { eigen_multiply(product); };
  const long eigan_calls = trusted_calls(eigan), blas_calls = trusted_calls(blas), eigen_calls = trusted_calls(eigen);
  std::vector<double> eigan_times, blas_times, eigen_times;
  for ([[maybe_unused]] auto _ : state) {
    eigan_times.push_back(time_of(eigan, eigan_calls));
    blas_times.push_back(time_of(blas, blas_calls));
    eigen_times.push_back(time_of(eigen, eigen_calls));
    state.SetIterationTime(eigan_times.back());
  }
  const auto median = [](const std::vector<double>& times) { return quantile(times, 0.5); };
  const double best = std::min(median(blas_times), median(eigen_times));
  state.counters["GFLOP/s"] = product.flop() / median(eigan_times) * 1e-9;
  state.counters["of_peak"] = product.flop() / median(eigan_times) * 1e-9 / fma_peak();
  state.counters["openblas_us"] = median(blas_times) * 1e6;
  state.counters["eigen_us"] = median(eigen_times) * 1e6;
  state.counters["ratio"] = median(eigan_times) / best;
}

struct Case {
  explicit Case(const benchmark::State& state)
      : in(state.range(0)),
        out(state.range(1)),
        batch(state.range(2)),
        layer(in, out),
        params(layer.param_size()),
        grad(layer.param_size()),
        x(random_matrix(in, batch)),
        dx(in, batch),
        y(out, batch),
        dy(random_matrix(out, batch)) {
    openblas_set_num_threads(1);
    Eigen::setNbThreads(1);
    layer.init<float>(params, eigan::Rng(1));
  }

  /// Everything by pointer and leading dimension.
  Product product(bool transpose_a, bool transpose_b, Index m, Index n, Index k, const ConstView<float>& a,
                  const ConstView<float>& b, View<float> c) const {
    const auto as_int = [](Index i) { return static_cast<int>(i); };
    return {transpose_a,
            transpose_b,
            as_int(m),
            as_int(n),
            as_int(k),
            a.data(),
            as_int(a.outerStride()),
            b.data(),
            as_int(b.outerStride()),
            c.data(),
            as_int(c.outerStride())};
  }

  Index in, out, batch;
  eigan::Linear<> layer;
  eigan::Buffer<float> params, grad;
  BufferMatrix<float> x, dx, y, dy;
};

void forward(benchmark::State& state) {
  Case c(state);
  const std::span<const float> p = std::as_const(c.params);
  const ConstView<float> x = c.x.view();
  in_turns(state, c.product(false, false, c.out, c.batch, c.in, c.layer.weight(p), x, c.y.view()),
           [&] { c.layer.forward<float>(p, x, c.y.view()); });
}

void backward_input(benchmark::State& state) {
  Case c(state);
  const std::span<const float> p = std::as_const(c.params);
  const ConstView<float> x = c.x.view(), y = c.y.view(), dy = c.dy.view();
  in_turns(state, c.product(true, false, c.in, c.batch, c.out, c.layer.weight(p), dy, c.dx.view()),
           [&] { c.layer.backward_input<float>(p, x, y, dy, c.dx.view()); });
}

void backward_params(benchmark::State& state) {
  Case c(state);
  const std::span<const float> p = std::as_const(c.params);
  const std::span<float> dp = c.grad;
  const ConstView<float> x = c.x.view(), y = c.y.view(), dy = c.dy.view();
  Product product = c.product(false, true, c.out, c.in, c.batch, dy, x, c.layer.weight(dp));
  product.add = true;
  // The sums grow with every call; numbers this small never overflow.
  c.dy.view() *= 1e-6f;
  in_turns(state, product, [&] { c.layer.backward_params<float>(p, x, y, dy, dp); });
}

BENCHMARK(forward)->Apply(sizes)->Name("Linear/forward");
BENCHMARK(backward_input)->Apply(sizes)->Name("Linear/backward_input");
BENCHMARK(backward_params)->Apply(sizes)->Name("Linear/backward_params");

// By which of its kernels: OPENBLAS_CORETYPE in the environment decides, and scripts/benchmark names the fastest there.
const bool named = (benchmark::AddCustomContext("openblas_kernels", openblas_get_corename()), true);

}  // namespace

BENCHMARK_MAIN();
