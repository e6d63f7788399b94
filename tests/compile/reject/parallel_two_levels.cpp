// Two levels deep: layer 1 of head 1 of layer 1.
// EXPECT: LayerTakesNoSuchInput<eigan::Linear<5, 1>, (eigan::Shape)?{5, 1, 1}, (eigan::Shape)?{6, 1, 1}, 1, 1, 1>
// EXPECT: this layer does not take what the layer before gives
#include <eigan/layers/linear.hpp>
#include <eigan/layers/tanh.hpp>
#include <eigan/net/model.hpp>
#include <eigan/net/parallel.hpp>
#include <eigan/net/sequential.hpp>

#ifdef EIGAN_REJECT
constexpr eigan::Index features = 5;
#else
constexpr eigan::Index features = 6;
#endif
using Net = eigan::Sequential<
    eigan::Linear<2, 4>,
    eigan::Parallel<eigan::Linear<4, 1>, eigan::Sequential<eigan::Linear<4, 6>, eigan::Linear<features, 1>>>>;

eigan::Index output_size() {
  return eigan::Model<Net>(eigan::Rng(1)).output_size();
}
