// Inference: a network's output and nothing else. Tiles of samples go through all steps, each tile by itself; where
// there are fewer tiles than threads, one step after the other, cut into the layers' own parts.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include <eigan/core/parallel.hpp>
#include <eigan/net/join.hpp>
#include <eigan/net/scratch.hpp>
#include <eigan/net/tiling.hpp>

namespace eigan::detail {

/// For the steps before number `end`. Throws std::invalid_argument where a layer lacks what only training gives, such
/// as statistics.
template <class T>
void prepare_inference(const Steps<T>& net, std::span<const T> params, std::span<const T> state, std::span<T> prepared,
                       std::size_t end) {
  for (const Step<T>& step : std::span(net.steps()).first(end))
    if (step.prepared_size > 0)
      step.table->prepare(step.layer.get(), step.slice(params), step.state_slice(state), step.prepared_slice(prepared),
                          Phase::inference);
}

template <class T>
class Inference {
 public:
  Inference(const Steps<T>& net, std::span<const T> params, std::span<const T> prepared,
            std::span<const ConstView<T>> inputs, View<T> output)
      : net_(net), params_(params), prepared_(prepared), inputs_(inputs), output_(output) {}

  /// Samples [first, first + count), on this thread.
  void tile(Scratch<T>& scratch, Index first, Index count) const {
    begin(scratch, first, count);
    for (const Step<T>& step : net_.steps()) forward(step, scratch.views());
  }
  /// Samples [first, first + count) by parts, on several threads, no further than step number `end`.
  void tile(Scratch<T>& scratch, Index first, Index count, Threads threads, std::size_t end) const {
    begin(scratch, first, count);
    for (const Step<T>& step : std::span(net_.steps()).first(end)) {
      const auto& views = scratch.views();
      // Of a layer that couples samples the parts are training's.
      if (step.kind != StepKind::layer || step.traits().coupled || step.part_count() == 1) {
        forward(step, views);
        continue;
      }
      parallel_ranges(step.part_count(), step.operations * static_cast<double>(count), threads,
                      [&](Index from, Index to) {
                        step.table->forward_parts(step.layer.get(), params_of(step), views[step.reads[0]],
                                                  views[step.writes], from, to);
                      });
    }
  }

 private:
  Prepared<T> params_of(const Step<T>& step) const { return {step.slice(params_), step.prepared_slice(prepared_)}; }

  void begin(Scratch<T>& scratch, Index first, Index count) const {
    auto& views = scratch.views();
    for (std::size_t level = 0; level < views.size(); ++level) {
      if (level < inputs_.size()) {  // only read; one type of view serves all levels
        const ConstView<T>& x = inputs_[level];
        views[level].rebind({const_cast<T*>(x.data()) + first * x.outerStride(), x.rows(), count, x.outerStride()});
      } else if (level + 1 == views.size()) {
        views[level].rebind(output_.columns(first, count));
      } else {
        views[level].rebind(scratch.level(level, count));
      }
    }
  }

  void forward(const Step<T>& step, const std::vector<View<T>>& views) const {
    const View<T>& y = views[step.writes];
    if (step.kind == StepKind::layer)
      return step.table->forward(step.layer.get(), params_of(step), views[step.reads[0]], y);
    join(net_, step, y, [&](std::size_t level) { return ConstView<T>(views[level]); });
  }

  const Steps<T>& net_;
  std::span<const T> params_, prepared_;
  std::span<const ConstView<T>> inputs_;
  View<T> output_;
};

/// All samples, on several threads where that pays.
template <class T>
void infer(const std::shared_ptr<const Steps<T>>& steps, std::span<const T> params, std::span<const T> state,
           const Tiling& tiling, std::span<const ConstView<T>> inputs, View<T> y, Threads threads) {
  const std::size_t end = steps->steps().size();
  const Index batch = y.cols();
  const int parts = usable_threads(threads, tiling.work(batch));
  const Index tile = tiling.width(batch, parts), tiles = Tiling::count(batch, tile);
  const bool by_parts = parts > 1 && tiles < parts;
  std::vector<Scratch<T>> scratches;
  for (int i = 0; i < (by_parts ? 1 : parts); ++i) scratches.emplace_back(steps, tile);
  prepare_inference(*steps, params, state, scratches[0].prepared(), end);
  const Inference<T> inference(*steps, params, scratches[0].prepared(), inputs, y);
  const auto count = [&](Index i) { return std::min(tile, batch - i * tile); };
  if (by_parts) {
    for (Index i = 0; i < tiles; ++i) inference.tile(scratches[0], i * tile, count(i), threads, end);
    return;
  }
  parallel(parts, [&](int part, int of) {
    for (Index i = range_begin(tiles, part, of); i < range_begin(tiles, part + 1, of); ++i)
      inference.tile(scratches[static_cast<std::size_t>(part)], i * tile, count(i));
  });
}

}  // namespace eigan::detail
