// Generator and Discriminator: the fully connected networks of the original GAN (Goodfellow et al. 2014), with leaky
// ReLU and dropout on every hidden layer. The generator ends in tanh, images in [-1, 1]; the discriminator in one
// logit.
//
//   Generator<100, 32, 64, 128, 784>            Linear LeakyReLU Dropout | ... | Linear Tanh
//   NormalizedGenerator<64, 256, 512, 784>      Linear BatchNorm1d LeakyReLU | ... | Linear Tanh
//   Discriminator<784, 128, 64, 32, 1>          Linear LeakyReLU Dropout | ... | Linear
//
// Batch normalisation in the generator, against a discriminator without dropout but with a GradientPenalty, gives far
// better samples (docs/quality.md).
#pragma once

#include <array>
#include <cstddef>
#include <type_traits>
#include <utility>

#include <eigan/layers/batch_norm.hpp>
#include <eigan/layers/dropout.hpp>
#include <eigan/layers/leaky_relu.hpp>
#include <eigan/layers/linear.hpp>
#include <eigan/layers/tanh.hpp>
#include <eigan/net/sequential.hpp>

namespace eigan {

/// What the hidden layers share.
struct HiddenOptions {
  double negative_slope = 0.2;  ///< of the leaky ReLU
  double dropout = 0.3;         ///< not in a NormalizedGenerator
};

namespace detail {

template <class... Ls>
struct LayerList {
  template <class... More>
  using Then = Sequential<Ls..., More...>;
};
/// What follows each hidden Linear.
struct WithDropout {
  template <Index Features, class... Ls>
  using After = LayerList<Ls..., LeakyReLU, Dropout>;
};
struct WithBatchNorm {
  template <Index Features, class... Ls>
  using After = LayerList<Ls..., BatchNorm1d<Features>, LeakyReLU>;
};

template <class Hidden, class Done, Index... Sizes>
struct HiddenStack;
template <class Hidden, class... Ls, Index In, Index Out>
struct HiddenStack<Hidden, LayerList<Ls...>, In, Out> {
  using type = LayerList<Ls..., Linear<In, Out>>;
};
template <class Hidden, class... Ls, Index In, Index Out, Index... More>
struct HiddenStack<Hidden, LayerList<Ls...>, In, Out, More...>
    : HiddenStack<Hidden, typename Hidden::template After<Out, Ls..., Linear<In, Out>>, Out, More...> {};

template <class L>
inline constexpr bool is_batch_norm = false;
template <Index Features>
inline constexpr bool is_batch_norm<BatchNorm1d<Features>> = true;

/// The layer of type L that belongs to the `linear`-th Linear of the stack.
template <class L, std::size_t N>
L make_stack_layer(const std::array<Index, N>& sizes, std::size_t linear, const HiddenOptions& options) {
  if constexpr (std::is_same_v<L, LeakyReLU>)
    return LeakyReLU(options.negative_slope);
  else if constexpr (std::is_same_v<L, Dropout>)
    return Dropout(options.dropout);
  else if constexpr (std::is_same_v<L, Tanh>)
    return Tanh();
  else if constexpr (is_batch_norm<L>)
    return L(sizes[linear + 1]);
  else
    return L(sizes[linear], sizes[linear + 1]);
}
template <class Net, std::size_t N>
Net make_stack(const std::array<Index, N>& sizes, const HiddenOptions& options) {
  return [&]<std::size_t... I>(std::index_sequence<I...>) {
    return Net(make_stack_layer<typename Net::template LayerType<I>>(sizes, I / 3, options)...);
  }
  (std::make_index_sequence<Net::depth()>{});
}

template <std::size_t>
inline constexpr Index dynamic_size = dynamic;
template <template <Index...> class Stack, std::size_t N>
auto make_dynamic_stack(const std::array<Index, N>& sizes, const HiddenOptions& options) {
  return [&]<std::size_t... I>(std::index_sequence<I...>) {
    return make_stack<Stack<dynamic_size<I>...>>(sizes, options);
  }
  (std::make_index_sequence<N>{});
}

}  // namespace detail

/// The original generator: `Sizes` are those of latent vector, hidden layers and image.
template <Index... Sizes>
using Generator =
    typename detail::HiddenStack<detail::WithDropout, detail::LayerList<>, Sizes...>::type::template Then<Tanh>;

/// The original generator with batch normalisation in place of dropout.
template <Index... Sizes>
using NormalizedGenerator =
    typename detail::HiddenStack<detail::WithBatchNorm, detail::LayerList<>, Sizes...>::type::template Then<Tanh>;

/// The original discriminator: `Sizes` are those of image, hidden layers and logit, which is 1.
template <Index... Sizes>
using Discriminator =
    typename detail::HiddenStack<detail::WithDropout, detail::LayerList<>, Sizes...>::type::template Then<>;

/// With sizes in the type: make_generator<100, 32, 64, 128, 784>({.dropout = 0}).
template <Index... Sizes>
Generator<Sizes...> make_generator(HiddenOptions options = {}) {
  return detail::make_stack<Generator<Sizes...>>(std::array<Index, sizeof...(Sizes)>{Sizes...}, options);
}
/// As make_generator.
template <Index... Sizes>
NormalizedGenerator<Sizes...> make_normalized_generator(HiddenOptions options = {}) {
  return detail::make_stack<NormalizedGenerator<Sizes...>>(std::array<Index, sizeof...(Sizes)>{Sizes...}, options);
}
/// As make_generator.
template <Index... Sizes>
Discriminator<Sizes...> make_discriminator(HiddenOptions options = {}) {
  return detail::make_stack<Discriminator<Sizes...>>(std::array<Index, sizeof...(Sizes)>{Sizes...}, options);
}

/// With sizes at run time: make_generator(std::array<Index, 5>{100, 32, 64, 128, 784}).
template <std::size_t N>
auto make_generator(const std::array<Index, N>& sizes, HiddenOptions options = {}) {
  return detail::make_dynamic_stack<Generator>(sizes, options);
}
/// As make_generator.
template <std::size_t N>
auto make_normalized_generator(const std::array<Index, N>& sizes, HiddenOptions options = {}) {
  return detail::make_dynamic_stack<NormalizedGenerator>(sizes, options);
}
/// As make_generator.
template <std::size_t N>
auto make_discriminator(const std::array<Index, N>& sizes, HiddenOptions options = {}) {
  return detail::make_dynamic_stack<Discriminator>(sizes, options);
}

}  // namespace eigan
