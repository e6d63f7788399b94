// Batch normalisation by its running statistics, in a training pass as well: that of a network which nobody trains any
// more. It reads an image as it does at inference, whatever else is in the batch, and the way back leads through that
// reading. Parameters and state are BatchNorm2d's.
#pragma once

#include <span>

#include <eigan/core/error.hpp>
#include <eigan/layers/batch_norm.hpp>

#include "digit_size.hpp"

namespace mnist_recogniser {

/// The layer where it stands.
struct PlacedFrozenBatchNorm : eigan::placed::BatchNorm {
  static constexpr bool coupled = false, backward_reads_x = false;

  explicit constexpr PlacedFrozenBatchNorm(const BatchNorm& trained) : BatchNorm(trained) {}

  template <class T>
  void prepare(std::span<const T> p, std::span<const T> s, std::span<T> q, eigan::Phase) const {
    BatchNorm::prepare(p, s, q, eigan::Phase::inference);
  }
  void part_count() const = delete;  // its parts are those of a batch's statistics
  /// Throws: it is frozen.
  template <class T>
  void backward_params(eigan::Prepared<T>, eigan::ConstView<T>, eigan::ConstView<T>, eigan::ConstView<T>,
                       std::span<T>) const {
    eigan::detail::fail_contract("FrozenBatchNorm2d: its parameters have no gradient");
  }
};

template <Index Channels>
struct FrozenBatchNorm2d : eigan::BatchNorm2d<Channels> {
  PlacedFrozenBatchNorm at(eigan::Shape in) const {
    return PlacedFrozenBatchNorm(eigan::BatchNorm2d<Channels>::at(in));
  }
};

static_assert(eigan::ParametricLayer<PlacedFrozenBatchNorm> && eigan::StatefulLayer<PlacedFrozenBatchNorm> &&
              !eigan::PartedLayer<PlacedFrozenBatchNorm> && eigan::ShapedLayer<FrozenBatchNorm2d<3>>);

}  // namespace mnist_recogniser
