// What stands in braces is read on the way back as well.
// EXPECT: eigan: (a temporary, but the input is read again|this expression does not lie in memory)
#include <eigan/layers/linear.hpp>
#include <eigan/net/model.hpp>
#include <eigan/net/sequential.hpp>

using Net = eigan::Sequential<eigan::Linear<4, 3>>;

eigan::Matrix<float> make();

void train(const eigan::Model<Net>& model, eigan::Tape<float>& tape) {
#ifdef EIGAN_REJECT
  model.forward(tape, {make()});
#else
  const eigan::Matrix<float> x = make();
  model.forward(tape, {x});
#endif
}
