// check_parts: a layer computed in parts. Any way of sharing the parts gives the same bits, every element is assigned,
// and by one part alone, so that threads may compute them at the same time.
#pragma once

#include <vector>

#include <eigan/testing/trial.hpp>

namespace eigan::testing::detail {

/// `assign(v, first, last)` computes some of `count` parts of v, whose whole is `whole`.
template <class L, class Assign>
void check_parts_of(Trial<L>& t, const char* function, Index count, const Matrix& whole, const Assign& assign) {
  const auto compare = [&](const std::vector<Index>& cuts, const char* how) {
    Guarded v(whole.rows(), whole.cols(), nan);
    for (std::size_t k = cuts.size() - 1; k > 0; --k)  // the last ones first
      if (cuts[k - 1] < cuts[k]) assign(v.view(), cuts[k - 1], cuts[k]);
    if (!v.intact()) t.fail(function, ": writes outside, ", how);
    if (!same(v.view(), whole)) t.fail(function, ": differs from the whole, ", how);
  };
  std::vector<Index> each;
  for (Index part = 0; part <= count; ++part) each.push_back(part);
  compare({0, count}, "all in one call");
  compare(each, "one a call");
  for (const Index cut : choose(count, 3, t.rng.fold_in(9))) compare({0, cut, count}, "two calls");

  constexpr double untouched = 54321.25;
  std::vector<Index> owner(static_cast<std::size_t>(whole.size()), -1);
  Guarded v(whole.rows(), whole.cols(), untouched);
  for (Index part = 0; part < count; ++part) {
    v.view().setConstant(untouched);
    assign(v.view(), part, part + 1);
    const Matrix values = v.view();
    for (Index i = 0; i < values.size(); ++i) {
      if (values.data()[i] == untouched) continue;
      Index& first = owner[static_cast<std::size_t>(i)];
      if (first >= 0) return t.fail(function, ": parts ", first, " and ", part, " both write element ", i);
      first = part;
    }
  }
}

template <class L>
void check_parts(Trial<L>& t) {
  const Index count = t.layer.part_count();
  if (count < 1) return t.report.fail("part_count: must be at least 1, is ", count);
  Guarded x = t.x_left(), y = t.y_left();
  Matrix y_values = Matrix::Constant(t.out, t.batch, nan), dx_values = Matrix::Constant(t.in, t.batch, nan);
  const auto forward = [&](View<double> v, Index first, Index last) {
    t.layer.forward_parts(t.p(), ConstView<double>(t.x), v, first, last);
  };
  const auto backward = [&](View<double> v, Index first, Index last) {
    t.layer.backward_input_parts(t.p(), x.read(), y.read(), t.dy(), v, first, last);
  };
  t.forward(t.x, y_values);
  t.backward_input(x.read(), y.read(), t.dy(), dx_values);
  check_parts_of(t, "forward_parts", count, y_values, forward);
  check_parts_of(t, "backward_input_parts", count, dx_values, backward);
}

}  // namespace eigan::testing::detail
