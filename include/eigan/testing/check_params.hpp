// check_params: a layer's backward_params. dp agrees with central differences, is added to what was there, and is the
// same from blocks in any order, from several blocks in a call, and from runs of samples.
#pragma once

#include <algorithm>
#include <initializer_list>
#include <vector>

#include <eigan/testing/trial.hpp>

namespace eigan::testing::detail {

/// Blocks: disjoint, complete and independent. `grad`: what backward_params makes of `before`.
template <class L>
void check_blocks(Trial<L>& t, const Matrix& before, const Matrix& grad) {
  Guarded x = t.x_left(), y = t.y_left();
  Matrix blocks = before;
  const auto add = [&](Index first, Index last) {
    t.layer.backward_params_blocks(t.p(), x.read(), y.read(), t.dy(), span_of(blocks), first, last);
  };
  // In reverse, on top of the same start.
  const Index count = t.layer.block_count();
  Index next = t.params.size();
  for (Index b = count - 1; b >= 0; --b) {
    const auto [first, last] = t.layer.block_range(b);
    if (last != next || first > last) t.report.fail("block ", b, ": its range does not meet the next block's");
    next = first;
    const Matrix outside = blocks;
    add(b, b + 1);
    for (Index i = 0; i < blocks.size(); ++i)
      if ((i < first || i >= last) && blocks.data()[i] != outside.data()[i])
        t.report.fail("block ", b, ": writes parameter ", i, " outside its range");
  }
  if (next != 0) t.report.fail("blocks: the first does not start at 0 but at ", next);
  const Matrix added = grad - before;
  if (!same(blocks, grad))
    t.fail(nearly_same(blocks, added) ? "backward_params_blocks: assigned, not added"
                                      : "blocks: their sum differs from backward_params");
  // Several in one call: all, and all but the first.
  for (const Index cut : {Index{0}, std::min<Index>(1, count)}) {
    blocks = before;
    if (cut < count) add(cut, count);
    if (cut > 0) add(0, cut);
    if (!same(blocks, grad)) t.fail("blocks: several in one call differ from backward_params");
  }
}

/// Runs of samples: their gradients, each from zero, add up to the batch's.
template <class L>
void check_splits(Trial<L>& t, const Matrix& added) {
  if constexpr (BatchCoupledLayer<L, double>)
    return t.report.fail("gradient_splits: a coupled layer's gradient needs the whole batch");
  for (const Index batch : {1, 2, 3, 8, 64, 1000}) {
    const auto splits = static_cast<Index>(t.layer.gradient_splits(batch));
    if (splits < 1 || splits > batch) t.report.fail("gradient_splits: cuts ", batch, " samples into ", splits, " runs");
  }
  Guarded x = t.x_left(), y = t.y_left();
  Matrix sum = Matrix::Zero(added.rows(), 1);
  for (Index j = 0; j < t.batch; ++j) {
    Matrix run = Matrix::Zero(added.rows(), 1);
    t.layer.backward_params(t.p(), x.read().columns(j, 1), y.read().columns(j, 1), t.dy().columns(j, 1), span_of(run));
    sum += run;
  }
  if (!(sum - added).isZero(1e-8 * (1 + added.cwiseAbs().sum())))
    t.fail("gradient_splits: the samples' gradients do not add up to the batch's");
}

template <class L>
void check_params(Trial<L>& t) {
  const Matrix before = random_matrix(t.params.size(), 1, t.o, t.rng.fold_in(3));
  Guarded x = t.x_left(), y = t.y_left(), dy(t.r), dp(before);
  t.layer.backward_params(t.p(), x.read(), y.read(), dy.read(), dp.span());
  if (!dp.intact()) t.fail("backward_params: writes outside dp");
  if (!same(dy.read(), t.r)) t.fail("backward_params: changes dy");
  const Matrix grad = dp.view();
  compare_added(
      before, grad, choose(t.params.size(), t.o.cap, t.rng.fold_in(6)),
      [&](Index i) { return central_difference(t.params.data()[i], t.o.step, [&] { return t.objective(); }); }, t.o,
      "backward_params", "dparams", t.where, t.report);

  if constexpr (BlockedLayer<L, double>) check_blocks(t, before, grad);
  if constexpr (requires { t.layer.gradient_splits(t.batch); }) check_splits<L>(t, grad - before);
}

}  // namespace eigan::testing::detail
