// What is asked of a layer where nobody knows its type: sizes at run time, what comes out, what its way back reads, its
// description and its tensors. What a layer does not say has a default.
#pragma once

#include <string>
#include <vector>

#include <eigan/core/layer.hpp>
#include <eigan/core/parameter.hpp>
#include <eigan/core/shape.hpp>
#include <eigan/core/spec.hpp>
#include <eigan/core/types.hpp>

namespace eigan::detail {

template <class L>
constexpr bool backward_reads_x() {
  if constexpr (requires { L::backward_reads_x; })
    return L::backward_reads_x;
  else
    return true;
}
template <class L>
constexpr bool backward_reads_y() {
  if constexpr (requires { L::backward_reads_y; })
    return L::backward_reads_y;
  else
    return true;
}

/// Sizes at run time; `dynamic` for a layer that takes any size.
template <class L>
constexpr Index input_of(const L& layer) {
  if constexpr (requires { layer.input_size(); })
    return layer.input_size();
  else if constexpr (SizedLayer<L>)
    return L::input;
  else
    return dynamic;
}
template <class L>
constexpr Index output_of(const L& layer, Index input) {
  if constexpr (requires { layer.output_size(); })
    return layer.output_size();
  else if constexpr (ElementwiseLayer<L>)
    return input;
  else
    return L::output;
}

/// What comes out of any kind of layer, Shape{} where `in` is not what it takes.
template <class L>
constexpr Shape output_shape_of(const L& layer, Shape in) {
  if constexpr (ShapedLayer<L>)
    return layer.output_shape(in);
  else if constexpr (SizedLayer<L>)
    return in == Shape{input_of(layer)} ? Shape{output_of(layer, in.channels)} : Shape{};
  else
    return in;
}

template <class L>
Index param_size_of(const L& layer) {
  if constexpr (requires { layer.param_size(); })
    return layer.param_size();
  else
    return 0;
}

/// The layer's own words, or its lack of any.
template <class L>
Spec spec_of(const L& layer) {
  if constexpr (requires { layer.spec(); })
    return layer.spec();
  else
    return {"Layer"};
}

/// The layer's tensors, offsets relative to its own parameters.
template <class L>
std::vector<Parameter> parameters_of(const L& layer) {
  if constexpr (requires { layer.parameters(); })
    return layer.parameters();
  else if (param_size_of(layer) == 0)
    return {};
  else
    return {{"params", 0, param_size_of(layer), 1, 1}};
}

}  // namespace eigan::detail
