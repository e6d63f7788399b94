// summary(model): a network as text, step by step, in the manner of torch.nn.Module's, with shapes and counts.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>

#include <eigan/core/error.hpp>
#include <eigan/net/basic_model.hpp>

namespace eigan {

/// The text, for example
///     Sequential(
///       (0): Linear(in_features=2, out_features=4)   2 -> 4   12 parameters
///       (1): Tanh()                                  4 -> 4
///     )
///     12 parameters
/// A join tells whose outputs it reads.
template <class T>
std::string summary(const BasicModel<T>& model) {
  const Steps<T>& net = model.steps();
  std::vector<std::string> lines;
  std::size_t widest = 0;
  for (const Step<T>& step : net.steps()) {
    std::string line = '(' + step.name + "): ";
    if (step.kind == StepKind::layer) {
      line += step.spec().text();
    } else {
      line += step.kind == StepKind::sum ? "sum of" : "channels of";
      for (std::size_t read = 0; read < step.reads.size(); ++read) {
        const std::size_t level = step.reads[read];
        line += detail::concat(read == 0 ? " " : ", ", level < net.inputs()
                                                           ? detail::concat("input ", level)
                                                           : '(' + net.steps()[level - net.inputs()].name + ')');
      }
    }
    widest = std::max(widest, line.size());
    lines.push_back(std::move(line));
  }
  std::string text = "Sequential(\n";
  for (std::size_t s = 0; s < lines.size(); ++s) {
    const Step<T>& step = net.steps()[s];
    text += "  " + lines[s] + std::string(widest - lines[s].size() + 3, ' ');
    text += shape_text(net.levels()[step.reads[0]]);
    if (step.kind == StepKind::concatenation)
      for (std::size_t read = 1; read < step.reads.size(); ++read)
        text += ", " + shape_text(net.levels()[step.reads[read]]);
    text += " -> " + shape_text(net.levels()[step.writes]);
    if (step.size > 0) text += detail::concat("   ", step.size, " parameters");
    text += '\n';
  }
  return text + detail::concat(")\n", net.param_size(), " parameters\n");
}

}  // namespace eigan
