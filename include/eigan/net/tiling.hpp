// Tiling: how a batch is cut into tiles of samples, which travel through many steps while they are in cache.
//
// A sample's result does not depend on the tile that it is in, so widths may follow the number of threads.
#pragma once

#include <algorithm>

#include <eigan/net/steps.hpp>

namespace eigan::detail {

class Tiling {
 public:
  template <class T>
  explicit Tiling(const Steps<T>& net) {
    constexpr Index cache = 1 << 20;  // bytes of a core's own second-level cache
    Index parameters = 0, features = 1;
    for (const Step<T>& step : net.steps())
      parameters = std::max(parameters, step.size), operations_ += step.operations;
    for (const Shape& level : net.levels()) features = std::max(features, level.size());
    // Weights larger than the cache are read anew for each tile, so that wider tiles serve them better.
    const Index wide = parameters * Index{sizeof(T)} > cache ? 128 : 32;
    widest_ = std::clamp<Index>(cache / Index{sizeof(T)} / features, 1, wide);
  }

  /// Samples of a tile, at most.
  Index widest() const { return widest_; }
  /// Samples of a tile where so many threads share a batch.
  Index width(Index batch, Index threads) const {
    constexpr Index few = 8;  // columns that the products compute together
    if (batch <= few && few <= widest_) return few;
    const auto divide_up = [](Index a, Index b) { return (a + b - 1) / b; };
    const Index share = std::max<Index>(divide_up(batch, threads), 1);
    const Index even = divide_up(share, divide_up(share, widest_));  // as many tiles for each thread
    const Index rounded = divide_up(even, few) * few;
    const Index longest = std::min(divide_up(count(batch, rounded), threads) * rounded, batch);
    const bool fair = even <= few || longest <= share + share / 8;  // 100 on two: 25 each, not 64 and 36
    return rounded <= widest_ && fair ? rounded : even;
  }
  /// Floating-point operations of a forward pass.
  double work(Index batch) const { return operations_ * static_cast<double>(batch); }
  /// Tiles of a batch.
  static Index count(Index batch, Index width) { return (batch + width - 1) / width; }

 private:
  Index widest_;
  double operations_ = 0;
};

}  // namespace eigan::detail
