// A Sequential knows its layers when it is compiled.
// EXPECT: what an AnyLayer holds is known only at run time; use eigan::Network
#include <eigan/layers/linear.hpp>
#include <eigan/layers/tanh.hpp>
#include <eigan/net/model.hpp>
#include <eigan/net/runtime/any_layer.hpp>
#include <eigan/net/sequential.hpp>

#ifdef EIGAN_REJECT
using Activation = eigan::AnyLayer;
#else
using Activation = eigan::Tanh;
#endif

eigan::Index output_size() {
  const eigan::Sequential net{eigan::Linear<3, 2>(), Activation(eigan::Tanh())};
  return eigan::Model(net, eigan::Rng(1)).output_size();
}
