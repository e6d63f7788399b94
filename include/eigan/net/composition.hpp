// Compositions: what a network is put together from. A composition (Sequential, Residual, ...) appends its layers to a
// list of steps. Where types state sizes, it also checks them when the program is compiled: ShapeAfter<L, In, Path> is
// the shape that comes out of L where In goes in, `unknown_shape` where the types do not say. The innermost culprit's
// static_assert comes first and shows, as template arguments, the layer, what it expects, what it receives and its
// Path: 2, 1 is layer 1 of the composition that is layer 2, and in front of a row layer 1 of an Inputs' part 2.
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <eigan/core/layer.hpp>
#include <eigan/core/layer_defaults.hpp>
#include <eigan/net/must_be_a_layer.hpp>
#include <eigan/net/steps.hpp>

namespace eigan {

/// Appends its layers to a list of steps behind a level, under names that begin with a prefix. input_shapes() is as
/// detail::input_shapes_of says.
template <class C>
concept Composition = requires(const C c) {
  { c.spec() } -> std::same_as<Spec>;
  { c.input_shapes() } -> std::same_as<std::vector<Shape>>;
  typename C::Composes;
};

namespace detail {

inline constexpr Shape unknown_shape{dynamic, dynamic, dynamic};

/// A layer's shape in the type: what goes in, unknown where it does not say.
template <class L>
constexpr Shape stated_input() {
  if constexpr (requires { std::bool_constant<(L::input > 0)>{}; })
    return L::input > 0 ? Shape{L::input} : unknown_shape;
  else
    return unknown_shape;
}

/// For a message: what it takes in place of In. Of a layer that knows images, the channels at In's height and width.
template <class L, Shape In>
constexpr Shape expected_input() {
  if constexpr (ShapedLayer<L> && std::is_default_constructible_v<L> && stated_input<L>() == unknown_shape)
    for (Index channels = 1; channels <= 4096; ++channels)
      if (const Shape shape{channels, In.height, In.width}; L{}.output_shape(shape)) return shape;
  return stated_input<L>();
}

template <class L, Shape Expects, Shape Receives, std::size_t... Path>
struct LayerTakesNoSuchInput {
  static_assert(
      Expects == Receives,
      "eigan: this layer does not take what the layer before gives; the template arguments are the layer, what "
      "it expects, what it receives (channels, height, width) and its place in the network");
};

template <class L, Shape In>
constexpr Shape shape_after_layer() {
  if constexpr (ShapedLayer<L> && std::is_default_constructible_v<L> && In != unknown_shape)
    return L{}.output_shape(In);
  else if constexpr (requires { std::bool_constant<(L::output > 0)>{}; })
    return L::output > 0 && (In == unknown_shape || stated_input<L>() == unknown_shape || stated_input<L>() == In)
               ? Shape{L::output}
               : (L::output > 0 ? Shape{} : unknown_shape);
  else if constexpr (ElementwiseLayer<L>)
    return In;
  else
    return unknown_shape;
}

/// What stands in the network: the layer, or what one that knows images is when it is placed.
template <class L>
struct PlacedLayer {
  using type = L;
};
template <ShapedLayer L>
struct PlacedLayer<L> {
  using type = std::remove_cvref_t<decltype(std::declval<const L&>().at(Shape{}))>;
};

/// Of a layer. A class, not a constexpr function: clang would add a second, unhelpful error to a function's.
template <class L, Shape In, std::size_t... Path>
struct ShapeAfter : MustBeALayer<typename PlacedLayer<L>::type, Path...> {
  static constexpr Shape out = shape_after_layer<L, In>();
  static constexpr bool fits = static_cast<bool>(out) || out == unknown_shape;
  static constexpr Shape value = fits ? out : unknown_shape;  // one error is enough
  // sizeof in an assertion, because it instantiates the check with this class; a data member would wait for its use.
  static_assert(sizeof(LayerTakesNoSuchInput < L, fits ? In : expected_input<L, In>(), In, Path... >) > 0);
};
template <Composition C, Shape In, std::size_t... Path>
struct ShapeAfter<C, In, Path...> : C::template Check<In, Path...> {};

/// Whether it states the network's input, and has no number among its layers.
template <class L>
inline constexpr bool is_input = false;

/// Of layers in a row. Index: the next one's place, Path: the row's own.
template <Shape In, std::size_t Index, class Path, class... Ls>
struct ShapeAfterRow {
  static constexpr Shape value = In;
};
template <Shape In, std::size_t Index, std::size_t... Path, class L, class... Ls>
struct ShapeAfterRow<In, Index, std::index_sequence<Path...>, L, Ls...>
    : ShapeAfterRow<ShapeAfter<L, In, Path..., Index>::value, Index + 1, std::index_sequence<Path...>, Ls...> {};
template <Shape In, std::size_t Index, std::size_t... Path, class L, class... Ls>
requires is_input<L>
struct ShapeAfterRow<In, Index, std::index_sequence<Path...>, L, Ls...>
    : ShapeAfterRow<ShapeAfter<L, In, Path...>::value, Index, std::index_sequence<Path...>, Ls...> {
};

/// Of shapes side by side. A vector among images is repeated at every pixel.
template <Shape A, Shape B, std::size_t... Path>
struct SideBySideMustHaveOneHeightAndWidth {
  static constexpr bool unknown = A == unknown_shape || B == unknown_shape;
  static_assert(unknown || A.is_vector() || B.is_vector() || (A.height == B.height && A.width == B.width),
                "eigan: images side by side need one height and width; the template arguments are the two shapes "
                "(channels, height, width) and the place in the network");
  static constexpr Shape value =
      unknown ? unknown_shape
              : Shape{A.channels + B.channels, std::max(A.height, B.height), std::max(A.width, B.width)};
};
/// `Pair` checks two of them and joins them.
template <template <Shape, Shape, std::size_t...> class Pair, class Path, Shape A, Shape... More>
struct SideBySide {
  static constexpr Shape value = A;
};
template <template <Shape, Shape, std::size_t...> class Pair, std::size_t... Path, Shape A, Shape B, Shape... More>
struct SideBySide<Pair, std::index_sequence<Path...>, A, B, More...>
    : SideBySide<Pair, std::index_sequence<Path...>, Pair<A, B, Path...>::value, More...> {};

/// Whether a pass over it draws random numbers.
template <class L>
constexpr bool is_stochastic() {
  if constexpr (requires { std::bool_constant<L::stochastic>{}; })
    return L::stochastic;
  else if constexpr (Composition<L>)
    return false;  // only the program knows: a pass without an Rng is refused there
  else
    return StochasticLayer<L, float>;
}

/// Appends a layer or a composition.
template <class T, class L>
std::size_t append(Steps<T>& steps, const L& layer, std::size_t level, const std::string& name) {
  if constexpr (is_input<L>)
    return layer.append(steps, level, name);
  else if constexpr (Composition<L>)
    return layer.append(steps, level, name + '.');
  else
    return steps.add(layer, level, name);
}

template <class L>
Spec spec_of_any(const L& layer) {
  if constexpr (Composition<L>)
    return layer.spec();
  else
    return spec_of(layer);
}

/// What a layer or composition takes if its own sizes say so. None for one that takes any shape and gives the same: the
/// next layer may state it. A Shape{} for one that gives another shape and does not state its own: no later layer can.
template <class L>
std::vector<Shape> input_shapes_of(const L& layer) {
  if constexpr (Composition<L>) return layer.input_shapes();
  if constexpr (SizedLayer<L>)
    if (const Shape vector{input_of(layer)}; vector)
      return std::vector{output_shape_of(layer, vector) ? vector : Shape{}};
  return ElementwiseLayer<L> ? std::vector<Shape>{} : std::vector{Shape{}};
}

/// Of layers that all read the same: one that states a shape does so for the others. Together they give another shape.
template <class Ask>
std::vector<Shape> input_shapes_of_heads(std::size_t heads, const Ask& ask) {
  for (std::size_t head = 0; head < heads; ++head)
    if (std::vector<Shape> shapes = ask(head); !shapes.empty() && shapes.front()) return shapes;
  return std::vector{Shape{}};
}

/// The shapes of a network's inputs, none unless its layers state them.
template <class Net>
std::vector<Shape> stated_inputs(const Net& net) {
  std::vector<Shape> shapes = net.input_shapes();
  if (std::any_of(shapes.begin(), shapes.end(), [](Shape shape) { return !shape; })) shapes.clear();
  return shapes;
}

}  // namespace detail
}  // namespace eigan
