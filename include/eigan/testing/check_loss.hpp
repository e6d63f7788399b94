// check_loss: does a loss's gradient agree with its value? As check_gradients does it for a layer.
#pragma once

#include <type_traits>

#include <eigan/testing/numeric.hpp>

namespace eigan::testing {

/// Checks a loss: `loss(y, dy)` returns the value at y and assigns dy, both rows x cols. Inputs come from
/// [options.low, options.high).
template <class Loss>
requires std::is_invocable_r_v<double, Loss, ConstView<double>, View<double>> Report
check_loss(const Loss& loss, Index rows, Index cols, const CheckOptions& options = {}) {
  Report report;
  detail::Matrix y = detail::random_matrix(rows, cols, options, Rng(options.seed).fold_in(1));
  detail::Guarded dy(rows, cols, detail::nan);
  loss(ConstView<double>(y), dy.view());
  if (!dy.intact()) report.fail("loss: writes outside dy");
  const detail::Matrix analytic = dy.view();
  const auto f = [&] { return loss(ConstView<double>(y), dy.view()); };
  const std::string where = eigan::detail::concat(", batch ", cols);
  for (const Index i : detail::choose(y.size(), options.cap, Rng(options.seed).fold_in(5)))
    report.compare(analytic.data()[i], detail::central_difference(y.data()[i], options.step, f), options, "dy", i,
                   where);
  return report;
}

}  // namespace eigan::testing
