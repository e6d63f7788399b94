// A Sequential knows its layers when it is compiled.
// EXPECT: what an AnyLayer holds is known only at run time; use eigan::Network
#include <eigan/net/any_layer.hpp>
#include <eigan/net/sequential.hpp>

#ifdef EIGAN_REJECT
using Activation = eigan::AnyLayer;
#else
using Activation = eigan::Tanh;
#endif

eigan::Index output_size() {
  return eigan::Sequential(eigan::Linear<3, 2>(), Activation(eigan::Tanh())).output_size();
}
