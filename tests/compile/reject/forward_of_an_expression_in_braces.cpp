// An expression in braces would become a temporary matrix.
// EXPECT: eigan: (a temporary, but the input is read again|this expression does not lie in memory)
#include <eigan/layers/linear.hpp>
#include <eigan/net/model.hpp>
#include <eigan/net/sequential.hpp>

using Net = eigan::Sequential<eigan::Linear<4, 3>>;

void train(const eigan::Model<Net>& model, eigan::Tape<float>& tape, const eigan::Matrix<float>& x) {
#ifdef EIGAN_REJECT
  model.forward(tape, {2 * x});
#else
  const eigan::Matrix<float> twice = 2 * x;
  model.forward(tape, {twice});
#endif
}
