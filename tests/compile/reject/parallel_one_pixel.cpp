// One pixel is not repeated beside an image, here two levels deep: head 1 of layer 1 forgot to grow.
// EXPECT: HeadsMustHaveOneHeightAndWidth<(eigan::Shape)?{4, 2, 2}, (eigan::Shape)?{2, 1, 1}, 1, 1>
// EXPECT: the heads of a Parallel must have one height and width
#include <eigan/layers/conv2d.hpp>
#include <eigan/layers/tanh.hpp>
#include <eigan/layers/upsample.hpp>
#include <eigan/net/model.hpp>
#include <eigan/net/parallel.hpp>
#include <eigan/net/sequential.hpp>

#ifdef EIGAN_REJECT
constexpr eigan::Index scale = 1;
#else
constexpr eigan::Index scale = 2;
#endif
using Deep = eigan::Parallel<eigan::Conv2d<3, 4, 1>, eigan::Sequential<eigan::Conv2d<3, 2, 2>, eigan::Upsample<scale>>>;
using Net = eigan::Sequential<eigan::Input<3, 2, 2>, eigan::Tanh, eigan::Parallel<eigan::Tanh, Deep>>;

eigan::Index output_size() {
  return eigan::Model<Net>(eigan::Rng(1)).output_size();
}
