// Network: layers one after the other, like Sequential, but which ones is known only at run time:
//
//   Network net;
//   net.add(Linear(784, 128)).add(LeakyReLU(0.2)).add("Linear(in_features=128, out_features=10)");
//   Model model(net, Rng(1));
//
// What works with a Model<Sequential<...>> works with a Model<Network>, R1Penalty excepted: training, inference, files.
// Layers call the same kernels on the same parameters, so the results have the same bits.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <eigan/core/checked.hpp>
#include <eigan/core/error.hpp>
#include <eigan/core/layer.hpp>
#include <eigan/io/model_file.hpp>
#include <eigan/net/any_layer.hpp>
#include <eigan/net/layer_registry.hpp>
#include <eigan/net/layer_text.hpp>

namespace eigan {

class Network {
 public:
  /// Without layers.
  Network() = default;

  /// The network that a text describes, as Model::architecture() gives it. Error, beginning with `place`, if the text
  /// is wrong or its layers do not fit together. Nothing is allocated for the sizes that the text states.
  static Network from_text(std::string_view text, const LayerRegistry& layers = {},
                           std::string_view place = "eigan::Network") {
    Network net;
    for (const LayerText& layer : parse_layers(text, place)) {
      detail::attempt<std::invalid_argument>([&] { net.add(layers.make(layer)); },
                                             [&](const std::invalid_argument& wrong) { layer.fail(wrong.what()); });
    }
    if (net.input_size() == dynamic)
      detail::fail_data(place, ": expected a layer that states a size, found none in '", printable(text), "'");
    return net;
  }

  /// The network that a model file states, whose tensors are those of such a network. Error if the file states none,
  /// tensors of other shapes, or in other words than the network's own, so that load() then reads the parameters.
  static Network from_file(const std::filesystem::path& path, const LayerRegistry& layers = {}) {
    return from_file(SafetensorsFile::read(path), layers);
  }
  /// The same from a file that has been read.
  static Network from_file(const SafetensorsFile& file, const LayerRegistry& layers = {}) {
    const auto found = file.metadata().find("architecture");
    if (found == file.metadata().end())
      detail::fail_data(file.name(), ": expected the metadata 'architecture', found none");
    const std::string& stated = found->second;
    Network net = from_text(stated, layers, file.name() + ": architecture");
    detail::find_tensors(file, net.parameters(), static_cast<std::size_t>(net.param_size()));
    if (const std::string own = net.architecture(); own != stated)
      detail::fail_data(file.name(), ": architecture: expected '", printable(own), "', found '", printable(stated),
                        "'");
    return net;
  }

  /// Adds a layer behind the others. Throws std::invalid_argument if its size differs from what it would receive, and
  /// is then, as after any exception, what it was.
  Network& add(AnyLayer layer) {
    const Index expects = layer.input_size();
    const Index receives = output_size();
    if (expects != dynamic && receives != dynamic && expects != receives)
      detail::fail_contract(
          "eigan::Network: this layer's input size differs from the previous layer's output size: layer ", depth(),
          ", ", layer.describe(), ", expects ", expects, " and receives ", receives);
    const Level level{layer.output_size(expects == dynamic ? receives : expects), layer.traits()};
    if (!level.below.elementwise && level.features < 1)
      detail::fail_contract("eigan::Network: layer ", depth(), ", ", layer.describe(),
                            ": expected an output size of at least 1, found ", level.features);
    std::uint64_t size = 0;
    if (!checked_add(static_cast<std::uint64_t>(param_count()), static_cast<std::uint64_t>(layer.param_size()), size) ||
        size > std::numeric_limits<Index>::max() / sizeof(double))
      detail::fail_contract("eigan::Network: layer ", depth(), ", ", layer.describe(),
                            ": the network would have more parameters than any memory");
    make_room(levels_), make_room(offsets_), make_room(layers_);

    // From here on nothing throws. Layers in front of the first sized one take any size; they get this one's.
    if (input_size() == dynamic)
      for (Level& earlier : levels_)
        if (earlier.features == dynamic) earlier.features = expects;
    levels_.push_back(level);
    offsets_.push_back(static_cast<Index>(size));
    layers_.push_back(std::move(layer));
    return *this;
  }
  /// Adds the layers of a text, or none if one of them does not fit.
  Network& add(std::string_view text, const LayerRegistry& layers = {}) {
    Network longer = *this;
    for (const LayerText& layer : parse_layers(text, "eigan::Network::add")) longer.add(layers.make(layer));
    return *this = std::move(longer);
  }

  /// How many layers.
  std::size_t depth() const { return layers_.size(); }
  /// Whether a training pass draws random numbers.
  bool stochastic() const {
    return std::any_of(layers_.begin(), layers_.end(), [](const AnyLayer& layer) { return layer.traits().stochastic; });
  }
  /// Layer i.
  const AnyLayer& layer(std::size_t i) const { return layers_[i]; }

  /// Features of a sample at level i: 0 is the input, i the output of layer i - 1.
  Index features(std::size_t level) const { return levels_[level].features; }
  /// Features of a sample going in; `dynamic` as long as no layer states a size.
  Index input_size() const { return features(0); }
  /// Features of a sample coming out; `dynamic` as long as no layer states a size.
  Index output_size() const { return levels_.back().features; }
  /// The number of parameters. Throws std::invalid_argument as long as no layer states a size.
  Index param_size() const {
    if (input_size() == dynamic) detail::fail_contract("eigan::Network: no layer states a size");
    return param_count();
  }
  /// Where the layer's part of a parameter-shaped buffer begins.
  Index offset(std::size_t layer) const { return offsets_[layer]; }

  /// The part of a parameter-shaped buffer that belongs to a layer.
  template <class T>
  std::span<T> slice(std::size_t layer, std::span<T> params) const {
    return params.subspan(static_cast<std::size_t>(offsets_[layer]),
                          static_cast<std::size_t>(offsets_[layer + 1] - offsets_[layer]));
  }

  /// What a tape depends on: the sizes, and which layers work in place.
  struct Level {
    Index features;                                 ///< of a sample
    detail::LayerTraits below;                      ///< of the layer whose output it is
    bool operator==(const Level&) const = default;  ///< both the same
  };
  /// Two networks with equal layouts fit the same tapes.
  using Layout = std::vector<Level>;
  /// The input's level and each layer's.
  const Layout& layout() const { return levels_; }

  /// Every tensor, named as torch.nn.Sequential names it: "0.weight".
  std::vector<Parameter> parameters() const {
    std::vector<Parameter> all;
    for_each_layer([&](std::size_t i) {
      for (Parameter p : layer(i).parameters()) {
        p.name = detail::concat(i, '.', p.name);
        p.offset += offsets_[i];
        all.push_back(std::move(p));
      }
    });
    return all;
  }
  /// The same text as Sequential's.
  std::string architecture() const {
    std::string text;
    for_each_layer([&](std::size_t i) { text += (i == 0 ? "" : ", ") + layer(i).describe(); });
    return text;
  }

  /// Writes every layer's initial parameters.
  template <class T>
  void init(std::span<T> params, Rng rng) const {
    for_each_layer([&](std::size_t i) { layer(i).init(slice(i, params), rng.fold_in(i)); });
  }

  /// f(i) for i = 0, ..., depth() - 1.
  template <class F>
  void for_each_layer(F&& f) const {
    for (std::size_t i = 0; i < layers_.size(); ++i) f(i);
  }
  /// The same from the last layer to the first.
  template <class F>
  void for_each_layer_reversed(F&& f) const {
    for (std::size_t i = layers_.size(); i-- > 0;) f(i);
  }
  /// f(layer), as Sequential has it.
  template <class F>
  void visit_layer(std::size_t layer, F&& f) const {
    f(layer);
  }

 private:
  Index param_count() const { return offsets_.back(); }

  template <class V>
  static void make_room(V& v) {
    if (v.size() == v.capacity()) v.reserve(2 * v.size() + 1);
  }

  std::vector<AnyLayer> layers_;
  Layout levels_{{dynamic, {}}};
  std::vector<Index> offsets_{0};
};

}  // namespace eigan
