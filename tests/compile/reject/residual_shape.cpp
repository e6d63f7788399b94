// What is added must have the shape of what it is added to.
// EXPECT: ResidualMustKeepTheShape<(eigan::Shape)?{4, 1, 1}, (eigan::Shape)?{3, 1, 1}, 1>
// EXPECT: a sum needs equal shapes
#include <eigan/layers/linear.hpp>
#include <eigan/layers/tanh.hpp>
#include <eigan/net/model.hpp>
#include <eigan/net/residual.hpp>
#include <eigan/net/sequential.hpp>

#ifdef EIGAN_REJECT
constexpr eigan::Index features = 3;
#else
constexpr eigan::Index features = 4;
#endif
using Net = eigan::Sequential<eigan::Linear<2, 4>,
                              eigan::Residual<eigan::Linear<4, 8>, eigan::Tanh, eigan::Linear<8, features>>>;

eigan::Index output_size() {
  return eigan::Model<Net>(eigan::Rng(1)).output_size();
}
