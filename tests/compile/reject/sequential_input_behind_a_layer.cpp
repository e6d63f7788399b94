// An Input states what goes into the network. Behind a layer it would state nothing, and shift the others' names.
// EXPECT: eigan::Sequential: an Input states what goes into the network; only the first layer can be one
#include <eigan/layers/linear.hpp>
#include <eigan/net/input.hpp>
#include <eigan/net/model.hpp>
#include <eigan/net/sequential.hpp>

#ifdef EIGAN_REJECT
using Net = eigan::Sequential<eigan::Linear<2, 8>, eigan::Input<8>, eigan::Linear<8, 2>>;
#else
using Net = eigan::Sequential<eigan::Input<2>, eigan::Linear<2, 8>, eigan::Linear<8, 2>>;
#endif

eigan::Index output_size() {
  return eigan::Model<Net>(eigan::Rng(1)).output_size();
}
