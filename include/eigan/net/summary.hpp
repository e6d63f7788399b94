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
  using Net = typename ModelType::Network;
  const Net& net = model.net();
  std::size_t widest = 0;
  Net::for_each_layer([&]<std::size_t I>() {
    widest = std::max(widest, detail::describe(net.template layer<I>()).size() + std::to_string(I).size());
  });
  std::ostringstream text;
  text.imbue(std::locale::classic());
  text << "Sequential(\n";
  Net::for_each_layer([&]<std::size_t I>() {
    const std::string layer = detail::concat('(', I, "): ", detail::describe(net.template layer<I>()));
    text << "  " << layer << std::string(widest + 4 - layer.size(), ' ') << "   " << net.features(I) << " -> "
         << net.features(I + 1);
    if (const Index count = detail::param_size_of(net.template layer<I>())) text << "   " << count << " parameters";
    text << '\n';
  });
  text << ")\n" << net.param_size() << " parameters\n";
  return text.str();
}

}  // namespace eigan
