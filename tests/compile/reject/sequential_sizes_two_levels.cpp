// The innermost culprit is named, with its place: layer 0 of layer 1 of layer 2.
// EXPECT: LayerTakesNoSuchInput<eigan::Linear<5, 3>, (eigan::Shape)?{5, 1, 1}, (eigan::Shape)?{4, 1, 1}, 2, 1, 0>
// EXPECT: this layer does not take what the layer before gives
#include <eigan/layers/linear.hpp>
#include <eigan/layers/tanh.hpp>
#include <eigan/net/model.hpp>
#include <eigan/net/sequential.hpp>

#ifdef EIGAN_REJECT
constexpr eigan::Index features = 5;
#else
constexpr eigan::Index features = 4;
#endif
using Net =
    eigan::Sequential<eigan::Linear<2, 4>, eigan::Tanh,
                      eigan::Sequential<eigan::Tanh, eigan::Sequential<eigan::Linear<features, 3>, eigan::Tanh>>>;

eigan::Index output_size() {
  return eigan::Model<Net>(eigan::Rng(1)).output_size();
}
