// What the microbenchmarks share. Every figure stands beside the machine's own: operations beside its FMA peak, bytes
// beside memcpy of as much memory; one thread unless a benchmark says otherwise.
#pragma once

#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include <eigan/core/buffer.hpp>
#include <eigan/core/random.hpp>

#include "machine.hpp"
#include "paired/statistics.hpp"

namespace bench {

using eigan::BufferMatrix;
using eigan::ConstView;
using eigan::Index;
using eigan::View;

/// GFLOP/s of one thread, measured when first asked for.
inline double fma_peak() {
  static const double peak = fma_peak_gflops(eigan::active_isa(), 1);
  return peak;
}

/// GB/s of memcpy with `bytes` in each of its two places, measured once for each size.
inline double copy_bandwidth(std::size_t bytes) {
  static std::map<std::size_t, double> known;
  const auto [place, is_new] = known.try_emplace(bytes, 0.0);
  if (is_new) place->second = copy_gbps(bytes);
  return place->second;
}

/// Times f, once an iteration, and returns the seconds of one.
template <class F>
double run(benchmark::State& state, const F& f) {
  f();
  const double start = seconds();
  for ([[maybe_unused]] auto _ : state) {
    f();
    benchmark::ClobberMemory();
  }
  return (seconds() - start) / static_cast<double>(state.iterations());
}

/// The same for a benchmark whose iteration is `flop` operations, on `threads` threads.
template <class F>
void run_flop(benchmark::State& state, double flop, int threads, const F& f) {
  const double gflops = flop / run(state, f) * 1e-9;
  state.counters["GFLOP/s"] = gflops;
  state.counters["of_peak"] = gflops / (threads * fma_peak());
}

/// The same for a benchmark whose iteration reads and writes `bytes` altogether.
template <class F>
void run_bytes(benchmark::State& state, double bytes, const F& f) {
  const double gbps = bytes / run(state, f) * 1e-9;
  state.counters["GB/s"] = gbps;
  state.counters["of_copy"] = gbps / copy_bandwidth(static_cast<std::size_t>(bytes / 2));
}

/// A matrix of numbers uniform in [low, high).
inline BufferMatrix<float> random_matrix(Index rows, Index cols, double low = -1, double high = 1) {
  BufferMatrix<float> matrix(rows, cols);
  eigan::fill_uniform(matrix.view(), low, high, eigan::Rng(static_cast<std::uint64_t>(rows * 10007 + cols)));
  return matrix;
}

/// The least time over which a clock can be trusted.
inline constexpr double trusted_seconds = 100e-6;

/// Seconds of one call of f, from as many as fit into the trusted time.
template <class F>
double time_of(const F& f, long calls) {
  const double start = seconds();
  for (long i = 0; i < calls; ++i) f();
  return (seconds() - start) / static_cast<double>(calls);
}
template <class F>
long trusted_calls(const F& f) {
  long calls = 1;
  for (double time = 0; (time = time_of(f, calls)) * static_cast<double>(calls) < trusted_seconds;) calls *= 2;
  return calls;
}

}  // namespace bench
