// Gan: two networks that train against each other (Goodfellow et al. 2014), dense ones or convolutional ones (Radford
// et al. 2016), and everything that a step changes.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include <eigan/core/parallel.hpp>
#include <eigan/data/batches.hpp>
#include <eigan/data/labelled_images.hpp>
#include <eigan/gan/gradient_penalty.hpp>
#include <eigan/gan/workspace.hpp>
#include <eigan/net/basic_model.hpp>
#include <eigan/optim/adam.hpp>
#include <eigan/optim/ema.hpp>

#include "recipe.hpp"

namespace mnist_gan {

using AnyModel = eigan::BasicModel<float>;

/// From a point of the recipe's latent space to an image in [-1, 1].
AnyModel make_generator(const Recipe& recipe, eigan::Rng rng);
/// From an image to a logit; its second input is the digit where that can be asked for.
AnyModel make_discriminator(const Recipe& recipe, eigan::Rng rng);

class Gan {
 public:
  /// `images` must outlive it.
  Gan(const Recipe& recipe, const eigan::LabelledImages& images, std::uint64_t seed, eigan::Threads threads);

  Index steps_per_epoch() const { return batches_.size(); }
  /// Images that training sees; the rest is held out.
  Index image_count() const { return images_.count - held_out(recipe_.holdout, images_.count); }
  /// The discriminator's step, then the generator's, on the batch of images that step `number` sees. Returns both
  /// losses and the discriminator's mean opinion of real and of generated images. rate: a factor of the learning rates
  /// beside their schedule.
  std::vector<double> step(Index number, double rate = 1);

  /// The generator to draw digits with: the moving average where the recipe keeps one, with statistics of its own.
  /// Valid until the next step.
  const AnyModel& generator();
  Index generator_size() const { return generator_.param_size(); }
  const AnyModel& discriminator() const { return discriminator_; }

  /// Names everything that steps change: for checkpoints (eigan/io/checkpoint.hpp).
  template <class Visit>
  void visit_state(Visit&& visit) {
    visit("generator", generator_), visit("generator.adam", g_adam_);
    visit("discriminator", discriminator_), visit("discriminator.adam", d_adam_);
    if (recipe_.average > 0) visit("generator.average", average_);
  }

 private:
  eigan::View<float> draw_input(Index count, eigan::Rng rng);
  void add_mismatch(Index count, eigan::Rng rng);
  double scheduled(Index step) const;

  Recipe recipe_;
  Latent latent_;
  const eigan::LabelledImages& images_;
  eigan::Rng rng_;
  eigan::Threads threads_;
  AnyModel generator_, discriminator_;
  eigan::Adam<float> g_adam_, d_adam_;
  eigan::Ema<float> average_;
  AnyModel drawn_;  // generator()'s
  bool drawn_is_old_ = true;
  eigan::Batches batches_;
  Index epoch_ = 0;  // that they are shuffled for
  eigan::GanWorkspace<float> workspace_;
  std::optional<eigan::GradientPenalty<float>> penalty_;
  eigan::Matrix<float> input_;
  std::vector<std::uint8_t> digits_, wrong_digits_;
};

}  // namespace mnist_gan
