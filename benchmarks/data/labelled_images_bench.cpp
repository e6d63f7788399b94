#include <numeric>
#include <vector>

#include <eigan/data/labelled_images.hpp>

#include "../micro.hpp"

// A shuffled batch of 784 pixels each to floats.
static void pixels_to_unit(benchmark::State& state) {
  eigan::LabelledImages images{28, 28, 16384, std::vector<std::uint8_t>(16384 * 784, 77),
                               std::vector<std::uint8_t>(16384)};
  std::vector<std::uint32_t> order(16384);
  for (std::uint32_t i = 0; i < order.size(); ++i) order[i] = i * 5167 % 16384;
  const auto batch = static_cast<std::size_t>(state.range(0));
  eigan::BufferMatrix<float> out(784, state.range(0));
  std::size_t first = 0;
  bench::run_bytes(state, 5.0 * 784 * static_cast<double>(batch), [&] {
    eigan::pixels_to_unit(images, std::span<const std::uint32_t>(order).subspan(first, batch), out.view());
    first = (first + batch) % (order.size() - batch);
  });
}
BENCHMARK(pixels_to_unit)->Arg(64)->Arg(128)->ArgName("batch");

BENCHMARK_MAIN();
