// check_layer: a layer's forward and backward_input, in one phase. dx agrees with central differences and is assigned
// everywhere (it starts as NaN), nothing is written outside the views, declared reads are honest, work in place,
// samples and pixels by themselves come out as in the batch.
#pragma once

#include <algorithm>
#include <vector>

#include <eigan/testing/trial.hpp>

namespace eigan::testing::detail {

/// An element-wise layer: y[i] follows from x[i] alone, and works over the same memory.
template <class L>
void check_elementwise(Trial<L>& t, const Matrix& y_values, const Matrix& dx_values) {
  // dx over dy, and y over x.
  Guarded x = t.x_left(), y = t.y_left(), place(t.r), over(t.x);
  t.backward_input(x.view(), y.view(), place.view(), place.view());
  if (!same(place.view(), dx_values)) t.fail("backward_input: differs in place");
  t.forward(over.view(), over.view());
  if (!same(over.view(), y_values)) t.fail("forward: differs in place");

  for (const Index i : choose(t.x.size(), 8, t.rng.fold_in(8))) {
    double& moved = t.x.data()[i];
    const double kept = moved;
    moved = kept < 0 ? kept - 0.5 : kept + 0.5;  // no kink in between
    Matrix changed = t.output();
    moved = kept;
    changed.data()[i] = y_values.data()[i];
    if (!same(changed, y_values)) t.fail("forward: declared elementwise, but x element ", i, " moves other elements");
  }
}

/// An element-wise layer without the first pixel, as threads cut large samples. A layer that takes any size does not
/// know how many channels a pixel has, so one will do; where a size is stated, the sample is a vector, one pixel.
template <class L>
void check_pixels(Trial<L>& t, const Matrix& y_values, const Matrix& dx_values) {
  const Index stated = eigan::detail::input_of(t.layer) == dynamic ? 1 : t.in;
  const Index first = t.o.shape ? t.o.shape.channels : stated, count = t.in - first;
  if (count == 0) return;
  const auto rest = [&](ConstView<double> v) {
    return ConstView<double>(v.data() + first, count, v.cols(), v.outerStride());
  };
  Guarded x = t.x_left(), y = t.y_left(), some(count, t.batch, nan), dx(count, t.batch, nan);
  t.forward(rest(t.x), some.view());
  if (!nearly_same(some.view(), rest(y_values)))
    t.fail("forward: declared elementwise, but rows from ", first, " by themselves give another result");
  t.backward_input(rest(x.read()), rest(y.read()), rest(t.dy()), dx.view());
  if (!nearly_same(dx.view(), rest(dx_values)) && dx_values.allFinite())
    t.fail("backward_input: declared elementwise, but rows from ", first, " by themselves give another result");
}

/// Sample j by itself, as threads cut batches, comes out as it does in the batch.
template <class L>
void check_samples(Trial<L>& t, const Matrix& y_values, const Matrix& dx_values) {
  if (BatchCoupledLayer<L, double> && t.phase == Phase::training) return;
  Guarded x = t.x_left(), y = t.y_left();
  for (Index j = 0; j < t.batch; ++j) {
    Guarded alone(t.out, 1, nan), dx(t.in, 1, nan);
    t.forward(ConstView<double>(t.x).columns(j, 1), alone.view(), j);
    if (!nearly_same(alone.view(), ConstView<double>(y_values).columns(j, 1)))
      t.fail("forward: sample ", j, " by itself gives another result");
    t.backward_input(x.read().columns(j, 1), y.read().columns(j, 1), t.dy().columns(j, 1), dx.view(), j);
    if (!nearly_same(dx.view(), ConstView<double>(dx_values).columns(j, 1)) && dx_values.allFinite())
      t.fail("backward_input: sample ", j, " by itself gives another result");
  }
}

template <class L>
void check_layer(Trial<L>& t) {
  Guarded x(t.x), y(t.out, t.batch, nan), dx(t.in, t.batch, nan), dy(t.r);
  t.forward(x.view(), y.view());
  if (!t.prepared.intact()) t.fail("prepare: writes outside q");
  if (!y.view().allFinite()) t.fail("forward: the output is not finite everywhere");
  if (!y.intact()) t.fail("forward: writes outside the output");
  if (!same(x.view(), t.x)) t.fail("forward: changes its input");
  const Matrix y_values = y.view();

  x = t.x_left(), y = t.y_left();
  t.backward_input(x.view(), y.view(), dy.view(), dx.view());
  if (!dx.intact()) t.fail("backward_input: writes outside dx");
  if (!same(dy.view(), t.r)) t.fail("backward_input: changes dy");
  const Matrix dx_values = dx.view();
  dx.view().setConstant(nan);
  t.backward_input(x.view(), y.view(), dy.view(), dx.view());
  if (!same(dx.view(), dx_values) && dx_values.allFinite())
    t.fail("backward_input: a second call gives another result");

  for (const Index i : choose(t.x.size(), t.o.cap, t.rng.fold_in(5)))
    t.compare(dx_values.data()[i], central_difference(t.x.data()[i], t.o.step, [&] { return t.objective(); }), "dx", i);

  if constexpr (ElementwiseLayer<L>) check_elementwise(t, y_values, dx_values);
  if constexpr (ElementwiseLayer<L> && !ParametricLayer<L, double> && !PartedLayer<L, double> &&
                !StochasticLayer<L, double>)
    check_pixels(t, y_values, dx_values);
  check_samples(t, y_values, dx_values);
}

}  // namespace eigan::testing::detail
