// What a layer is. A layer is a small value: sizes and hyper-parameters, no memory. Parameters, activations and
// gradients come in as views; the concepts below are the whole contract, there is no base class.
//
// Letters: x input, y output, p parameters; d in front of a letter is the gradient of the loss with respect to it.
// backward_input computes dx = (dy/dx)^T dy and assigns; backward_params computes dp += (dy/dp)^T dy and adds.
// Both are given x and y of the forward pass and dy. A sample is a column; core/shape.hpp says what lies where in it.
#pragma once

#include <concepts>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <eigan/core/parameter.hpp>
#include <eigan/core/rng.hpp>
#include <eigan/core/shape.hpp>
#include <eigan/core/spec.hpp>
#include <eigan/core/types.hpp>
#include <eigan/core/view.hpp>

namespace eigan {

/// Where a stochastic layer's numbers come from: sample j of the views is sample first_sample + j of the pass.
struct Draw {
  Rng rng;             ///< of this layer in this pass
  Index first_sample;  ///< the number in the pass of the views' first sample
};

/// What a pass is for.
enum class Phase {
  inference,  ///< the output alone
  training    ///< the way back as well
};

/// Declares `static constexpr bool elementwise = true`: each output depends on the input in the same place alone, so
/// the shapes are equal, and forward may run in place (y over x), as may backward_input (dx over dy). Channels may
/// differ, pixels are alike: one that has neither parameters nor parts may be handed some pixels of its samples by
/// themselves, that is some of x's rows. A vector is one pixel; a layer of vectors alone states its size as well.
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

namespace detail {
template <class R, class C>
std::type_identity<C> class_of(R (C::*)(Shape) const);
/// Derives from a layer that is placed, such as Linear, and adds functions of its own: what the base's `at` returns
/// would not have them.
template <class L>
concept DerivesFromPlaced = (ElementwiseLayer<L> || SizedLayer<L>)&&requires {
  class_of(&L::at);
  requires !std::same_as<decltype(class_of(&L::at)), std::type_identity<L>>;
};
}  // namespace detail

/// Knows images: `output_shape(in)`, constexpr, is what comes out where `in` goes in, Shape{} where the layer takes no
/// such input, and `at(in)` the layer placed there, which is a SizedLayer or an ElementwiseLayer. A network places its
/// layers by itself. `expects()` may say in words what the layer takes.
template <class L>
concept ShapedLayer = !detail::DerivesFromPlaced<L> && requires(const L layer, Shape in) {
  { layer.output_shape(in) } -> std::same_as<Shape>;
  layer.at(in);
};

/// What a PreparedLayer's functions are given in place of its parameters alone.
template <class T>
struct Prepared {
  std::span<const T> params;    ///< the layer's parameters
  std::span<const T> prepared;  ///< what prepare() made of them for this pass
};

/// Computes something from its parameters once a pass, before all samples: a transposed copy, a normalised weight, the
/// coefficients that follow from running statistics. `prepare` assigns q, of prepared_size() elements; s is the layer's
/// state. All functions below then take a Prepared<T> where they are written with p, but prepare, init and
/// update_state.
template <class L, class T = float>
concept PreparedLayer = requires(const L layer, std::span<const T> p, std::span<T> q, Phase phase) {
  { layer.prepared_size() } -> std::convertible_to<Index>;
  layer.prepare(p, p, q, phase);  // (p, s, q, phase)
};

namespace detail {
template <class L, class T>
struct ParamsOfLayer {
  using type = std::span<const T>;
};
template <class L, class T>
requires requires(const L layer) {
  layer.prepared_size();
}
struct ParamsOfLayer<L, T> {
  using type = Prepared<T>;
};
}  // namespace detail
/// The first argument of the layer's functions: std::span<const T>, or Prepared<T>.
template <class L, class T>
using ParamsOf = typename detail::ParamsOfLayer<L, T>::type;

/// What every layer has: a kind of size, `forward` and `backward_input`. It may state `backward_reads_x = false` (or
/// _y) where the way back does without the input (the output), whose memory is then used again; tangents do without it,
/// too. `operations()` are the floating-point operations of `forward` for one sample, from which passes decide how many
/// threads they are worth; its reading and writing is counted in any case.
template <class L, class T = float>
concept Layer = (ElementwiseLayer<L> || SizedLayer<L>)&&requires(const L layer, ParamsOf<L, T> p, ConstView<T> c,
                                                                 View<T> v) {
  layer.forward(p, c, v);               // (p, x, y)          y = f(x), at inference
  layer.backward_input(p, c, c, c, v);  // (p, x, y, dy, dx)  assigns dx
};

/// A layer with parameters to train. Where they are few and samples much work, `gradient_splits(batch)` may say into
/// how many runs of samples a batch is cut, whose gradients are computed by themselves and added in order.
template <class L, class T = float>
concept ParametricLayer = Layer<L, T> &&
    requires(const L layer, ParamsOf<L, T> p, std::span<T> dp, ConstView<T> c, const Rng rng) {
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
    requires(const L layer, ParamsOf<L, T> p, std::span<T> dp, ConstView<T> c, Index first, Index last) {
  { layer.block_count() } -> std::convertible_to<Index>;
  { layer.block_range(first) } -> std::convertible_to<std::pair<Index, Index>>;  // [first, last) parameter
  // (p, x, y, dy, dp, first, last)  adds to the blocks [first, last) of dp, one at least
  layer.backward_params_blocks(p, c, c, c, dp, first, last);
};

/// A layer that behaves differently in training because it draws random numbers (dropout). `forward` is inference.
template <class L, class T = float>
concept StochasticLayer = Layer<L, T> &&
    requires(const L layer, ParamsOf<L, T> p, ConstView<T> c, View<T> v, Draw draw) {
  layer.forward_train(p, c, v, draw);               // (p, x, y, draw)
  layer.backward_input_train(p, c, c, c, v, draw);  // (p, x, y, dy, dx, draw)  the same draw as forward's
};

/// A layer that can be computed in independent parts of a sample (channels, rows of an image), whose number depends on
/// its sizes alone, so that threads share it where samples are few. Parts assign what forward and backward_input
/// assign.
template <class L, class T = float>
concept PartedLayer = Layer<L, T> &&
    requires(const L layer, ParamsOf<L, T> p, ConstView<T> c, View<T> v, Index first, Index last) {
  { layer.part_count() } -> std::convertible_to<Index>;
  layer.forward_parts(p, c, v, first, last);               // (p, x, y, first, last)          their parts of y
  layer.backward_input_parts(p, c, c, c, v, first, last);  // (p, x, y, dy, dx, first, last)  their parts of dx
};

/// Declares `static constexpr bool coupled = true`: its output for one sample depends on the others of the batch in
/// training (batch normalisation). A training pass then gives its parts the whole batch at once; `forward` and
/// `backward_input` are inference. Such a layer draws no random numbers: its parts are given none.
template <class L, class T = float>
concept BatchCoupledLayer = PartedLayer<L, T> && requires {
  requires L::coupled;
};

/// A layer with numbers beside its parameters that no optimiser changes, such as running statistics. `prepare` is where
/// it reads them. A state that follows the parameters has `update_state(p, s)`, called once for each step of training.
template <class L, class T = float>
concept StatefulLayer = PreparedLayer<L, T> && requires(const L layer, std::span<T> s) {
  { layer.state_size() } -> std::convertible_to<Index>;
  { layer.states() } -> std::convertible_to<std::vector<Parameter>>;
  layer.init_state(s);
};

/// A stateful layer that keeps statistics of its input.
template <class L, class T = float>
concept StatisticsLayer = StatefulLayer<L, T> &&
    requires(const L layer, std::span<T> s, ConstView<T> x, double momentum, Index seen) {
  layer.update_statistics(s, x, momentum);  // s += momentum (statistics of x - s), momentum 1 assigns
  layer.merge_statistics(s, x, seen);       // those of x and of the `seen` samples that s has, together; 0 begins anew
};

/// Has a second derivative that penalties can use; t in front of a letter is a derivative in a given direction.
///   forward_tangent(p, x, y, tx, ty)                  assigns ty = (dy/dx) tx
///   add_curvature(p, x, y, tx, dty, dx)               adds (d/dx <dty, (dy/dx) tx>) to dx
///   backward_params_tangent(p, x, y, tx, dty, dp)     adds (d/dp <dty, (dy/dx) tx>) to dp, if it has parameters
/// An element-wise layer needs no forward_tangent (backward_input maps tangents as well), and one that declares
/// `static constexpr bool piecewise_linear = true` no add_curvature: y is linear in x around almost every x.
template <class L, class T = float>
concept TangentLayer =
    Layer<L, T> &&(
        requires { requires L::piecewise_linear; } || requires(const L layer, ParamsOf<L, T> p, ConstView<T> c,
                                                               View<T> v) { layer.add_curvature(p, c, c, c, c, v); }) &&
    (ElementwiseLayer<L> ||
     requires(const L layer, ParamsOf<L, T> p, ConstView<T> c, View<T> v) { layer.forward_tangent(p, c, c, c, v); }) &&
    (!ParametricLayer<L, T> || requires(const L layer, ParamsOf<L, T> p, std::span<T> dp, ConstView<T> c) {
      layer.backward_params_tangent(p, c, c, c, c, dp);
    });

}  // namespace eigan
