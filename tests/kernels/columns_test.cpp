#include <doctest/doctest.h>

#include <eigan/kernels/columns.hpp>

#include "kernels/candidates.hpp"
#define EIGAN_KERNELS <eigan/kernels/columns.inc>
#include "kernels/sixty_four_bytes.inc"

using namespace kernel_tests;

TEST_CASE("kernels: moments and products of a column, and columns combined") {
  const auto check = []<class T>(T) {
    using Array = Eigen::Array<double, Eigen::Dynamic, 1>;
    const double tolerance = sizeof(T) == sizeof(float) ? 1e-5 : 1e-13;
    for (const Index n : {1, 2, 3, 7, 8, 15, 16, 17, 31, 33, 64, 65, 100, 257, 9001}) {
      Padded<T> x = operand<T>(n, 1, 3, 1), u = operand<T>(n, 1, 3, 2), w = operand<T>(n, 1, 3, 3),
                add = operand<T>(n, 1, 3, 4);
      const auto numbers = [](Padded<T>& p) -> Array { return p.view().template cast<double>().col(0).array(); };
      const Array xd = numbers(x), ud = numbers(u), wd = numbers(w), addd = numbers(add);
      const double mean = xd.mean(), variance = (xd - mean).square().mean();
      for (const auto& candidate : candidates<detail::ColumnKernels<T>>()) {
        INFO(candidate.name, ": ", n);
        const auto near = [&](double found, double expected, double scale) {
          REQUIRE(std::abs(found - expected) <= tolerance * (1 + scale));
        };
        const auto moments = candidate.table->column_moments(n, x.data());
        near(static_cast<double>(moments.center + moments.rest), mean, 8);
        near(static_cast<double>(moments.variance), variance, 64);
        for (const bool weighed : {false, true}) {
          const auto sums = candidate.table->column_products(n, x.data(), T(2), weighed ? w.data() : nullptr, u.data());
          const Array d = weighed ? Array(wd * ud) : ud;
          near(static_cast<double>(sums.sum), d.sum(), d.abs().sum());
          near(static_cast<double>(sums.product), (d * (xd - 2)).sum(), (d * (xd - 2)).abs().sum());
        }
        const detail::Combination<T> f{T(0.5), u.data(), T(-2), x.data(), T(3), T(1.5)};
        for (const bool adds : {false, true}) {
          Padded<T> y(n, 1, 3, mark);
          const auto expect = [&](const Array& expected) {
            REQUIRE((numbers(y) - expected).abs().maxCoeff() <= tolerance * (1 + expected.abs().maxCoeff()));
            REQUIRE((y.memory().bottomRows(3).array() == static_cast<T>(mark)).all());
          };
          const T* const more = adds ? add.data() : nullptr;
          const Array more_d = adds ? addd : Array::Zero(n);
          candidate.table->weigh_column(n, w.data(), f, more, y.data());
          expect(wd * (0.5 * ud - 2 * (xd - 3) + 1.5) + more_d);
          candidate.table->combine_column(n, w.data(), f, more, y.data());
          expect(0.5 * wd * ud - 2 * (xd - 3) + 1.5 + more_d);
        }
      }
    }
  };
  check(1.f);
  check(1.0);
}

TEST_CASE("kernels: a column's large mean costs no digits of the rest") {
  constexpr Index n = 5000;
  Matrix<float> x(n, 1);
  for (Index i = 0; i < n; ++i) x(i, 0) = static_cast<float>(1e4 + 0.125 * static_cast<double>(i * 7 % 9));
  const Matrix<double> xd = x.cast<double>();
  const double mean = xd.mean(), variance = (xd.array() - mean).square().mean();
  for (const auto& candidate : candidates<detail::ColumnKernels<float>>()) {
    INFO(candidate.name);
    const auto moments = candidate.table->column_moments(n, x.data());
    CHECK(std::abs(static_cast<double>(moments.center) + static_cast<double>(moments.rest) - mean) < 1e-6);
    CHECK(std::abs(static_cast<double>(moments.variance) / variance - 1) < 1e-6);
  }
}
