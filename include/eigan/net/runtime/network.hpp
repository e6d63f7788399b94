// Network: layers one after the other, like Sequential, but which ones is known only at run time:
//
//   Network net;
//   net.add(Linear(784, 128)).add(LeakyReLU(0.2)).add("Residual(Linear(in_features=128, out_features=128), Tanh())");
//   Model model(net, Rng(1));
//
// It appends the same steps to the same list, so the results have the same bits.
#pragma once

#include <cstddef>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <eigan/core/error.hpp>
#include <eigan/core/printable.hpp>
#include <eigan/net/parallel.hpp>
#include <eigan/net/residual.hpp>
#include <eigan/net/runtime/any_layer.hpp>
#include <eigan/net/runtime/layer_registry.hpp>
#include <eigan/net/runtime/layer_text.hpp>
#include <eigan/net/skip_connection.hpp>

namespace eigan {

class Network {
 public:
  using Composes = void;  ///< it is a Composition
  using IsRow = void;     ///< `Residual<Network>` is one of its layers in a row

  /// Without layers.
  Network() = default;

  /// The network that a text describes, as Model::architecture() gives it. Error, beginning with `place`, if the text
  /// is wrong or its layers do not fit together. Nothing is allocated for the sizes that the text states.
  static Network from_text(std::string_view text, const LayerRegistry& layers = {},
                           std::string_view place = "eigan::Network") {
    Network net;
    net.push(parse_layers(text, place), layers);
    if (!net.steps_)
      detail::fail_data(place, ": expected an Input or a layer that states its size in front, found none in '",
                        printable(text), "'");
    return net;
  }
  /// The layers of a text that has been taken apart, in a row. Whether they fit shows where their input is known.
  static Network from_layers(const std::vector<LayerText>& texts, const LayerRegistry& layers);

  /// Adds a layer or a composition behind the others. Throws std::invalid_argument if it does not take what the one in
  /// front gives, and is then, as after any exception, what it was.
  Network& add(AnyLayer layer) {
    Network longer = *this;
    longer.push(std::move(layer));
    return *this = std::move(longer);
  }
  /// Adds the layers of a text, or none if one of them does not fit.
  Network& add(std::string_view text, const LayerRegistry& layers = {}) {
    Network longer = *this;
    longer.push(parse_layers(text, "eigan::Network::add"), layers);
    return *this = std::move(longer);
  }

  /// How many layers, an Input not counted.
  std::size_t depth() const { return layers_.size() - (has_input() ? 1 : 0); }
  /// Layer i.
  const AnyLayer& layer(std::size_t i) const { return layers_[i + (has_input() ? 1 : 0)]; }

  /// The shapes of the inputs, none as long as no layer states them, a Shape{} if none can.
  std::vector<Shape> input_shapes() const {
    for (const AnyLayer& layer : layers_)
      if (std::vector<Shape> shapes = layer.input_shapes(); !shapes.empty()) return shapes;
    return {};
  }
  /// Appends the layers, named by their numbers.
  template <class T>
  std::size_t append(Steps<T>& steps, std::size_t level, const std::string& prefix) const {
    for (std::size_t i = 0; i < layers_.size(); ++i) level = append(i, steps, level, prefix);
    return level;
  }
  /// The text of a Sequential with these layers.
  Spec spec() const {
    Spec all{"Sequential", {}, "::eigan::Sequential"};
    for (const AnyLayer& layer : layers_) all.children.push_back(layer.spec());
    return all;
  }
  /// Types say nothing here.
  template <Shape, std::size_t...>
  struct Check {
    static constexpr Shape value = detail::unknown_shape;
  };

 private:
  bool has_input() const { return !layers_.empty() && layers_.front().is_input(); }
  template <class T>
  std::size_t append(std::size_t i, Steps<T>& steps, std::size_t level, const std::string& prefix) const {
    const std::size_t number = i - (i > 0 && has_input() ? 1 : 0);
    return layers_[i].append(steps, level, layers_[i].is_input() ? prefix : prefix + std::to_string(number));
  }
  void check_place(const AnyLayer& layer) const {
    if (layer.is_input() && !layers_.empty())
      detail::fail_contract("eigan::Network: only the first layer can be an Input, this one stands behind ", depth());
  }
  void push(AnyLayer layer) {
    check_place(layer);
    layers_.push_back(std::move(layer));
    if (steps_) {
      level_ = append(layers_.size() - 1, *steps_, level_, "");
    } else if (std::vector<Shape> inputs = detail::stated_inputs(*this); !inputs.empty()) {
      steps_.emplace(std::move(inputs));
      level_ = append(*steps_, 0, "");
    }
  }
  void push(const std::vector<LayerText>& texts, const LayerRegistry& layers);

  std::vector<AnyLayer> layers_;
  std::optional<Steps<float>> steps_;  // what the layers make of the input, once one states a size
  std::size_t level_ = 0;              // behind the last layer
};

namespace detail {

/// Parallel, with heads that are known at run time.
class AnyParallel {
 public:
  using Composes = void;
  explicit AnyParallel(std::vector<AnyLayer> heads) : heads_(std::move(heads)) {}
  std::vector<Shape> input_shapes() const {
    return input_shapes_of_heads(heads_.size(), [&](std::size_t i) { return heads_[i].input_shapes(); });
  }
  template <class T>
  std::size_t append(Steps<T>& steps, std::size_t level, const std::string& prefix) const {
    std::vector<std::size_t> ends;
    for (const AnyLayer& head : heads_) ends.push_back(head.append(steps, level, prefix + std::to_string(ends.size())));
    check_one_height_and_width(steps, ends, prefix + "concatenation");
    return steps.concatenate(std::move(ends), prefix + "concatenation");
  }
  Spec spec() const {
    Spec all{"Parallel", {}, "::eigan::Parallel"};
    for (const AnyLayer& head : heads_) all.children.push_back(head.spec());
    return all;
  }

 private:
  std::vector<AnyLayer> heads_;
};

/// Inputs, with parts that are known at run time.
class AnyInputs {
 public:
  using Composes = void;
  explicit AnyInputs(std::vector<AnyLayer> parts) : parts_(std::move(parts)) {}
  std::vector<Shape> input_shapes() const {
    std::vector<Shape> shapes;
    for (const AnyLayer& part : parts_) shapes.push_back(part.input_shapes().front());
    return shapes;
  }
  template <class T>
  std::size_t append(Steps<T>& steps, std::size_t, const std::string& prefix) const {
    check_number_of_inputs(steps, parts_.size());
    std::vector<std::size_t> ends;
    for (std::size_t i = 0; i < parts_.size(); ++i)
      ends.push_back(parts_[i].append(steps, i, prefix + "inputs." + std::to_string(i)));
    return steps.concatenate(std::move(ends), prefix + "inputs");
  }
  Spec spec() const {
    Spec all{"Inputs", {}, "::eigan::Inputs"};
    for (const AnyLayer& part : parts_) all.children.push_back(part.spec());
    return all;
  }

 private:
  std::vector<AnyLayer> parts_;
};
template <>
inline constexpr bool is_input<AnyInputs> = true;

inline AnyLayer make_layer(const LayerText& text, const LayerRegistry& layers);

inline AnyLayer make_inputs(const LayerText& text, const LayerRegistry& layers) {
  std::vector<AnyLayer> parts;
  for (const LayerText& part : text.children()) {
    parts.push_back(make_layer(part, layers));
    attempt<std::invalid_argument>(
        [&] { input_of_part(parts.back().input_shapes(), parts.back().spec(), parts.size() - 1); },
        [&](const std::invalid_argument& wrong) { part.fail(wrong.what()); });
  }
  if (parts.empty()) text.fail("expected inputs inside, found none");
  text.check_all_taken();
  return AnyInputs(std::move(parts));
}

inline AnyLayer make_layer(const LayerText& text, const LayerRegistry& layers) {
  const auto body = [&] {
    Network net = Network::from_layers(text.children(), layers);
    // An Input alone is what goes into the network, and no layer to go around.
    if (text.name() == "Sequential" ? text.children().empty() : net.depth() == 0)
      text.fail("expected layers inside, found none");
    text.check_all_taken();
    return net;
  };
  if (text.name() == "Sequential") return body();
  if (text.name() == "Residual") return Residual<Network>(body());
  if (text.name() == "SkipConnection") return SkipConnection<Network>(body());
  if (text.name() == "Inputs") return make_inputs(text, layers);
  if (text.name() == "Parallel") {
    std::vector<AnyLayer> heads;
    for (const LayerText& head : text.children())
      if (heads.push_back(make_layer(head, layers)); heads.back().is_input())
        head.fail("expected a layer, found an Input, which states what goes into the network");
    if (heads.size() < 2) text.fail("expected at least two layers inside, found ", heads.size());
    text.check_all_taken();
    return AnyParallel(std::move(heads));
  }
  return layers.make(text);
}

}  // namespace detail

inline Network Network::from_layers(const std::vector<LayerText>& texts, const LayerRegistry& layers) {
  Network net;
  for (const LayerText& text : texts) {
    AnyLayer layer = detail::make_layer(text, layers);
    detail::attempt<std::invalid_argument>([&] { net.check_place(layer); },
                                           [&](const std::invalid_argument& wrong) { text.fail(wrong.what()); });
    net.layers_.push_back(std::move(layer));
  }
  return net;
}

inline void Network::push(const std::vector<LayerText>& texts, const LayerRegistry& layers) {
  for (const LayerText& text : texts) {
    AnyLayer layer = detail::make_layer(text, layers);
    detail::attempt<std::invalid_argument>([&] { push(std::move(layer)); },
                                           [&](const std::invalid_argument& wrong) { text.fail(wrong.what()); });
  }
}

}  // namespace eigan
