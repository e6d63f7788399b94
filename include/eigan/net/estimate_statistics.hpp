// What layers keep beside their parameters. Batch normalisations: running averages over training batches, as PyTorch
// keeps them, or statistics estimated from as many samples as one likes for the weights as they are (Wu and Johnson
// 2021, "precise"). Spectral norms: singular vectors, which follow the weights by a step of the power method.
#pragma once

#include <algorithm>
#include <cstddef>
#include <initializer_list>
#include <span>
#include <type_traits>
#include <utility>

#include <eigan/core/error.hpp>
#include <eigan/core/finite.hpp>
#include <eigan/net/basic_model.hpp>

namespace eigan {

/// Moves the state on by one step of training. Running statistics go towards those of the batch whose forward pass is
/// on the tape: running += momentum (batch's - running). SpectralNorm takes one step of the power method on the weights
/// as they are. To be called once for each step, behind the optimiser's for what PyTorch computes; forward itself
/// changes nothing but its tape.
template <class T>
void update_statistics(BasicModel<T>& model, const Tape<T>& tape, double momentum = 0.1) {
  if (!(detail::at_least(momentum, 0) && momentum > 0 && momentum <= 1))
    detail::fail_contract("eigan::update_statistics: momentum must be in (0, 1], is ", momentum);
  if (!detail::same_layout(tape.steps(), model.steps()))
    detail::fail_contract("eigan::update_statistics: this tape was made for a network of other sizes");
  if (tape.batch() == 0) detail::fail_contract("eigan::update_statistics: no forward pass on this tape");
  for (const Step<T>& step : model.steps().steps())
    if (step.state_size > 0)
      step.table->update_state(step.layer.get(), step.slice(std::as_const(model).params()),
                               step.state_slice(model.state()), tape.activation(step.reads[0]), momentum);
}

/// Sends samples through the network as at inference, once for each layer with statistics, and lets that layer take
/// those of all samples of its own input. Samples go in pieces: memory does not grow with their number. To be called
/// before infer or saving, once the weights have changed; the statistics belong to these weights, averaged ones (Ema)
/// included. inputs: input_size x samples each. Throws std::invalid_argument without samples or for others.
template <class T>
void estimate_statistics(BasicModel<T>& model, std::span<const ConstView<T>> inputs, Threads threads = {}) {
  model.check_inputs(inputs);
  const Steps<T>& net = model.steps();
  const Index samples = inputs[0].cols();
  if (samples < 1) detail::fail_contract("eigan::estimate_statistics: needs at least one sample");
  detail::check_variance(net, samples, "eigan::estimate_statistics");
  Index widest = 1;
  for (const Shape& level : net.levels()) widest = std::max(widest, level.size());
  constexpr Index memory = 1 << 26;  // bytes of a level
  const Index piece = std::clamp<Index>(memory / Index{sizeof(T)} / widest, 1, std::min<Index>(samples, 8192));
  Scratch<T> scratch = model.scratch(piece);
  const std::span<const T> params = std::as_const(model).params(), state = std::as_const(model).state();
  for (std::size_t s = 0; s < net.steps().size(); ++s) {
    const Step<T>& step = net.steps()[s];
    if (!step.traits().statistics) continue;
    detail::prepare_inference(net, params, state, scratch.prepared(), s);
    const detail::Inference<T> inference(net, params, scratch.prepared(), inputs, View<T>());  // never gets so far
    for (Index first = 0; first < samples; first += piece) {
      inference.tile(scratch, first, std::min(piece, samples - first), threads, s);
      step.table->merge_statistics(step.layer.get(), step.state_slice(model.state()), scratch.views()[step.reads[0]],
                                   first);
    }
  }
}
/// Statistics of a network of one input.
template <class T>
void estimate_statistics(BasicModel<T>& model, std::type_identity_t<ConstView<T>> x, Threads threads = {}) {
  estimate_statistics(model, std::span<const ConstView<T>>(&x, 1), threads);
}
/// Statistics of a network of several inputs: `estimate_statistics(model, {x, condition})`.
template <class T>
void estimate_statistics(BasicModel<T>& model, std::initializer_list<std::type_identity_t<ConstView<T>>> inputs,
                         Threads threads = {}) {
  estimate_statistics(model, std::span<const ConstView<T>>(inputs.begin(), inputs.size()), threads);
}

}  // namespace eigan
