// What stands side by side must have one height and width, one pixel included.
// EXPECT: SkipMustKeepHeightAndWidth<(eigan::Shape)?{3, 2, 2}, (eigan::Shape)?{4, 1, 1}, 0>
// EXPECT: the layers of a SkipConnection must keep height and width
#include <eigan/layers/conv2d.hpp>
#include <eigan/layers/tanh.hpp>
#include <eigan/net/model.hpp>
#include <eigan/net/sequential.hpp>
#include <eigan/net/skip_connection.hpp>

#ifdef EIGAN_REJECT
constexpr eigan::Index stride = 2;
#else
constexpr eigan::Index stride = 1;
#endif
using Net = eigan::Sequential<eigan::Input<3, 2, 2>,
                              eigan::SkipConnection<eigan::Conv2d<3, 4, 2 + stride % 2, stride, stride % 2>>>;

eigan::Index output_size() {
  return eigan::Model<Net>(eigan::Rng(1)).output_size();
}
