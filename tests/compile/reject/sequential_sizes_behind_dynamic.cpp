// A size given at run time hides nothing that comes after it.
// EXPECT: LayerTakesNoSuchInput<eigan::Linear<64, 10>, (eigan::Shape)?{64, 1, 1}, (eigan::Shape)?{32, 1, 1}, 2>
#include <eigan/layers/linear.hpp>
#include <eigan/net/model.hpp>
#include <eigan/net/sequential.hpp>

#ifdef EIGAN_REJECT
constexpr eigan::Index hidden = 64;
#else
constexpr eigan::Index hidden = 32;
#endif
using First = eigan::Linear<>;
using Second = eigan::Linear<eigan::dynamic, 32>;
using Third = eigan::Linear<hidden, 10>;

eigan::Index output_size() {
  const eigan::Sequential net{First(784, 20), Second(20, 32), Third()};
  return eigan::Model(net, eigan::Rng(1)).output_size();
}
