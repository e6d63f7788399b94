// Step<T>: one entry of the list that a network is to passes: a layer, or a join of several levels, and where its
// parameters, its state and what it prepares lie in the network's buffers. net/steps.hpp is the list.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <eigan/core/spec.hpp>
#include <eigan/core/types.hpp>
#include <eigan/net/layer_table.hpp>

namespace eigan {

/// What a step does.
enum class StepKind {
  layer,         ///< its layer
  sum,           ///< adds the levels it reads
  concatenation  ///< puts their channels side by side, vectors at every pixel
};

/// One step of a network: a layer or a join, and where its numbers lie.
template <class T>
struct Step {
  StepKind kind;                                 ///< of which kind it is
  std::vector<std::size_t> reads;                ///< one level for a layer, several for a join
  std::size_t writes;                            ///< the level that it makes
  std::string name;                              ///< of the layer in the network: "2.body.0"
  const detail::LayerTable<T>* table = nullptr;  ///< the layer's functions; none for a join
  std::shared_ptr<const void> layer = nullptr;   ///< the layer
  double operations = 0;                         ///< of a forward pass for one sample, in floating-point operations
  Index offset = 0;                              ///< of its parameters
  Index size = 0;                                ///< how many parameters it has
  Index state_offset = 0;                        ///< of its state
  Index state_size = 0;                          ///< how many numbers of state it has
  Index prepared_offset = 0;                     ///< of what is made ready once a pass
  Index prepared_size = 0;                       ///< how many numbers that are

  /// Of which kinds its layer is; of none where it joins.
  const detail::LayerTraits& traits() const {
    static constexpr detail::LayerTraits join{};
    return table == nullptr ? join : table->traits;
  }
  /// The layer's description, or the join's name.
  Spec spec() const {
    return table != nullptr ? table->spec(layer.get()) : Spec{kind == StepKind::sum ? "sum" : "concatenation"};
  }
  /// Parts that a thread can compute by itself.
  Index part_count() const { return table == nullptr ? 1 : table->part_count(layer.get()); }
  /// The step's part of a parameter-shaped buffer.
  template <class U>
  std::span<U> slice(std::span<U> all) const {
    return all.subspan(static_cast<std::size_t>(offset), static_cast<std::size_t>(size));
  }
  /// The step's part of a buffer of states.
  template <class U>
  std::span<U> state_slice(std::span<U> all) const {
    return all.subspan(static_cast<std::size_t>(state_offset), static_cast<std::size_t>(state_size));
  }
  /// The step's part of what is prepared.
  template <class U>
  std::span<U> prepared_slice(std::span<U> all) const {
    return all.subspan(static_cast<std::size_t>(prepared_offset), static_cast<std::size_t>(prepared_size));
  }
};

}  // namespace eigan
