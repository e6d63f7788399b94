// GanWorkspace: the memory of adversarial training: both tapes, both gradients, and one image buffer whose left half
// holds real images and whose right half the generator writes, so that the discriminator sees both as one batch.
#pragma once

#include <eigan/core/buffer.hpp>
#include <eigan/core/error.hpp>
#include <eigan/net/model.hpp>

namespace eigan {

template <class G, class D, class T = float>
class GanWorkspace {
 public:
  /// For batches of up to `capacity` real and as many generated samples.
  GanWorkspace(const Model<G, T>& generator, const Model<D, T>& discriminator, Index capacity)
      : g_tape(generator.tape(capacity)),
        d_tape(discriminator.tape(2 * capacity)),
        g_grad(generator.zeros()),
        d_grad(discriminator.zeros()),
        images_(generator.net().output_size(), 2 * capacity),
        capacity_(capacity) {
    if (generator.net().output_size() != discriminator.net().input_size())
      detail::fail_contract("eigan::GanWorkspace: the generator gives ", generator.net().output_size(),
                            " features, the discriminator takes ", discriminator.net().input_size());
    if (discriminator.net().output_size() != 1)
      detail::fail_contract("eigan::GanWorkspace: the discriminator must give 1 logit, gives ",
                            discriminator.net().output_size());
  }

  Index capacity() const { return capacity_; }

  // Each throws std::invalid_argument for a batch above the capacity.

  /// Where a batch of real samples may be written in place; a step given this view copies nothing.
  View<T> real(Index batch) { return checked(batch).columns(0, batch); }
  /// The generator's last batch.
  View<T> fake(Index batch) { return checked(batch).columns(batch, batch); }
  /// Both, real first.
  ConstView<T> both(Index batch) { return checked(batch).columns(0, 2 * batch); }

  Tape<G, T> g_tape;
  Tape<D, T> d_tape;
  Buffer<T> g_grad;
  Buffer<T> d_grad;

 private:
  View<T> checked(Index batch) {
    if (batch < 0 || batch > capacity_)
      detail::fail_contract("eigan: this GanWorkspace holds batches of up to ", capacity_, ", got ", batch);
    return images_.view();
  }

  BufferMatrix<T> images_;
  Index capacity_;
};

}  // namespace eigan
