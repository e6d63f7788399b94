#include <doctest/doctest.h>

#include <eigan/kernels/rows.hpp>

#include "kernels/candidates.hpp"
#define EIGAN_KERNELS <eigan/kernels/rows.inc>
#include "kernels/sixty_four_bytes.inc"

using namespace kernel_tests;

TEST_CASE("kernels: moments and products of rows, and rows scaled and combined") {
  const auto check = []<class T>(T) {
    using Array = Eigen::Array<double, Eigen::Dynamic, 1>;
    const double tolerance = sizeof(T) == sizeof(float) ? 1e-5 : 1e-13;
    for (const Index m : {1, 3, 4, 7, 8, 9, 15, 16, 17, 33, 64, 67})
      for (const Index n : {1, 2, 5, 64}) {
        Padded<T> x = operand<T>(m, n, 3, 1), dy = operand<T>(m, n, 5, 2);
        const Matrix<double> xd = x.view().template cast<double>(), dyd = dy.view().template cast<double>();
        const Array mean = xd.rowwise().mean(), a = Array::LinSpaced(m, -2, 3), b = Array::LinSpaced(m, 1, 2),
                    c = Array::LinSpaced(m, 5, 4);
        const Matrix<double> centred = xd.colwise() - mean.matrix();
        const Array variance = centred.array().square().rowwise().mean();
        const Matrix<T> mean_t = mean.cast<T>(), at = a.cast<T>(), bt = b.cast<T>(), ct = c.cast<T>();
        for (const auto& candidate : candidates<detail::RowKernels<T>>()) {
          INFO(candidate.name, ": ", m, " x ", n);
          const auto near = [&](Padded<T>& found, const Matrix<double>& expected) {
            const double scale = 1 + expected.cwiseAbs().maxCoeff();
            REQUIRE((found.view().template cast<double>() - expected).cwiseAbs().maxCoeff() <= tolerance * scale);
            REQUIRE((found.memory().bottomRows(3).array() == static_cast<T>(mark)).all());
          };
          Padded<T> first(m, 1, 3, mark), second(m, 1, 3, mark), result(m, n, 3, mark);
          candidate.table->row_moments(m, n, {x.data(), 1, x.stride()}, first.data(), second.data());
          near(first, mean.matrix());
          near(second, variance.matrix());
          first.view().setConstant(T(2));
          second.view().setConstant(T(3));
          candidate.table->add_row_products(m, n, {x.data(), 1, x.stride()}, mean_t.data(), {dy.data(), 1, dy.stride()},
                                            first.data(), second.data());
          near(first, (dyd.rowwise().sum().array() + 2).matrix());
          near(second, (dyd.cwiseProduct(centred).rowwise().sum().array() + 3).matrix());
          candidate.table->scale_rows(m, n, {x.data(), 1, x.stride()}, at.data(), ct.data(),
                                      {result.data(), 1, result.stride()});
          near(result, ((xd.array().colwise() * a).colwise() + c).matrix());
          candidate.table->combine_rows(m, n, {x.data(), 1, x.stride()}, at.data(), {dy.data(), 1, dy.stride()},
                                        bt.data(), ct.data(), {result.data(), 1, result.stride()});
          near(result, ((xd.array().colwise() * a + dyd.array().colwise() * b).colwise() + c).matrix());
        }
      }
  };
  check(1.f);
  check(1.0);
}
