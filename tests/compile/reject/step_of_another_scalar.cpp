// An optimiser's numbers are those of the model.
// EXPECT: eigan::backward_and_step: the optimiser's numbers are not the model's
#include <eigan/layers/linear.hpp>
#include <eigan/net/model.hpp>
#include <eigan/net/sequential.hpp>
#include <eigan/optim/adam.hpp>
#include <eigan/optim/optimizer.hpp>

using Net = eigan::Sequential<eigan::Linear<4, 3>>;
using Model = eigan::Model<Net, double>;
#ifdef EIGAN_REJECT
using Adam = eigan::Adam<float>;
#else
using Adam = eigan::Adam<double>;
#endif

void train(Model& model, eigan::Tape<double>& tape, Adam& adam, eigan::Buffer<double>& gradient) {
  eigan::backward_and_step(model, tape, adam, gradient);
}
