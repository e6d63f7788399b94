// What one input goes through alone is checked as any other row.
// EXPECT: LayerTakesNoSuchInput<eigan::Linear<47, 3>, (eigan::Shape)?{47, 1, 1}, (eigan::Shape)?{48, 1, 1}, 0, 2>
#include <eigan/layers/conv2d.hpp>
#include <eigan/layers/flatten.hpp>
#include <eigan/layers/linear.hpp>
#include <eigan/net/model.hpp>
#include <eigan/net/sequential.hpp>

#ifdef EIGAN_REJECT
constexpr eigan::Index features = 47;
#else
constexpr eigan::Index features = 48;
#endif
using Seen =
    eigan::Sequential<eigan::Input<1, 4, 6>, eigan::Conv2d<1, 2, 1>, eigan::Flatten, eigan::Linear<features, 3>>;
using Net = eigan::Sequential<eigan::Inputs<Seen, eigan::Input<5>>, eigan::Linear<8, 1>>;

eigan::Index output_size() {
  return eigan::Model<Net>(eigan::Rng(1)).output_size();
}
