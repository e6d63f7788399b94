// EXPECT: (Optimizer|is no optimiser)
#include <eigan/gan/networks.hpp>
#include <eigan/gan/steps.hpp>
#include <eigan/net/model.hpp>
#include <eigan/optim/adam.hpp>

using G = eigan::Generator<2, 4, 6>;
using D = eigan::Discriminator<6, 4, 1>;
#ifdef EIGAN_REJECT
struct Optimizer {
  void step(std::span<float>, std::span<const float>) {}
};
#else
using Optimizer = eigan::Adam<float>;
#endif

void train(eigan::Model<G>& g, const eigan::Model<D>& d, Optimizer& optimizer, eigan::GanWorkspace<float>& ws,
           const eigan::Matrix<float>& z) {
  eigan::generator_step(g, d, optimizer, ws, z, eigan::Rng(1));
}
