// A copy of a model allocates, so it has a name.
// EXPECT: deleted
#include <eigan/layers/linear.hpp>
#include <eigan/net/model.hpp>
#include <eigan/net/sequential.hpp>

using Model = eigan::Model<eigan::Sequential<eigan::Linear<4, 3>>>;

Model copy(const Model& model) {
#ifdef EIGAN_REJECT
  return model;
#else
  return model.clone();
#endif
}
