// Tape: one forward pass remembered: every level of a network, and room for the gradients on the way back.
//
// A tape belongs to one network shape and is allocated once, for batches up to a capacity. It remembers exactly one
// pass: views taken from it hold until the next forward pass on the same tape. Inputs are not copied; they must outlive
// the backward pass. Two passes alive at once are two tapes. After a forward pass the loss writes output_gradient(),
// then one backward pass consumes it; anything else is refused.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include <eigan/core/buffer.hpp>
#include <eigan/core/error.hpp>
#include <eigan/core/rng.hpp>
#include <eigan/net/memory_plan.hpp>
#include <eigan/net/steps.hpp>

namespace eigan {

/// The memory of one forward pass and of the way back.
template <class T = float>
class Tape {
 public:
  /// Allocates for batches of up to `capacity` samples. `separate`: no level shares the memory of another.
  Tape(std::shared_ptr<const Steps<T>> steps, Index capacity, bool separate = false)
      : steps_(std::move(steps)), capacity_(capacity), prepared_(steps_->prepared_size()) {
    if (capacity <= 0) detail::fail_contract("eigan::Tape: the capacity must be positive, is ", capacity);
    const detail::MemoryPlan plan = detail::plan_memory(*steps_, separate);
    const std::size_t levels = steps_->levels().size(), inputs = steps_->inputs();
    inputs_.resize(inputs), activations_.resize(levels), gradients_.resize(levels), wanted_.resize(levels);
    needed_.reserve(steps_->steps().size());  // so that no way back ends halfway for want of memory
    const auto place = [&](std::vector<View<T>>& views, const std::vector<std::size_t>& shares, std::size_t level) {
      if (shares[level] != level) return views[level].rebind(views[shares[level]]);
      memory_.emplace_back(steps_->levels()[level].size(), capacity);
      views[level].rebind(memory_.back().view());
    };
    for (std::size_t level = inputs; level < levels; ++level) place(activations_, plan.activation, level);
    for (std::size_t level = levels; level-- > inputs;) place(gradients_, plan.gradient, level);
    adds_ = plan.adds;
    Index partials = 0;
    for (const Step<T>& step : steps_->steps()) {
      const Index splits = step.size > 0 ? step.table->gradient_splits(step.layer.get(), capacity) : 1;
      most_splits_.push_back(splits), partial_offsets_.push_back(partials);
      if (splits > 1) partials += splits * step.size;
    }
    partials_ = Buffer<T>(partials);
    spare_stride_ = padded_stride<T>(plan.spare_features);
    if (plan.spare_features > 0) spare_ = Buffer<T>(spare_stride_ * capacity);
  }

  /// The network that it was made for.
  const Steps<T>& steps() const { return *steps_; }
  /// How many samples it has room for.
  Index capacity() const { return capacity_; }
  /// Samples in the remembered pass; 0 before the first, and where the last has failed.
  Index batch() const { return state_ == State::empty ? 0 : batch_; }
  /// Where the remembered pass's random numbers come from, so that its masks can be drawn again.
  Draw draw() const { return {rng_, first_sample_}; }

  /// The remembered pass's input, which is the caller's.
  ConstView<T> input(std::size_t i = 0) const { return inputs_[i]; }
  /// All of them.
  std::span<const ConstView<T>> inputs() const { return inputs_; }
  /// The network's output: features x batch.
  ConstView<T> output() const { return activation(activations_.size() - 1); }
  /// Where the loss writes its gradient with respect to the output before a backward pass, which consumes it: layers
  /// may pass it down in place, so a second backward pass wants it written again.
  View<T> output_gradient() {
    check_passed();
    state_ = State::ready;
    return gradient(gradients_.size() - 1);
  }

  /// To read it, through a constant tape: that says nothing of a loss that has written. Meant between the loss and the
  /// backward pass, which consumes it.
  ConstView<T> output_gradient() const {
    check_passed();
    return gradients_.back().columns(0, batch_);
  }

  /// A level as it stands: a layer that works in place has overwritten the level in front of it.
  ConstView<T> activation(std::size_t level) const {
    return level < inputs_.size() ? inputs_[level] : ConstView<T>(activations_[level].columns(0, batch_));
  }
  /// A level, for the step that computes it.
  View<T> writable_activation(std::size_t level) { return activations_[level].columns(0, batch_); }
  /// The gradient with respect to a level.
  View<T> gradient(std::size_t level) { return gradients_[level].columns(0, batch_); }

  /// Lets the output live in the caller's memory, e.g. in another network's input: features x capacity or more. Forgets
  /// the pass, whose output the way back may read.
  void bind_output(View<T> y) {
    if (y.rows() != activations_.back().rows())
      detail::fail_contract("eigan::Tape::bind_output: expected ", activations_.back().rows(), " features, got ",
                            y.rows());
    state_ = State::empty;
    activations_.back().rebind(y);
    capacity_ = std::min<Index>(gradients_.back().cols(), y.cols());
  }

  // What passes need; programs do not.

  /// The network of the remembered pass, which may be another than steps() of the same sizes; null before the first.
  const Steps<T>* passed() const { return passed_.get(); }

  /// Starts a new pass over the columns of the inputs, a range of views. It is remembered from finish() on: a pass that
  /// throws leaves none.
  template <class Inputs>
  void begin(const Inputs& inputs, Draw draw, const std::shared_ptr<const Steps<T>>& network) {
    if (passed_ != network) passed_ = network;
    auto kept = inputs_.begin();
    for (const ConstView<T>& input : inputs) (kept++)->rebind(input);
    batch_ = inputs_[0].cols();
    rng_ = draw.rng, first_sample_ = draw.first_sample;
    state_ = State::empty;
  }
  /// Every level has been written.
  void finish() { state_ = State::passed; }
  /// Starts the way back. Throws std::invalid_argument where there is nothing to go back over, or no gradient. dx:
  /// where the inputs' gradients go, an empty view where nobody wants it. Marks what of the rest must be computed.
  void begin_backward(std::span<const View<T>> dx) {
    check_ready();
    bool others = needed_.empty();  // than those wanted of the pass before
    for (std::size_t i = 0; i < inputs_.size(); ++i) {
      const bool wanted = i < dx.size() && dx[i].data() != nullptr;
      others |= wanted != wanted_[i];
      wanted_[i] = wanted;
      if (wanted) gradients_[i].rebind(dx[i]);
    }
    if (others) mark_needed();
    state_ = State::consumed;
  }
  /// Throws std::invalid_argument unless a backward pass may follow.
  void check_ready() const {
    if (state_ == State::empty) detail::fail_contract("eigan::Model: backward without a forward pass on this tape");
    if (state_ == State::passed)
      detail::fail_contract("eigan::Model: backward before a loss has written tape.output_gradient()");
    if (state_ == State::consumed)
      detail::fail_contract(
          "eigan::Model: a second backward on one pass: the first has consumed tape.output_gradient(), "
          "which a loss must write again");
  }
  /// Whether the level's gradient must be computed.
  bool wanted(std::size_t level) const { return wanted_[level]; }
  /// Whether the way back goes through step number `step`: whether the gradient of a level that it reads is wanted.
  bool needed(std::size_t step) const { return needed_[step]; }
  /// Whether step number `step` adds to the gradient of the level that it reads as number `read`, another step having
  /// assigned it.
  bool adds(std::size_t step, std::size_t read) const { return adds_[step][read]; }
  /// Room for a gradient that is to be added to `level`'s, one for each sample.
  View<T> spare(std::size_t level) { return View<T>(spare_.data(), gradients_[level].rows(), batch_, spare_stride_); }
  /// Into how many runs of samples the pass is cut for the gradient of a step.
  Index splits(std::size_t step) const {
    if (most_splits_[step] == 1) return 1;
    const Step<T>& s = steps_->steps()[step];
    return std::min(s.table->gradient_splits(s.layer.get(), batch_), most_splits_[step]);
  }
  /// Where run i's gradient goes.
  std::span<T> partial(std::size_t step, Index i) {
    const Index size = steps_->steps()[step].size;
    return std::span<T>(partials_).subspan(static_cast<std::size_t>(partial_offsets_[step] + i * size),
                                           static_cast<std::size_t>(size));
  }
  /// What the layers have prepared for the pass.
  std::span<T> prepared() { return prepared_; }
  std::span<const T> prepared() const { return prepared_; }

 private:
  void check_passed() const {
    if (state_ == State::empty)
      detail::fail_contract(
          "eigan::Tape::output_gradient: before a forward pass on this tape, which decides how many samples it has; "
          "keep model.forward's result in a variable before the loss is called");
  }

  /// What the inputs' wishes mean for the other levels, and for the steps.
  void mark_needed() {
    needed_.clear();
    for (const Step<T>& step : steps_->steps()) {
      const auto wanted = [&](std::size_t level) { return wanted_[level]; };
      needed_.push_back(std::any_of(step.reads.begin(), step.reads.end(), wanted));
      wanted_[step.writes] = step.size > 0 || needed_.back();
    }
  }

  enum class State { empty, passed, ready, consumed };

  std::shared_ptr<const Steps<T>> steps_, passed_;
  std::vector<BufferMatrix<T>> memory_;
  std::vector<ConstView<T>> inputs_;
  std::vector<View<T>> activations_, gradients_;
  std::vector<std::vector<bool>> adds_;
  std::vector<bool> wanted_, needed_;  // levels, steps
  std::vector<Index> most_splits_, partial_offsets_;
  Buffer<T> partials_, spare_;
  Index spare_stride_ = 0;
  Index capacity_;
  Index batch_ = 0;
  Buffer<T> prepared_;
  Rng rng_{0};
  Index first_sample_ = 0;
  State state_ = State::empty;
};

}  // namespace eigan
