// What an optimiser is, and the backward pass that updates parameters while their gradients are in cache.
#pragma once

#include <algorithm>
#include <span>
#include <type_traits>

#include <eigan/net/basic_model.hpp>

namespace eigan {

/// Steps over one flat buffer: begin_step() once, then update() for disjoint ranges, from any thread. An update of no
/// elements changes nothing, may come at any time, and throws if the buffers do not fit.
template <class O, class T = float>
concept Optimizer = requires(O optimizer, std::span<T> params, std::span<const T> grad, Index i) {
  optimizer.begin_step();
  optimizer.update(params, grad, i, i);
};

/// backward_params and one optimiser step in a single sweep: the result is that of
///     zero grad; model.backward_params(tape, grad); optimizer.step(model.params(), grad);
/// but each run of blocks is updated right after its gradient, while that is in cache. `grad` is working memory:
/// zeros on entry, as Model::zeros() gives it, or a gradient to be added to (a penalty's), and zeros on return.
template <class T, Optimizer<T> O>
void backward_and_step(BasicModel<T>& model, Tape<T>& tape, O& optimizer, std::type_identity_t<std::span<T>> grad,
                       Threads threads = {}) {
  struct Update {
    BasicModel<T>& model;
    O& optimizer;
    std::span<T> grad;
    void operator()(Index first, Index count) const {
      optimizer.update(model.params(), grad, first, count);
      std::fill_n(grad.data() + first, count, T(0));
    }
  };
  // Whatever does not fit throws here, before anything has changed.
  model.check_backward(tape, grad);
  optimizer.update(model.params(), grad, 0, 0);
  optimizer.begin_step();
  model.backward_params(tape, grad, threads, Update{model, optimizer, grad});
}

}  // namespace eigan
