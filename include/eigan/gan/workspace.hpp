// GanWorkspace: the memory of adversarial training: both tapes, both gradients, and for each input of the discriminator
// one matrix whose left half belongs to real samples and whose right half to generated ones, so that the discriminator
// sees both as one batch. Its first input is the image, which the generator writes; what it is told besides (a label,
// the picture to be translated) are further inputs, which the caller writes.
#pragma once

#include <cstddef>
#include <span>
#include <utility>
#include <vector>

#include <eigan/core/buffer.hpp>
#include <eigan/core/error.hpp>
#include <eigan/net/basic_model.hpp>

namespace eigan {

/// The memory of the steps in gan/steps.hpp.
template <class T = float>
class GanWorkspace {
 public:
  /// For batches of up to `capacity` real and as many generated samples.
  GanWorkspace(const BasicModel<T>& generator, const BasicModel<T>& discriminator, Index capacity)
      : g_tape(generator.tape(capacity)),
        d_tape(discriminator.tape(2 * capacity)),
        g_grad(generator.zeros()),
        d_grad(discriminator.zeros()),
        capacity_(capacity) {
    if (generator.output_shape() != discriminator.input_shape())
      detail::fail_contract("eigan::GanWorkspace: the generator gives ", shape_text(generator.output_shape()),
                            ", the discriminator takes ", shape_text(discriminator.input_shape()));
    for (std::size_t i = 0; i < discriminator.steps().inputs(); ++i)
      inputs_.emplace_back(discriminator.input_size(i), 2 * capacity);
    views_.resize(inputs_.size());
  }

  /// How many real samples it has room for.
  Index capacity() const { return capacity_; }

  // Each throws std::invalid_argument for a batch above the capacity.

  /// Where a batch of real samples may be written in place; a step given this view copies nothing. A batch that is
  /// larger than the generated one lies over generated samples.
  View<T> real(Index batch) { return real_condition(batch, 0); }
  /// The generator's last batch.
  View<T> fake(Index batch) { return fake_condition(batch, 0); }
  /// What the discriminator is told of real samples besides, in its input number i. A larger batch than the
  /// generated one lies over what is told of generated samples.
  View<T> real_condition(Index batch, std::size_t i = 1) {
    const View<T> view = checked(i, batch).columns(0, batch);
    if (batch > fresh_) fresh_ = 0;
    return view;
  }
  /// What the discriminator is told of generated samples besides. That of another number than were generated lies over
  /// what it was told of those.
  View<T> fake_condition(Index batch, std::size_t i = 1) {
    const View<T> view = checked(i, batch).columns(batch, batch);
    if (batch != fresh_) fresh_ = 0;
    return view;
  }

  // All inputs of the discriminator, valid until the next of these calls.

  /// Real samples.
  std::span<const ConstView<T>> real_inputs(Index batch) { return all(0, batch, batch); }
  /// Generated samples.
  std::span<const ConstView<T>> fake_inputs(Index batch) { return all(batch, batch, batch); }
  /// Both, real first.
  std::span<const ConstView<T>> both(Index batch) { return all(0, 2 * batch, batch); }

  /// Says that fake(batch) holds samples of the generator as it is, with its tape.
  void set_fresh(Index batch) { fresh_ = batch; }
  /// How many such samples there are; from now on none, for the caller is about to change the generator.
  Index take_fresh() { return std::exchange(fresh_, 0); }

  Tape<T> g_tape;    ///< of the generator's pass
  Tape<T> d_tape;    ///< of the discriminator's
  Buffer<T> g_grad;  ///< the generator's gradient; zero between steps
  Buffer<T> d_grad;  ///< the discriminator's; what it holds joins the next step

 private:
  View<T> checked(std::size_t input, Index batch) {
    if (batch < 0 || batch > capacity_)
      detail::fail_contract("eigan: this GanWorkspace holds batches of up to ", capacity_, ", got ", batch);
    if (input >= inputs_.size())
      detail::fail_contract("eigan: this GanWorkspace's discriminator has ", inputs_.size(), " inputs, no number ",
                            input);
    return inputs_[input].view();
  }
  std::span<const ConstView<T>> all(Index first, Index count, Index batch) {
    for (std::size_t i = 0; i < inputs_.size(); ++i) views_[i].rebind(checked(i, batch).columns(first, count));
    return views_;
  }

  std::vector<BufferMatrix<T>> inputs_;
  std::vector<ConstView<T>> views_;
  Index capacity_;
  Index fresh_ = 0;
};

}  // namespace eigan
