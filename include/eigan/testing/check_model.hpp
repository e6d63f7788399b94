// check_model: a whole model under a loss, as check_gradients does it for a layer.
#pragma once

#include <cstddef>

#include <eigan/net/check_fit.hpp>
#include <eigan/testing/numeric.hpp>

namespace eigan::testing {

/// Checks a Model<Net, double> in every input and parameter, through its tape: both backward functions, alone and
/// together, with the masks of a fixed pass. `loss(output, gradient)` as for check_loss.
template <class Model, class Loss>
Report check_model(Model& model, const Loss& loss, const CheckOptions& options = {}) {
  Report report;
  for (const Index batch : options.batches) {
    if constexpr (requires { model.steps(); })
      if (batch == 1 && eigan::detail::normalises_vectors(model.steps()) != nullptr) continue;  // which forward refuses
    const Rng rng = Rng(options.seed).fold_in(static_cast<std::uint64_t>(batch));
    const std::string where = eigan::detail::concat(", batch ", batch);
    detail::Matrix x = detail::random_matrix(model.input_size(), batch, options, rng.fold_in(1));
    auto tape = model.tape(batch);
    const auto f = [&] {
      model.forward(tape, x, rng.fold_in(4));
      return loss(tape.output(), tape.output_gradient());
    };
    const detail::Matrix before = detail::random_matrix(model.param_size(), 1, options, rng.fold_in(3));
    detail::Matrix grad = before, grad_alone = before;
    detail::Matrix dx = detail::Matrix::Constant(x.rows(), batch, detail::nan), dx_alone = dx;
    f();
    model.backward(tape, detail::span_of(grad), dx);
    f();
    model.backward_params(tape, detail::span_of(grad_alone));
    f();
    model.backward_input(tape, dx_alone);
    if (!detail::same(grad, grad_alone)) report.fail("backward_params: differs from backward", where);
    if (!detail::same(dx, dx_alone)) report.fail("backward_input: differs from backward", where);
    for (const Index i : detail::choose(x.size(), options.cap, rng.fold_in(5)))
      report.compare(dx.data()[i], detail::central_difference(x.data()[i], options.step, f), options, "dx", i, where);
    const auto numeric = [&](Index i) {
      return detail::central_difference(model.params()[static_cast<std::size_t>(i)], options.step, f);
    };
    detail::compare_added(before, grad, detail::choose(grad.size(), options.cap, rng.fold_in(6)), numeric, options,
                          "backward", "dparams", where, report);
  }
  return report;
}

}  // namespace eigan::testing
