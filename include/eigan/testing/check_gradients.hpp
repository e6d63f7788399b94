// check_gradients: does a layer's hand-written backward pass agree with its forward pass? For your own layers too:
//
//     eigan::testing::Report report = eigan::testing::check_gradients(MyLayer<7, 3>{});
//     if (!report.ok()) std::puts(report.text().c_str());
//
// With a random upstream gradient r, the scalar f = <r, layer(x)> is differentiated by central differences in double,
// (f(v + h) - f(v - h)) / 2h, in every input and parameter v (a random subset above a cap), for batches of 1 and 3,
// and compared with backward_input and backward_params: |a - n| <= 1e-7 + 1e-5 max(|a|, |n|).
// It also proves the contract: dx is assigned everywhere (it starts as NaN), parameter gradients are added to what was
// there, nothing is written outside the views, declared reads are honest, in-place work and blocks change nothing.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <functional>
#include <limits>
#include <sstream>
#include <string>
#include <vector>

#include <eigan/core/buffer.hpp>
#include <eigan/core/layer.hpp>
#include <eigan/core/random.hpp>
#include <eigan/net/model.hpp>

namespace eigan::testing {

/// How gradients are checked; the values suit nearly every layer.
struct CheckOptions {
  /// Features of a sample; only for layers whose type and value state no size.
  Index features = 5;
  /// The batch sizes to try.
  std::vector<Index> batches = {1, 3};
  /// The step h of the central difference.
  double step = 1e-6;
  /// |a - n| <= absolute + relative max(|a|, |n|).
  double absolute = 1e-7;
  /// The part that grows with the derivative.
  double relative = 1e-5;
  /// At most so many inputs and so many parameters are differentiated; more are sampled.
  Index cap = 400;
  /// Inputs are drawn from [low, high), but not from (-margin, margin), where activations have their kink.
  double low = -2;
  /// The upper end.
  double high = 2;
  /// How far to keep from 0.
  double margin = 0.01;
  /// Of all random numbers.
  std::uint64_t seed = 1;
};

/// What was found. Empty failures mean that everything agreed.
class Report {
 public:
  /// Whether there is no failure.
  bool ok() const { return failures_.empty(); }
  /// The largest |a - n| seen.
  double worst() const { return worst_; }
  /// How many derivatives were compared.
  Index compared() const { return compared_; }
  /// One text for each failure.
  const std::vector<std::string>& failures() const { return failures_; }

  /// The failures, one a line, at most ten.
  std::string text() const {
    std::ostringstream out;
    for (std::size_t i = 0; i < std::min<std::size_t>(failures_.size(), 10); ++i) out << failures_[i] << '\n';
    if (failures_.size() > 10) out << "... and " << failures_.size() - 10 << " more\n";
    return out.str();
  }

  /// Notes a failure.
  template <class... Parts>
  void fail(const Parts&... parts) {
    failures_.push_back(eigan::detail::concat(parts...));
  }

  /// Compares an analytic derivative with a numeric one.
  void compare(double analytic, double numeric, const CheckOptions& o, const char* what, Index i, Index batch) {
    ++compared_;
    const double difference = std::abs(analytic - numeric);
    if (difference > worst_) worst_ = difference;
    // Written so that NaN fails.
    if (!(difference <= o.absolute + o.relative * std::max(std::abs(analytic), std::abs(numeric))))
      fail(what, " element ", i, ", batch ", batch, ": backward gives ", analytic, ", central difference ", numeric);
  }

 private:
  std::vector<std::string> failures_;
  double worst_ = 0;
  Index compared_ = 0;
};

namespace detail {

using Matrix = eigan::Matrix<double>;

/// Random values in [low, high) outside (-margin, margin).
inline Matrix random_matrix(Index rows, Index cols, const CheckOptions& o, Rng rng) {
  Matrix m(rows, cols);
  fill_uniform(View<double>(m), o.low, o.high, rng);
  for (double& v : m.reshaped())
    if (std::abs(v) < o.margin) v = v < 0 ? v - o.margin : v + o.margin;
  return m;
}

/// Up to `cap` of [0, n), all if they are fewer.
inline std::vector<Index> choose(Index n, Index cap, Rng rng) {
  std::vector<Index> chosen;
  for (Index i = 0; i < std::min(n, cap); ++i)
    chosen.push_back(n <= cap ? i : static_cast<Index>(rng.uniform(i, 0) * static_cast<double>(n)));
  return chosen;
}

/// d f / d v by central difference; v is left as it was.
inline double central_difference(double& v, double h, const std::function<double()>& f) {
  const double kept = v;
  v = kept + h;
  const double above = f();
  v = kept - h;
  const double below = f();
  v = kept;
  return (above - below) / (2 * h);
}

/// A matrix with two spare rows between columns that must stay as they were.
class Guarded {
 public:
  Guarded(Index rows, Index cols, double fill) : memory_(rows + 2, cols), rows_(rows) {
    memory_.setConstant(guard);
    memory_.topRows(rows).setConstant(fill);
  }
  explicit Guarded(const Matrix& values) : Guarded(values.rows(), values.cols(), 0) { memory_.topRows(rows_) = values; }
  View<double> view() { return {memory_.data(), rows_, memory_.cols(), rows_ + 2}; }
  bool intact() const { return (memory_.bottomRows(2).array() == guard).all(); }

 private:
  static constexpr double guard = 12345.5;
  Matrix memory_;
  Index rows_;
};

inline bool same(const ConstView<double>& a, const ConstView<double>& b) {
  return (a.array() == b.array()).all();
}

// Training form where the layer has one, so that dropout is checked with its mask and batch normalisation with its
// batch.
template <class L>
void forward(const L& layer, std::span<const double> p, ConstView<double> x, View<double> y, Draw draw) {
  if constexpr (StochasticLayer<L, double>)
    layer.forward_train(p, x, y, draw);
  else if constexpr (BatchCoupledLayer<L, double>)
    for (Index part = layer.part_count() - 1; part >= 0; --part) layer.forward_part(p, x, y, part);
  else
    layer.forward(p, x, y);
}
template <class L>
void backward_input(const L& layer, std::span<const double> p, ConstView<double> x, ConstView<double> y,
                    ConstView<double> dy, View<double> dx, Draw draw) {
  if constexpr (StochasticLayer<L, double>)
    layer.backward_input_train(p, x, y, dy, dx, draw);
  else if constexpr (BatchCoupledLayer<L, double>)
    for (Index part = layer.part_count() - 1; part >= 0; --part) layer.backward_input_part(p, x, y, dy, dx, part);
  else
    layer.backward_input(p, x, y, dy, dx);
}

/// One batch size; see the top of the file.
template <class L>
void check_layer(const L& layer, Index batch, const CheckOptions& o, Report& report) {
  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  const Rng rng = Rng(o.seed).fold_in(static_cast<std::uint64_t>(batch));
  const Draw draw{rng.fold_in(4), 0};
  const Index stated = eigan::detail::input_of(layer);
  const Index in = stated == dynamic ? o.features : stated;
  const Index out = eigan::detail::output_of(layer, in);

  Matrix params = random_matrix(eigan::detail::param_size_of(layer), 1, o, rng.fold_in(0));
  const std::span<const double> p(params.data(), static_cast<std::size_t>(params.size()));
  Matrix x_values = random_matrix(in, batch, o, rng.fold_in(1));
  const Matrix r = random_matrix(out, batch, o, rng.fold_in(2));

  Guarded x(x_values), y(out, batch, nan), dx(in, batch, nan), dy(r);
  forward(layer, p, x.view(), y.view(), draw);
  if (!y.view().allFinite()) report.fail("forward: the output is not finite everywhere, batch ", batch);
  if (!y.intact()) report.fail("forward: writes outside the output, batch ", batch);
  if (!same(x.view(), x_values)) report.fail("forward: changes its input, batch ", batch);
  const Matrix y_values = y.view();

  // What backward says that it does not read may be overwritten by then.
  if (!eigan::detail::backward_reads_x<L>()) x.view().setConstant(nan);
  if (!eigan::detail::backward_reads_y<L>()) y.view().setConstant(nan);
  backward_input(layer, p, x.view(), y.view(), dy.view(), dx.view(), draw);
  if (!dx.intact()) report.fail("backward_input: writes outside dx, batch ", batch);
  if (!same(dy.view(), r)) report.fail("backward_input: changes dy, batch ", batch);
  const Matrix dx_values = dx.view();
  dx.view().setConstant(nan);
  backward_input(layer, p, x.view(), y.view(), dy.view(), dx.view(), draw);
  if (!same(dx.view(), dx_values) && dx_values.allFinite())
    report.fail("backward_input: a second call gives another result, batch ", batch);

  const auto f = [&] {
    Guarded result(out, batch, nan);  // a layer that writes outside should be reported, not crash the checker
    forward(layer, p, x_values, result.view(), draw);
    return (result.view().array() * r.array()).sum();
  };
  for (const Index i : choose(in * batch, o.cap, rng.fold_in(5)))
    report.compare(dx_values.data()[i], central_difference(x_values.data()[i], o.step, f), o, "dx", i, batch);

  if constexpr (ElementwiseLayer<L>) {
    // Over the same memory: dx over dy, and y over x where x is not needed any more.
    Guarded place(r);
    backward_input(layer, p, x.view(), y.view(), place.view(), place.view(), draw);
    if (!same(place.view(), dx_values)) report.fail("backward_input: differs in place, batch ", batch);
    Guarded over(x_values);
    forward(layer, p, over.view(), over.view(), draw);
    if (!same(over.view(), y_values)) report.fail("forward: differs in place, batch ", batch);
  }

  if constexpr (ParametricLayer<L, double>) {
    const Matrix before = random_matrix(params.size(), 1, o, rng.fold_in(3));
    const ConstView<double> x_read = x.view(), y_read = y.view(), dy_read = dy.view();
    Matrix grad = before;
    const std::span<double> dp(grad.data(), static_cast<std::size_t>(grad.size()));
    layer.backward_params(p, x_read, y_read, dy_read, dp);
    const Matrix added = grad - before;
    for (const Index i : choose(params.size(), o.cap, rng.fold_in(6)))
      report.compare(added.data()[i], central_difference(params.data()[i], o.step, f), o, "dparams", i, batch);

    if constexpr (BlockedLayer<L, double>) {
      // In reverse, on top of the same start: the blocks must be disjoint, complete and independent.
      Matrix blocks = before;
      const std::span<double> db(blocks.data(), static_cast<std::size_t>(blocks.size()));
      Index next = params.size();
      for (Index b = layer.block_count() - 1; b >= 0; --b) {
        const auto [first, last] = layer.block_range(b);
        if (last != next || first > last) report.fail("block ", b, ": its range does not meet the next block's");
        next = first;
        const Matrix outside = blocks;
        layer.backward_params_blocks(p, x_read, y_read, dy_read, db, b, b + 1);
        for (Index i = 0; i < blocks.size(); ++i)
          if ((i < first || i >= last) && blocks.data()[i] != outside.data()[i])
            report.fail("block ", b, ": writes parameter ", i, " outside its range");
      }
      if (next != 0) report.fail("blocks: the first does not start at 0 but at ", next);
      if (!same(blocks, grad)) report.fail("blocks: their sum differs from backward_params, batch ", batch);
      // Several in one call: all, and all but the first.
      const Index count = layer.block_count();
      for (const Index cut : {Index{0}, std::min<Index>(1, count)}) {
        blocks = before;
        if (cut < count) layer.backward_params_blocks(p, x_read, y_read, dy_read, db, cut, count);
        if (cut > 0) layer.backward_params_blocks(p, x_read, y_read, dy_read, db, 0, cut);
        if (!same(blocks, grad)) report.fail("blocks: several in one call differ from backward_params, batch ", batch);
      }
    }
  }
}

}  // namespace detail

/// Checks one layer, parametric or not, stochastic or not. The layer must satisfy the concepts with T = double.
template <class L>
requires Layer<L, double> Report check_gradients(const L& layer, const CheckOptions& options = {}) {
  static_assert(!eigan::detail::RunTimeLayer<L>,
                "eigan::testing::check_gradients: check the layer itself, before an AnyLayer hides what it has");
  Report report;
  for (const Index batch : options.batches) detail::check_layer(layer, batch, options, report);
  return report;
}

/// Checks a loss: `loss(y, dy)` returns the value at y and assigns dy, both rows x cols. Inputs come from
/// [options.low, options.high).
template <class Loss>
requires std::is_invocable_r_v<double, Loss, ConstView<double>, View<double>> Report
check_loss(const Loss& loss, Index rows, Index cols, const CheckOptions& options = {}) {
  Report report;
  detail::Matrix y = detail::random_matrix(rows, cols, options, Rng(options.seed).fold_in(1));
  detail::Guarded dy(rows, cols, std::numeric_limits<double>::quiet_NaN());
  loss(ConstView<double>(y), dy.view());
  if (!dy.intact()) report.fail("loss: writes outside dy");
  const detail::Matrix analytic = dy.view();
  const auto f = [&] { return loss(ConstView<double>(y), dy.view()); };
  for (const Index i : detail::choose(y.size(), options.cap, Rng(options.seed).fold_in(5)))
    report.compare(analytic.data()[i], detail::central_difference(y.data()[i], options.step, f), options, "dy", i,
                   cols);
  return report;
}

/// Checks a whole model under a loss, in every input and parameter, through its tape: both backward functions, alone
/// and together, with the masks of a fixed pass. `loss(output, gradient)` as for check_loss.
template <class Net, class Loss>
Report check_model(Model<Net, double>& model, const Loss& loss, const CheckOptions& options = {}) {
  Report report;
  for (const Index batch : options.batches) {
    const Rng rng = Rng(options.seed).fold_in(static_cast<std::uint64_t>(batch));
    detail::Matrix x = detail::random_matrix(model.net().input_size(), batch, options, rng.fold_in(1));
    auto tape = model.tape(batch);
    const auto f = [&] {
      model.forward(tape, x, rng.fold_in(4));
      return loss(tape.output(), tape.output_gradient());
    };
    const auto span_of = [](detail::Matrix& m) {
      return std::span<double>(m.data(), static_cast<std::size_t>(m.size()));
    };
    const detail::Matrix before = detail::random_matrix(model.net().param_size(), 1, options, rng.fold_in(3));
    detail::Matrix grad = before, grad_alone = before;
    detail::Matrix dx = detail::Matrix::Constant(x.rows(), batch, std::numeric_limits<double>::quiet_NaN());
    detail::Matrix dx_alone = dx;
    f();
    model.backward(tape, span_of(grad), dx);
    f();
    model.backward_params(tape, span_of(grad_alone));
    f();
    model.backward_input(tape, dx_alone);
    if (!detail::same(grad, grad_alone)) report.fail("backward_params: differs from backward, batch ", batch);
    if (!detail::same(dx, dx_alone)) report.fail("backward_input: differs from backward, batch ", batch);
    for (const Index i : detail::choose(x.size(), options.cap, rng.fold_in(5)))
      report.compare(dx.data()[i], detail::central_difference(x.data()[i], options.step, f), options, "dx", i, batch);
    for (const Index i : detail::choose(grad.size(), options.cap, rng.fold_in(6)))
      report.compare(grad.data()[i] - before.data()[i],
                     detail::central_difference(model.params()[static_cast<std::size_t>(i)], options.step, f), options,
                     "dparams", i, batch);
  }
  return report;
}

}  // namespace eigan::testing
