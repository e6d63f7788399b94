// An AnyLayer has every function, so a check of it would try those that its layer does without.
// EXPECT: check the layer itself, before an AnyLayer hides what it has
#include <eigan/layers/tanh.hpp>
#include <eigan/net/any_layer.hpp>
#include <eigan/testing/check_gradients.hpp>

bool right() {
#ifdef EIGAN_REJECT
  return eigan::testing::check_gradients(eigan::AnyLayer(eigan::Tanh())).ok();
#else
  return eigan::testing::check_gradients(eigan::Tanh()).ok();
#endif
}
