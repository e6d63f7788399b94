// What AnyLayer knows of the layer that it holds: tables of function pointers, one for what does not depend on the
// numbers' type and one each for float and double. `l` points to the layer.
//
// A function that the layer lacks does what Model would do for such a layer: forward_train is forward where nothing is
// drawn, and a parametric layer without blocks is one block.
#pragma once

#include <span>
#include <string>
#include <utility>
#include <vector>

#include <eigan/core/error.hpp>
#include <eigan/core/layer.hpp>
// Here, so that every translation unit fills in the same tables.
#include <eigan/io/cpp_source.hpp>
#include <eigan/io/onnx.hpp>
#include <eigan/net/must_be_a_layer.hpp>

namespace eigan::detail {

template <class T>
struct PassTable {
  using P = std::span<const T>;
  using C = ConstView<T>;
  using V = View<T>;
  void (*init)(const void* l, std::span<T> p, Rng rng);
  void (*forward)(const void* l, P p, C x, V y);
  void (*forward_train)(const void* l, P p, C x, V y, Draw draw);
  void (*forward_part)(const void* l, P p, C x, V y, Index part);
  void (*backward_input)(const void* l, P p, C x, C y, C dy, V dx);
  void (*backward_input_train)(const void* l, P p, C x, C y, C dy, V dx, Draw draw);
  void (*backward_input_part)(const void* l, P p, C x, C y, C dy, V dx, Index part);
  void (*backward_params_blocks)(const void* l, P p, C x, C y, C dy, std::span<T> dp, Index first, Index last);
  void (*set_statistics)(const void* l, std::span<T> p, C x);
  void (*write_onnx)(const void* l, OnnxGraph<T>& graph, P p);
};

template <class L, class T>
struct Passes {
  using P = std::span<const T>;
  using C = ConstView<T>;
  using V = View<T>;
  static const L& layer(const void* l) { return *static_cast<const L*>(l); }

  static void init([[maybe_unused]] const void* l, [[maybe_unused]] std::span<T> p, [[maybe_unused]] Rng rng) {
    if constexpr (ParametricLayer<L, T>) layer(l).init(p, rng);
  }
  static void forward(const void* l, P p, C x, V y) { layer(l).forward(p, x, y); }
  static void forward_train(const void* l, P p, C x, V y, [[maybe_unused]] Draw draw) {
    if constexpr (StochasticLayer<L, T>)
      layer(l).forward_train(p, x, y, draw);
    else
      layer(l).forward(p, x, y);
  }
  static void forward_part(const void* l, P p, C x, V y, [[maybe_unused]] Index part) {
    if constexpr (BatchCoupledLayer<L, T>)
      layer(l).forward_part(p, x, y, part);
    else
      layer(l).forward(p, x, y);
  }
  static void backward_input(const void* l, P p, C x, C y, C dy, V dx) { layer(l).backward_input(p, x, y, dy, dx); }
  static void backward_input_train(const void* l, P p, C x, C y, C dy, V dx, [[maybe_unused]] Draw draw) {
    if constexpr (StochasticLayer<L, T>)
      layer(l).backward_input_train(p, x, y, dy, dx, draw);
    else
      layer(l).backward_input(p, x, y, dy, dx);
  }
  static void backward_input_part(const void* l, P p, C x, C y, C dy, V dx, [[maybe_unused]] Index part) {
    if constexpr (BatchCoupledLayer<L, T>)
      layer(l).backward_input_part(p, x, y, dy, dx, part);
    else
      layer(l).backward_input(p, x, y, dy, dx);
  }
  static void backward_params_blocks([[maybe_unused]] const void* l, [[maybe_unused]] P p, [[maybe_unused]] C x,
                                     [[maybe_unused]] C y, [[maybe_unused]] C dy, [[maybe_unused]] std::span<T> dp,
                                     [[maybe_unused]] Index first, [[maybe_unused]] Index last) {
    if constexpr (BlockedLayer<L, T>)
      layer(l).backward_params_blocks(p, x, y, dy, dp, first, last);
    else if constexpr (ParametricLayer<L, T>)
      if (first < last) layer(l).backward_params(p, x, y, dy, dp);
  }
  static void set_statistics([[maybe_unused]] const void* l, [[maybe_unused]] std::span<T> p, [[maybe_unused]] C x) {
    if constexpr (requires { layer(l).set_statistics(p, x); }) layer(l).set_statistics(p, x);
  }
  static void write_onnx(const void* l, [[maybe_unused]] OnnxGraph<T>& graph, [[maybe_unused]] P p) {
    if constexpr (requires { add_onnx_nodes(graph, layer(l), p); })
      add_onnx_nodes(graph, layer(l), p);
    else
      fail_contract("eigan::save_onnx: no add_onnx_nodes for the layer ", describe(layer(l)));
  }

  static constexpr PassTable<T> table{.init = init,
                                      .forward = forward,
                                      .forward_train = forward_train,
                                      .forward_part = forward_part,
                                      .backward_input = backward_input,
                                      .backward_input_train = backward_input_train,
                                      .backward_input_part = backward_input_part,
                                      .backward_params_blocks = backward_params_blocks,
                                      .set_statistics = set_statistics,
                                      .write_onnx = write_onnx};
};

struct LayerTable {
  LayerTraits traits;
  PassTable<float> float_passes;
  PassTable<double> double_passes;
  Index (*input_size)(const void* l);
  Index (*output_size)(const void* l, Index input);
  Index (*param_size)(const void* l);
  Index (*trained_size)(const void* l);
  Index (*block_count)(const void* l);
  std::pair<Index, Index> (*block_range)(const void* l, Index block);
  Index (*part_count)(const void* l);
  std::string (*description)(const void* l);
  std::vector<Parameter> (*parameters)(const void* l);
  CppExpression (*expression)(const void* l);
};

template <class L>
struct Queries {
  static_assert(sizeof(MustBeALayer<L>) > 0);
  static_assert(static_traits<L, float> == static_traits<L, double>,
                "eigan::AnyLayer: this layer is of another kind for double than for float");
  static const L& layer(const void* l) { return *static_cast<const L*>(l); }

  static Index input_size(const void* l) { return input_of(layer(l)); }
  static Index output_size(const void* l, Index input) { return output_of(layer(l), input); }
  static Index param_size(const void* l) { return param_size_of(layer(l)); }
  static Index trained_size(const void* l) { return trained_size_of(layer(l)); }
  static Index block_count([[maybe_unused]] const void* l) {
    if constexpr (BlockedLayer<L>)
      return layer(l).block_count();
    else
      return ParametricLayer<L> ? 1 : 0;
  }
  static std::pair<Index, Index> block_range(const void* l, [[maybe_unused]] Index block) {
    if constexpr (BlockedLayer<L>)
      return layer(l).block_range(block);
    else
      return {0, trained_size(l)};
  }
  static Index part_count([[maybe_unused]] const void* l) {
    if constexpr (BatchCoupledLayer<L>)
      return layer(l).part_count();
    else
      return 1;
  }
  static std::string description(const void* l) { return describe(layer(l)); }
  static std::vector<Parameter> parameters(const void* l) { return parameters_of(layer(l)); }
  static CppExpression expression(const void* l) {
    if constexpr (requires { cpp_expression(layer(l)); })
      return cpp_expression(layer(l));
    else
      fail_contract("eigan::save_cpp_source: no cpp_expression for the layer ", describe(layer(l)));
  }

  static constexpr LayerTable table{.traits = static_traits<L, float>,
                                    .float_passes = Passes<L, float>::table,
                                    .double_passes = Passes<L, double>::table,
                                    .input_size = input_size,
                                    .output_size = output_size,
                                    .param_size = param_size,
                                    .trained_size = trained_size,
                                    .block_count = block_count,
                                    .block_range = block_range,
                                    .part_count = part_count,
                                    .description = description,
                                    .parameters = parameters,
                                    .expression = expression};
};

}  // namespace eigan::detail
