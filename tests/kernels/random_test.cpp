#include <doctest/doctest.h>
#include <cstdint>

#include <eigan/kernels/random.hpp>

#include "kernels/candidates.hpp"
#define EIGAN_KERNELS <eigan/kernels/random.inc>
#include "kernels/sixty_four_bytes.inc"

using namespace kernel_tests;

TEST_CASE("kernels: dropout keeps what its 16-bit draws say, and scales it") {
  const auto check = []<class T>(T) {
    const Matrix<T> x = support::random_matrix<T>(200, 1, 1, 1, 2);
    const Rng rng(77);
    for (const auto& candidate : candidates<detail::DropoutKernels<T>>())
      for (const std::uint32_t threshold : {0u, 1u, 19661u, 32768u, 65535u})
        for (const Index n : {1, 2, 3, 7, 8, 15, 16, 17, 63, 64, 65, 127, 129, 200}) {
          INFO(candidate.name, ", threshold ", threshold, ", n = ", n);
          Matrix<T> y = Matrix<T>::Constant(n + 1, 1, static_cast<T>(mark));
          candidate.table->dropout(n, rng.key(), 5, threshold, T(2), x.data(), y.data());
          bool right = y(n) == static_cast<T>(mark);
          for (Index i = 0; i < n; ++i) {
            const std::uint32_t draw = rng.word(i / 2, 5) >> (16 * (i % 2)) & 0xFFFF;
            right = right && y(i) == (draw >= threshold ? 2 * x(i) : T(0));
          }
          REQUIRE(right);
        }
  };
  check(1.f);
  check(1.0);
}
