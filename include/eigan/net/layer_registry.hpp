// LayerRegistry: which layer a name stands for, when a network is made from text. It knows the library's layers; a
// layer of your own is added with a function that makes it:
//   LayerRegistry layers;
//   layers.add("Swish", [](const LayerText& text) { return Swish(text.number("beta")); });
// It is a value that is handed to whoever reads, no global.
#pragma once

#include <functional>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include <eigan/core/error.hpp>
#include <eigan/layers/batch_norm.hpp>
#include <eigan/layers/dropout.hpp>
#include <eigan/layers/leaky_relu.hpp>
#include <eigan/layers/linear.hpp>
#include <eigan/layers/relu.hpp>
#include <eigan/layers/sigmoid.hpp>
#include <eigan/layers/tanh.hpp>
#include <eigan/net/any_layer.hpp>
#include <eigan/net/layer_text.hpp>

namespace eigan {

class LayerRegistry {
 public:
  /// What makes a layer of a name's settings.
  using Maker = std::function<AnyLayer(const LayerText&)>;

  /// Knows the library's layers.
  LayerRegistry() {
    add("Linear", [](const LayerText& t) { return Linear<>(t.size("in_features"), t.size("out_features")); });
    add("BatchNorm1d", [](const LayerText& t) { return BatchNorm1d<>(t.size("num_features"), t.number("eps", 1e-5)); });
    add("ReLU", [](const LayerText&) { return ReLU(); });
    add("LeakyReLU", [](const LayerText& t) { return LeakyReLU(t.number("negative_slope", 0.01)); });
    add("Tanh", [](const LayerText&) { return Tanh(); });
    add("Sigmoid", [](const LayerText&) { return Sigmoid(); });
    add("Dropout", [](const LayerText& t) { return Dropout(t.number("p", 0.5)); });
  }

  /// A later layer takes the place of an earlier one of the same name.
  LayerRegistry& add(std::string name, Maker maker) {
    makers_.insert_or_assign(std::move(name), std::move(maker));
    return *this;
  }

  /// The layer. Error if there is none of that name, if it lacks a setting or has one too many, or if a setting is not
  /// what the layer takes.
  AnyLayer make(const LayerText& text) const {
    const auto found = makers_.find(text.name());
    if (found == makers_.end()) {
      std::string names;
      for (const auto& [name, maker] : makers_) names += (names.empty() ? "" : ", ") + name;
      text.fail("expected one of ", names, ", found no layer of this name");
    }
    return detail::attempt<std::invalid_argument>(
        [&] {
          AnyLayer layer = found->second(text);
          text.check_all_taken();
          return layer;
        },
        [&](const std::invalid_argument& wrong) -> AnyLayer { text.fail(wrong.what()); });
  }

 private:
  std::map<std::string, Maker, std::less<>> makers_;
};

}  // namespace eigan
