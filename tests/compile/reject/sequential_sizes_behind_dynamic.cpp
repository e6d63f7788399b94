// A size given at run time hides nothing that comes after it.
// EXPECT: LayerInputMustMatchPreviousOutput<2, eigan::Linear<64, 10>, 64, 32>
#include <eigan/layers/linear.hpp>
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
  return eigan::Sequential(First(784, 20), Second(20, 32), Third()).output_size();
}
