// Sequential<Layers...>: layers one after the other, with shapes checked at compile time where the types state them
// and at construction otherwise. Like a layer it is a value without memory; Model adds the parameters.
#pragma once

#include <cstddef>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include <eigan/net/composition.hpp>
#include <eigan/net/input.hpp>
#include <eigan/net/steps.hpp>

namespace eigan {

/// Layers in a row, left to right: `Sequential<Linear<784, 128>, ReLU, Linear<128, 10>>`. The first may be an Input,
/// which has no number: layer 0 is the one behind it.
template <class... Ls>
class Sequential {
  static_assert(sizeof...(Ls) > 0, "eigan::Sequential: needs at least one layer");
  static constexpr std::size_t inputs = detail::is_input<std::tuple_element_t<0, std::tuple<Ls...>>> ? 1 : 0;
  static_assert((std::size_t{detail::is_input<Ls>} + ...) == inputs,
                "eigan::Sequential: an Input states what goes into the network; only the first layer can be one");

 public:
  using Composes = void;  ///< it is a Composition

  /// How many layers.
  static constexpr std::size_t depth() { return sizeof...(Ls) - inputs; }
  /// Of layer I.
  template <std::size_t I>
  using LayerType = std::tuple_element_t<I + inputs, std::tuple<Ls...>>;
  /// Whether a training pass draws random numbers.
  static constexpr bool stochastic = (detail::is_stochastic<Ls>() || ...);

  /// Of layers whose types state all sizes.
  Sequential() requires(std::is_default_constructible_v<Ls>&&...) : Sequential(Ls{}...) {}
  /// Of any layers.
  explicit Sequential(Ls... layers) requires(sizeof...(Ls) > 0) : layers_(std::move(layers)...) {}

  /// Layer I.
  template <std::size_t I>
  const LayerType<I>& layer() const {
    return std::get<I + inputs>(layers_);
  }

  /// The shapes of the inputs, none if no layer states them, a Shape{} if none can (as a Composition's).
  std::vector<Shape> input_shapes() const {
    std::vector<Shape> shapes;
    const auto ask = [&](const auto& layer) {
      if (shapes.empty()) shapes = detail::input_shapes_of(layer);
    };
    std::apply([&](const auto&... layer) { (ask(layer), ...); }, layers_);
    return shapes;
  }
  /// Appends the layers, named by their numbers.
  template <class T>
  std::size_t append(Steps<T>& steps, std::size_t level, const std::string& prefix) const {
    std::size_t number = 0;
    const auto add = [&](const auto& layer) {
      if constexpr (detail::is_input<std::remove_cvref_t<decltype(layer)>>)
        level = layer.append(steps, level, prefix);
      else
        level = detail::append(steps, layer, level, prefix + std::to_string(number++));
    };
    std::apply([&](const auto&... layer) { (add(layer), ...); }, layers_);
    return level;
  }
  Spec spec() const {
    Spec all{"Sequential", {}, "::eigan::Sequential"};
    std::apply([&](const auto&... layer) { (all.children.push_back(detail::spec_of_any(layer)), ...); }, layers_);
    return all;
  }

  /// The check when the program is compiled.
  template <Shape In, std::size_t... Path>
  struct Check {
    static constexpr Shape value = detail::ShapeAfterRow<In, 0, std::index_sequence<Path...>, Ls...>::value;
  };

 private:
  std::tuple<Ls...> layers_;
};

}  // namespace eigan
