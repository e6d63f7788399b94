// Input: the shape of a network's samples, stated in front of its first layer. Inputs: several, joined to one: channels
// side by side, and a vector repeated at every pixel (a condition beside an image, a pair of images).
//
//   Sequential<Input<3, 64, 64>, Conv2d<3, 32, 4, 2, 1>, ...>
//   Sequential<Inputs<Input<1, 28, 28>, Input<10>>, Conv2d<11, 32, 4, 2, 1>, ...>
#pragma once

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <span>
#include <string>
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
/// Another height and width than the Input states may go in, but no other channels, and no vector for an image. `row`
/// is empty, or the name of the row of layers that begins with it: "1.".
inline void check_input(Shape stated, Shape in, const std::string& row) {
  if (in.channels != stated.channels || in.is_vector() != stated.is_vector())
    fail_contract("eigan::Input", row.empty() ? "" : " of layer " + row.substr(0, row.size() - 1), ": expects ",
                  shape_text(stated), " and receives ", shape_text(in));
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
/// Several inputs, which may be known only at run time, joined.
class JoinedInputs {
 public:
  using Composes = void;
  static constexpr bool stochastic = false;

  JoinedInputs(std::vector<Shape> shapes, std::vector<Spec> specs)
      : shapes_(std::move(shapes)), specs_(std::move(specs)) {}

  std::vector<Shape> input_shapes() const { return shapes_; }
  Spec spec() const { return {"Inputs", {}, "::eigan::Inputs", {}, specs_}; }
  template <class T>
  std::size_t append(Steps<T>& steps, std::size_t, const std::string& name) const {
    if (steps.inputs() != shapes_.size())
      fail_contract("eigan::Inputs: a network of ", shapes_.size(), " inputs was given ", steps.inputs());
    std::vector<std::size_t> levels(shapes_.size());
    std::iota(levels.begin(), levels.end(), std::size_t{0});
    for (const std::size_t i : levels) check_input(shapes_[i], steps.levels()[i], name);
    return steps.concatenate(std::move(levels), name + "inputs");
  }

 private:
  std::vector<Shape> shapes_;
  std::vector<Spec> specs_;
};
}  // namespace detail

/// Several inputs, joined.
template <class... Ins>
class Inputs : public detail::JoinedInputs {
 public:
  /// Of inputs whose types state their shapes.
  Inputs() : Inputs(Ins{}...) {}
  /// Of any inputs.
  explicit Inputs(Ins... inputs) requires(sizeof...(Ins) > 0) : JoinedInputs({inputs.shape()...}, {inputs.spec()...}) {}

  template <Shape, std::size_t... Path>
  struct Check : detail::SideBySide<detail::SideBySideMustHaveOneHeightAndWidth, std::index_sequence<Path...>,
                                    Ins::template Check<detail::unknown_shape>::value...> {};
};

namespace detail {
template <Index... Shape>
inline constexpr bool is_input<Input<Shape...>> = true;
template <class... Ins>
inline constexpr bool is_input<Inputs<Ins...>> = true;
template <>
inline constexpr bool is_input<JoinedInputs> = true;

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
  Spec* first = all.children.empty() ? nullptr : &all.children.front();
  while (first != nullptr && first->name == "Sequential" && !first->children.empty()) first = &first->children.front();
  if (first != nullptr && first->name == "Input")
    *first = inputs.front();
  else if (first != nullptr && first->name == "Inputs")
    first->children = std::move(inputs);
  else if (const auto stated = net.input_shapes();
           !std::equal(shapes.begin(), shapes.end(), stated.begin(), stated.end()))
    all.children.insert(all.children.begin(),
                        inputs.size() == 1 ? inputs[0] : Spec{"Inputs", {}, "::eigan::Inputs", {}, inputs});
  return all;
}
}  // namespace detail

}  // namespace eigan
