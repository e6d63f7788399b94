// AnyLayer: a layer whose type is known only at run time. It holds, by value, any type that satisfies the concept Layer
// for float and double, a user's own as well, and calls the very functions that Sequential would call.
#pragma once

#include <concepts>
#include <memory>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <eigan/core/layer.hpp>
#include <eigan/net/layer_table.hpp>

namespace eigan {

/// A layer of any type, as a value.
class AnyLayer {
 public:
  /// It satisfies the concepts of all kinds of layers; `traits()` tells which kinds the held one is of.
  static constexpr Index input = dynamic;
  /// As for the input, the size is known at run time only.
  static constexpr Index output = dynamic;

  /// Holds a copy of the layer.
  template <class L>
  requires(!std::same_as<L, AnyLayer> && Layer<L, float> && Layer<L, double>)
      // NOLINTNEXTLINE(google-explicit-constructor): a layer is where any layer is expected
      AnyLayer(L layer)
      : layer_(std::make_shared<const L>(std::move(layer))), table_(&detail::Queries<L>::table) {}
  /// Sizes that stand in a type mean nothing here: one set of functions serves all.
  template <Index In, Index Out>
  requires(In != dynamic || Out != dynamic)  // NOLINTNEXTLINE(google-explicit-constructor)
      AnyLayer(const Linear<In, Out>& layer)
      : AnyLayer(Linear<>(layer.input_size(), layer.output_size())) {}
  template <Index Features>
  requires(Features != dynamic)  // NOLINTNEXTLINE(google-explicit-constructor)
      AnyLayer(const BatchNorm1d<Features>& layer)
      : AnyLayer(BatchNorm1d<>(layer.input_size(), layer.eps())) {}

  /// Of which kinds the layer is.
  const detail::LayerTraits& traits() const { return table_->traits; }
  /// Features of a sample going in; `dynamic` for a layer that takes any size.
  Index input_size() const { return table_->input_size(get()); }
  /// Features of a sample coming out, where so many go in.
  Index output_size(Index features) const { return table_->output_size(get(), features); }
  /// The number of parameters.
  Index param_size() const { return table_->param_size(get()); }
  /// How many of them an optimiser changes: the first ones.
  Index trained_size() const { return table_->trained_size(get()); }
  /// How the layer is printed.
  std::string describe() const { return table_->description(get()); }
  /// The names and shapes of the tensors.
  std::vector<Parameter> parameters() const { return table_->parameters(get()); }

  /// Writes the initial parameters, if there are any.
  template <class T>
  void init(std::span<T> p, Rng rng) const {
    passes<T>().init(get(), p, rng);
  }
  /// y = f(x), at inference: see eigan::Layer.
  template <class T>
  void forward(std::span<const T> p, ConstView<T> x, View<T> y) const {
    passes<T>().forward(get(), p, x, y);
  }
  /// Assigns dx for the y of `forward`: see eigan::Layer.
  template <class T>
  void backward_input(std::span<const T> p, ConstView<T> x, ConstView<T> y, ConstView<T> dy, View<T> dx) const {
    passes<T>().backward_input(get(), p, x, y, dy, dx);
  }
  /// The layer's `forward_train`, or its `forward` if it draws nothing.
  template <class T>
  void forward_train(std::span<const T> p, ConstView<T> x, View<T> y, Draw draw) const {
    passes<T>().forward_train(get(), p, x, y, draw);
  }
  /// Assigns dx for the y of `forward_train`.
  template <class T>
  void backward_input_train(std::span<const T> p, ConstView<T> x, ConstView<T> y, ConstView<T> dy, View<T> dx,
                            Draw draw) const {
    passes<T>().backward_input_train(get(), p, x, y, dy, dx, draw);
  }

  /// Parts of a training pass over the whole batch: see eigan::BatchCoupledLayer; 1 for every other layer.
  Index part_count() const { return table_->part_count(get()); }
  /// A part of y = f(x), in training.
  template <class T>
  void forward_part(std::span<const T> p, ConstView<T> x, View<T> y, Index part) const {
    passes<T>().forward_part(get(), p, x, y, part);
  }
  /// A part of dx.
  template <class T>
  void backward_input_part(std::span<const T> p, ConstView<T> x, ConstView<T> y, ConstView<T> dy, View<T> dx,
                           Index part) const {
    passes<T>().backward_input_part(get(), p, x, y, dy, dx, part);
  }
  /// Takes the statistics of x for inference, if the layer has any.
  template <class T>
  void set_statistics(std::span<T> p, ConstView<T> x) const {
    passes<T>().set_statistics(get(), p, x);
  }

  /// See eigan::BlockedLayer; a parametric layer without blocks is one block.
  Index block_count() const { return table_->block_count(get()); }
  /// The block's parameters, [first, last).
  std::pair<Index, Index> block_range(Index block) const { return table_->block_range(get(), block); }
  /// Adds to these blocks' part of dp.
  template <class T>
  void backward_params_blocks(std::span<const T> p, ConstView<T> x, ConstView<T> y, ConstView<T> dy, std::span<T> dp,
                              Index first, Index last) const {
    passes<T>().backward_params_blocks(get(), p, x, y, dy, dp, first, last);
  }
  /// Adds to dp.
  template <class T>
  void backward_params(std::span<const T> p, ConstView<T> x, ConstView<T> y, ConstView<T> dy, std::span<T> dp) const {
    backward_params_blocks(p, x, y, dy, dp, 0, block_count());
  }

  /// As the layer's own, found where the layer's is. A template, so that it is not tried for whatever may be turned
  /// into an AnyLayer.
  template <class T, std::same_as<AnyLayer> L>
  friend void add_onnx_nodes(OnnxGraph<T>& graph, const L& layer, std::span<const T> p) {
    layer.template passes<T>().write_onnx(layer.get(), graph, p);
  }
  /// The same.
  template <std::same_as<AnyLayer> L>
  friend CppExpression cpp_expression(const L& layer) {
    return layer.table_->expression(layer.get());
  }

 private:
  const void* get() const { return layer_.get(); }
  template <class T>
  const detail::PassTable<T>& passes() const {
    static_assert(std::is_same_v<T, float> || std::is_same_v<T, double>, "eigan::AnyLayer: float or double");
    if constexpr (std::is_same_v<T, float>)
      return table_->float_passes;
    else
      return table_->double_passes;
  }

  std::shared_ptr<const void> layer_;  // shared by copies: nobody changes it
  const detail::LayerTable* table_;
};

static_assert(BlockedLayer<AnyLayer> && StochasticLayer<AnyLayer> && BatchCoupledLayer<AnyLayer, double>);

}  // namespace eigan
