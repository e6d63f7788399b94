// Tape: one forward pass remembered: every layer's input and output, and room for the gradients on the way back.
//
// A tape belongs to one network shape and is allocated once, for batches up to a capacity. It remembers exactly one
// pass: views taken from it hold until the next forward pass on the same tape. The input is not copied; it must
// outlive the backward pass. Two passes alive at once are two tapes.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>

#include <eigan/core/buffer.hpp>
#include <eigan/core/error.hpp>
#include <eigan/core/layer.hpp>
#include <eigan/core/rng.hpp>

namespace eigan {

/// The memory of one forward pass of a `Net`, and of the way back.
template <class Net, class T = float>
class Tape {
 public:
  static constexpr std::size_t depth = Net::depth;  ///< the number of layers

  /// Allocates for batches of up to `capacity` samples.
  Tape(const Net& net, Index capacity) : features_(net.features()), capacity_(capacity) {
    if (capacity <= 0) detail::fail_contract("eigan::Tape: the capacity must be positive, is ", capacity);
    Net::for_each_layer([&]<std::size_t I>() {
      if constexpr (activation_in_place<I>()) {
        activations_[I + 1].rebind(activations_[I]);
      } else {
        activation_memory_[I] = BufferMatrix<T>(net.features(I + 1), capacity);
        activations_[I + 1].rebind(activation_memory_[I].view());
      }
    });
    Net::for_each_layer_reversed([&]<std::size_t I>() {
      // The gradient at the output of layer I; layer I + 1 may have passed it down in place.
      if constexpr (gradient_in_place<I + 1>()) {
        gradients_[I + 1].rebind(gradients_[I + 2]);
      } else {
        gradient_memory_[I] = BufferMatrix<T>(net.features(I + 1), capacity);
        gradients_[I + 1].rebind(gradient_memory_[I].view());
      }
    });
  }

  /// How many samples it has room for.
  Index capacity() const { return capacity_; }
  /// Whether it was made for a network of these sizes: types with run-time sizes do not tell.
  bool fits(const Net& net) const { return features_ == net.features(); }
  /// Samples in the remembered pass; 0 before the first.
  Index batch() const { return batch_; }
  /// The generator of the remembered pass, from which its masks can be drawn again.
  Rng rng() const { return rng_; }

  /// The remembered pass's input, which is the caller's.
  ConstView<T> input() const { return input_; }
  /// The network's output: features x batch.
  ConstView<T> output() const { return activation(depth); }
  /// Where the loss writes its gradient with respect to the output before a backward pass, which consumes it: layers
  /// may pass it down in place, so a second backward pass wants it written again.
  View<T> output_gradient() { return gradient(depth); }

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
    if (y.rows() != activations_[depth].rows())
      detail::fail_contract("eigan::Tape::bind_output: expected ", activations_[depth].rows(), " features, got ",
                            y.rows());
    activations_[depth].rebind(y);
    capacity_ = std::min<Index>(activation_memory_[0].cols(), y.cols());
  }

  /// Starts a new pass over the columns of x.
  void begin(ConstView<T> x, Rng rng) {
    input_.rebind(x);
    batch_ = x.cols();
    rng_ = rng;
  }

 private:
  // A layer may write its output over its input if nothing on the way back reads that input again.
  template <std::size_t I>
  static constexpr bool activation_in_place() {
    if constexpr (I == 0)
      return false;  // the input is the caller's
    else
      return ElementwiseLayer<typename Net::template LayerType<I>> &&
             !detail::backward_reads_x<typename Net::template LayerType<I>>() &&
             !detail::backward_reads_y<typename Net::template LayerType<I - 1>>();
  }
  // An element-wise layer turns dy into dx in place, unless it needs dy for its own parameters afterwards.
  template <std::size_t I>
  static constexpr bool gradient_in_place() {
    if constexpr (I >= depth)
      return false;
    else
      return ElementwiseLayer<typename Net::template LayerType<I>> &&
             !ParametricLayer<typename Net::template LayerType<I>, T>;
  }

  std::array<BufferMatrix<T>, depth> activation_memory_;
  std::array<BufferMatrix<T>, depth> gradient_memory_;
  std::array<View<T>, depth + 1> activations_;
  std::array<View<T>, depth + 1> gradients_;
  ConstView<T> input_;
  std::array<Index, depth + 1> features_;
  Index capacity_;
  Index batch_ = 0;
  Rng rng_{0};
};

}  // namespace eigan
