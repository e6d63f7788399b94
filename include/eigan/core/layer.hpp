// What a layer is. A layer is a small value: sizes and hyper-parameters, no memory. Parameters, activations and
// gradients come in as views; the concepts below are the whole contract, there is no base class.
//
// Letters: x input, y output, p parameters; d in front of a letter is the gradient of the loss with respect to it.
// backward_input computes dx = (dy/dx)^T dy and assigns; backward_params computes dp += (dy/dp)^T dy and adds.
// Both are given x and y of the forward pass and dy.
#pragma once

#include <array>
#include <concepts>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <eigan/core/parameter.hpp>
#include <eigan/core/rng.hpp>
#include <eigan/core/types.hpp>
#include <eigan/core/view.hpp>

namespace eigan {

/// Where a stochastic layer's numbers come from: sample j of the views is sample first_sample + j of the pass.
struct Draw {
  Rng rng;             ///< of this layer in this pass
  Index first_sample;  ///< the number in the pass of the views' first sample
};

/// Declares `static constexpr bool elementwise = true`: each output depends on the input in the same place alone, so
/// the sizes are equal, and forward may run in place (y over x), as may backward_input (dx over dy).
template <class L>
concept ElementwiseLayer = requires {
  requires L::elementwise;
};

/// Declares its sizes: `static constexpr Index input, output`, the features of a sample going in and out. A layer
/// whose sizes are `dynamic` also has `input_size()` and `output_size()`.
template <class L>
concept SizedLayer = requires {
  { L::input } -> std::convertible_to<Index>;
  { L::output } -> std::convertible_to<Index>;
};

/// What every layer has: a kind of size, `forward` and `backward_input`. It may state `backward_reads_x = false` (or
/// _y) where both backward functions do without the input (the output), whose memory is then used again.
template <class L, class T = float>
concept Layer = (ElementwiseLayer<L> || SizedLayer<L>)&&requires(const L layer, std::span<const T> p, ConstView<T> c,
                                                                 View<T> v) {
  layer.forward(p, c, v);               // (p, x, y)          y = f(x), at inference
  layer.backward_input(p, c, c, c, v);  // (p, x, y, dy, dx)  assigns dx
};

/// A layer with parameters to train.
template <class L, class T = float>
concept ParametricLayer = Layer<L, T> &&
    requires(const L layer, std::span<const T> p, std::span<T> dp, ConstView<T> c, const Rng rng) {
  { layer.param_size() } -> std::convertible_to<Index>;
  layer.init(dp, rng);                    // (p, rng)            writes initial values
  layer.backward_params(p, c, c, c, dp);  // (p, x, y, dy, dp)   adds to dp
};

/// A parametric layer whose gradient can be computed in independent blocks of consecutive parameters. The blocks
/// depend on the layer's sizes alone, and a block's gradient not on which other blocks are computed in the same call,
/// so the result does not depend on who computes which. It must not read parameters of blocks outside the call: an
/// optimiser may already have changed them.
template <class L, class T = float>
concept BlockedLayer = ParametricLayer<L, T> &&
    requires(const L layer, std::span<const T> p, std::span<T> dp, ConstView<T> c, Index first, Index last) {
  { layer.block_count() } -> std::convertible_to<Index>;
  { layer.block_range(first) } -> std::convertible_to<std::pair<Index, Index>>;  // [first, last) parameter
  // (p, x, y, dy, dp, first, last)  adds to the blocks [first, last) of dp, one at least
  layer.backward_params_blocks(p, c, c, c, dp, first, last);
};

/// A layer that behaves differently in training because it draws random numbers (dropout). `forward` is inference.
template <class L, class T = float>
concept StochasticLayer = Layer<L, T> &&
    requires(const L layer, std::span<const T> p, ConstView<T> c, View<T> v, Draw draw) {
  layer.forward_train(p, c, v, draw);               // (p, x, y, draw)
  layer.backward_input_train(p, c, c, c, v, draw);  // (p, x, y, dy, dx, draw)  the same draw as forward's
};

/// A layer whose output for one sample depends on the other samples of the batch in training (batch normalisation): a
/// training pass gives it the whole batch at once, in independent parts whose number depends on its sizes alone.
/// `forward` and `backward_input` are inference.
template <class L, class T = float>
concept BatchCoupledLayer = Layer<L, T> &&
    requires(const L layer, std::span<const T> p, ConstView<T> c, View<T> v, Index part) {
  { layer.part_count() } -> std::convertible_to<Index>;
  layer.forward_part(p, c, v, part);               // (p, x, y, part)          assigns its part of y
  layer.backward_input_part(p, c, c, c, v, part);  // (p, x, y, dy, dx, part)  assigns its part of dx
};

/// Declares `static constexpr bool piecewise_linear = true`: y is linear in x around almost every x, so that the second
/// derivative of a network of such layers comes from its weights alone. One that is not element-wise also has
///   forward_tangent(p, tx, ty)                        assigns the derivative of y in the direction tx
///   backward_tangent_blocks(tx, dy, dp, first, last)  adds the derivative of <dy, ty> to its parameters' gradient
/// with the blocks of a BlockedLayer. An element-wise one needs neither: backward_input maps tangents as well.
template <class L, class T = float>
concept PiecewiseLinearLayer = Layer<L, T> && requires {
  requires L::piecewise_linear;
} &&(ElementwiseLayer<L> || (BlockedLayer<L, T> && requires(const L layer, std::span<const T> p, std::span<T> dp,
                                                            ConstView<T> c, View<T> v, Index first, Index last) {
       layer.forward_tangent(p, c, v);
       layer.backward_tangent_blocks(c, c, dp, first, last);
     }));

namespace detail {

// A layer may state `static constexpr bool backward_reads_x = false` (or _y) where that holds for both backward
// functions; the tape then reuses the memory. Silence means that both are read.
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

/// Compile-time sizes; `dynamic` where the type does not say.
template <class L>
constexpr Index static_input() {
  if constexpr (ElementwiseLayer<L>)
    return dynamic;
  else
    return L::input;
}
template <class L>
constexpr Index static_output(Index input) {
  if constexpr (ElementwiseLayer<L>)
    return input;
  else
    return L::output;
}

/// Sizes at run time; input_of is `dynamic` for a layer that takes any size.
template <class L>
Index input_of(const L& layer) {
  if constexpr (requires { layer.input_size(); })
    return layer.input_size();
  else
    return static_input<L>();
}
template <class L>
Index output_of(const L& layer, Index input) {
  if constexpr (ElementwiseLayer<L>)
    return input;
  else if constexpr (requires { layer.output_size(); })
    return layer.output_size();
  else
    return L::output;
}

template <class L>
Index param_size_of(const L& layer) {
  if constexpr (requires { layer.param_size(); })
    return layer.param_size();
  else
    return 0;
}

/// What passes and tapes ask of a layer.
struct LayerTraits {
  bool elementwise, parametric, stochastic, coupled, reads_x, reads_y;
  bool operator==(const LayerTraits&) const = default;
};
template <class L, class T>
inline constexpr LayerTraits static_traits{ElementwiseLayer<L>,     ParametricLayer<L, T>, StochasticLayer<L, T>,
                                           BatchCoupledLayer<L, T>, backward_reads_x<L>(), backward_reads_y<L>()};
/// A layer that is known only at run time, AnyLayer, answers with its own.
template <class L>
concept RunTimeLayer = requires(const L layer) {
  { layer.traits() } -> std::same_as<const LayerTraits&>;
};
template <class T, class L>
constexpr LayerTraits traits_of([[maybe_unused]] const L& layer) {
  if constexpr (RunTimeLayer<L>)
    return layer.traits();
  else
    return static_traits<L, T>;
}

/// How many of the layer's parameters an optimiser changes: the first `trained_size()`, all where it says nothing.
template <class L>
Index trained_size_of(const L& layer) {
  if constexpr (requires { layer.trained_size(); })
    return layer.trained_size();
  else
    return param_size_of(layer);
}

/// How the layer is printed: `Linear(in_features=784, out_features=128)`.
template <class L>
std::string describe(const L& layer) {
  if constexpr (requires { layer.describe(); })
    return layer.describe();
  else
    return "Layer";
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

}  // namespace detail
}  // namespace eigan
