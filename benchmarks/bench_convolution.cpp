// The three products of a convolution beside oneDNN's own primitives, one thread, in turns.
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <ctime>
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

#if defined(_OPENMP)
#include <omp.h>
#endif

#include "machine.hpp"
#include "paired/statistics.hpp"
#include "products/convolution_eigan.hpp"
#include "products/convolution_onednn.hpp"

namespace {

constexpr const char* directions[] = {"forward", "to input", "to weights"};

/// Of this thread: what other programs take from it does not count.
double processor_seconds() {
  timespec t{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}
double time_of(const std::function<void()>& run) {
  const double start = processor_seconds();
  run();
  return processor_seconds() - start;
}

struct Cell {
  std::string name, direction, implementation;
  double flop;
  std::vector<double> eigan, onednn, ratio;  // a number each round

  double gflops(const std::vector<double>& seconds) const { return flop / bench::quantile(seconds, 0) * 1e-9; }
};

/// Length of the difference of the two results, beside their own.
double disagreement(const eigan::View<float>& a, const eigan::Matrix<float>& b) {
  return double{(a - b).norm()} / double{b.norm()};
}

void measure(const bench::ConvolutionCase& c, int rounds, std::vector<Cell>& cells) {
  bench::EiganConvolution ours(c);
  bench::OneDnnConvolution theirs(c, ours.x.view(), ours.w.data(), ours.b.data(), ours.dy.view());
  const std::function<void()> passes[] = {[&] { ours.forward(); }, [&] { ours.backward_input(); },
                                          [&] { ours.backward_params(); }};
  const eigan::View<float> results[] = {ours.y.view(), ours.dx.view(), {ours.dw.data(), ours.dw.size(), 1}};
  for (std::size_t d = 0; d < 3; ++d) {
    Cell cell{c.name(), directions[d], theirs.implementation(d), c.flop(), {}, {}, {}};
    const auto other = [&] { theirs.run(d); };
    passes[d]();
    other();
    if (const double error = disagreement(results[d], theirs.result(d, results[d].rows(), results[d].cols()));
        error > 1e-4)
      throw std::runtime_error(cell.name + ", " + cell.direction + ": results differ by " + std::to_string(error));
    for (int r = 0; r < rounds; ++r) {
      double mine, other_time;
      if (r % 2 == 0) {
        mine = time_of(passes[d]);
        other_time = time_of(other);
      } else {
        other_time = time_of(other);
        mine = time_of(passes[d]);
      }
      cell.eigan.push_back(mine);
      cell.onednn.push_back(other_time);
      cell.ratio.push_back(mine / other_time);
    }
    cells.push_back(std::move(cell));
  }
}

double geometric_mean(const std::vector<double>& values) {
  double sum = 0;
  for (const double v : values) sum += std::log(v);
  return std::exp(sum / static_cast<double>(values.size()));
}

}  // namespace

int main(int argc, char** argv) try {
  CLI::App app(
      "Times a convolution's three products in turns with oneDNN's primitives, on one thread.\n"
      "EIGAN_FORCE_ISA=avx2 holds both to AVX2. Operations are those inside the image.");
  int rounds = 100;
  bool json = false;
  std::string only;
  app.add_option("--rounds", rounds, "Runs of each")->capture_default_str();
  app.add_option("--case", only, "Only the cases whose name begins so");
  app.add_flag("--json", json, "One JSON object instead of a table");
  CLI11_PARSE(app, argc, argv);
#if defined(_OPENMP)
  omp_set_num_threads(1);
#endif
  const eigan::Isa isa = eigan::active_isa();
  if (isa == eigan::Isa::avx2) dnnl::set_max_cpu_isa(dnnl::cpu_isa::avx2);
  if (isa == eigan::Isa::portable) dnnl::set_max_cpu_isa(dnnl::cpu_isa::sse41);
  const double peak = bench::fma_peak_gflops(isa, 1);

  std::vector<Cell> cells;
  for (const auto& c : bench::convolution_cases())
    if (c.name().starts_with(only)) measure(c, rounds, cells);

  std::vector<double> least, median;
  nlohmann::json all = nlohmann::json::array();
  if (!json) {
    std::printf("%s, %s, peak %.1f GFLOP/s\n", bench::processor_name().c_str(), to_string(isa), peak);
    std::printf("%-36s %-10s %7s %7s %6s   %-6s %-6s\n", "samples, image, channels, kernel, stride", "", "eigan",
                "oneDNN", "peak", "least", "median");
  }
  for (const Cell& cell : cells) {
    const double ours = cell.gflops(cell.eigan), theirs = cell.gflops(cell.onednn);
    least.push_back(theirs / ours);
    median.push_back(bench::quantile(cell.ratio, 0.5));
    if (!json)
      std::printf("%-40s %-10s %7.1f %7.1f %5.1f%%   %-6.3f %-6.3f  %s\n", cell.name.c_str(), cell.direction.c_str(),
                  ours, theirs, 100 * ours / peak, least.back(), median.back(), cell.implementation.c_str());
    all.push_back({{"case", cell.name},
                   {"direction", cell.direction},
                   {"gflops", ours},
                   {"onednn_gflops", theirs},
                   {"of_peak", ours / peak},
                   {"ratio_of_least", least.back()},
                   {"ratio", median.back()},
                   {"onednn_implementation", cell.implementation}});
  }
  const double mean = geometric_mean(median), worst = bench::quantile(median, 1);
  if (json)
    std::printf("%s\n", nlohmann::json({{"processor", bench::processor_name()},
                                        {"isa", to_string(isa)},
                                        {"peak_gflops", peak},
                                        {"rounds", rounds},
                                        {"results", all},
                                        {"ratio", mean},
                                        {"worst_ratio", worst},
                                        {"ratio_of_least", geometric_mean(least)}})
                            .dump()
                            .c_str());
  else
    std::printf("eigan's time by oneDNN's: geometric mean %.3f (of the least %.3f), worst %.3f (%.3f)\n", mean,
                geometric_mean(least), worst, bench::quantile(least, 1));
} catch (const std::exception& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
