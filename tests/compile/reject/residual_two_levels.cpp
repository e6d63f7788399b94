// Two levels deep: layer 0 of the body of layer 1 of the body of layer 1.
// EXPECT: LayerTakesNoSuchInput<eigan::Linear<5, 4>, (eigan::Shape)?{5, 1, 1}, (eigan::Shape)?{4, 1, 1}, 1, 1, 0>
// EXPECT: this layer does not take what the layer before gives
#include <eigan/layers/linear.hpp>
#include <eigan/layers/tanh.hpp>
#include <eigan/net/model.hpp>
#include <eigan/net/residual.hpp>
#include <eigan/net/sequential.hpp>

#ifdef EIGAN_REJECT
constexpr eigan::Index features = 5;
#else
constexpr eigan::Index features = 4;
#endif
using Net =
    eigan::Sequential<eigan::Linear<2, 4>, eigan::Residual<eigan::Tanh, eigan::Residual<eigan::Linear<features, 4>>>>;

eigan::Index output_size() {
  return eigan::Model<Net>(eigan::Rng(1)).output_size();
}
