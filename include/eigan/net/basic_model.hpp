// BasicModel<T>: a model of any network: its list of steps, its parameters and state, and the passes over them.
//
// A pass runs over tiles of samples, the weight gradients over blocks of parameters; neither depends on the number of
// threads, so the results do not either, to the last bit.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <eigan/core/buffer.hpp>
#include <eigan/core/parallel.hpp>
#include <eigan/net/check_fit.hpp>
#include <eigan/net/gradients.hpp>
#include <eigan/net/inference.hpp>
#include <eigan/net/pass.hpp>
#include <eigan/net/scratch.hpp>
#include <eigan/net/tape.hpp>
#include <eigan/net/tiling.hpp>

namespace eigan {

/// What every Model<Net, T> is.
template <class T = float>
class BasicModel {
 public:
  /// With freshly initialised parameters. architecture: one line, equal for models that can exchange parameters.
  BasicModel(std::shared_ptr<const Steps<T>> steps, std::string architecture, Rng rng)
      : BasicModel(steps, std::move(architecture), Buffer<T>(steps->param_size()), {}) {
    for (std::size_t s = 0; s < steps_->steps().size(); ++s) {
      const Step<T>& step = steps_->steps()[s];
      if (step.size > 0) step.table->init(step.layer.get(), step.slice(params()), rng.fold_in(s));
    }
  }
  /// With the parameters given. An empty state is as at the beginning.
  BasicModel(std::shared_ptr<const Steps<T>> steps, std::string architecture, Buffer<T> params, Buffer<T> state)
      : steps_(std::move(steps)),
        architecture_(std::move(architecture)),
        params_(std::move(params)),
        state_(std::move(state)),
        tiling_(*steps_),
        gradients_(*steps_) {
    detail::check_complete(*steps_);
    detail::check_buffers(*steps_, params_.size(), state_.size());
    if (state_.size() == 0 && state_size() > 0) {
      state_ = Buffer<T>(state_size());
      for (const Step<T>& step : steps_->steps())
        if (step.state_size > 0) step.table->init_state(step.layer.get(), step.state_slice(this->state()));
    }
  }

  /// The list of steps.
  const Steps<T>& steps() const { return *steps_; }
  /// The shape of a sample going in, and coming out.
  Shape input_shape(std::size_t i = 0) const { return steps_->levels()[i]; }
  Shape output_shape() const { return steps_->levels().back(); }
  /// Features of a sample going in, and coming out.
  Index input_size(std::size_t i = 0) const { return input_shape(i).size(); }
  Index output_size() const { return output_shape().size(); }
  /// The number of parameters, and of numbers in the state.
  Index param_size() const { return steps_->param_size(); }
  Index state_size() const { return steps_->state_size(); }

  /// All parameters, layer after layer.
  std::span<T> params() { return params_; }
  std::span<const T> params() const { return params_; }
  /// The parameters of the network's layer number `layer`, which may be a composition. Throws std::invalid_argument if
  /// there is none of that number.
  std::span<T> params(std::size_t layer) { return slice_of(layer, params()); }
  std::span<const T> params(std::size_t layer) const { return slice_of(layer, params()); }
  /// What no optimiser changes: running statistics.
  std::span<T> state() { return state_; }
  std::span<const T> state() const { return state_; }
  /// The tensors in params(): names, places, shapes.
  std::vector<Parameter> parameters() const { return steps_->parameters(); }
  /// The tensors in state().
  std::vector<Parameter> states() const { return steps_->states(); }
  /// One line, equal for models that can exchange parameters.
  const std::string& architecture() const { return architecture_; }

  /// A copy. It is a word of its own, because it allocates.
  BasicModel clone() const { return {steps_, architecture_, copy_of(params()), copy_of(state())}; }
  /// The same network with freshly initialised parameters.
  BasicModel fresh(Rng rng) const { return {steps_, architecture_, rng}; }

  /// A tape for batches of up to `capacity` samples.
  Tape<T> tape(Index capacity) const { return {steps_, capacity}; }
  /// A tape without levels that share memory, for penalties, which look at all of them after the way back.
  Tape<T> separate_tape(Index capacity) const { return {steps_, capacity, true}; }
  /// Working memory for infer, one per thread.
  Scratch<T> scratch() const { return scratch(tiling_.widest()); }
  /// Working memory for tiles of so many samples.
  Scratch<T> scratch(Index tile) const { return {steps_, tile}; }
  /// A buffer of the parameters' length: a gradient, a moment, an average.
  Buffer<T> zeros() const { return Buffer<T>(param_size()); }

  /// A forward pass for training: remembers on the tape what backward needs. x: input_size x batch, not copied.
  /// Layers that draw random numbers draw them from `rng`, so every pass wants its own: `rng.fold_in(step)`.
  ConstView<T> forward(Tape<T>& tape, LastingView<T> x, Rng rng, Threads threads = {}) const {
    return pass(tape, std::array{x}, {rng, 0}, threads);
  }
  /// A forward pass of a network without randomness.
  ConstView<T> forward(Tape<T>& tape, LastingView<T> x, Threads threads = {}) const {
    detail::check_deterministic(*steps_);
    return forward(tape, x, Rng(0), threads);
  }
  /// A forward pass of a network of several inputs.
  ConstView<T> forward(Tape<T>& tape, std::initializer_list<LastingView<T>> inputs, Rng rng,
                       Threads threads = {}) const {
    return pass(tape, inputs, {rng, 0}, threads);
  }
  ConstView<T> forward(Tape<T>& tape, std::initializer_list<LastingView<T>> inputs, Threads threads = {}) const {
    detail::check_deterministic(*steps_);
    return forward(tape, inputs, Rng(0), threads);
  }
  /// A forward pass of any number of inputs. Its first sample is number draw.first_sample: a part of a batch that is
  /// computed elsewhere draws what the whole batch would.
  ConstView<T> forward(Tape<T>& tape, std::span<const ConstView<T>> inputs, Draw draw, Threads threads = {}) const {
    return pass(tape, inputs, draw, threads);
  }

  /// The gradient with respect to the input alone; the caller has written tape.output_gradient(). Assigns dx, which
  /// lies over no input.
  void backward_input(Tape<T>& tape, View<T> dx, Threads threads = {}) const {
    backward_inputs(tape, std::array{dx}, threads);
  }
  /// The gradients with respect to several inputs, the first and so on; an empty view stands for one that nobody wants.
  void backward_inputs(Tape<T>& tape, std::span<const View<T>> dx, Threads threads = {}) const {
    check_ready(tape);
    detail::check_input_gradients(*steps_, dx, tape);
    propagate(tape, dx, threads);
  }

  /// What follows each finished piece of the gradient, [first, first + count): nothing, unless an optimiser wants to
  /// use it while it is in cache.
  struct Nothing {
    void operator()(Index /*first*/, Index /*count*/) const {}  ///< does nothing
  };

  /// Adds the gradient with respect to the parameters to `grad`; the gradient with respect to the input is not
  /// computed. `after_block(first, count)` is called after each piece, on any thread; it may change those parameters.
  /// Where a layer throws, part of the gradient has been added.
  template <class AfterBlock = Nothing>
  void backward_params(Tape<T>& tape, std::span<T> grad, Threads threads = {},
                       const AfterBlock& after_block = {}) const {
    check_backward(tape, grad);
    propagate(tape, {}, threads);
    gradients_.add(*steps_, params(), tape, grad, threads, after_block);
  }
  /// Throws std::invalid_argument if backward_params would refuse this tape or this gradient.
  void check_backward(const Tape<T>& tape, std::span<const T> grad) const {
    check_ready(tape);
    if (std::ssize(grad) != param_size())
      detail::fail_contract("eigan::Model: the gradient must have ", param_size(), " elements, has ", grad.size());
  }

  /// Throws std::invalid_argument unless these are inputs of the network, of one number of samples.
  void check_inputs(std::span<const ConstView<T>> inputs) const { detail::check_inputs(*steps_, inputs); }

  /// Both: assigns dx and adds to grad.
  void backward(Tape<T>& tape, std::span<T> grad, View<T> dx, Threads threads = {}) const {
    check_backward(tape, grad);
    backward_input(tape, dx, threads);
    gradients_.add(*steps_, params(), tape, grad, threads, Nothing{});
  }

  /// Inference on one thread: y = net(x), dropout off. x: input_size x n, y: output_size x n, any n, not over x.
  void infer(ConstView<T> x, View<T> y, Scratch<T>& scratch) const { infer(std::array{x}, y, scratch); }
  /// Inference from several inputs.
  void infer(std::span<const ConstView<T>> inputs, View<T> y, Scratch<T>& scratch) const {
    check_inputs(inputs);
    detail::check_made_for(*steps_, scratch.steps(), "eigan::Model::infer: this scratch");
    detail::check_output(*steps_, y, inputs[0].cols());
    detail::check_apart(y, inputs, "infer: y");
    detail::prepare_inference(*steps_, params(), state(), scratch.prepared(), steps_->steps().size());
    const detail::Inference<T> inference(*steps_, params(), scratch.prepared(), inputs, y);
    const Index tile = scratch.tile();
    for (Index first = 0; first < y.cols(); first += tile)
      inference.tile(scratch, first, std::min(tile, y.cols() - first));
  }

  /// Inference into a new matrix, on several threads where that pays.
  Matrix<T> infer(ConstView<T> x, Threads threads = {}) const { return infer(std::array{x}, threads); }
  Matrix<T> infer(std::initializer_list<ConstView<T>> inputs, Threads threads = {}) const {
    return infer(std::span(inputs.begin(), inputs.size()), threads);
  }
  Matrix<T> infer(std::span<const ConstView<T>> inputs, Threads threads = {}) const {
    check_inputs(inputs);
    Matrix<T> y(output_size(), inputs[0].cols());
    detail::infer<T>(steps_, params(), state(), tiling_, inputs, y, threads);
    return y;
  }

 protected:
  const std::shared_ptr<const Steps<T>>& shared_steps() const { return steps_; }
  static Buffer<T> copy_of(std::span<const T> values) {
    Buffer<T> copy(std::ssize(values));
    std::copy(values.begin(), values.end(), copy.begin());
    return copy;
  }

 private:
  /// `inputs`: a range of views.
  template <class Inputs>
  ConstView<T> pass(Tape<T>& tape, const Inputs& inputs, Draw draw, Threads threads) const {
    check_tape(tape);
    detail::check_inputs(*steps_, inputs);
    detail::check_batch(*steps_, tape, inputs.begin()->cols());
    tape.begin(inputs, draw, steps_);
    detail::check_apart(tape.writable_activation(steps_->steps().size() + steps_->inputs() - 1), tape.inputs(),
                        "forward: the tape's output");
    detail::Pass<T>(*steps_, params(), state(), tiling_, tape, threads).forward();
    tape.finish();
    return tape.output();
  }
  void propagate(Tape<T>& tape, std::span<const View<T>> dx, Threads threads) const {
    tape.begin_backward(dx);
    detail::Pass<T>(*steps_, params(), state(), tiling_, tape, threads).backward();
  }
  void check_tape(const Tape<T>& tape) const {
    detail::check_made_for(*steps_, tape.steps(), "eigan::Model: this tape");
  }
  void check_ready(const Tape<T>& tape) const {
    check_tape(tape);
    tape.check_ready();
    detail::check_pass_of(*steps_, tape);
  }

  template <class U>
  std::span<U> slice_of(std::size_t layer, std::span<U> all) const {
    const auto [first, size] = detail::params_of_layer(*steps_, layer);
    return all.subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(size));
  }

  std::shared_ptr<const Steps<T>> steps_;
  std::string architecture_;
  Buffer<T> params_, state_;
  detail::Tiling tiling_;
  detail::Gradients gradients_;
};

}  // namespace eigan
