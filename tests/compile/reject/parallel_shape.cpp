// Heads stand side by side, so they must have one height and width.
// EXPECT: HeadsMustHaveOneHeightAndWidth<(eigan::Shape)?{4, 8, 6}, (eigan::Shape)?{2, 7, 5}, 1>
// EXPECT: the heads of a Parallel must have one height and width
#include <eigan/layers/conv2d.hpp>
#include <eigan/layers/tanh.hpp>
#include <eigan/net/model.hpp>
#include <eigan/net/parallel.hpp>
#include <eigan/net/sequential.hpp>

#ifdef EIGAN_REJECT
constexpr eigan::Index kernel = 2;
#else
constexpr eigan::Index kernel = 1;
#endif
using Net = eigan::Sequential<eigan::Input<3, 8, 6>, eigan::Tanh,
                              eigan::Parallel<eigan::Conv2d<3, 4, 1>, eigan::Conv2d<3, 2, kernel>>>;

eigan::Index output_size() {
  return eigan::Model<Net>(eigan::Rng(1)).output_size();
}
