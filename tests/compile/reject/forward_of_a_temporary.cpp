// The way back reads the input, which must still be there.
// EXPECT(GNU): use of deleted function .*LastingView
// EXPECT(Clang): LastingView<float>. invokes a deleted function
#include <eigan/layers/linear.hpp>
#include <eigan/net/model.hpp>
#include <eigan/net/sequential.hpp>

using Net = eigan::Sequential<eigan::Linear<4, 3>>;

void train(const eigan::Model<Net>& model, eigan::Tape<float>& tape, const eigan::Matrix<float>& x) {
#ifdef EIGAN_REJECT
  model.forward(tape, eigan::Matrix<float>(2 * x));
#else
  const eigan::Matrix<float> twice = 2 * x;
  model.forward(tape, twice);
#endif
}
