// What an optimiser is, and the backward pass that updates parameters while their gradients are in cache, or behind a
// gradient that was clipped.
#pragma once

#include <algorithm>
#include <limits>
#include <span>
#include <type_traits>

#include <eigan/net/basic_model.hpp>
#include <eigan/optim/clip_grad.hpp>

namespace eigan {

/// Steps over one flat buffer: begin_step() once, then update() for disjoint ranges, from any thread. An update of no
/// elements changes nothing, may come at any time, and throws if the buffers do not fit or a setting is out of range.
template <class O, class T = float>
concept Optimizer = requires(O optimizer, std::span<T> params, std::span<const T> grad, Index i) {
  optimizer.begin_step();
  optimizer.update(params, grad, i, i);
};

/// How backward_and_step cuts a gradient before the optimiser sees it; see optim/clip_grad.hpp.
struct ClipGrad {
  double norm = std::numeric_limits<double>::infinity();   ///< the largest norm of the whole gradient
  double value = std::numeric_limits<double>::infinity();  ///< the largest size of an element, cut first
};

namespace detail {

inline void check_clip(const char* function, const ClipGrad& clip) {
  check_clip(function, "clip.norm", clip.norm);
  check_clip(function, "clip.value", clip.value);
}
inline bool clips(const ClipGrad& clip) {
  constexpr double unbounded = std::numeric_limits<double>::infinity();
  return clip.norm < unbounded || clip.value < unbounded;
}

/// What follows each piece of the gradient: the optimiser's update, and zeros.
template <class T, class O>
struct UpdatePiece {
  BasicModel<T>& model;
  O& optimizer;
  std::span<T> grad;
  void operator()(Index first, Index count) const {
    optimizer.update(model.params(), grad, first, count);
    std::fill_n(grad.data() + first, count, T(0));
  }
};

/// Zeros in the end, unless the gradient has been used: an exception would leave part of it to the next step.
template <class T>
struct BegunGradient {
  std::span<T> grad = {};
  ~BegunGradient() { std::fill(grad.begin(), grad.end(), T(0)); }
};

template <class O, class T>
constexpr void check_optimizer() {
  static_assert(Optimizer<O, T> || !(Optimizer<O, float> || Optimizer<O, double>),
                "eigan::backward_and_step: the optimiser's numbers are not the model's: a model of double wants an "
                "Adam<double>");
  static_assert(Optimizer<O, T> || Optimizer<O, float> || Optimizer<O, double>,
                "eigan::backward_and_step: this is no optimiser: it lacks begin_step() or update(params, grad, first, "
                "count), see the concept eigan::Optimizer");
}

}  // namespace detail

/// backward_params and one optimiser step in a single sweep: the result is that of
///     zero grad; model.backward_params(tape, grad); optimizer.step(model.params(), grad);
/// but each run of blocks is updated right after its gradient, while that is in cache. `grad` is working memory:
/// zeros on entry, as Model::zeros() gives it, or a gradient to be added to (a penalty's), and zeros on return. Where a
/// layer throws amid the sweep, it is zeros as well; some runs of parameters may have been updated by then.
template <class T, class O>
void backward_and_step(BasicModel<T>& model, Tape<T>& tape, O& optimizer, std::type_identity_t<std::span<T>> grad,
                       Threads threads = {}) {
  detail::check_optimizer<O, T>();
  // What does not fit throws here, before anything has changed.
  model.check_backward(tape, grad);
  optimizer.update(model.params(), grad, 0, 0);
  optimizer.begin_step();
  detail::BegunGradient<T> begun{grad};
  model.backward_params(tape, grad, threads, detail::UpdatePiece<T, O>{model, optimizer, grad});
  begun.grad = {};
}

/// backward_and_step with a gradient that is clipped first. The whole gradient is computed before the step. Returns the
/// norm that the gradient had after its values were cut. The bits are the same for any number of threads. Throws
/// std::invalid_argument unless both bounds are more than 0.
template <class T, class O>
double backward_and_step(BasicModel<T>& model, Tape<T>& tape, O& optimizer, std::type_identity_t<std::span<T>> grad,
                         ClipGrad clip, Threads threads = {}) {
  detail::check_optimizer<O, T>();
  detail::check_clip("eigan::backward_and_step", clip);
  model.check_backward(tape, grad);
  optimizer.update(model.params(), grad, 0, 0);
  optimizer.begin_step();
  detail::BegunGradient<T> begun{grad};
  model.backward_params(tape, grad, threads);
  if (clip.value < std::numeric_limits<double>::infinity()) clip_grad_value(grad, clip.value);
  const double norm = clip_grad_norm(grad, clip.norm, threads);
  const double work = 8 * detail::memory_access * static_cast<double>(grad.size());
  detail::parallel_ranges(std::ssize(grad), work, threads, [&](Index first, Index last) {
    detail::UpdatePiece<T, O>{model, optimizer, grad}(first, last - first);
  });
  begun.grad = {};
  return norm;
}

}  // namespace eigan
