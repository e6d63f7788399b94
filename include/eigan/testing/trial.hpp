// Trial: one layer with random parameters, state, input and upstream gradient, as the checks share it.
#pragma once

#include <span>
#include <string>

#include <eigan/core/layer.hpp>
#include <eigan/core/layer_defaults.hpp>
#include <eigan/testing/numeric.hpp>

namespace eigan::testing::detail {

/// One layer, one batch size, one phase. In training the functions are those that training calls, so that dropout is
/// checked with its mask and batch normalisation with its batch.
template <class L>
struct Trial {
  Trial(const L& checked, Index samples, Phase purpose, const CheckOptions& options, Report& findings)
      : layer(checked),
        o(options),
        report(findings),
        batch(samples),
        phase(purpose),
        where(eigan::detail::concat(", batch ", samples, purpose == Phase::inference ? ", at inference" : "")),
        rng(Rng(o.seed).fold_in(static_cast<std::uint64_t>(samples))),
        draw{rng.fold_in(4), 0},
        in(eigan::detail::input_of(layer) == dynamic ? o.features : eigan::detail::input_of(layer)),
        out(eigan::detail::output_of(layer, in)),
        params(random_matrix(eigan::detail::param_size_of(layer), 1, o, rng.fold_in(0))),
        x(random_matrix(in, batch, o, rng.fold_in(1))),
        r(random_matrix(out, batch, o, rng.fold_in(2))) {
    if constexpr (StatefulLayer<L, double>) {
      state = Matrix::Zero(layer.state_size(), 1);
      layer.init_state(span_of(state));
    }
    if constexpr (StatisticsLayer<L, double>)  // not those of x: at inference they are constants
      layer.update_statistics(span_of(state), ConstView<double>(random_matrix(in, 8, o, rng.fold_in(7))), 1.0);
    if constexpr (requires { layer.update_state(span_of(std::as_const(params)), span_of(state)); })  // constants, too
      layer.update_state(span_of(std::as_const(params)), span_of(state));
  }

  /// What the layer's functions are given of the parameters as they are now.
  ParamsOf<L, double> p() {
    const std::span<const double> values = span_of(std::as_const(params));
    if constexpr (requires { layer.prepared_size(); }) {
      prepared = Guarded(layer.prepared_size(), 1, nan);
      if constexpr (PreparedLayer<L, double>)
        layer.prepare(values, span_of(std::as_const(state)), prepared.span(), phase);
      return {values, prepared.span()};
    } else {
      return values;
    }
  }

  void forward(ConstView<double> from, View<double> y, Index first_sample = 0) {
    if constexpr (StochasticLayer<L, double>)
      if (phase == Phase::training) return layer.forward_train(p(), from, y, Draw{draw.rng, first_sample});
    if constexpr (BatchCoupledLayer<L, double>)
      if (phase == Phase::training) return layer.forward_parts(p(), from, y, 0, layer.part_count());
    layer.forward(p(), from, y);
  }
  void backward_input(ConstView<double> from, ConstView<double> y, ConstView<double> dy, View<double> dx,
                      Index first_sample = 0) {
    if constexpr (StochasticLayer<L, double>)
      if (phase == Phase::training)
        return layer.backward_input_train(p(), from, y, dy, dx, Draw{draw.rng, first_sample});
    if constexpr (BatchCoupledLayer<L, double>)
      if (phase == Phase::training) return layer.backward_input_parts(p(), from, y, dy, dx, 0, layer.part_count());
    layer.backward_input(p(), from, y, dy, dx);
  }

  /// y at x as it is now. A layer that writes outside should be reported, not crash the checker.
  Matrix output() {
    Guarded y(out, batch, nan);
    forward(x, y.view());
    return y.view();
  }
  /// <r, y>, whose derivatives the way back computes.
  double objective() { return (output().array() * r.array()).sum(); }

  ConstView<double> dy() const { return r; }
  /// x and y as the way back finds them: what it says that it does not read may be overwritten by then.
  Guarded x_left() const { return eigan::detail::backward_reads_x<L>() ? Guarded(x) : Guarded(in, batch, nan); }
  Guarded y_left() { return eigan::detail::backward_reads_y<L>() ? Guarded(output()) : Guarded(out, batch, nan); }

  /// Notes a failure in this batch and phase.
  template <class... Parts>
  void fail(const Parts&... parts) {
    report.fail(parts..., where);
  }
  void compare(double analytic, double numeric, const char* what, Index element, const char* by = "backward") {
    report.compare(analytic, numeric, o, what, element, where, by);
  }

  const L& layer;
  const CheckOptions& o;
  Report& report;
  const Index batch;
  const Phase phase;
  const std::string where;
  const Rng rng;
  const Draw draw;
  const Index in, out;
  Matrix params, state = {};
  Guarded prepared{0, 1, nan};
  Matrix x, r;
};

}  // namespace eigan::testing::detail
