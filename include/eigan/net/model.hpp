// Model: a network and its parameters, in one flat buffer, and the state that no optimiser changes in another.
//
// Everything that changes during a pass is the caller's Tape or Scratch, so a model is const in forward, backward
// and infer, and any number of threads can share it. BasicModel<T> is a model of any network: what takes one takes all.
#pragma once

#include <concepts>
#include <cstddef>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <eigan/net/basic_model.hpp>
#include <eigan/net/composition.hpp>
#include <eigan/net/input.hpp>

namespace eigan {

/// A `Net`, which is a Sequential or a Network, and its parameters, numbers of T.
template <class Net, class T = float>
class Model : public BasicModel<T> {
  static_assert(detail::ShapeAfter<Net, detail::unknown_shape>::value != Shape{},
                "eigan::Model: the network's layers do not fit together");

 public:
  using Scalar = T;     ///< of parameters and samples
  using Network = Net;  ///< the Sequential, or the run-time Network

  /// A network with freshly initialised parameters, for samples of the shapes that it states.
  Model(Net net, Rng rng) : Model(std::move(net), std::span<const Shape>(), rng) {}
  /// A network with freshly initialised parameters, for samples of the shape given.
  Model(Net net, Shape input, Rng rng) : Model(std::move(net), std::span<const Shape>(&input, 1), rng) {}
  /// A network of several inputs, with a shape for each. Without any shape: for those that the network states.
  Model(Net net, std::initializer_list<Shape> inputs, Rng rng)
      : Model(std::move(net), std::span<const Shape>(inputs.begin(), inputs.size()), rng) {}
  Model(Net net, std::span<const Shape> inputs, Rng rng) : Model(list(net, inputs), std::move(net), rng) {}
  /// A network whose type states all sizes.
  explicit Model(Rng rng) requires std::is_default_constructible_v<Net> : Model(Net{}, rng) {}

  /// A network with the parameters given, and the state, if it has any.
  Model(Net net, Buffer<T> params, Buffer<T> state = {})
      : BasicModel<T>(list(net, {}), architecture_of(net, {}), std::move(params), std::move(state)),
        net_(std::move(net)) {}

  Model(const Model&) = delete;             // a copy is model.clone(): it allocates, so it has a name
  Model& operator=(const Model&) = delete;  // to copy numbers, copy_parameters(from, to)
  /// Hands its numbers on.
  Model(Model&&) noexcept = default;
  /// Takes the other's numbers.
  Model& operator=(Model&&) noexcept = default;
  ~Model() = default;

  /// The layers, without parameters.
  const Net& net() const { return net_; }
  /// Their description. It begins with the shapes of samples, unless the layers state just these.
  Spec spec() const { return detail::spec_with_inputs(net_, detail::inputs_of(this->steps())); }

  /// The same weights for samples of another height and width.
  Model at(Shape input) const { return at(std::span<const Shape>(&input, 1)); }
  /// The same weights for samples of other heights and widths, with a shape for each of several inputs.
  Model at(std::initializer_list<Shape> inputs) const {
    return at(std::span<const Shape>(inputs.begin(), inputs.size()));
  }
  Model at(std::span<const Shape> inputs) const {
    return Model(net_, list(net_, inputs), this->copy_of(this->params()), this->copy_of(this->state()));
  }
  /// A copy. It is a word of its own, because it allocates.
  Model clone() const {
    return Model(net_, this->shared_steps(), this->copy_of(this->params()), this->copy_of(this->state()));
  }

  /// Layer I's own parameters, e.g. for `net().layer<0>().weight(params<0>())`.
  using BasicModel<T>::params;
  template <std::size_t I>
  std::span<T> params() {
    return params(I);
  }
  template <std::size_t I>
  std::span<const T> params() const {
    return params(I);
  }

  /// See BasicModel::forward. Where the type says that a pass draws random numbers, one without an Rng does not
  /// compile.
  template <class... Arguments>
  ConstView<T> forward(Tape<T>& tape, Arguments&&... arguments) const {
    constexpr bool has_rng = ((std::is_same_v<std::remove_cvref_t<Arguments>, Rng> ||
                               std::is_same_v<std::remove_cvref_t<Arguments>, Draw>) ||
                              ...);
    if constexpr (requires { typename std::bool_constant<Net::stochastic>; })
      static_assert(
          has_rng || !Net::stochastic,
          "eigan::Model::forward: this network has a layer that draws random numbers in training; pass an Rng");
    return BasicModel<T>::forward(tape, std::forward<Arguments>(arguments)...);
  }
  /// A forward pass of a network of several inputs: `model.forward(tape, {x, condition})`.
  template <class... Arguments>
  ConstView<T> forward(Tape<T>& tape, std::initializer_list<LastingView<T>> inputs, Arguments&&... arguments) const {
    return forward<std::initializer_list<LastingView<T>>&, Arguments...>(tape, inputs,
                                                                         std::forward<Arguments>(arguments)...);
  }

 private:
  using List = std::shared_ptr<const Steps<T>>;
  Model(const List& steps, Net&& net, Rng rng)
      : BasicModel<T>(steps, architecture_of(net, detail::inputs_of(*steps)), rng), net_(std::move(net)) {}
  Model(Net net, const List& steps, Buffer<T> params, Buffer<T> state)
      : BasicModel<T>(steps, architecture_of(net, detail::inputs_of(*steps)), std::move(params), std::move(state)),
        net_(std::move(net)) {}

  static std::vector<Shape> given_or_stated(const Net& net, std::span<const Shape> given) {
    if (!given.empty()) return {given.begin(), given.end()};
    std::vector<Shape> stated = detail::stated_inputs(net);
    if (stated.empty())
      detail::fail_contract(
          "eigan::Model: no layer states the shape of a sample; begin with an Input, or give the shape");
    return stated;
  }
  static List list(const Net& net, std::span<const Shape> inputs) {
    auto steps = std::make_shared<Steps<T>>(given_or_stated(net, inputs));
    net.append(*steps, 0, "");
    return steps;
  }
  static std::string architecture_of(const Net& net, std::span<const Shape> inputs) {
    std::string text;
    for (const Spec& layer : detail::spec_with_inputs(net, given_or_stated(net, inputs)).children)
      text += (text.empty() ? "" : ", ") + layer.text();
    return text;
  }

  Net net_;
};

}  // namespace eigan
