// An Input computes nothing and is no head.
// EXPECT: eigan::Parallel: an Input states what goes into the network; it is no head
#include <eigan/layers/linear.hpp>
#include <eigan/layers/tanh.hpp>
#include <eigan/net/input.hpp>
#include <eigan/net/model.hpp>
#include <eigan/net/parallel.hpp>
#include <eigan/net/sequential.hpp>

#ifdef EIGAN_REJECT
using Heads = eigan::Parallel<eigan::Input<2>, eigan::Linear<2, 4>>;
#else
using Heads = eigan::Parallel<eigan::Tanh, eigan::Linear<2, 4>>;
#endif
using Net = eigan::Sequential<Heads>;

eigan::Index output_size() {
  return eigan::Model<Net>(eigan::Rng(1)).output_size();
}
