// What batch normalisations use at inference: running averages over training batches, as PyTorch keeps them, or
// statistics estimated from as many samples as one likes for the weights as they are (Wu and Johnson 2021, "precise").
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <type_traits>

#include <eigan/core/error.hpp>
#include <eigan/net/basic_model.hpp>

namespace eigan {

/// Moves the running statistics towards those of the batch whose forward pass is on the tape: running += momentum
/// (batch's - running). To be called after each training pass; forward itself changes nothing but its tape.
template <class T>
void update_statistics(BasicModel<T>& model, const Tape<T>& tape, double momentum = 0.1) {
  if (!(momentum > 0 && momentum <= 1))
    detail::fail_contract("eigan::update_statistics: momentum must be in (0, 1], is ", momentum);
  if (!detail::same_layout(tape.steps(), model.steps()))
    detail::fail_contract("eigan::update_statistics: this tape was made for a network of other sizes");
  if (tape.batch() == 0) detail::fail_contract("eigan::update_statistics: no forward pass on this tape");
  for (const Step<T>& step : model.steps().steps())
    if (step.traits().statistics)
      step.table->update_statistics(step.layer.get(), step.state_slice(model.state()), tape.activation(step.reads[0]),
                                    momentum);
}

/// Sends x (input_size x samples) through the network as at inference, once for each layer with statistics, and lets
/// that layer take those of all samples of its own input. Samples go in pieces: memory does not grow with their number.
/// To be called before infer or saving, once the weights have changed; the statistics belong to these weights, averaged
/// ones (Ema) included. Throws std::invalid_argument without samples or for samples of another size.
template <class T>
void estimate_statistics(BasicModel<T>& model, std::type_identity_t<ConstView<T>> x, Threads threads = {}) {
  const Steps<T>& net = model.steps();
  if (net.inputs() != 1 || x.rows() != model.input_size() || x.cols() < 1)
    detail::fail_contract("eigan::estimate_statistics: expected samples of ", model.input_size(), " features, got ",
                          x.cols(), " of ", x.rows());
  Index widest = 1;
  for (const Shape& level : net.levels()) widest = std::max(widest, level.size());
  constexpr Index memory = 1 << 26;  // bytes of a level
  const Index piece = std::clamp<Index>(memory / Index{sizeof(T)} / widest, 1, std::min<Index>(x.cols(), 8192));
  Scratch<T> scratch = model.scratch(piece);
  Matrix<T> y(model.output_size(), x.cols());
  for (std::size_t s = 0; s < net.steps().size(); ++s) {
    const Step<T>& step = net.steps()[s];
    if (!step.traits().statistics) continue;
    const std::array inputs{x};
    detail::prepare_inference(net, std::as_const(model).params(), std::as_const(model).state(), scratch.prepared(), s);
    const detail::Inference<T> inference(net, std::as_const(model).params(), scratch.prepared(), inputs, y);
    for (Index first = 0; first < x.cols(); first += piece) {
      inference.tile(scratch, first, std::min(piece, x.cols() - first), threads, s);
      step.table->merge_statistics(step.layer.get(), step.state_slice(model.state()), scratch.views()[step.reads[0]],
                                   first);
    }
  }
}

}  // namespace eigan
