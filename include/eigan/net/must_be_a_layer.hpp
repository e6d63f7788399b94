// MustBeALayer<L, Position>: what a network asks of a type that it takes for a layer, with the compiler's words for
// what is missing. A misspelt or mistyped optional member must not be passed over in silence: a type with one function
// of a kind of core/layer.hpp must have all functions of that kind.
#pragma once

#include <cstddef>
#include <span>
#include <type_traits>

#include <eigan/core/layer.hpp>

namespace eigan::detail {

template <class L, std::size_t... Position>
struct MustBeAParametricLayer {
  static_assert(ParametricLayer<L>,
                "eigan: this layer has param_size() but lacks init or backward_params as the concept "
                "eigan::ParametricLayer asks for them. The template arguments are the type and its place in a "
                "Sequential");
};

template <class L>
concept has_forward_train = requires(const L layer, ParamsOf<L, float> p, ConstView<float> x, View<float> y,
                                     Draw draw) {
  layer.forward_train(p, x, y, draw);
}
|| requires {
  &L::forward_train;
}
|| requires {
  &L::template forward_train<float>;
};
template <class L>
concept has_update_state = requires {
  &L::update_state;
}
|| requires {
  &L::template update_state<float>;
};
template <class L>
concept takes_update_state = requires(const L layer, std::span<const float> p, std::span<float> s) {
  layer.update_state(p, s);
};
template <class L>
concept has_statistics = requires {
  &L::template update_statistics<float>;
}
|| requires {
  &L::update_statistics;
}
|| requires {
  &L::template merge_statistics<float>;
}
|| requires {
  &L::merge_statistics;
};
template <class L>
concept has_block_count = requires(const L layer) {
  layer.block_count();
};
template <class L>
concept has_part_count = requires(const L layer) {
  layer.part_count();
};
template <class L>
concept has_prepared_size = requires(const L layer) {
  layer.prepared_size();
};
template <class L>
concept has_state = requires(const L layer) {
  layer.state_size();
};
template <class L>
concept is_declared_coupled = requires {
  requires L::coupled;
};

/// Position: none, or one, of a layer in a Sequential.
template <class L, std::size_t... Position>
struct MustBeALayer {
  static_assert(
      ElementwiseLayer<L> || SizedLayer<L>,
      "eigan: this type states neither `elementwise = true` nor `input` and `output`, and has no output_shape "
      "and at; see the concept eigan::Layer. The template arguments are the type and its place in a Sequential");
  static_assert(Layer<L>,
                "eigan: this type lacks forward or backward_input as the concept eigan::Layer asks for them. The "
                "template arguments are the type and its place in a Sequential");
  static_assert(!has_forward_train<L> || StochasticLayer<L>,
                "eigan: this layer has forward_train, but not as the concept eigan::StochasticLayer asks for it, or no "
                "backward_input_train. The template arguments are the type and its place in a Sequential");
  static_assert(!has_block_count<L> || BlockedLayer<L>,
                "eigan: this layer has block_count(), but not the rest that the concept eigan::BlockedLayer asks for. "
                "The template arguments are the type and its place in a Sequential");
  static_assert(!has_part_count<L> || PartedLayer<L>,
                "eigan: this layer has part_count(), but lacks forward_parts or backward_input_parts as the concept "
                "eigan::PartedLayer asks for them. The template arguments are the type and its place in a Sequential");
  static_assert(!is_declared_coupled<L> || PartedLayer<L>,
                "eigan: this layer is coupled, but has no parts, which alone see the whole batch; see the concept "
                "eigan::BatchCoupledLayer. The template arguments are the type and its place in a Sequential");
  static_assert(!(StochasticLayer<L> && BatchCoupledLayer<L>),
                "eigan: this layer is both coupled and stochastic: its parts, which see the whole batch, are given no "
                "random numbers. Make two layers of it. The template arguments are the type and its place in a "
                "Sequential");
  static_assert(!has_prepared_size<L> || PreparedLayer<L>,
                "eigan: this layer has prepared_size(), but no prepare as the concept eigan::PreparedLayer asks for "
                "it. The template arguments are the type and its place in a Sequential");
  static_assert(!has_state<L> || StatefulLayer<L>,
                "eigan: this layer has state_size(), but lacks states, init_state or prepare, where its state is read, "
                "as the concept eigan::StatefulLayer asks for them. The template arguments are the type and its place "
                "in a Sequential");
  static_assert(!has_update_state<L> || (StatefulLayer<L> && takes_update_state<L>),
                "eigan: this layer has update_state, but no state, or does not take (p, s), its parameters and its "
                "state, as spans; see the concept eigan::StatefulLayer. The template arguments are the type and its "
                "place in a Sequential");
  static_assert(!has_statistics<L> || StatisticsLayer<L>,
                "eigan: this layer has update_statistics or merge_statistics, but not all that the concept "
                "eigan::StatisticsLayer asks for. The template arguments are the type and its place in a Sequential");
  static constexpr bool parametric = requires(const L layer) { layer.param_size(); };
  static_assert(sizeof(std::conditional_t<parametric, MustBeAParametricLayer<L, Position...>, L>) > 0);
};

}  // namespace eigan::detail
