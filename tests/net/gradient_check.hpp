// check_network: the gradients of a whole network, of any number of inputs, against central differences.
#pragma once

#include <doctest/doctest.h>

#include <cstddef>
#include <utility>
#include <vector>

#include <eigan/losses/mse.hpp>
#include <eigan/net/model.hpp>
#include <eigan/testing/numeric.hpp>

namespace gradient_check {

using namespace eigan;

/// Under the mean square of the output, with the masks of a fixed pass, on several threads.
inline void check_network(BasicModel<double>& model, const testing::CheckOptions& options = {}) {
  testing::Report report;
  for (const Index batch : options.batches) {
    const Rng rng = Rng(options.seed).fold_in(static_cast<std::uint64_t>(batch));
    std::vector<Matrix<double>> x, dx;
    for (std::size_t i = 0; i < model.steps().inputs(); ++i)
      x.push_back(testing::detail::random_matrix(model.input_size(i), batch, options, rng.fold_in(i)));
    dx = x;
    const std::vector<ConstView<double>> inputs(x.begin(), x.end());
    const std::vector<View<double>> input_gradients(dx.begin(), dx.end());
    const Matrix<double> target = Matrix<double>::Constant(model.output_size(), batch, 0.25);
    auto tape = model.tape(batch);
    const auto f = [&] {
      model.forward(tape, inputs, Draw{rng.fold_in(10), 0}, Threads{2});
      return mse<double>(tape.output(), target, tape.output_gradient());
    };
    Buffer<double> grad = model.zeros();
    f();
    model.backward_inputs(tape, input_gradients, Threads{2});
    f();
    model.backward_params(tape, grad, Threads{2});
    for (std::size_t i = 0; i < x.size(); ++i)
      for (const Index k : testing::detail::choose(x[i].size(), options.cap, rng.fold_in(11)))
        report.compare(dx[i].data()[k], testing::detail::central_difference(x[i].data()[k], options.step, f), options,
                       "dx", k, ", batch " + std::to_string(batch) + ", input " + std::to_string(i));
    for (const Index k : testing::detail::choose(grad.size(), options.cap, rng.fold_in(12)))
      report.compare(grad[k],
                     testing::detail::central_difference(model.params()[static_cast<std::size_t>(k)], options.step, f),
                     options, "dparams", k, ", batch " + std::to_string(batch));
  }
  INFO(model.architecture());
  INFO(report.text());
  CHECK(report.ok());
  CHECK(report.compared() > 0);
}
template <class Net>
void check_network(const Net& net, const testing::CheckOptions& options = {}) {
  Model<Net, double> model(net, Rng(1));
  check_network(static_cast<BasicModel<double>&>(model), options);
}

}  // namespace gradient_check
