#include <doctest/doctest.h>

#include <eigan/layers/elementwise.hpp>

#include "support.hpp"

using namespace eigan;

TEST_CASE("for_each_column: gives each column of padded matrices, and its length") {
  std::vector<float> in{1, 2, -9, -9, 3, 4, -9, -9}, other{10, 20, -9, 30, 40, -9}, out(6, 0);
  const ConstView<float> x(in.data(), 2, 2, 4), u(other.data(), 2, 2, 3);
  const View<float> y(out.data(), 2, 2, 3);
  detail::for_each_column(y, x, [](Index n, float* yj, const float* xj) {
    for (Index i = 0; i < n; ++i) yj[i] = 2 * xj[i];
  });
  CHECK(out == std::vector<float>{2, 4, 0, 6, 8, 0});
  detail::for_each_column(y, x, u, [](Index n, float* yj, const float* xj, const float* uj) {
    for (Index i = 0; i < n; ++i) yj[i] = xj[i] + uj[i];
  });
  CHECK(out == std::vector<float>{11, 22, 0, 33, 44, 0});
}
