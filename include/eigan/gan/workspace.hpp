// GanWorkspace: the memory of adversarial training: both tapes, both gradients, and one image buffer whose left half
// holds real images and whose right half the generator writes, so that the discriminator sees both as one batch.
//
// A discriminator that takes more features than the generator gives is conditional: what follows the image in its input
// (a one-hot label, say) is the caller's to write, in real(batch) and in fake_condition(batch).
#pragma once

#include <utility>

#include <eigan/core/buffer.hpp>
#include <eigan/core/error.hpp>
#include <eigan/net/model.hpp>

namespace eigan {

/// The memory of the steps in gan/steps.hpp.
template <class G, class D, class T = float>
class GanWorkspace {
 public:
  /// For batches of up to `capacity` real and as many generated samples.
  GanWorkspace(const Model<G, T>& generator, const Model<D, T>& discriminator, Index capacity)
      : g_tape(generator.tape(capacity)),
        d_tape(discriminator.tape(2 * capacity)),
        g_grad(generator.zeros()),
        d_grad(discriminator.zeros()),
        images_(discriminator.net().input_size(), 2 * capacity),
        generated_(generator.net().output_size()),
        capacity_(capacity) {
    if (generated_ > images_.rows())
      detail::fail_contract("eigan::GanWorkspace: the generator gives ", generated_,
                            " features, the discriminator takes ", images_.rows());
    if (generated_ < images_.rows()) input_gradient_ = BufferMatrix<T>(images_.rows(), capacity);
    if (discriminator.net().output_size() != 1)
      detail::fail_contract("eigan::GanWorkspace: the discriminator must give 1 logit, gives ",
                            discriminator.net().output_size());
  }

  /// How many real samples it has room for.
  Index capacity() const { return capacity_; }

  // Each throws std::invalid_argument for a batch above the capacity.

  /// Where a batch of real samples may be written in place; a step given this view copies nothing. A larger one than
  /// was generated reaches into what was generated.
  View<T> real(Index batch) {
    const View<T> view = checked(batch).columns(0, batch);
    if (batch > fresh_) fresh_ = 0;
    return view;
  }
  /// The generator's last batch.
  View<T> fake(Index batch) { return fake_rows(batch, 0, generated_); }
  /// What the discriminator is told besides: condition x batch, of no rows where it takes images alone.
  View<T> fake_condition(Index batch) { return fake_rows(batch, generated_, images_.rows() - generated_); }
  /// Both, as the discriminator sees a generated sample.
  ConstView<T> fake_input(Index batch) { return checked(batch).columns(batch, batch); }
  /// Both, real first.
  ConstView<T> both(Index batch) { return checked(batch).columns(0, 2 * batch); }

  /// Where the gradient with respect to fake_input goes; its first rows must end in g_tape.output_gradient().
  View<T> input_gradient(Index batch) {
    return generated_ == images_.rows() ? g_tape.output_gradient() : input_gradient_.view().columns(0, batch);
  }

  /// Says that fake(batch) holds samples of the generator as it is, with its tape.
  void set_fresh(Index batch) { fresh_ = batch; }
  /// How many such samples there are; from now on none, for whoever asks is about to change the generator.
  Index take_fresh() { return std::exchange(fresh_, 0); }

  Tape<G, T> g_tape;  ///< of the generator's pass
  Tape<D, T> d_tape;  ///< of the discriminator's
  Buffer<T> g_grad;   ///< the generator's gradient; zero between steps
  Buffer<T> d_grad;   ///< the discriminator's; what it holds joins the next step

 private:
  View<T> checked(Index batch) {
    if (batch < 0 || batch > capacity_)
      detail::fail_contract("eigan: this GanWorkspace holds batches of up to ", capacity_, ", got ", batch);
    return images_.view();
  }

  View<T> fake_rows(Index batch, Index first, Index count) {
    View<T> all = checked(batch).columns(batch, batch);
    return {all.data() + first, count, batch, all.outerStride()};
  }

  BufferMatrix<T> images_;
  BufferMatrix<T> input_gradient_;
  Index generated_;
  Index capacity_;
  Index fresh_ = 0;
};

}  // namespace eigan
