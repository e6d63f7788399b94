// Images that are joined must have one height and width; a vector fits any.
// EXPECT: SideBySideMustHaveOneHeightAndWidth<(eigan::Shape)?{11, 8, 8}, (eigan::Shape)?{3, 8, 6}>
// EXPECT: images side by side need one height and width
#include <eigan/layers/tanh.hpp>
#include <eigan/net/model.hpp>
#include <eigan/net/sequential.hpp>

#ifdef EIGAN_REJECT
constexpr eigan::Index width = 6;
#else
constexpr eigan::Index width = 8;
#endif
using Net =
    eigan::Sequential<eigan::Inputs<eigan::Input<1, 8, 8>, eigan::Input<10>, eigan::Input<3, 8, width>>, eigan::Tanh>;

eigan::Index output_size() {
  return eigan::Model<Net>(eigan::Rng(1)).output_size();
}
