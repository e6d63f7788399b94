// In training, dropout draws from a generator that the caller names; there is no hidden one.
// EXPECT: this network has a layer that draws random numbers in training; pass an Rng
#include <eigan/layers/dropout.hpp>
#include <eigan/layers/linear.hpp>
#include <eigan/net/model.hpp>
#include <eigan/net/sequential.hpp>

using Net = eigan::Sequential<eigan::Linear<4, 3>, eigan::Dropout>;

void train(const eigan::Model<Net>& model, eigan::Tape<float>& tape, const eigan::Matrix<float>& x) {
#ifdef EIGAN_REJECT
  model.forward(tape, x);
#else
  model.forward(tape, x, eigan::Rng(1));
#endif
}
