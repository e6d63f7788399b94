// Trainer: two networks and everything that changes while they train against each other.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <eigan/core/parallel.hpp>
#include <eigan/data/batches.hpp>
#include <eigan/data/labelled_images.hpp>
#include <eigan/gan/gradient_penalty.hpp>
#include <eigan/gan/workspace.hpp>
#include <eigan/optim/adam.hpp>
#include <eigan/optim/ema.hpp>

#include "digit_generator.hpp"
#include "history.hpp"
#include "losses.hpp"
#include "recipe.hpp"

namespace mnist_gan {

class Trainer {
 public:
  /// `images` must outlive the trainer.
  Trainer(const Recipe& recipe, const eigan::LabelledImages& images, std::uint64_t seed, eigan::Threads threads);

  Index steps_per_epoch() const { return batches_.size(); }
  /// Images that training sees; the rest is held out.
  Index image_count() const { return images_.count - held_out(recipe_.holdout, images_.count); }
  Index steps() const { return step_; }
  /// The discriminator's step, then the generator's, on the next batch of images.
  StepLosses step();

  /// The generator to draw digits with, as it is now: the moving average where the recipe keeps one, with statistics
  /// of its own. Valid until the next step.
  const DigitGenerator& generator();
  Index discriminator_param_size() const { return discriminator_.param_size(); }
  /// What has become infinite or NaN, as "generator: 3.weight[17, 4] is nan"; nothing if all is well. An infinite or
  /// NaN gradient shows in the optimisers' moments: one that is infinite stops its parameter for good, and no loss
  /// shows it.
  std::optional<std::string> non_finite();
  /// What both learning rates are multiplied by from here on, beside their schedule.
  void set_rate(double factor) { rate_ = factor; }
  double rate() const { return rate_; }

  /// Everything that steps change, and the run's history, so that a trainer of the same recipe, images and seed goes on
  /// from there bit for bit. See eigan::save_checkpoint and load_checkpoint.
  void save_checkpoint(const std::filesystem::path& path, History& history, const Metadata& metadata,
                       const std::filesystem::path& keep);
  /// eigan::Error for a file that is none of such a run; then only a checkpoint can make this a trainer again.
  void load_checkpoint(const eigan::SafetensorsFile& file, History& history);
  /// Each with the recipe, the seed and the progress in the file's metadata. eigan::Error if it cannot be written.
  void save_generator(const std::filesystem::path& path);
  void save_discriminator(const std::filesystem::path& path) const;

 private:
  /// A generator's inputs, and what the discriminator is told of them.
  eigan::View<float> draw_input(Index count, eigan::Rng rng);
  /// What a checkpoint holds.
  auto state(History& history);

  Recipe recipe_;
  Latent latent_;
  const eigan::LabelledImages& images_;
  std::uint64_t seed_;
  eigan::Rng rng_;
  eigan::Threads threads_;
  AnyModel generator_;
  DigitGenerator drawn_;  ///< generator()'s
  Index drawn_at_ = -1;
  AnyModel discriminator_;
  eigan::Adam<float> g_adam_;
  eigan::Adam<float> d_adam_;
  eigan::Ema<float> average_;
  eigan::Batches batches_;
  Index largest_batch_;
  eigan::GanWorkspace<float> workspace_;
  std::optional<eigan::GradientPenalty<float>> penalty_;
  eigan::Matrix<float> input_;
  std::vector<std::uint8_t> digits_;
  std::int64_t step_ = 0;
  double rate_ = 1;  ///< factor of the learning rates
};

}  // namespace mnist_gan
