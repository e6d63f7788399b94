// A sum two levels deep, with the place of its Residual: layer 1 of head 0 of layer 1.
// EXPECT: ResidualMustKeepTheShape<(eigan::Shape)?{4, 1, 1}, (eigan::Shape)?{3, 1, 1}, 1, 0, 1>
// EXPECT: a sum needs equal shapes
#include <eigan/layers/linear.hpp>
#include <eigan/layers/tanh.hpp>
#include <eigan/net/model.hpp>
#include <eigan/net/parallel.hpp>
#include <eigan/net/residual.hpp>
#include <eigan/net/sequential.hpp>

#ifdef EIGAN_REJECT
constexpr eigan::Index features = 3;
#else
constexpr eigan::Index features = 4;
#endif
using Net = eigan::Sequential<
    eigan::Linear<2, 4>,
    eigan::Parallel<eigan::Sequential<eigan::Tanh, eigan::Residual<eigan::Linear<4, features>>>, eigan::Tanh>>;

eigan::Index output_size() {
  return eigan::Model<Net>(eigan::Rng(1)).output_size();
}
