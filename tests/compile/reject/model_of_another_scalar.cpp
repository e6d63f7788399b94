// Nothing converts between float and double behind the user's back.
// EXPECT: eigan: numbers of another type than the model's
#include <eigan/layers/linear.hpp>
#include <eigan/net/model.hpp>
#include <eigan/net/sequential.hpp>

using Net = eigan::Sequential<eigan::Linear<4, 3>>;
#ifdef EIGAN_REJECT
using Data = eigan::Matrix<double>;
#else
using Data = eigan::Matrix<float>;
#endif

eigan::Matrix<float> infer(const eigan::Model<Net>& model, const Data& x) {
  const eigan::ConstView<float> input = x;
  return model.infer(input);
}
