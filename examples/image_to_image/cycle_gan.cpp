#include "cycle_gan.hpp"

#include <algorithm>
#include <utility>

#include <eigan/gan/least_squares_loss.hpp>
#include <eigan/losses/l1.hpp>
#include <eigan/optim/optimizer.hpp>

#include "schedule.hpp"

namespace image_to_image {

using namespace eigan;

CycleGan::Domain::Domain(const Recipe& recipe, const PictureSet& own_set, const PictureSet& other,
                         const AnyModel* reader_of_other, bool identity, Rng rng)
    : generator(make_generator(recipe, shape_of(other), own_set.channels, rng.fold_in(stream::generator_init))),
      discriminator(make_discriminator(recipe, shape_of(own_set), 0, rng.fold_in(stream::discriminator_init))),
      g_adam(generator.param_size(), {.lr = recipe.lr, .beta1 = recipe.beta1}),
      d_adam(discriminator.param_size(), {.lr = recipe.lr, .beta1 = recipe.beta1}),
      average(std::as_const(generator).params(), recipe.average),
      averaged(generator.clone()),
      averages(recipe.average > 0),
      pool(own_set.size(), recipe.pool),
      made(generator.tape((identity ? 2 : 1) * recipe.batch)),
      back(generator.tape(recipe.batch)),
      judged(discriminator.tape(2 * recipe.batch)),
      g_grad(generator.zeros()),
      d_grad(discriminator.zeros()),
      given(other.size(), (identity ? 2 : 1) * recipe.batch),
      own(own_set.size(), recipe.batch),
      shown(own_set.size(), 2 * recipe.batch),
      gradient(own_set.size(), recipe.batch) {
  if (recipe.semantic_weight <= 0) return;
  if (reader_of_other == nullptr) detail::fail_contract("CycleGan: a semantic weight needs readers of both domains");
  semantic.emplace(*reader_of_other, recipe.semantic_weight, recipe.batch);
}

CycleGan::CycleGan(const Recipe& recipe, const TwoDomains& pictures, std::uint64_t seed, Threads threads,
                   const Readers& readers)
    : recipe_(recipe),
      pictures_(pictures),
      identity_(recipe.identity_weight > 0 && pictures.a.channels == pictures.b.channels),
      rng_(seed),
      threads_(threads),
      a_(recipe, pictures.a, pictures.b, readers.of_b, identity_, rng_.fold_in(10)),
      b_(recipe, pictures.b, pictures.a, readers.of_a, identity_, rng_.fold_in(11)),
      a_feed_(pictures.a.count, recipe, rng_.fold_in(stream::batches).fold_in(0)),
      b_feed_(pictures.b.count, recipe, rng_.fold_in(stream::batches).fold_in(1)) {}

Columns CycleGan::columns() const {
  const char* const opinions = "Adversarial losses";
  const char* const distances = "Distances of pictures, in [0, 1]";
  Columns all{{"d_a_loss", "D(a)", "Da", 3, opinions, "loss", "discriminator of a"},
              {"d_b_loss", "D(b)", "Db", 3, opinions, "loss", "discriminator of b"},
              {"g_loss", "G", "G", 3, opinions, "loss", "both generators"},
              {"cycle", "cycle", "cyc", 4, distances, "mean of |difference|", "there and back"},
              {"identity", "identity", "id", 4, distances, "mean of |difference|", "identity"}};
  if (recipe_.semantic_weight > 0)
    all.push_back(
        {"semantic", "semantic", "sem", 3, "What translations lose of the meaning", "cross entropy", "both ways"});
  return all;
}

Index CycleGan::steps_per_epoch() const {
  return (std::max(pictures_.a.count, pictures_.b.count) + recipe_.batch - 1) / recipe_.batch;
}

const Generator& CycleGan::shown(Domain& domain) {
  if (!domain.averages) return domain.generator;
  const auto params = domain.average.params();
  std::copy(params.begin(), params.end(), domain.averaged.params().begin());
  return domain.averaged;
}

/// From home to `there` and back: what it costs, and its gradient, in both generators, up to the picture there.
double CycleGan::there_and_back(Domain& there, Domain& home, Rng rng) {
  const ConstView<float> translated = there.made.output().columns(0, recipe_.batch);
  const ConstView<float> again = home.generator.forward(home.back, translated, rng, threads_);
  View<float> gradient = home.back.output_gradient();
  const float distance = l1<float>(again, home.own, gradient);
  gradient *= static_cast<float>(recipe_.cycle_weight);
  home.generator.backward(home.back, home.g_grad, there.gradient, threads_);
  return static_cast<double>(distance) / 2;
}

/// The generator's step, with the gradient of the cycle where there is one.
CycleGan::Measured CycleGan::improve_generator(Domain& domain, bool has_cycle) {
  const Index n = recipe_.batch;
  View<float> gradient = domain.made.output_gradient(), translated = View<float>(domain.shown).columns(n, n);
  translated = domain.made.output().columns(0, n);  // whose memory the way back may use
  domain.discriminator.forward(domain.judged, translated, threads_);
  Measured measured;
  measured.adversarial =
      static_cast<double>(LeastSquaresLoss().generator(domain.judged.output(), domain.judged.output_gradient()));
  domain.discriminator.backward_input(domain.judged, gradient.columns(0, n), threads_);
  if (has_cycle) gradient.columns(0, n) += domain.gradient;
  if (domain.semantic)
    measured.semantic = domain.semantic->add(ConstView<float>(domain.given).columns(0, n), translated,
                                             gradient.columns(0, n), threads_);
  if (identity_) {
    View<float> of_identity = gradient.columns(n, n);
    measured.identity = static_cast<double>(l1<float>(domain.made.output().columns(n, n), domain.own, of_identity)) / 2;
    of_identity *= static_cast<float>(recipe_.identity_weight * recipe_.cycle_weight);
  }
  backward_and_step(domain.generator, domain.made, domain.g_adam, domain.g_grad, threads_);
  if (domain.averages) domain.average.update(std::as_const(domain.generator).params(), threads_);
  return measured;
}

/// The discriminator's step on real pictures and on translations, new and old ones.
double CycleGan::improve_discriminator(Domain& domain, Rng rng) {
  const Index n = recipe_.batch;
  View<float> shown = View<float>(domain.shown);
  shown.columns(0, n) = domain.own;
  domain.pool.exchange(shown.columns(n, n), rng);
  const ConstView<float> said = domain.discriminator.forward(domain.judged, domain.shown, threads_);
  View<float> gradient = domain.judged.output_gradient();
  const LeastSquaresLoss loss;
  const float value =
      loss.real(said.columns(0, n), gradient.columns(0, n)) + loss.fake(said.columns(n, n), gradient.columns(n, n));
  backward_and_step(domain.discriminator, domain.judged, domain.d_adam, domain.d_grad, threads_);
  return static_cast<double>(value);
}

std::vector<double> CycleGan::step(Index number, double rate) {
  const Index n = recipe_.batch;
  const Rng rng = rng_.fold_in(stream::steps).fold_in(static_cast<std::uint64_t>(number));
  rate *= schedule(recipe_, number, steps_per_epoch());
  for (Domain* domain : {&a_, &b_}) domain->g_adam.options().lr = domain->d_adam.options().lr = rate * recipe_.lr;

  a_feed_.choose(number), b_feed_.choose(number);
  a_feed_.write(pictures_.a, a_.own), b_feed_.write(pictures_.b, b_.own);
  a_.given.leftCols(n) = b_.own, b_.given.leftCols(n) = a_.own;
  if (identity_) a_.given.rightCols(n) = a_.own, b_.given.rightCols(n) = b_.own;

  a_.generator.forward(a_.made, a_.given, rng.fold_in(0), threads_);
  b_.generator.forward(b_.made, b_.given, rng.fold_in(1), threads_);
  const bool has_cycle = recipe_.cycle_weight > 0;
  double cycle = 0;
  if (has_cycle) cycle = there_and_back(b_, a_, rng.fold_in(2)) + there_and_back(a_, b_, rng.fold_in(3));
  const Measured a = improve_generator(a_, has_cycle), b = improve_generator(b_, has_cycle);
  const double d_a = improve_discriminator(a_, rng.fold_in(4)), d_b = improve_discriminator(b_, rng.fold_in(5));
  std::vector<double> all{d_a, d_b, a.adversarial + b.adversarial, cycle / 2, (a.identity + b.identity) / 2};
  if (recipe_.semantic_weight > 0) all.push_back((a.semantic + b.semantic) / 2);
  return all;
}

}  // namespace image_to_image
