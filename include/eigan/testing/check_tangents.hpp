// check_tangents: the second derivatives of a TangentLayer, which penalties use. With t = J(x) tx,
//   forward_tangent           ty is the central difference of forward in the direction tx, and assigned
//   add_curvature             adds d <dty, t> / dx, a central difference of <dty, forward_tangent>
//   backward_params_tangent   adds d <dty, t> / dp, likewise
// A layer that declares a part of this and lacks another, such as an element-wise layer with parameters that is
// piecewise_linear and has no backward_params_tangent, is refused by penalties: it is named.
#pragma once

#include <string>
#include <vector>

#include <eigan/testing/trial.hpp>

namespace eigan::testing::detail {

template <class L>
inline constexpr bool piecewise_linear = requires {
  requires L::piecewise_linear;
};
template <class L>
inline constexpr bool has_curvature = requires(const L layer, ParamsOf<L, double> p, ConstView<double> c,
                                               View<double> v) {
  layer.add_curvature(p, c, c, c, c, v);
};
template <class L>
inline constexpr bool has_forward_tangent = requires(const L layer, ParamsOf<L, double> p, ConstView<double> c,
                                                     View<double> v) {
  layer.forward_tangent(p, c, c, c, v);
};
template <class L>
inline constexpr bool has_params_tangent = requires(const L layer, ParamsOf<L, double> p, ConstView<double> c,
                                                    std::span<double> dp) {
  layer.backward_params_tangent(p, c, c, c, c, dp);
};

/// Says what a layer lacks that has begun to be a TangentLayer.
template <class L>
void check_tangent_is_whole(Report& report) {
  std::string lacks;
  const auto lack = [&](bool missing, const char* what) {
    if (missing) lacks += (lacks.empty() ? "" : ", ") + std::string(what);
  };
  lack(!piecewise_linear<L> && !has_curvature<L>, "add_curvature (or piecewise_linear)");
  lack(!ElementwiseLayer<L> && !has_forward_tangent<L>, "forward_tangent");
  lack(ParametricLayer<L, double> && !has_params_tangent<L>, "backward_params_tangent");
  const char* has = piecewise_linear<L>      ? "piecewise_linear"
                    : has_curvature<L>       ? "add_curvature"
                    : has_forward_tangent<L> ? "forward_tangent"
                                             : "backward_params_tangent";
  report.fail("the layer has ", has, ", but lacks ", lacks, ", or it does not fit: it is no TangentLayer");
}

/// J(x) tx into ty. An element-wise layer's Jacobian is diagonal and maps both ways.
template <class L>
void send_tangent(Trial<L>& t, ConstView<double> x, ConstView<double> y, ConstView<double> tx, View<double> ty) {
  if constexpr (has_forward_tangent<L>)
    t.layer.forward_tangent(t.p(), x, y, tx, ty);
  else
    t.backward_input(x, y, tx, ty);
}

template <class L>
void check_tangents_of(Trial<L>& t) {
  const Matrix tx_values = random_matrix(t.in, t.batch, t.o, t.rng.fold_in(20));
  const ConstView<double> tx = tx_values, dty = t.dy();
  const char* const sender = has_forward_tangent<L> ? "forward_tangent" : "backward_input";
  Guarded x = t.x_left(), y = t.y_left(), ty(t.out, t.batch, nan);
  send_tangent(t, x.read(), y.read(), tx, ty.view());
  if (!ty.intact()) t.fail(sender, ": writes outside ty");
  const Matrix ty_values = ty.view();
  const Matrix kept = t.x;
  t.x = kept + t.o.step * tx;
  Matrix numeric = t.output();
  t.x = kept - t.o.step * tx;
  numeric = (numeric - t.output()) / (2 * t.o.step);
  t.x = kept;
  for (const Index i : choose(numeric.size(), t.o.cap, t.rng.fold_in(21)))
    t.compare(ty_values.data()[i], numeric.data()[i], "ty", i, sender);

  // <dty, J(x) tx>, for x and p as they are now.
  const auto slope = [&] {
    Guarded moved_x = t.x_left(), moved_y = t.y_left(), result(t.out, t.batch, nan);
    send_tangent(t, moved_x.read(), moved_y.read(), tx, result.view());
    return (result.view().array() * dty.array()).sum();
  };
  const auto chosen = choose(t.x.size(), t.o.cap, t.rng.fold_in(22));
  const auto numeric_curvature = [&](Index i) { return central_difference(t.x.data()[i], t.o.step, slope); };
  if constexpr (has_curvature<L>) {
    const Matrix before = random_matrix(t.in, t.batch, t.o, t.rng.fold_in(23));
    Guarded dx(before);
    t.layer.add_curvature(t.p(), x.read(), y.read(), tx, dty, dx.view());
    if (!dx.intact()) t.fail("add_curvature: writes outside dx");
    compare_added(before, dx.view(), chosen, numeric_curvature, t.o, "add_curvature", "curvature", t.where, t.report,
                  "add_curvature");
  } else {
    for (const Index i : chosen)
      if (const double n = numeric_curvature(i); !t.o.agree(0, n))
        t.fail("declared piecewise_linear, but its slope changes by ", n, " with x element ", i);
  }
  if constexpr (has_params_tangent<L> && ParametricLayer<L, double>) {
    const Matrix before = random_matrix(t.params.size(), 1, t.o, t.rng.fold_in(24));
    Guarded dp(before);
    t.layer.backward_params_tangent(t.p(), x.read(), y.read(), tx, dty, dp.span());
    if (!dp.intact()) t.fail("backward_params_tangent: writes outside dp");
    compare_added(
        before, dp.view(), choose(t.params.size(), t.o.cap, t.rng.fold_in(25)),
        [&](Index i) { return central_difference(t.params.data()[i], t.o.step, slope); }, t.o,
        "backward_params_tangent", "dparams of the tangent", t.where, t.report, "backward_params_tangent");
  }
}

/// Nothing for a layer without tangents.
template <class L>
void check_tangents(Trial<L>& t) {
  if constexpr (TangentLayer<L, double>)
    check_tangents_of(t);
  else if constexpr (piecewise_linear<L> || has_curvature<L> || has_forward_tangent<L> || has_params_tangent<L>)
    if (t.batch == t.o.batches.front()) check_tangent_is_whole<L>(t.report);
}

}  // namespace eigan::testing::detail
