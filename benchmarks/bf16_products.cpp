// What bf16 products would gain: the products of a step by eigan's kernels in float, and by a prototype that rounds
// both operands to bf16 while it packs them and adds up in float (AVX512-BF16). One thread, in turns.
//   build/bench/bin/bf16_products [ROUNDS]
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include <eigan/kernels/products.hpp>

#include "machine.hpp"
#include "paired/statistics.hpp"
#include "products/step_products.hpp"

#if defined(__x86_64__)
#include <immintrin.h>

namespace {

using bench::Product;
#define BF16_TARGET [[gnu::target("avx2,fma,avx512f,avx512bf16")]]

constexpr int lines = 16, terms = 256, columns = 8;  // of a packed block; of a panel; of a block of sums

using Bits = unsigned __attribute__((vector_size(64)));

/// 16 numbers, rounded to the nearest bf16, in the upper halves of their lanes.
BF16_TARGET inline Bits rounded(__m512 x) {
  const Bits bits = reinterpret_cast<Bits>(x);
  return bits + (bits >> 16 & 1) + 0x7FFF;
}
/// A lane's two numbers side by side.
BF16_TARGET inline __m512i pairs(__m512 even, __m512 odd) {
  return reinterpret_cast<__m512i>(rounded(even) >> 16 | (rounded(odd) & 0xFFFF0000));
}

/// A matrix of `count` lines by `k` terms, term t of line i at from[i * line + t * term], one of the strides 1:
/// block after block of 16 lines, pairs of terms side by side. What does not exist is 0.
BF16_TARGET void pack(int count, int k, const float* from, long line, long term, unsigned* to) {
  const int half = (k + 1) / 2;
  for (int first = 0; first < count; first += lines, to += half * lines) {
    const int real = std::min(lines, count - first);
    const float* block = from + first * line;
    if (line == 1) {
      const auto mask = static_cast<__mmask16>((1u << real) - 1);
      for (int q = 0; q < half; ++q) {
        const __m512 even = _mm512_maskz_loadu_ps(mask, block + 2 * q * term);
        const __m512 odd =
            2 * q + 1 < k ? _mm512_maskz_loadu_ps(mask, block + (2 * q + 1) * term) : _mm512_setzero_ps();
        _mm512_storeu_si512(to + q * lines, pairs(even, odd));
      }
      continue;
    }
    for (int q = 0; q < half; q += 16) {  // 16 lines of 32 terms, then transposed as 16 x 16 pairs
      __m512i rows[16];
      for (int i = 0; i < 16; ++i) {
        const auto mask = [&](int left) {
          return static_cast<__mmask16>(left >= 16 ? 0xFFFF : left > 0 ? (1u << left) - 1 : 0);
        };
        const int left = i < real ? k - 2 * q : 0;
        const float* p = block + i * line + 2 * q;
        const __m512 low = _mm512_maskz_loadu_ps(mask(left), p), high = _mm512_maskz_loadu_ps(mask(left - 16), p + 16);
        rows[i] = reinterpret_cast<__m512i>(_mm512_cvtne2ps_pbh(high, low));
      }
      for (int step = 8; step > 0; step /= 2) {
        alignas(64) int mine[16], other[16];
        for (int i = 0; i < 16; ++i)
          mine[i] = (i & step) ? 16 + i - step : i, other[i] = (i & step) ? 16 + i : i + step;
        const __m512i low = _mm512_load_si512(mine), high = _mm512_load_si512(other);
        for (int i = 0; i < 16; ++i) {
          if (i & step) continue;
          const __m512i a = rows[i], b = rows[i + step];
          rows[i] = _mm512_permutex2var_epi32(a, low, b);
          rows[i + step] = _mm512_permutex2var_epi32(a, high, b);
        }
      }
      for (int i = 0; i < std::min(16, half - q); ++i) _mm512_storeu_si512(to + (q + i) * lines, rows[i]);
    }
  }
}

/// MV blocks of 16 rows by 8 columns of c; `add`: to what stands there.
template <unsigned MV>
BF16_TARGET void block(int half, const unsigned* a, long a_block, const unsigned* b, bool add, int rows, int cols,
                       float* c, long ldc) {
  __m512 sum[columns][MV];
  const auto mask = [&](unsigned at) {
    const int i = static_cast<int>(at);
    return static_cast<__mmask16>(rows - 16 * i >= 16 ? 0xFFFF : (1u << (rows - 16 * i)) - 1);
  };
#pragma GCC unroll 8
  for (unsigned j = 0; j < columns; ++j)
#pragma GCC unroll 3
    for (unsigned i = 0; i < MV; ++i)
      sum[j][i] = add && static_cast<int>(j) < cols ? _mm512_maskz_loadu_ps(mask(i), c + j * ldc + 16 * i)
                                                    : _mm512_setzero_ps();
  for (int q = 0; q < half; ++q) {
    __m512bh av[MV];
#pragma GCC unroll 3
    for (unsigned i = 0; i < MV; ++i)
      av[i] = reinterpret_cast<__m512bh>(_mm512_loadu_si512(a + i * a_block + q * lines));
#pragma GCC unroll 8
    for (unsigned j = 0; j < columns; ++j) {
      const auto bv =
          reinterpret_cast<__m512bh>(_mm512_set1_epi32(static_cast<int>(b[q * lines + static_cast<int>(j)])));
#pragma GCC unroll 3
      for (unsigned i = 0; i < MV; ++i) sum[j][i] = _mm512_dpbf16_ps(sum[j][i], av[i], bv);
    }
  }
#pragma GCC unroll 8
  for (unsigned j = 0; j < columns; ++j)
#pragma GCC unroll 3
    for (unsigned i = 0; i < MV; ++i)
      if (static_cast<int>(j) < cols) _mm512_mask_storeu_ps(c + j * ldc + 16 * i, mask(i), sum[j][i]);
}

/// p by bf16 operands; `multiply` false: packed only. Returns the memory that packing took, for the next call.
void by_bf16(const Product& p, bool multiply, std::vector<unsigned>& a, std::vector<unsigned>& b) {
  const auto size = [](int count, int half) {
    return static_cast<std::size_t>((count + 15) / 16 * 16) * static_cast<std::size_t>(half);
  };
  for (int first = 0; first < p.k; first += terms) {
    const int k = std::min(terms, p.k - first), half = (k + 1) / 2;
    a.resize(std::max(a.size(), size(p.m, half)));
    b.resize(std::max(b.size(), size(p.n, half)));
    pack(p.m, k, p.transpose_a ? p.a + first : p.a + static_cast<long>(first) * p.lda, p.transpose_a ? p.lda : 1,
         p.transpose_a ? 1 : p.lda, a.data());
    pack(p.n, k, p.transpose_b ? p.b + static_cast<long>(first) * p.ldb : p.b + first, p.transpose_b ? 1 : p.ldb,
         p.transpose_b ? p.ldb : 1, b.data());
    for (int i = 0; multiply && i < p.m; i += 48)
      for (int j = 0; j < p.n; j += columns) {
        const int left = p.m - i, rows = std::min(48, left), cols = std::min(columns, p.n - j);
        const long stride = static_cast<long>(half) * lines;
        const unsigned *from = a.data() + i / lines * stride, *right = b.data() + j / lines * stride + j % lines;
        float* c = p.c + i + static_cast<long>(j) * p.ldc;
        (rows > 32   ? block<3>
         : rows > 16 ? block<2>
                     : block<1>)(half, from, stride, right, first > 0, rows, cols, c, p.ldc);
      }
  }
}

/// The same as the layers call it.
void by_float(const Product& p, const std::vector<float>& zeros) {
  const auto& kernels = eigan::detail::product_kernels<float>();
  const eigan::detail::Strided<const float> a{p.a, 1, p.lda};
  if (p.transpose_a)
    kernels.multiply_transposed(p.m, p.n, p.k, a, {p.b, 1, p.ldb}, {p.c, 1, p.ldc});
  else
    kernels.multiply(p.m, p.n, p.k, a, {p.b, p.transpose_b ? p.ldb : 1, p.transpose_b ? 1 : p.ldb},
                     {zeros.data(), 1, 0}, {p.c, 1, p.ldc});
}

void compare(const char* name, int rounds) {
  const bench::StepProducts step(bench::workload(name));
  std::vector<unsigned> a, b;
  const std::vector<float> zeros(4096);
  // How far bf16 is from float: of the largest element of each product.
  double error = 0;
  for (const Product& p : step.products()) {
    std::vector<float> expected;
    by_float(p, zeros);
    const auto each = [&](auto f) {
      for (int j = 0; j < p.n; ++j)
        for (int i = 0; i < p.m; ++i) f(p.c[i + static_cast<long>(j) * p.ldc]);
    };
    each([&](float v) { expected.push_back(v); });
    by_bf16(p, true, a, b);
    double largest = 0, difference = 0;
    std::size_t at = 0;
    each([&](float v) {
      largest = std::max(largest, static_cast<double>(std::abs(expected[at])));
      difference = std::max(difference, static_cast<double>(std::abs(v - expected[at++])));
    });
    error = std::max(error, difference / largest);
  }
  const auto time = [&](auto f) {
    const double start = bench::seconds();
    for (const Product& p : step.products()) f(p);
    return (bench::seconds() - start) * 1e3;
  };
  std::vector<double> in_float, in_bf16, packing, ratio;
  for (int r = 0; r < rounds; ++r) {
    in_float.push_back(time([&](const Product& p) { by_float(p, zeros); }));
    in_bf16.push_back(time([&](const Product& p) { by_bf16(p, true, a, b); }));
    packing.push_back(time([&](const Product& p) { by_bf16(p, false, a, b); }));
    ratio.push_back(in_bf16.back() / in_float.back());
  }
  const auto median = [](const std::vector<double>& v) { return bench::quantile(v, 0.5); };
  std::printf(
      "%s: products in float %.3f ms, in bf16 %.3f ms (packing %.3f), ratio %.3f (%.3f to %.3f); largest error %.4f of "
      "a product's largest element\n",
      name, median(in_float), median(in_bf16), median(packing), median(ratio), bench::quantile(ratio, 0.1),
      bench::quantile(ratio, 0.9), error);
}

}  // namespace

int main(int argc, char** argv) {
  if (!__builtin_cpu_supports("avx512bf16")) {
    std::puts("this processor has no AVX512-BF16");
    return 0;
  }
  const int rounds = argc > 1 ? std::atoi(argv[1]) : 400;
  compare("gan-seed", rounds);
  compare("gan-wide", std::max(5, rounds / 10));
  return 0;
}
#else
int main() {
  std::puts("the prototype is for x86-64 with AVX512-BF16");
  return 0;
}
#endif
