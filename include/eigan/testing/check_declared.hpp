// check_declared: what a layer says about itself. Its tensors cover its parameters and its state, a file's order visits
// each element once, and statistics follow their momentum. What is half there, such as param_size() without
// backward_params, would be taken for absent: that is a failure, too.
#pragma once

#include <cmath>
#include <span>
#include <string>
#include <vector>

#include <eigan/net/must_be_a_layer.hpp>
#include <eigan/testing/trial.hpp>

namespace eigan::testing::detail {

/// One tensor follows the other, from 0 to `size`.
inline void check_tensors(const std::vector<Parameter>& tensors, Index size, const char* list, Report& report) {
  Index next = 0;
  for (const Parameter& tensor : tensors) {
    if (tensor.offset != next)
      report.fail(list, ": '", tensor.name, "' starts at ", tensor.offset, ", the one before ends at ", next);
    next = tensor.offset + tensor.size();
    std::vector<int> visits(static_cast<std::size_t>(tensor.size()), 0);
    bool once = true;
    Index visited = 0;
    tensor.for_each_in_file_order([&](Index place) {
      ++visited;
      once = once && place >= 0 && place < tensor.size() && visits[static_cast<std::size_t>(place)]++ == 0;
    });
    if (!once || visited != tensor.size())
      report.fail(list, ": '", tensor.name, "' in a file's order does not visit each of its ", tensor.size(),
                  " elements once");
  }
  if (next != size) report.fail(list, ": they end at ", next, ", there are ", size);
}

/// s += momentum (statistics - s), counters apart, and merged runs of samples give the statistics of all.
template <class L>
void check_statistics(const L& layer, Index in, const CheckOptions& o, Report& report) {
  const Matrix x = random_matrix(in, 6, o, Rng(o.seed).fold_in(11));
  const auto updated = [&](Matrix s, double momentum) {
    layer.update_statistics(span_of(s), ConstView<double>(x), momentum);
    return s;
  };
  Matrix start = random_matrix(layer.state_size(), 1, o, Rng(o.seed).fold_in(12)).cwiseAbs();
  const ConstView<double> all = x;
  const auto merge = [&](Matrix s) {
    layer.merge_statistics(span_of(s), all.columns(0, 4), 0);
    layer.merge_statistics(span_of(s), all.columns(4, 2), 4);
    return s;
  };
  const Matrix merged = merge(start);
  if (!nearly_same(merged, merge(2 * start)))
    report.fail("merge_statistics: with no samples seen it depends on what the state held before");
  const Matrix assigned = updated(start, 1), moved = updated(start, 0.25), other = updated(2 * start, 1);
  for (const Parameter& tensor : layer.states()) {
    if (tensor.integer) continue;
    const auto part = [&](const Matrix& s) -> Matrix { return s.middleRows(tensor.offset, tensor.size()); };
    if (!same(part(assigned), part(other)))
      report.fail("update_statistics: momentum 1 does not assign '", tensor.name, "'");
    if (!nearly_same(part(merged), part(assigned)))
      report.fail("merge_statistics: two runs of samples do not give the statistics of all in '", tensor.name, "'");
    const Matrix expected = 0.75 * part(start) + 0.25 * part(assigned);
    if (!nearly_same(part(moved), expected))
      report.fail("update_statistics: momentum 0.25 does not go a quarter of the way in '", tensor.name, "'");
  }
}

/// Whether a layer that has one function of a kind is of that kind.
template <class L>
void check_kinds(const L& layer, Report& report) {
  const auto needs = [&](bool is, const char* has, const char* lacks) {
    if (!is) report.fail("the layer has ", has, ", but lacks ", lacks, ", or it does not fit (core/layer.hpp)");
  };
  if constexpr (requires { layer.param_size(); })
    needs(ParametricLayer<L, double>, "param_size()", "init or backward_params");
  if constexpr (requires { layer.block_count(); })
    needs(BlockedLayer<L, double>, "block_count()", "block_range or backward_params_blocks");
  if constexpr (requires { layer.part_count(); })
    needs(PartedLayer<L, double>, "part_count()", "forward_parts or backward_input_parts");
  if constexpr (requires { layer.prepared_size(); }) needs(PreparedLayer<L, double>, "prepared_size()", "prepare");
  if constexpr (requires { layer.state_size(); })
    needs(StatefulLayer<L, double>, "state_size()", "states, init_state or prepare");
  if constexpr (requires { requires L::coupled; }) needs(BatchCoupledLayer<L, double>, "coupled", "its parts");
  if constexpr (eigan::detail::has_statistics<L>)
    needs(StatisticsLayer<L, double>, "update_statistics or merge_statistics", "the other or a state");
  if constexpr (eigan::detail::has_update_state<L>)
    needs(
        StatefulLayer<L, double> &&
            requires(std::span<const double> p, std::span<double> s) { layer.update_state(p, s); },
        "update_state", "a state");
  if constexpr (BatchCoupledLayer<L, double> && StochasticLayer<L, double>)
    report.fail("the layer is coupled and draws random numbers, which its parts are not given: make two layers of it");
}

template <class L>
void check_declared(const L& layer, Index in, const CheckOptions& o, Report& report) {
  check_kinds(layer, report);
  if constexpr (requires { layer.parameters(); })
    check_tensors(layer.parameters(), eigan::detail::param_size_of(layer), "parameters", report);
  if constexpr (requires { layer.operations(); })
    if (!(static_cast<double>(layer.operations()) >= 1))
      report.fail("operations: must be at least 1, are ", layer.operations());
  if constexpr (ParametricLayer<L, double>) {
    Matrix p = Matrix::Constant(layer.param_size(), 1, nan);
    layer.init(span_of(p), Rng(o.seed));
    if (!p.allFinite()) report.fail("init: leaves parameters unset");
  }
  if constexpr (StatefulLayer<L, double>) {
    check_tensors(layer.states(), layer.state_size(), "states", report);
    Matrix s = Matrix::Constant(layer.state_size(), 1, nan);
    layer.init_state(span_of(s));
    if (!s.allFinite()) report.fail("init_state: leaves state unset");
  }
  if constexpr (StatisticsLayer<L, double>) check_statistics(layer, in, o, report);
}

}  // namespace eigan::testing::detail
