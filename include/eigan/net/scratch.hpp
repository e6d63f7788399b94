// Scratch: the working memory of one inference at a time. A model is shared by all threads; a scratch is not.
//
// A level lives from the step that makes it to the last one that reads it, and its place is then used again: a chain of
// layers alternates between two places, an element-wise layer works in place.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include <eigan/core/buffer.hpp>
#include <eigan/core/checked.hpp>
#include <eigan/core/error.hpp>
#include <eigan/core/view.hpp>
#include <eigan/net/steps.hpp>

namespace eigan {

/// What Model::infer works in.
template <class T = float>
class Scratch {
 public:
  /// For tiles of up to `tile` samples. Throws std::invalid_argument for a tile of none, and std::bad_alloc or
  /// std::bad_array_new_length, as Buffer does, for more than any memory holds.
  Scratch(std::shared_ptr<const Steps<T>> steps, Index tile)
      : steps_(std::move(steps)), tile_(tile), prepared_(steps_->prepared_size()), views_(steps_->levels().size()) {
    if (tile < 1) detail::fail_contract("eigan::Scratch: a tile must have at least one sample, has ", tile);
    const Steps<T>& net = *steps_;
    std::vector<std::size_t> last_reader(net.levels().size(), 0);
    for (std::size_t s = 0; s < net.steps().size(); ++s)
      for (const std::size_t level : net.steps()[s].reads) last_reader[level] = s;
    place_.assign(net.levels().size(), none);
    std::vector<Index> sizes;
    std::vector<std::size_t> free;
    for (std::size_t s = 0; s < net.steps().size(); ++s) {
      const Step<T>& step = net.steps()[s];
      const std::size_t from = step.reads.back();
      const bool in_place = (step.kind == StepKind::sum || step.traits().elementwise) && place_[from] != none &&
                            last_reader[from] == s && std::count(step.reads.begin(), step.reads.end(), from) == 1;
      if (in_place) {
        place_[step.writes] = place_[from];
      } else {
        if (free.empty()) free.push_back(sizes.size()), sizes.push_back(0);
        place_[step.writes] = free.back(), free.pop_back();
      }
      Index& size = sizes[place_[step.writes]];
      size = std::max(size, product_or_most(padded_stride<T>(net.levels()[step.writes].size()), tile));
      for (std::size_t read = 0; read < step.reads.size(); ++read) {
        const std::size_t level = step.reads[read];
        const bool again = std::find(step.reads.begin(), step.reads.begin() + static_cast<Index>(read), level) !=
                           step.reads.begin() + static_cast<Index>(read);
        if (!again && place_[level] != none && last_reader[level] == s && place_[level] != place_[step.writes])
          free.push_back(place_[level]);
      }
    }
    for (const Index size : sizes) memory_.emplace_back(size);
  }

  /// The network that it was made for.
  const Steps<T>& steps() const { return *steps_; }
  /// Samples of a tile, at most.
  Index tile() const { return tile_; }
  /// What the layers have prepared.
  std::span<T> prepared() { return prepared_; }

  /// A level's place, for so many samples.
  View<T> level(std::size_t level, Index samples) {
    const Index features = steps_->levels()[level].size();
    return {memory_[place_[level]].data(), features, samples, padded_stride<T>(features)};
  }
  /// What each level is in the tile at hand: its place, or the caller's memory for inputs and output.
  std::vector<View<T>>& views() { return views_; }

 private:
  static constexpr std::size_t none = static_cast<std::size_t>(-1);
  std::shared_ptr<const Steps<T>> steps_;
  Index tile_;
  Buffer<T> prepared_;
  std::vector<std::size_t> place_;
  std::vector<Buffer<T>> memory_;
  std::vector<View<T>> views_;
};

}  // namespace eigan
