// What a model and its passes refuse before they begin: a network that is not finished, and buffers, inputs, outputs
// and memory that do not fit it. Each function throws std::invalid_argument with what is expected and what is given.
#pragma once

#include <cstddef>
#include <span>

#include <eigan/core/error.hpp>
#include <eigan/core/view.hpp>
#include <eigan/net/steps.hpp>
#include <eigan/net/tape.hpp>

namespace eigan::detail {

/// A network of at least one step, each level of which is read by another, but for the output.
template <class T>
void check_complete(const Steps<T>& net) {
  if (net.steps().empty()) fail_contract("eigan::Model: needs at least one layer");
  for (std::size_t level = 0; level + 1 < net.levels().size(); ++level) {
    if (net.readers(level) > 0) continue;
    if (level < net.inputs())
      fail_contract("eigan::Model: given are the shapes of ", net.inputs(),
                    " inputs, the network does not read number ", level);
    fail_contract("eigan::Model: nobody reads level ", level, ", the output of ",
                  net.steps()[level - net.inputs()].name);
  }
}

/// As many parameters as the network has, and numbers of state, or none of these.
template <class T>
void check_buffers(const Steps<T>& net, Index params, Index state) {
  if (params != net.param_size())
    fail_contract("eigan::Model: the network has ", net.param_size(), " parameters, given are ", params);
  if (state != 0 && state != net.state_size())
    fail_contract("eigan::Model: the network's state has ", net.state_size(), " numbers, given are ", state);
}

/// Inputs of the network, a range of views, of one number of samples.
template <class T, class Inputs>
void check_inputs(const Steps<T>& net, const Inputs& inputs) {
  if (inputs.size() != net.inputs())
    fail_contract("eigan::Model: this network has ", net.inputs(), " inputs, given are ", inputs.size());
  const Index samples = inputs.begin()->cols();
  std::size_t i = 0;
  for (const ConstView<T>& input : inputs) {
    const Index features = net.levels()[i].size();
    if (input.rows() != features)
      fail_contract("eigan::Model: a sample of the input must have ", features, " features, has ", input.rows());
    if (input.cols() != samples)
      fail_contract("eigan::Model: all inputs must have ", samples, " samples, input ", i, " has ", input.cols());
    ++i;
  }
}

/// The first batch normalisation of vectors, if there is one. In training one sample does not do for it: of a single
/// value the mean is that value, and the output beta, whatever goes in.
template <class T>
const Step<T>* normalises_vectors(const Steps<T>& net) {
  for (const Step<T>& step : net.steps())
    if (step.traits().coupled && step.traits().statistics && net.levels()[step.reads[0]].is_vector()) return &step;
  return nullptr;
}

/// Samples of which there is a variance where one is wanted. Otherwise `function` refuses them.
template <class T>
void check_variance(const Steps<T>& net, Index samples, const char* function) {
  if (samples != 1) return;
  if (const Step<T>* const step = normalises_vectors(net))
    fail_contract(function, ": layer ", step->name, ", ", step->spec().text(),
                  ": expected more than 1 value of each channel in training, found a batch of 1");
}

/// A batch that the tape has room for, and of which there is a variance where one is wanted.
template <class T>
void check_batch(const Steps<T>& net, const Tape<T>& tape, Index batch) {
  check_variance(net, batch, "eigan::Model::forward");
  if (batch < 1 || batch > tape.capacity())
    fail_contract("eigan::Model::forward: this tape holds 1 to ", tape.capacity(), " samples, the input has ", batch);
}

/// Memory that is written beside all inputs, which are read at the same time or later.
template <class T, class Inputs>
void check_apart(const View<T>& written, const Inputs& inputs, const char* what) {
  std::size_t i = 0;
  for (const ConstView<T>& input : inputs) {
    if (overlap<T>(written, input)) fail_contract("eigan::Model::", what, " lies over the memory of input ", i);
    ++i;
  }
}

/// Room for the output of so many samples.
template <class T>
void check_output(const Steps<T>& net, const View<T>& y, Index samples) {
  const Index features = net.levels().back().size();
  if (y.rows() != features || y.cols() != samples)
    fail_contract("eigan::Model::infer: y must be ", features, " x ", samples, ", is ", y.rows(), " x ", y.cols());
}

/// Room for the gradient of each input that anybody wants: of the first ones, where there are fewer views than inputs.
template <class T>
void check_input_gradients(const Steps<T>& net, std::span<const View<T>> dx, const Tape<T>& tape) {
  const Index samples = tape.batch();
  if (dx.size() > net.inputs())
    fail_contract("eigan::Model::backward_inputs: this network has ", net.inputs(), " inputs, given are ", dx.size(),
                  " gradients");
  for (std::size_t i = 0; i < dx.size(); ++i) {
    const Index features = net.levels()[i].size();
    if (dx[i].data() != nullptr && (dx[i].rows() != features || dx[i].cols() != samples))
      fail_contract("eigan::Model::backward_input: dx must be ", features, " x ", samples, ", is ", dx[i].rows(), " x ",
                    dx[i].cols());
    check_apart(dx[i], tape.inputs(), "backward_input: dx");
    if (overlap<T>(dx[i], tape.output_gradient()))
      fail_contract("eigan::Model::backward_input: dx lies over the gradient of the output");
  }
}

/// A tape or a scratch (`what`) that was made for this network, or for another of the same sizes.
template <class T>
void check_made_for(const Steps<T>& net, const Steps<T>& other, const char* what) {
  if (&other != &net && !same_layout(other, net)) fail_contract(what, " was made for a network of other sizes");
}

/// A tape whose pass was this network's, or that of another whose layers have the same settings.
template <class T>
void check_pass_of(const Steps<T>& net, const Tape<T>& tape) {
  if (tape.passed() == &net) return;
  for (std::size_t s = 0; s < net.steps().size(); ++s) {
    const Step<T>&mine = net.steps()[s], &other = tape.passed()->steps()[s];
    if (mine.kind == StepKind::layer && mine.spec().text() != other.spec().text())
      fail_contract("eigan::Model: the forward pass on this tape was another network's: layer ", mine.name,
                    ": expected ", mine.spec().text(), ", found ", other.spec().text());
  }
}

/// A network that draws no random numbers.
template <class T>
void check_deterministic(const Steps<T>& net) {
  if (net.stochastic())
    fail_contract("eigan::Model::forward: this network has a layer that draws random numbers in training; pass an Rng");
}

}  // namespace eigan::detail
