// Sequential<Layers...>: layers one after the other, with sizes checked at compile time where the types state them
// and at construction otherwise. Like a layer it is a value without memory; Model adds the parameters.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include <eigan/core/checked.hpp>
#include <eigan/core/error.hpp>
#include <eigan/core/layer.hpp>
#include <eigan/net/must_be_a_layer.hpp>

namespace eigan {
namespace detail {

// The numbers travel as template arguments because a C++20 static_assert cannot print them: the compiler shows
// LayerInputMustMatchPreviousOutput<position, layer, expects, receives>.
template <std::size_t Position, class L, Index Expects, Index Receives>
struct LayerInputMustMatchPreviousOutput {
  static_assert(
      Expects == Receives,
      "eigan::Sequential: this layer's input size differs from the previous layer's output size; the template "
      "arguments are the layer's position, its type, the size it expects and the size it receives");
};

// A class, not a constexpr function: clang would add a second, unhelpful error to a function's.
template <std::size_t Position, Index Size, class... Ls>
struct CheckLayers {
  static constexpr Index output = Size;
};
template <std::size_t Position, Index Size, class L, class... Ls>
struct CheckLayers<Position, Size, L, Ls...> : MustBeALayer<L, Position> {
  static_assert(!RunTimeLayer<L>,
                "eigan::Sequential: what an AnyLayer holds is known only at run time; use eigan::Network");
  static constexpr Index expects = static_input<L>() == dynamic || Size == dynamic ? Size : static_input<L>();
  // sizeof in an assertion, because it instantiates the check with this class; a data member would wait for its use.
  static_assert(sizeof(LayerInputMustMatchPreviousOutput<Position, L, expects, Size>) > 0);
  static constexpr Index output = CheckLayers<Position + 1, static_output<L>(Size), Ls...>::output;
};

}  // namespace detail

/// Layers in a row, left to right: `Sequential<Linear<784, 128>, ReLU, Linear<128, 10>>`.
template <class... Ls>
class Sequential {
  static_assert(sizeof...(Ls) > 0, "eigan::Sequential: needs at least one layer");
  static_assert(detail::CheckLayers<0, dynamic, Ls...>::output >= dynamic);

 public:
  /// How many layers.
  static constexpr std::size_t depth() { return sizeof...(Ls); }
  /// Of layer I.
  template <std::size_t I>
  using LayerType = std::tuple_element_t<I, std::tuple<Ls...>>;

  /// Whether a training pass draws random numbers.
  static constexpr bool stochastic = (StochasticLayer<Ls> || ...);

  /// Of layers whose types state all sizes.
  Sequential() requires(std::is_default_constructible_v<Ls>&&...) { measure(); }
  /// Throws std::invalid_argument where run-time sizes do not fit together.
  explicit Sequential(Ls... layers) requires(sizeof...(Ls) > 0) : layers_(std::move(layers)...) { measure(); }

  /// Layer I.
  template <std::size_t I>
  const LayerType<I>& layer() const {
    return std::get<I>(layers_);
  }
  /// The same for the argument that for_each_layer hands out.
  template <std::size_t I>
  const LayerType<I>& layer(std::integral_constant<std::size_t, I>) const {
    return layer<I>();
  }

  /// Features of a sample at level i: 0 is the input, i the output of layer i - 1.
  Index features(std::size_t level) const { return features_[level]; }
  /// Two networks of one type with equal layouts fit the same tapes.
  using Layout = std::array<Index, sizeof...(Ls) + 1>;
  /// The features of all levels.
  const Layout& layout() const { return features_; }
  /// Features of a sample going in.
  Index input_size() const { return features_.front(); }
  /// Features of a sample coming out.
  Index output_size() const { return features_.back(); }
  /// The number of parameters.
  Index param_size() const { return offsets_.back(); }

  /// The part of a parameter-shaped buffer (parameters, gradients, moments) that belongs to layer I.
  template <std::size_t I, class T>
  std::span<T> slice(std::span<T> params) const {
    return slice(I, params);
  }
  template <class T>
  std::span<T> slice(std::size_t layer, std::span<T> params) const {
    return params.subspan(static_cast<std::size_t>(offsets_[layer]),
                          static_cast<std::size_t>(offsets_[layer + 1] - offsets_[layer]));
  }
  /// Where the layer's part begins.
  Index offset(std::size_t layer) const { return offsets_[layer]; }

  /// Every tensor, named as torch.nn.Sequential names it: "0.weight".
  std::vector<Parameter> parameters() const {
    std::vector<Parameter> all;
    for_each_layer([&](auto i) {
      for (Parameter p : detail::parameters_of(layer(i))) {
        p.name = detail::concat(i, '.', p.name);
        p.offset += offsets_[i];
        all.push_back(std::move(p));
      }
    });
    return all;
  }

  /// One line that tells two architectures apart: `Linear(in_features=2, out_features=1), Sigmoid()`.
  std::string architecture() const {
    std::string text;
    for_each_layer([&](auto i) { text += detail::concat(i == 0 ? "" : ", ", detail::describe(layer(i))); });
    return text;
  }

  /// Writes every layer's initial parameters.
  template <class T>
  void init(std::span<T> params, Rng rng) const {
    for_each_layer([&](auto i) {
      if constexpr (ParametricLayer<LayerType<i>, T>) layer(i).init(slice(i, params), rng.fold_in(i));
    });
  }

  /// f(i) for i = 0, ..., depth() - 1, constants as types: `layer(i)` has the type `LayerType<i>`.
  template <class F>
  static constexpr void for_each_layer(F&& f) {
    [&]<std::size_t... I>(std::index_sequence<I...>) {
      (f(std::integral_constant<std::size_t, I>{}), ...);
    }
    (std::make_index_sequence<depth()>{});
  }
  /// The same from the last layer to the first.
  template <class F>
  static constexpr void for_each_layer_reversed(F&& f) {
    [&]<std::size_t... I>(std::index_sequence<I...>) {
      (f(std::integral_constant<std::size_t, depth() - 1 - I>{}), ...);
    }
    (std::make_index_sequence<depth()>{});
  }
  /// f(i) for one layer, whose number is known at run time.
  template <class F>
  static constexpr void visit_layer(std::size_t layer, F&& f) {
    for_each_layer([&](auto i) {
      if (i == layer) f(i);
    });
  }

 private:
  void measure() {
    // Layers in front of the first sized one are element-wise and share its input size.
    Index size = dynamic;
    for_each_layer([&](auto i) {
      if (size == dynamic) size = detail::input_of(layer(i));
    });
    if (size == dynamic) detail::fail_contract("eigan::Sequential: no layer states a size");
    features_[0] = size;
    offsets_[0] = 0;
    for_each_layer([&](auto i) {
      const Index expects = detail::input_of(layer(i));
      if (expects != dynamic && expects != features_[i])
        detail::fail_contract(
            "eigan::Sequential: this layer's input size differs from the previous layer's output size: "
            "layer ",
            i, ", ", detail::describe(layer(i)), ", expects ", expects, " and receives ", features_[i]);
      features_[i + 1] = detail::output_of(layer(i), features_[i]);
      if (!checked_add(offsets_[i], detail::param_size_of(layer(i)), offsets_[i + 1]))
        detail::fail_contract("eigan::Sequential: more parameters than can be counted, with layer ", i, ", ",
                              detail::describe(layer(i)));
    });
  }

  std::tuple<Ls...> layers_;
  Layout features_{};
  std::array<Index, sizeof...(Ls) + 1> offsets_{};
};

}  // namespace eigan
