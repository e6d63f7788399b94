// The z of a discriminator_step must outlive it, in braces as well.
// EXPECT: eigan: (a temporary, but the input is read again|this expression does not lie in memory)
#include <eigan/gan/networks.hpp>
#include <eigan/gan/steps.hpp>
#include <eigan/net/model.hpp>
#include <eigan/optim/adam.hpp>

using G = eigan::Generator<2, 4, 6>;
using D = eigan::Discriminator<6, 4, 1>;

void train(const eigan::Model<G>& g, eigan::Model<D>& d, eigan::Adam<float>& adam, eigan::GanWorkspace<float>& ws,
           const eigan::Matrix<float>& real, const eigan::Matrix<float>& z) {
#ifdef EIGAN_REJECT
  eigan::discriminator_step(g, d, adam, ws, real, {2 * z}, eigan::Rng(1));
#else
  const eigan::Matrix<float> twice = 2 * z;
  eigan::discriminator_step(g, d, adam, ws, real, {twice}, eigan::Rng(1));
#endif
}
