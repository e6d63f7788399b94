// copy_parameters: one model's numbers into another of the same layers, as a target network takes those of the network
// that learns; in PyTorch, to.load_state_dict(from.state_dict()). A new model with the same numbers is model.clone(), a
// slow average is Ema.
#pragma once

#include <algorithm>
#include <cstddef>

#include <eigan/core/error.hpp>
#include <eigan/net/basic_model.hpp>

namespace eigan {

/// Parameters and state, statistics included. Throws std::invalid_argument, with nothing changed, unless both models
/// have the same layers; samples may have another height and width.
template <class T>
void copy_parameters(const BasicModel<T>& from, BasicModel<T>& to) {
  const auto& a = from.steps().steps();
  const auto& b = to.steps().steps();
  const auto same = [](const Step<T>& s, const Step<T>& t) {
    return s.kind == t.kind && s.reads == t.reads && s.size == t.size && s.state_size == t.state_size &&
           (s.kind != StepKind::layer || s.spec().text() == t.spec().text());
  };
  if (!std::equal(a.begin(), a.end(), b.begin(), b.end(), same))
    detail::fail_contract("eigan::copy_parameters: expected a model of '", to.architecture(), "', got one of '",
                          from.architecture(), "'");
  std::copy(from.params().begin(), from.params().end(), to.params().begin());
  std::copy(from.state().begin(), from.state().end(), to.state().begin());
}

}  // namespace eigan
