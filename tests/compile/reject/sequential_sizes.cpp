// The third layer takes 128 features, but the second gives 256.
// EXPECT: LayerTakesNoSuchInput<eigan::Linear<128, 784>, (eigan::Shape)?{128, 1, 1}, (eigan::Shape)?{256, 1, 1}, 2>
// EXPECT: this layer does not take what the layer before gives
// EXPECT(Clang): 'eigan::Shape{128, 1, 1} == eigan::Shape{256, 1, 1}'
#include <eigan/layers/leaky_relu.hpp>
#include <eigan/layers/linear.hpp>
#include <eigan/layers/tanh.hpp>
#include <eigan/net/model.hpp>
#include <eigan/net/sequential.hpp>

#ifdef EIGAN_REJECT
constexpr eigan::Index hidden = 128;
#else
constexpr eigan::Index hidden = 256;
#endif
using Net = eigan::Sequential<eigan::Linear<100, 256>, eigan::LeakyReLU, eigan::Linear<hidden, 784>, eigan::Tanh>;

eigan::Index output_size() {
  return eigan::Model<Net>(eigan::Rng(1)).output_size();
}
