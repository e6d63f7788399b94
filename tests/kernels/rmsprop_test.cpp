#include <doctest/doctest.h>
#include <cmath>
#include <limits>

#include <eigan/kernels/rmsprop.hpp>

#include "kernels/candidates.hpp"
#define EIGAN_KERNELS <eigan/kernels/denormals.inc>
#include "kernels/sixty_four_bytes.inc"
#define EIGAN_KERNELS <eigan/kernels/rmsprop.inc>
#include "kernels/sixty_four_bytes.inc"

using namespace kernel_tests;

TEST_CASE("kernels: an RMSprop step of every length agrees with the formula") {
  const auto check = []<class T>(T) {
    const auto eps = static_cast<double>(std::numeric_limits<T>::epsilon());
    const detail::RmspropCoefficients<T> c{
        .lr = T(0.5), .alpha = T(0.9), .rest = T(0.1), .eps = T(0.125), .weight_decay = T(0.25), .momentum = T(0.75)};
    const Matrix<T> g = support::random_matrix<T>(70, 1, 1), p0 = support::random_matrix<T>(70, 1, 2);
    const Matrix<T> u0 = support::random_matrix<T>(70, 1, 3), v0 = support::random_matrix<T>(70, 1, 4, 0.5, 2);
    for (const auto& candidate : candidates<detail::RmspropKernels<T>>())
      for (Index n = 1; n <= 70; ++n) {
        INFO(candidate.name, ", n = ", n);
        Matrix<T> p = p0, u = u0, v = v0;
        candidate.table->rmsprop(n, c, g.data(), v.data(), u.data(), p.data());
        bool right = p.bottomRows(70 - n) == p0.bottomRows(70 - n) && u.bottomRows(70 - n) == u0.bottomRows(70 - n) &&
                     v.bottomRows(70 - n) == v0.bottomRows(70 - n);
        for (Index i = 0; i < n; ++i) {
          const double gi = static_cast<double>(g(i)) + 0.25 * static_cast<double>(p0(i));
          const double vi = 0.9 * static_cast<double>(v0(i)) + 0.1 * gi * gi;
          const double ui = 0.75 * static_cast<double>(u0(i)) + gi / (std::sqrt(vi) + 0.125);
          const double pi = static_cast<double>(p0(i)) - 0.5 * ui;
          right = right && std::abs(static_cast<double>(u(i)) - ui) < 8 * eps &&
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
TEST_CASE("kernels: an RMSprop step turns denormal squares into zeros") {
  const auto check = []<class T>(T) {
    const detail::RmspropCoefficients<T> c{
        .lr = T(0.5), .alpha = T(0.9), .rest = T(0.1), .eps = T(0.125), .weight_decay = T(0), .momentum = T(0.5)};
    const T tiny = std::numeric_limits<T>::min() / 2;
    for (const auto& candidate : candidates<detail::RmspropKernels<T>>()) {
      CAPTURE(candidate.name);
      Matrix<T> g = Matrix<T>::Zero(21, 1), p = Matrix<T>::Ones(21, 1);
      Matrix<T> u = Matrix<T>::Constant(21, 1, tiny), v = u;
      candidate.table->rmsprop(21, c, g.data(), v.data(), u.data(), p.data());
      CHECK((u.array() == T(0)).all());
      CHECK((v.array() == T(0)).all());
      CHECK((p.array() == T(1)).all());
    }
  };
  check(1.f);
  check(1.0);
}
#endif
