#include "pix2pix.hpp"

#include <algorithm>
#include <utility>

#include <eigan/gan/steps.hpp>
#include <eigan/losses/l1.hpp>
#include <eigan/net/estimate_statistics.hpp>

#include "schedule.hpp"

namespace image_to_image {

using namespace eigan;

Pix2Pix::Pix2Pix(const Recipe& recipe, const TwoDomains& pairs, std::uint64_t seed, Threads threads)
    : recipe_(recipe),
      pairs_(pairs),
      rng_(seed),
      threads_(threads),
      generator_(make_generator(recipe, shape_of(pairs.a), pairs.b.channels, rng_.fold_in(stream::generator_init))),
      discriminator_(
          make_discriminator(recipe, shape_of(pairs.b), pairs.a.channels, rng_.fold_in(stream::discriminator_init))),
      g_adam_(generator_.param_size(), {.lr = recipe.lr, .beta1 = recipe.beta1}),
      d_adam_(discriminator_.param_size(), {.lr = recipe.lr, .beta1 = recipe.beta1}),
      average_(std::as_const(generator_).params(), recipe.average),
      shown_(generator_.clone()),
      feed_(pairs.a.count, recipe, rng_.fold_in(stream::batches)),
      workspace_(generator_, discriminator_, recipe.batch),
      x_(pairs.a.size(), recipe.batch),
      l1_gradient_(pairs.b.size(), recipe.batch) {}

const Columns& Pix2Pix::columns() {
  static const Columns all{
      {"d_loss", "D", "D", 3, "Adversarial losses", "loss", "discriminator"},
      {"g_loss", "G", "G", 3, "Adversarial losses", "loss", "generator"},
      {"l1", "L1", "L1", 4, "Distance of pictures, in [0, 1]", "mean of |difference|", "training pictures"}};
  return all;
}

/// Adds weight x L1 to the gradient; returns L1 between pixels in [0, 1].
double Pix2Pix::add_l1(ConstView<float> made, View<float> gradient) {
  const float distance = l1<float>(made, workspace_.real(made.cols()), View<float>(l1_gradient_));
  gradient += static_cast<float>(recipe_.l1_weight) * l1_gradient_;
  return static_cast<double>(distance) / 2;
}

void Pix2Pix::take_average() {
  if (recipe_.average > 0) average_.update(std::as_const(generator_).params(), threads_);
}

std::vector<double> Pix2Pix::step(Index number, double rate) {
  const Index n = recipe_.batch;
  const Rng rng = rng_.fold_in(stream::steps).fold_in(static_cast<std::uint64_t>(number));
  rate *= schedule(recipe_, number, steps_per_epoch());
  g_adam_.options().lr = d_adam_.options().lr = rate * recipe_.lr;
  shown_is_old_ = true;

  feed_.choose(number);
  feed_.write(pairs_.a, x_);
  feed_.write(pairs_.b, workspace_.real(n));
  double distance = 0;
  if (recipe_.loss == Losses::l1) {
    const ConstView<float> made = generator_.forward(workspace_.g_tape, x_, rng.fold_in(0), threads_);
    View<float> gradient = workspace_.g_tape.output_gradient();
    gradient.setZero();
    distance = add_l1(made, gradient);
    backward_and_step(generator_, workspace_.g_tape, g_adam_, workspace_.g_grad, threads_);
    take_average();
    return {0, 0, distance};
  }
  workspace_.real_condition(n) = x_;
  workspace_.fake_condition(n) = x_;
  const Halves halves = recipe_.norm == Norm::batch ? Halves::apart : Halves::together;
  const NonSaturatingLoss loss;
  const auto d = discriminator_step(generator_, discriminator_, d_adam_, workspace_, workspace_.real(n), x_,
                                    rng.fold_in(0), loss, threads_, halves);
  double weighted = 0;
  const auto further = [&](ConstView<float> made, View<float> gradient) {
    if (recipe_.loss == Losses::gan) {
      distance = static_cast<double>(l1<float>(made, workspace_.real(n), View<float>(l1_gradient_))) / 2;
      return 0.F;
    }
    distance = add_l1(made, gradient);
    weighted = 2 * recipe_.l1_weight * distance;
    return static_cast<float>(weighted);
  };
  const auto g =
      generator_step(generator_, discriminator_, g_adam_, workspace_, rng.fold_in(1), loss, threads_, further);
  take_average();
  return {static_cast<double>(d.loss), static_cast<double>(g.loss) - weighted, distance};
}

const Generator& Pix2Pix::a_to_b() {
  if (!std::exchange(shown_is_old_, false)) return shown_;
  const auto params = recipe_.average > 0 ? average_.params() : std::as_const(generator_).params();
  std::copy(params.begin(), params.end(), shown_.params().begin());
  if (recipe_.norm == Norm::batch)
    estimate_statistics(shown_, picture_matrix(pairs_.a, 0, std::min<Index>(pairs_.a.count, 1024)), threads_);
  return shown_;
}

}  // namespace image_to_image
