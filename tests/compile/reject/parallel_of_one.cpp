// One head is no choice of heads.
// EXPECT: eigan::Parallel: needs at least two heads
#include <eigan/layers/linear.hpp>
#include <eigan/layers/tanh.hpp>
#include <eigan/net/model.hpp>
#include <eigan/net/parallel.hpp>
#include <eigan/net/sequential.hpp>

#ifdef EIGAN_REJECT
using Heads = eigan::Parallel<eigan::Linear<2, 4>>;
#else
using Heads = eigan::Parallel<eigan::Linear<2, 4>, eigan::Tanh>;
#endif
using Net = eigan::Sequential<Heads>;

eigan::Index output_size() {
  return eigan::Model<Net>(eigan::Rng(1)).output_size();
}
