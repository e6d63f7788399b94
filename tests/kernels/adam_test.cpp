#include <doctest/doctest.h>
#include <cmath>
#include <limits>

#include <eigan/kernels/adam.hpp>

#include "kernels/candidates.hpp"
#define EIGAN_KERNELS <eigan/kernels/denormals.inc>
#include "kernels/sixty_four_bytes.inc"
#define EIGAN_KERNELS <eigan/kernels/adam.inc>
#include "kernels/sixty_four_bytes.inc"

using namespace kernel_tests;

TEST_CASE("kernels: an Adam step of every length agrees with the formula") {
  const auto check = []<class T>(T) {
    const auto eps = static_cast<double>(std::numeric_limits<T>::epsilon());
    const detail::AdamCoefficients<T> c{.beta1 = T(0.9),
                                        .rest1 = T(0.1),
                                        .beta2 = T(0.99),
                                        .rest2 = T(0.01),
                                        .step_size = T(0.5),
                                        .inv_sqrt_correction2 = T(3),
                                        .eps = T(0.125),
                                        .weight_decay = T(0.25),
                                        .keep = T(0.75)};
    const Matrix<T> g = support::random_matrix<T>(70, 1, 1), p0 = support::random_matrix<T>(70, 1, 2);
    const Matrix<T> m0 = support::random_matrix<T>(70, 1, 3), v0 = support::random_matrix<T>(70, 1, 4, 0.5, 2);
    for (const auto& candidate : candidates<detail::AdamKernels<T>>())
      for (Index n = 1; n <= 70; ++n) {
        INFO(candidate.name, ", n = ", n);
        Matrix<T> p = p0, m = m0, v = v0;
        candidate.table->adam(n, c, g.data(), m.data(), v.data(), p.data());
        bool right = p.bottomRows(70 - n) == p0.bottomRows(70 - n) && m.bottomRows(70 - n) == m0.bottomRows(70 - n) &&
                     v.bottomRows(70 - n) == v0.bottomRows(70 - n);
        for (Index i = 0; i < n; ++i) {
          const double gi = static_cast<double>(g(i)) + 0.25 * static_cast<double>(p0(i));
          const double mi = 0.9 * static_cast<double>(m0(i)) + 0.1 * gi;
          const double vi = 0.99 * static_cast<double>(v0(i)) + 0.01 * gi * gi;
          const double pi = 0.75 * static_cast<double>(p0(i)) - 0.5 * mi / (std::sqrt(vi) * 3 + 0.125);
          right = right && std::abs(static_cast<double>(m(i)) - mi) < 8 * eps &&
                  std::abs(static_cast<double>(v(i)) - vi) < 8 * eps &&
                  std::abs(static_cast<double>(p(i)) - pi) < 8 * eps;
        }
        REQUIRE(right);
      }
  };
  check(1.f);
  check(1.0);
}

#if defined(__x86_64__)
TEST_CASE("kernels: an Adam step turns denormal moments into zeros") {
  const auto check = []<class T>(T) {
    const detail::AdamCoefficients<T> c{.beta1 = T(0.9),
                                        .rest1 = T(0.1),
                                        .beta2 = T(0.99),
                                        .rest2 = T(0.01),
                                        .step_size = T(0.5),
                                        .inv_sqrt_correction2 = T(1),
                                        .eps = T(0.125),
                                        .weight_decay = T(0),
                                        .keep = T(1)};
    const T tiny = std::numeric_limits<T>::min() / 2;
    for (const auto& candidate : candidates<detail::AdamKernels<T>>()) {
      CAPTURE(candidate.name);
      Matrix<T> g = Matrix<T>::Zero(21, 1), p = Matrix<T>::Ones(21, 1);
      Matrix<T> m = Matrix<T>::Constant(21, 1, tiny), v = m;
      candidate.table->adam(21, c, g.data(), m.data(), v.data(), p.data());
      CHECK((m.array() == T(0)).all());
      CHECK((v.array() == T(0)).all());
      CHECK((p.array() == T(1)).all());
    }
  };
  check(1.f);
  check(1.0);
}
#endif
