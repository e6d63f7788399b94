// Two levels deep: layer 0 of the body of layer 1 of the body of layer 0. A convolution says which channels it takes.
// EXPECT: LayerTakesNoSuchInput<eigan::Conv2d<5, 2, 3, 1, 1>, (eigan::Shape)?{5, 8, 6}, (eigan::Shape)?{4, 8, 6}, 0, 1,
// 0> EXPECT: this layer does not take what the layer before gives
#include <eigan/layers/conv2d.hpp>
#include <eigan/layers/tanh.hpp>
#include <eigan/net/model.hpp>
#include <eigan/net/sequential.hpp>
#include <eigan/net/skip_connection.hpp>

#ifdef EIGAN_REJECT
constexpr eigan::Index channels = 5;
#else
constexpr eigan::Index channels = 4;
#endif
using Net = eigan::Sequential<
    eigan::Input<3, 8, 6>,
    eigan::SkipConnection<eigan::Conv2d<3, 4, 3, 1, 1>, eigan::SkipConnection<eigan::Conv2d<channels, 2, 3, 1, 1>>>>;

eigan::Index output_size() {
  return eigan::Model<Net>(eigan::Rng(1)).output_size();
}
