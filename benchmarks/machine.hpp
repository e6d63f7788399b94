// What this machine could do at best: fused multiply-adds a second, bytes copied a second; and what it is called.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include <eigan/core/parallel.hpp>
#include <eigan/kernels/isa.hpp>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace bench {

inline double seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// Keeps the compiler from leaving out what computes *p.
inline void keep(const void* p) {
  asm volatile("" : : "g"(p) : "memory");
}

namespace detail {

#if defined(__clang__)
#define BENCH_UNROLL _Pragma("unroll")
#else
#define BENCH_UNROLL _Pragma("GCC unroll 32")
#endif

// Independent chains, enough of them to hide the latency of the units; they start apart, or the compiler would see
// that they are one. The factors let the sums come to rest at 1.
#define BENCH_FMA_CHAINS(NAME, TARGET, V, SET, FMA, CHAINS)                                    \
  TARGET inline void NAME(long terms) {                                                        \
    V sums[CHAINS];                                                                            \
    float half = 0.5f;                                                                         \
    asm volatile("" : "+m"(half));                                                             \
    const V a = SET(half), b = SET(half);                                                      \
    BENCH_UNROLL for (int i = 0; i < CHAINS; ++i) sums[i] = SET(half + static_cast<float>(i)); \
    for (long t = 0; t < terms; ++t) {                                                         \
      BENCH_UNROLL for (int i = 0; i < CHAINS; ++i) sums[i] = FMA(sums[i], a, b);              \
    }                                                                                          \
    BENCH_UNROLL for (int i = 0; i < CHAINS; ++i) keep(&sums[i]);                              \
  }
#if defined(__x86_64__)
inline __m128 multiply_add(__m128 a, __m128 b, __m128 c) {
  return _mm_add_ps(_mm_mul_ps(a, b), c);
}
BENCH_FMA_CHAINS(fma_chains_portable, , __m128, _mm_set1_ps, multiply_add, 10)
BENCH_FMA_CHAINS(fma_chains_avx2, [[gnu::target("avx2,fma")]], __m256, _mm256_set1_ps, _mm256_fmadd_ps, 12)
BENCH_FMA_CHAINS(fma_chains_avx512, [[gnu::target("avx512f,avx2,fma")]], __m512, _mm512_set1_ps, _mm512_fmadd_ps, 24)
#else
typedef float Vector __attribute__((vector_size(16)));
inline Vector broadcast(float x) {
  return Vector{} + x;
}
inline Vector multiply_add(Vector a, Vector b, Vector c) {
  return a * b + c;
}
BENCH_FMA_CHAINS(fma_chains_portable, , Vector, broadcast, multiply_add, 10)
#endif
#undef BENCH_FMA_CHAINS
#undef BENCH_UNROLL

}  // namespace detail

/// Runs about `flop` operations of multiply-add on one thread, with the widest registers of `isa`; returns how many.
inline double run_fma(eigan::Isa isa, double flop) {
  int width = 4, chains = 10;
  void (*run)(long) = detail::fma_chains_portable;
  static_cast<void>(isa);
#if defined(__x86_64__)
  if (isa == eigan::Isa::avx2) width = 8, chains = 12, run = detail::fma_chains_avx2;
  if (isa == eigan::Isa::avx512) width = 16, chains = 24, run = detail::fma_chains_avx512;
#endif
  const double a_term = 2.0 * width * chains;
  const auto terms = static_cast<long>(flop / a_term) + 1;
  run(terms);
  return static_cast<double>(terms) * a_term;
}

/// The best of several millisecond runs: GFLOP/s of all threads together.
inline double fma_peak_gflops(eigan::Isa isa, int threads, int runs = 100) {
  double best = 0;
  std::vector<double> flop(static_cast<std::size_t>(threads) * 16);
  for (int i = 0; i < runs; ++i) {
    const double start = seconds();
    eigan::detail::parallel(threads,
                            [&](int part, int) { flop[static_cast<std::size_t>(part) * 16] = run_fma(isa, 1e7); });
    const double elapsed = seconds() - start;
    double sum = 0;
    for (const double f : flop) sum += f;
    best = std::max(best, sum / elapsed * 1e-9);
  }
  return best;
}

/// The best of many short runs of memcpy: GB/s read plus written, on one thread.
inline double copy_gbps(std::size_t bytes) {
  std::vector<char> from(bytes, 1), to(bytes, 2);
  const auto repeats = std::max<std::size_t>(1, (std::size_t{1} << 20) / bytes);
  const auto runs = std::clamp<std::size_t>((std::size_t{1} << 30) / bytes / repeats, 10, 200);
  double best = 0;
  for (std::size_t i = 0; i < runs; ++i) {
    const double start = seconds();
    for (std::size_t r = 0; r < repeats; ++r) {
      std::memcpy(to.data(), from.data(), bytes);
      keep(to.data());
    }
    best = std::max(best, 2.0 * static_cast<double>(bytes * repeats) / (seconds() - start) * 1e-9);
  }
  return best;
}

/// "AMD EPYC", as the system says it.
inline std::string processor_name() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);)
    if (line.starts_with("model name")) return line.substr(std::min(line.size(), line.find(':') + 2));
  return "unknown processor";
}

inline std::string compiler_name() {
#if defined(__clang__)
  return "clang " + std::to_string(__clang_major__) + "." + std::to_string(__clang_minor__);
#elif defined(__GNUC__)
  return "g++ " + std::to_string(__GNUC__) + "." + std::to_string(__GNUC_MINOR__);
#else
  return "unknown compiler";
#endif
}

}  // namespace bench
