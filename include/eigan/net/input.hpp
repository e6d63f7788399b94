// Input: the shape of a network's samples, stated in front of its first layer. Inputs: several, joined to one: channels
// side by side, and a vector repeated at every pixel (a condition beside an image, a pair of images). Layers that only
// one of them goes through stand behind it.
//
//   Sequential<Input<3, 64, 64>, Conv2d<3, 32, 4, 2, 1>, ...>
//   Sequential<Inputs<Input<1, 28, 28>, Input<10>>, Conv2d<11, 32, 4, 2, 1>, ...>
//   Sequential<Inputs<Sequential<Input<1, 28, 28>, Conv2d<1, 8, 4, 4, 0>, Flatten>, Input<10>>, Linear<402, 1>>
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include <eigan/net/composition.hpp>
#include <eigan/net/steps.hpp>

namespace eigan {

namespace detail {
/// An Input's description; its type is written with the sizes that are given behind the shape.
inline Spec input_spec(Shape shape, Index channels, Index height, Index width) {
  return {"Input",
          {{"channels", shape.channels}, {"height", shape.height}, {"width", shape.width}},
          concat("::eigan::Input<", channels, ", ", height, ", ", width, ">")};
}
/// Another height and width than the Input states may go in, but no other channels, and no vector for an image. `place`
/// is empty, or that of the row of layers that begins with it, "1.", or its own, "inputs.0".
inline void check_input(Shape stated, Shape in, std::string place) {
  if (place.ends_with('.')) place.pop_back();
  if (in.channels != stated.channels || in.is_vector() != stated.is_vector())
    fail_contract("eigan::Input", place.empty() ? "" : " of layer " + place, ": expects ", shape_text(stated),
                  " and receives ", shape_text(in));
}
}  // namespace detail

/// States a shape and computes nothing. `Input<3, 64, 64>`, or `Input<>(3, 64, 64)` with the shape given at run time;
/// `Input<3>` and `Input<>(3)` are vectors.
template <Index Channels = dynamic, Index Height = (Channels == dynamic ? dynamic : 1),
          Index Width = detail::width_beside(Height)>
class Input {
  static_assert(Width != 0, "eigan::Input: height and width go together, as in Input<3, 64, 64>");

 public:
  using Composes = void;  ///< it is a Composition
  static constexpr bool stochastic = false;

  /// The shape that the type states.
  constexpr Input() requires(Channels != dynamic && Height != dynamic && Width != dynamic)
      : shape_{Channels, Height, Width} {}
  /// A vector's.
  explicit Input(Index channels) : Input(channels, 1, 1) {}
  /// Throws std::invalid_argument where the type contradicts.
  Input(Index channels, Index height, Index width) : shape_{channels, height, width} {
    const auto differs = [](Index stated, Index given) { return given < 1 || (stated != dynamic && stated != given); };
    if (differs(Channels, channels) || differs(Height, height) || differs(Width, width))
      detail::fail_contract("eigan::Input: cannot have the shape ", shape_text(shape_));
  }

  /// The shape.
  constexpr Shape shape() const { return shape_; }
  std::vector<Shape> input_shapes() const { return {shape_}; }
  Spec spec() const { return detail::input_spec(shape_, Channels, Height, Width); }
  template <class T>
  std::size_t append(Steps<T>& steps, std::size_t level, const std::string& name) const {
    detail::check_input(shape_, steps.levels()[level], name);
    return level;
  }
  template <Shape, std::size_t...>
  struct Check {
    static constexpr bool stated = Channels != dynamic && Height != dynamic && Width != dynamic;
    static constexpr Shape value = stated ? Shape{Channels, Height, Width} : detail::unknown_shape;
  };

 private:
  Shape shape_;
};

namespace detail {
/// The Input or Inputs in front of a description, null where there is none.
inline Spec* input_in_front(Spec& layers) {
  Spec* first = &layers;
  while (first->name == "Sequential" && !first->children.empty()) first = &first->children.front();
  return first->name == "Input" || first->name == "Inputs" ? first : nullptr;
}
inline bool holds_input(const Spec& layers) {
  return layers.name == "Input" || layers.name == "Inputs" ||
         std::any_of(layers.children.begin(), layers.children.end(), holds_input);
}

/// What part i of an Inputs takes. An Input stands in front or nowhere, since it follows another height and width.
inline Shape input_of_part(const std::vector<Shape>& stated, Spec part, std::size_t i) {
  const Spec* const front = input_in_front(part);
  const bool in_front = front != nullptr ? front->name == "Input" : !holds_input(part);
  if (stated.size() != 1 || !stated.front() || !in_front)
    fail_contract("eigan::Inputs: input ", i,
                  " must be an Input, a row of layers that begins with one, or layers that state their size");
  return stated.front();
}

template <class T>
void check_number_of_inputs(const Steps<T>& steps, std::size_t parts) {
  if (steps.inputs() != parts)
    fail_contract("eigan::Inputs: a network of ", parts, " inputs was given ", steps.inputs());
}

/// Every part by itself, then together.
template <class Path, class Numbers, class... Parts>
struct CheckInputs;
template <std::size_t... Path, std::size_t... I, class... Parts>
struct CheckInputs<std::index_sequence<Path...>, std::index_sequence<I...>, Parts...>
    : SideBySide<SideBySideMustHaveOneHeightAndWidth, std::index_sequence<Path...>,
                 ShapeAfter<Parts, unknown_shape, Path..., I>::value...> {};
}  // namespace detail

/// Several inputs, joined. Each part is an Input, a Sequential that begins with one, or a layer or composition that
/// states its size.
template <class... Parts>
class Inputs {
  static_assert(sizeof...(Parts) > 0, "eigan::Inputs: needs at least one input");

 public:
  using Composes = void;  ///< it is a Composition
  static constexpr bool stochastic = (detail::is_stochastic<Parts>() || ...);

  /// Of parts whose types state all sizes.
  Inputs() requires(std::is_default_constructible_v<Parts>&&...) : Inputs(Parts{}...) {}
  /// Of any parts. Throws std::invalid_argument where one does not state what it takes.
  explicit Inputs(Parts... parts) requires(sizeof...(Parts) > 0) : parts_(std::move(parts)...) {
    const auto take = [&](const auto& part) {
      shapes_.push_back(
          detail::input_of_part(detail::input_shapes_of(part), detail::spec_of_any(part), shapes_.size()));
    };
    std::apply([&](const auto&... part) { (take(part), ...); }, parts_);
  }

  /// What input I goes through.
  template <std::size_t I>
  const auto& part() const {
    return std::get<I>(parts_);
  }

  std::vector<Shape> input_shapes() const { return shapes_; }
  template <class T>
  std::size_t append(Steps<T>& steps, std::size_t, const std::string& prefix) const {
    detail::check_number_of_inputs(steps, sizeof...(Parts));
    std::vector<std::size_t> ends;
    const auto add = [&](const auto& part) {
      const std::size_t i = ends.size();
      ends.push_back(detail::append(steps, part, i, prefix + "inputs." + std::to_string(i)));
    };
    std::apply([&](const auto&... part) { (add(part), ...); }, parts_);
    return steps.concatenate(std::move(ends), prefix + "inputs");
  }
  Spec spec() const {
    Spec all{"Inputs", {}, "::eigan::Inputs"};
    std::apply([&](const auto&... part) { (all.children.push_back(detail::spec_of_any(part)), ...); }, parts_);
    return all;
  }

  template <Shape, std::size_t... Path>
  struct Check : detail::CheckInputs<std::index_sequence<Path...>, std::index_sequence_for<Parts...>, Parts...> {};

 private:
  std::tuple<Parts...> parts_;
  std::vector<Shape> shapes_;
};

namespace detail {
template <Index... Shape>
inline constexpr bool is_input<Input<Shape...>> = true;
template <class... Parts>
inline constexpr bool is_input<Inputs<Parts...>> = true;

/// The inputs' shapes.
template <class T>
std::span<const Shape> inputs_of(const Steps<T>& steps) {
  return std::span(steps.levels()).first(steps.inputs());
}

/// A network's description with inputs of the shapes given. They stand in front unless its layers state just these.
template <class Net>
Spec spec_with_inputs(const Net& net, std::span<const Shape> shapes) {
  Spec all = net.spec();
  std::vector<Spec> inputs;
  for (const Shape& s : shapes) inputs.push_back(input_spec(s, s.channels, s.height, s.width));
  Spec* const first = all.children.empty() ? nullptr : input_in_front(all.children.front());
  if (first != nullptr && first->name == "Input") {
    *first = inputs.front();
  } else if (first != nullptr) {
    for (std::size_t i = 0; i < inputs.size(); ++i)
      if (Spec* const input = input_in_front(first->children[i])) *input = inputs[i];
  } else if (const auto stated = net.input_shapes();
             !std::equal(shapes.begin(), shapes.end(), stated.begin(), stated.end())) {
    all.children.insert(all.children.begin(),
                        inputs.size() == 1 ? inputs[0] : Spec{"Inputs", {}, "::eigan::Inputs", {}, inputs});
  }
  return all;
}
}  // namespace detail

}  // namespace eigan
