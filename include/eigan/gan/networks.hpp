// Generator and Discriminator: the fully connected networks of the original GAN (Goodfellow et al. 2014), with leaky
// ReLU and dropout on every hidden layer. The generator ends in tanh, images in [-1, 1]; the discriminator in one
// logit.
//
//   Generator<100, 32, 64, 128, 784>      Linear LeakyReLU Dropout | ... | Linear Tanh
//   Discriminator<784, 128, 64, 32, 1>    Linear LeakyReLU Dropout | ... | Linear
#pragma once

#include <array>
#include <cstddef>
#include <type_traits>
#include <utility>

#include <eigan/layers/dropout.hpp>
#include <eigan/layers/leaky_relu.hpp>
#include <eigan/layers/linear.hpp>
#include <eigan/layers/tanh.hpp>
#include <eigan/net/sequential.hpp>

namespace eigan {

/// What the hidden layers share.
struct HiddenOptions {
  double negative_slope = 0.2;
  double dropout = 0.3;
};

namespace detail {

template <class... Ls>
struct LayerList {
  template <class... More>
  using Then = Sequential<Ls..., More...>;
};
template <class Done, Index... Sizes>
struct HiddenStack;
template <class... Ls, Index In, Index Out>
struct HiddenStack<LayerList<Ls...>, In, Out> {
  using type = LayerList<Ls..., Linear<In, Out>>;
};
template <class... Ls, Index In, Index Out, Index... More>
struct HiddenStack<LayerList<Ls...>, In, Out, More...>
    : HiddenStack<LayerList<Ls..., Linear<In, Out>, LeakyReLU, Dropout>, Out, More...> {};

/// The layer of type L that belongs to the `linear`-th Linear of the stack.
template <class L, std::size_t N>
L make_stack_layer(const std::array<Index, N>& sizes, std::size_t linear, const HiddenOptions& options) {
  if constexpr (std::is_same_v<L, LeakyReLU>)
    return LeakyReLU(options.negative_slope);
  else if constexpr (std::is_same_v<L, Dropout>)
    return Dropout(options.dropout);
  else if constexpr (std::is_same_v<L, Tanh>)
    return Tanh();
  else
    return L(sizes[linear], sizes[linear + 1]);
}
template <class Net, std::size_t N>
Net make_stack(const std::array<Index, N>& sizes, const HiddenOptions& options) {
  return [&]<std::size_t... I>(std::index_sequence<I...>) {
    return Net(make_stack_layer<typename Net::template LayerType<I>>(sizes, I / 3, options)...);
  }
  (std::make_index_sequence<Net::depth>{});
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

template <Index... Sizes>
using Generator = typename detail::HiddenStack<detail::LayerList<>, Sizes...>::type::template Then<Tanh>;

template <Index... Sizes>
using Discriminator = typename detail::HiddenStack<detail::LayerList<>, Sizes...>::type::template Then<>;

/// With sizes in the type: make_generator<100, 32, 64, 128, 784>({.dropout = 0}).
template <Index... Sizes>
Generator<Sizes...> make_generator(HiddenOptions options = {}) {
  return detail::make_stack<Generator<Sizes...>>(std::array<Index, sizeof...(Sizes)>{Sizes...}, options);
}
template <Index... Sizes>
Discriminator<Sizes...> make_discriminator(HiddenOptions options = {}) {
  return detail::make_stack<Discriminator<Sizes...>>(std::array<Index, sizeof...(Sizes)>{Sizes...}, options);
}

/// With sizes at run time: make_generator(std::array<Index, 5>{100, 32, 64, 128, 784}).
template <std::size_t N>
auto make_generator(const std::array<Index, N>& sizes, HiddenOptions options = {}) {
  return detail::make_dynamic_stack<Generator>(sizes, options);
}
template <std::size_t N>
auto make_discriminator(const std::array<Index, N>& sizes, HiddenOptions options = {}) {
  return detail::make_dynamic_stack<Discriminator>(sizes, options);
}

}  // namespace eigan
