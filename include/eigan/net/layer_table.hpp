// LayerTable<T>: a layer as passes see it: what kind it is, and a function pointer for each thing that it can do. The
// functions of a layer's type are instantiated here, once, whatever networks it stands in.
//
// What a layer lacks does what it would mean: forward_train is forward where nothing is drawn, a layer without parts is
// one part, a parametric layer without blocks is one block.
#pragma once

#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include <eigan/core/layer.hpp>
#include <eigan/core/layer_defaults.hpp>
#include <eigan/net/must_be_a_layer.hpp>

namespace eigan::detail {

/// Of which kinds a layer is.
struct LayerTraits {
  bool elementwise, parametric, stochastic, coupled, parted, statistics, tangent, curved, reads_x, reads_y;
  bool operator==(const LayerTraits&) const = default;
};

/// `l` points to the layer; p are its parameters, q what was prepared from them.
template <class T>
struct LayerTable {
  using P = Prepared<T>;
  using C = ConstView<T>;
  using V = View<T>;
  LayerTraits traits;
  Index (*param_size)(const void* l);
  Index (*state_size)(const void* l);
  Index (*prepared_size)(const void* l);
  Index (*part_count)(const void* l);
  Index (*block_count)(const void* l);
  std::pair<Index, Index> (*block_range)(const void* l, Index block);
  Index (*gradient_splits)(const void* l, Index batch);
  double (*operations)(const void* l);
  Spec (*spec)(const void* l);
  std::vector<Parameter> (*parameters)(const void* l);
  std::vector<Parameter> (*states)(const void* l);
  void (*init)(const void* l, std::span<T> p, Rng rng);
  void (*init_state)(const void* l, std::span<T> s);
  void (*prepare)(const void* l, std::span<const T> p, std::span<const T> s, std::span<T> q, Phase phase);
  void (*update_state)(const void* l, std::span<const T> p, std::span<T> s, C x, double momentum);
  void (*merge_statistics)(const void* l, std::span<T> s, C x, Index seen);
  void (*forward)(const void* l, P p, C x, V y);
  void (*forward_train)(const void* l, P p, C x, V y, Draw draw);
  void (*forward_parts)(const void* l, P p, C x, V y, Index first, Index last);
  void (*backward_input)(const void* l, P p, C x, C y, C dy, V dx, Draw draw);
  void (*backward_input_parts)(const void* l, P p, C x, C y, C dy, V dx, Index first, Index last);
  void (*backward_params)(const void* l, P p, C x, C y, C dy, std::span<T> dp, Index first, Index last);
  void (*forward_tangent)(const void* l, P p, C x, C y, C tx, V ty, Draw draw);
  void (*add_curvature)(const void* l, P p, C x, C y, C tx, C dty, V dx);
  void (*backward_params_tangent)(const void* l, P p, C x, C y, C tx, C dty, std::span<T> dp);
};

/// How a layer of type L fills in the table.
template <class L, class T>
struct LayerFunctions {
  static_assert(sizeof(MustBeALayer<L>) > 0);
  using P = Prepared<T>;
  using C = ConstView<T>;
  using V = View<T>;
  static constexpr bool parametric = ParametricLayer<L, T>, stochastic = StochasticLayer<L, T>,
                        parted = PartedLayer<L, T>;
  static constexpr bool curved = requires(const L layer, ParamsOf<L, T> p, C c, V v) {
    layer.add_curvature(p, c, c, c, c, v);
  };

  static const L& layer(const void* l) { return *static_cast<const L*>(l); }
  static ParamsOf<L, T> params(const P& p) {
    if constexpr (PreparedLayer<L, T>)
      return p;
    else
      return p.params;
  }

  static Index param_size(const void* l) { return param_size_of(layer(l)); }
  static Index state_size([[maybe_unused]] const void* l) {
    if constexpr (StatefulLayer<L, T>)
      return layer(l).state_size();
    else
      return 0;
  }
  static Index prepared_size([[maybe_unused]] const void* l) {
    if constexpr (PreparedLayer<L, T>)
      return layer(l).prepared_size();
    else
      return 0;
  }
  static Index part_count([[maybe_unused]] const void* l) {
    if constexpr (parted)
      return layer(l).part_count();
    else
      return 1;
  }
  static Index block_count([[maybe_unused]] const void* l) {
    if constexpr (BlockedLayer<L, T>)
      return layer(l).block_count();
    else
      return parametric ? 1 : 0;
  }
  static std::pair<Index, Index> block_range(const void* l, [[maybe_unused]] Index block) {
    if constexpr (BlockedLayer<L, T>)
      return layer(l).block_range(block);
    else
      return {0, param_size(l)};
  }
  static Index gradient_splits([[maybe_unused]] const void* l, [[maybe_unused]] Index batch) {
    if constexpr (requires { layer(l).gradient_splits(batch); })
      return layer(l).gradient_splits(batch);
    else
      return 1;
  }
  static double operations(const void* l) {
    if constexpr (requires { layer(l).operations(); })
      return layer(l).operations();
    else
      return 2.0 * static_cast<double>(param_size(l));
  }
  static Spec spec(const void* l) { return spec_of(layer(l)); }
  static std::vector<Parameter> parameters(const void* l) { return parameters_of(layer(l)); }
  static std::vector<Parameter> states([[maybe_unused]] const void* l) {
    if constexpr (StatefulLayer<L, T>)
      return layer(l).states();
    else
      return {};
  }

  static void init([[maybe_unused]] const void* l, [[maybe_unused]] std::span<T> p, [[maybe_unused]] Rng rng) {
    if constexpr (parametric) layer(l).init(p, rng);
  }
  static void init_state([[maybe_unused]] const void* l, [[maybe_unused]] std::span<T> s) {
    if constexpr (StatefulLayer<L, T>) layer(l).init_state(s);
  }
  static void prepare([[maybe_unused]] const void* l, [[maybe_unused]] std::span<const T> p,
                      [[maybe_unused]] std::span<const T> s, [[maybe_unused]] std::span<T> q,
                      [[maybe_unused]] Phase phase) {
    if constexpr (PreparedLayer<L, T>) layer(l).prepare(p, s, q, phase);
  }
  static void update_state([[maybe_unused]] const void* l, [[maybe_unused]] std::span<const T> p,
                           [[maybe_unused]] std::span<T> s, [[maybe_unused]] C x, [[maybe_unused]] double momentum) {
    if constexpr (StatisticsLayer<L, T>) layer(l).update_statistics(s, x, momentum);
    if constexpr (requires { layer(l).update_state(p, s); }) layer(l).update_state(p, s);
  }
  static void merge_statistics([[maybe_unused]] const void* l, [[maybe_unused]] std::span<T> s, [[maybe_unused]] C x,
                               [[maybe_unused]] Index seen) {
    if constexpr (StatisticsLayer<L, T>) layer(l).merge_statistics(s, x, seen);
  }
  static void forward(const void* l, P p, C x, V y) { layer(l).forward(params(p), x, y); }
  static void forward_train(const void* l, P p, C x, V y, [[maybe_unused]] Draw draw) {
    if constexpr (stochastic)
      layer(l).forward_train(params(p), x, y, draw);
    else
      layer(l).forward(params(p), x, y);
  }
  static void forward_parts(const void* l, P p, C x, V y, [[maybe_unused]] Index first, [[maybe_unused]] Index last) {
    if constexpr (parted)
      layer(l).forward_parts(params(p), x, y, first, last);
    else
      layer(l).forward(params(p), x, y);
  }
  static void backward_input(const void* l, P p, C x, C y, C dy, V dx, [[maybe_unused]] Draw draw) {
    if constexpr (stochastic)
      layer(l).backward_input_train(params(p), x, y, dy, dx, draw);
    else
      layer(l).backward_input(params(p), x, y, dy, dx);
  }
  static void backward_input_parts(const void* l, P p, C x, C y, C dy, V dx, [[maybe_unused]] Index first,
                                   [[maybe_unused]] Index last) {
    if constexpr (parted)
      layer(l).backward_input_parts(params(p), x, y, dy, dx, first, last);
    else
      layer(l).backward_input(params(p), x, y, dy, dx);
  }
  static void backward_params([[maybe_unused]] const void* l, [[maybe_unused]] P p, [[maybe_unused]] C x,
                              [[maybe_unused]] C y, [[maybe_unused]] C dy, [[maybe_unused]] std::span<T> dp,
                              [[maybe_unused]] Index first, [[maybe_unused]] Index last) {
    if constexpr (BlockedLayer<L, T>)
      layer(l).backward_params_blocks(params(p), x, y, dy, dp, first, last);
    else if constexpr (parametric)
      layer(l).backward_params(params(p), x, y, dy, dp);
  }
  static void forward_tangent([[maybe_unused]] const void* l, [[maybe_unused]] P p, [[maybe_unused]] C x,
                              [[maybe_unused]] C y, [[maybe_unused]] C tx, [[maybe_unused]] V ty,
                              [[maybe_unused]] Draw draw) {
    if constexpr (!TangentLayer<L, T>)
      return;
    else if constexpr (!ElementwiseLayer<L>)
      layer(l).forward_tangent(params(p), x, y, tx, ty);
    else  // a diagonal Jacobian is its own transpose
      backward_input(l, p, x, y, tx, ty, draw);
  }
  static void add_curvature([[maybe_unused]] const void* l, [[maybe_unused]] P p, [[maybe_unused]] C x,
                            [[maybe_unused]] C y, [[maybe_unused]] C tx, [[maybe_unused]] C dty,
                            [[maybe_unused]] V dx) {
    if constexpr (curved) layer(l).add_curvature(params(p), x, y, tx, dty, dx);
  }
  static void backward_params_tangent([[maybe_unused]] const void* l, [[maybe_unused]] P p, [[maybe_unused]] C x,
                                      [[maybe_unused]] C y, [[maybe_unused]] C tx, [[maybe_unused]] C dty,
                                      [[maybe_unused]] std::span<T> dp) {
    if constexpr (TangentLayer<L, T> && parametric) layer(l).backward_params_tangent(params(p), x, y, tx, dty, dp);
  }

  static constexpr LayerTable<T> table{.traits = {.elementwise = ElementwiseLayer<L>,
                                                  .parametric = parametric,
                                                  .stochastic = stochastic,
                                                  .coupled = BatchCoupledLayer<L, T>,
                                                  .parted = parted,
                                                  .statistics = StatisticsLayer<L, T>,
                                                  .tangent = TangentLayer<L, T>,
                                                  .curved = curved,
                                                  .reads_x = backward_reads_x<L>(),
                                                  .reads_y = backward_reads_y<L>()},
                                       .param_size = param_size,
                                       .state_size = state_size,
                                       .prepared_size = prepared_size,
                                       .part_count = part_count,
                                       .block_count = block_count,
                                       .block_range = block_range,
                                       .gradient_splits = gradient_splits,
                                       .operations = operations,
                                       .spec = spec,
                                       .parameters = parameters,
                                       .states = states,
                                       .init = init,
                                       .init_state = init_state,
                                       .prepare = prepare,
                                       .update_state = update_state,
                                       .merge_statistics = merge_statistics,
                                       .forward = forward,
                                       .forward_train = forward_train,
                                       .forward_parts = forward_parts,
                                       .backward_input = backward_input,
                                       .backward_input_parts = backward_input_parts,
                                       .backward_params = backward_params,
                                       .forward_tangent = forward_tangent,
                                       .add_curvature = add_curvature,
                                       .backward_params_tangent = backward_params_tangent};
};

}  // namespace eigan::detail
