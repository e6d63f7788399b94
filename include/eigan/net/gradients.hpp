// Gradients: adds the parameters' gradients of a pass, each over the whole batch.
//
// The work is cut into blocks of consecutive parameters; where a layer has few parameters and much work, into runs of
// samples whose gradients are computed by themselves and added in order. Neither cut depends on the number of threads.
// A thread takes a contiguous share of the operations; it computes blocks of one layer together, a run of them, because
// their products read the same activations, but no more at a time than a core's cache holds of the gradient until the
// optimiser reads it.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <utility>
#include <vector>

#include <eigan/core/parallel.hpp>
#include <eigan/net/tape.hpp>

namespace eigan::detail {

class Gradients {
 public:
  template <class T>
  explicit Gradients(const Steps<T>& net) {
    for (std::size_t s = 0; s < net.steps().size(); ++s) {
      const Step<T>& step = net.steps()[s];
      if (step.size == 0) continue;
      const Index count = step.table->block_count(step.layer.get());
      for (Index i = 0; i < count; ++i) {
        const auto [first, last] = step.table->block_range(step.layer.get(), i);
        const double share = static_cast<double>(last - first) / static_cast<double>(step.size);
        blocks_.push_back({s, i, step.offset + first, step.offset + last, share * step.operations});
        operations_ += share * step.operations;
      }
    }
  }

  /// Adds to grad. after(first, count) is called behind each finished piece of it, on any thread.
  template <class T, class After>
  void add(const Steps<T>& net, std::span<const T> params, Tape<T>& tape, std::span<T> grad, Threads threads,
           const After& after) const {
    const auto batch = static_cast<double>(tape.batch());
    // A single piece stays on the calling thread, which would have nothing to do but wait.
    const bool single = blocks_.size() == 1 && tape.splits(blocks_[0].step) == 1;
    parallel(single ? 1 : usable_threads(threads, operations_ * batch), [&](int part, int of) {
      const double begin = operations_ * part / of, end = operations_ * (part + 1) / of;
      double done = 0;  // operations of what stands in front
      const auto is_mine = [&](double operations) {
        const double middle = done + operations / 2;
        return (middle > begin || part == 0) && (middle <= end || part + 1 == of);
      };
      for (std::size_t b = 0; b < blocks_.size();) {
        const Step<T>& step = net.steps()[blocks_[b].step];
        if (const Index splits = tape.splits(blocks_[b].step); splits > 1) {
          std::size_t next = b;
          double operations = 0;
          for (; next < blocks_.size() && blocks_[next].step == blocks_[b].step; ++next)
            operations += blocks_[next].operations;
          for (Index i = 0; i < splits; ++i, done += operations / static_cast<double>(splits))
            if (is_mine(operations / static_cast<double>(splits)))
              compute(step, params, tape, tape.partial(blocks_[b].step, i), 0, block_count(step), i, splits);
          b = next;
          continue;
        }
        std::size_t next = b;
        if (!is_mine(blocks_[b].operations)) {
          done += blocks_[b++].operations;
          continue;
        }
        do done += blocks_[next++].operations;
        while (next < blocks_.size() && blocks_[next].step == blocks_[b].step && is_mine(blocks_[next].operations) &&
               blocks_[next].last - blocks_[b].first <= most_in_a_run);
        compute(step, params, tape, step.slice(grad), blocks_[b].index, blocks_[next - 1].index + 1, 0, 1);
        after(blocks_[b].first, blocks_[next - 1].last - blocks_[b].first);
        b = next;
      }
    });
    for (std::size_t s = 0; s < net.steps().size(); ++s) {
      const Step<T>& step = net.steps()[s];
      const Index splits = step.size > 0 ? tape.splits(s) : 1;
      if (splits < 2) continue;
      const std::span<T> dp = step.slice(grad);
      for (Index i = 0; i < splits; ++i) {
        const std::span<const T> partial = tape.partial(s, i);
        for (std::size_t k = 0; k < dp.size(); ++k) dp[k] += partial[k];
      }
      after(step.offset, step.size);
    }
  }

 private:
  struct Block {
    std::size_t step;
    Index index;
    Index first, last;  // parameters of the network
    double operations;  // for one sample
  };
  static constexpr Index most_in_a_run = 131072;  // parameters

  template <class T>
  static Index block_count(const Step<T>& step) {
    return step.table->block_count(step.layer.get());
  }
  /// Adds the gradient of some blocks to dp, over run `split` of `splits` runs of samples. A run's dp begins at zero.
  template <class T>
  static void compute(const Step<T>& step, std::span<const T> params, Tape<T>& tape, std::span<T> dp, Index first,
                      Index last, Index split, Index splits) {
    const Index sample = part_begin(tape.batch(), split, splits);
    const Index count = part_begin(tape.batch(), split + 1, splits) - sample;
    if (splits > 1) std::fill(dp.begin(), dp.end(), T(0));
    if (count == 0) return;
    step.table->backward_params(
        step.layer.get(), {step.slice(params), step.prepared_slice(std::as_const(tape).prepared())},
        tape.activation(step.reads[0]).columns(sample, count), tape.activation(step.writes).columns(sample, count),
        tape.gradient(step.writes).columns(sample, count), dp, first, last);
  }

  std::vector<Block> blocks_;
  double operations_ = 0;  // for one sample
};

}  // namespace eigan::detail
