// summary(model): a network as text, layer by layer, in the manner of torch.nn.Module's, with shapes and counts.
#pragma once

#include <algorithm>
#include <cstddef>
#include <locale>
#include <sstream>
#include <string>

#include <eigan/core/error.hpp>
#include <eigan/core/layer.hpp>

namespace eigan {

/// The text, for example
///     Sequential(
///       (0): Linear(in_features=2, out_features=4)   2 -> 4   12 parameters
///       (1): Tanh()                                  4 -> 4
///     )
///     12 parameters
template <class ModelType>
std::string summary(const ModelType& model) {
  const auto& net = model.net();
  std::size_t widest = 0;
  net.for_each_layer(
      [&](auto i) { widest = std::max(widest, detail::describe(net.layer(i)).size() + std::to_string(i).size()); });
  std::ostringstream text;
  text.imbue(std::locale::classic());
  text << "Sequential(\n";
  net.for_each_layer([&](auto i) {
    const std::string layer = detail::concat('(', i, "): ", detail::describe(net.layer(i)));
    text << "  " << layer << std::string(widest + 4 - layer.size(), ' ') << "   " << net.features(i) << " -> "
         << net.features(i + 1);
    if (const Index count = detail::param_size_of(net.layer(i))) text << "   " << count << " parameters";
    text << '\n';
  });
  text << ")\n" << net.param_size() << " parameters\n";
  return text.str();
}

}  // namespace eigan
