// Scratch: the working memory of one inference at a time. A model is shared by all threads; a scratch is not.
#pragma once

#include <algorithm>
#include <cstddef>

#include <eigan/core/buffer.hpp>
#include <eigan/core/view.hpp>

namespace eigan {

/// What Model::infer works in.
template <class Net, class T = float>
class Scratch {
 public:
  /// Room for two levels of up to `tile` samples; layers alternate between them.
  Scratch(const Net& net, Index tile) : layout_(net.layout()), tile_(tile) {
    Index widest = 0;
    for (std::size_t level = 1; level <= net.depth(); ++level) widest = std::max(widest, net.features(level));
    for (auto& level : levels_) level = Buffer<T>(padded_stride<T>(widest) * tile);
  }

  /// Whether it was made for a network of these sizes, and for tiles of at least `tile` samples.
  bool fits(const Net& net, Index tile) const { return layout_ == net.layout() && tile_ >= tile; }

  /// One of the two levels, as a matrix of so many features.
  View<T> level(std::size_t which, Index features, Index samples) {
    return {levels_[which].data(), features, samples, padded_stride<T>(features)};
  }

 private:
  Buffer<T> levels_[2];
  typename Net::Layout layout_;
  Index tile_;
};

}  // namespace eigan
