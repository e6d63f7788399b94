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
  // It satisfies the concepts of all kinds of layers; `traits()` tells which kinds the held one is of.
  static constexpr Index input = dynamic;
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

  /// Which kinds of layer it is of.
  const detail::LayerTraits& traits() const { return table_->traits; }
  Index input_size() const { return table_->input_size(get()); }
  Index output_size(Index features) const { return table_->output_size(get(), features); }
  Index param_size() const { return table_->param_size(get()); }
  /// How many parameters an optimiser changes.
  Index trained_size() const { return table_->trained_size(get()); }
  std::string describe() const { return table_->description(get()); }
  std::vector<Parameter> parameters() const { return table_->parameters(get()); }

  template <class T>
  void init(std::span<T> p, Rng rng) const {
    passes<T>().init(get(), p, rng);
  }
  template <class T>
  void forward(std::span<const T> p, ConstView<T> x, View<T> y) const {
    passes<T>().forward(get(), p, x, y);
  }
  template <class T>
  void backward_input(std::span<const T> p, ConstView<T> x, ConstView<T> y, ConstView<T> dy, View<T> dx) const {
    passes<T>().backward_input(get(), p, x, y, dy, dx);
  }
  template <class T>
  void forward_train(std::span<const T> p, ConstView<T> x, View<T> y, Draw draw) const {
    passes<T>().forward_train(get(), p, x, y, draw);
  }
  template <class T>
  void backward_input_train(std::span<const T> p, ConstView<T> x, ConstView<T> y, ConstView<T> dy, View<T> dx,
                            Draw draw) const {
    passes<T>().backward_input_train(get(), p, x, y, dy, dx, draw);
  }

  Index part_count() const { return table_->part_count(get()); }
  template <class T>
  void forward_part(std::span<const T> p, ConstView<T> x, View<T> y, Index part) const {
    passes<T>().forward_part(get(), p, x, y, part);
  }
  template <class T>
  void backward_input_part(std::span<const T> p, ConstView<T> x, ConstView<T> y, ConstView<T> dy, View<T> dx,
                           Index part) const {
    passes<T>().backward_input_part(get(), p, x, y, dy, dx, part);
  }
  /// As BatchNorm1d::set_statistics.
  template <class T>
  void set_statistics(std::span<T> p, ConstView<T> x) const {
    passes<T>().set_statistics(get(), p, x);
  }

  Index block_count() const { return table_->block_count(get()); }
  std::pair<Index, Index> block_range(Index block) const { return table_->block_range(get(), block); }
  template <class T>
  void backward_params_block(std::span<const T> p, ConstView<T> x, ConstView<T> y, ConstView<T> dy, std::span<T> dp,
                             Index block) const {
    passes<T>().backward_params_block(get(), p, x, y, dy, dp, block);
  }
  template <class T>
  void backward_params(std::span<const T> p, ConstView<T> x, ConstView<T> y, ConstView<T> dy, std::span<T> dp) const {
    for (Index block = 0; block < block_count(); ++block) backward_params_block(p, x, y, dy, dp, block);
  }

  // Templates, so that they are not tried for whatever may be turned into an AnyLayer.

  /// What the layer inside gives.
  template <class T, std::same_as<AnyLayer> L>
  friend void add_onnx_nodes(OnnxGraph<T>& graph, const L& layer, std::span<const T> p) {
    layer.template passes<T>().write_onnx(layer.get(), graph, p);
  }
  /// What the layer inside gives.
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
