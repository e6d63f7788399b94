// An expression has no memory that a view could show.
// EXPECT: eigan: this expression does not lie in memory column by column: keep it in a Matrix<float>
#include <eigan/layers/linear.hpp>
#include <eigan/net/model.hpp>
#include <eigan/net/sequential.hpp>

using Net = eigan::Sequential<eigan::Linear<4, 3>>;

eigan::Matrix<float> infer(const eigan::Model<Net>& model, const eigan::Matrix<float>& x) {
#ifdef EIGAN_REJECT
  return model.infer(x.transpose());
#else
  return model.infer(eigan::Matrix<float>(x.transpose()));
#endif
}
