// Tape: one forward pass remembered: every layer's input and output, and room for the gradients on the way back.
//
// A tape belongs to one network shape and is allocated once, for batches up to a capacity. It remembers exactly one
// pass: views taken from it hold until the next forward pass on the same tape. The input is not copied; it must
// outlive the backward pass. Two passes alive at once are two tapes.
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

#include <eigan/core/buffer.hpp>
#include <eigan/core/error.hpp>
#include <eigan/core/layer.hpp>
#include <eigan/core/rng.hpp>

namespace eigan {

/// The memory of one forward pass of a `Net`, and of the way back.
template <class Net, class T = float>
class Tape {
 public:
  /// Allocates for batches of up to `capacity` samples.
  Tape(const Net& net, Index capacity)
      : activation_memory_(net.depth()),
        gradient_memory_(net.depth()),
        activations_(net.depth() + 1),
        gradients_(net.depth() + 1),
        layout_(net.layout()),
        capacity_(capacity) {
    if (capacity <= 0) detail::fail_contract("eigan::Tape: the capacity must be positive, is ", capacity);
    // A layer may write its output over its input if nothing on the way back reads that input again. The network's
    // input is the caller's.
    bool input_is_read = true;
    net.for_each_layer([&](auto i) {
      const detail::LayerTraits traits = detail::traits_of<T>(net.layer(i));
      if (traits.elementwise && !traits.reads_x && !input_is_read) {
        activations_[i + 1].rebind(activations_[i]);
      } else {
        activation_memory_[i] = BufferMatrix<T>(net.features(i + 1), capacity);
        activations_[i + 1].rebind(activation_memory_[i].view());
      }
      input_is_read = traits.reads_y;
    });
    // An element-wise layer turns dy into dx in place, unless it needs dy for its own parameters afterwards.
    bool passed_down = false;
    net.for_each_layer_reversed([&](auto i) {
      if (passed_down) {
        gradients_[i + 1].rebind(gradients_[i + 2]);
      } else {
        gradient_memory_[i] = BufferMatrix<T>(net.features(i + 1), capacity);
        gradients_[i + 1].rebind(gradient_memory_[i].view());
      }
      const detail::LayerTraits traits = detail::traits_of<T>(net.layer(i));
      passed_down = traits.elementwise && !traits.parametric;
    });
  }

  /// How many samples it has room for.
  Index capacity() const { return capacity_; }
  /// Whether it was made for a network of these sizes: types with run-time sizes do not tell.
  bool fits(const Net& net) const { return layout_ == net.layout(); }
  /// Samples in the remembered pass; 0 before the first.
  Index batch() const { return batch_; }
  /// The generator of the remembered pass, from which its masks can be drawn again.
  Rng rng() const { return rng_; }

  /// The remembered pass's input, which is the caller's.
  ConstView<T> input() const { return input_; }
  /// The network's output: features x batch.
  ConstView<T> output() const { return activation(depth()); }
  /// Where the loss writes its gradient with respect to the output before a backward pass, which consumes it: layers
  /// may pass it down in place, so a second backward pass wants it written again.
  View<T> output_gradient() { return gradient(depth()); }

  /// Level 0 is the input, level i the output of layer i - 1, as it stands: a layer that works in place has
  /// overwritten the level below it.
  ConstView<T> activation(std::size_t level) const {
    return level == 0 ? input_ : ConstView<T>(activations_[level].columns(0, batch_));
  }
  /// The same, for who computes it.
  View<T> writable_activation(std::size_t level) { return activations_[level].columns(0, batch_); }
  /// The gradient with respect to activation(level), level > 0.
  View<T> gradient(std::size_t level) { return gradients_[level].columns(0, batch_); }

  /// Lets the output live in the caller's memory, e.g. in another network's input: features x capacity or more.
  void bind_output(View<T> y) {
    if (y.rows() != activations_.back().rows())
      detail::fail_contract("eigan::Tape::bind_output: expected ", activations_.back().rows(), " features, got ",
                            y.rows());
    activations_.back().rebind(y);
    capacity_ = std::min<Index>(activation_memory_[0].cols(), y.cols());
  }

  /// Starts a new pass over the columns of x.
  void begin(ConstView<T> x, Rng rng) {
    input_.rebind(x);
    batch_ = x.cols();
    rng_ = rng;
  }

 private:
  std::size_t depth() const { return activation_memory_.size(); }

  std::vector<BufferMatrix<T>> activation_memory_;  // of level i + 1, empty where it shares another's
  std::vector<BufferMatrix<T>> gradient_memory_;
  std::vector<View<T>> activations_;
  std::vector<View<T>> gradients_;
  ConstView<T> input_;
  typename Net::Layout layout_;
  Index capacity_;
  Index batch_ = 0;
  Rng rng_{0};
};

}  // namespace eigan
