// Trainer: two networks and everything that changes while they train against each other.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include <eigan/core/parallel.hpp>

#include "digit_generator.hpp"
#include "history.hpp"
#include "losses.hpp"
#include "recipe.hpp"

namespace eigan {
struct LabelledImages;
class SafetensorsFile;
}  // namespace eigan

namespace mnist_gan {

class Trainer {
 public:
  virtual ~Trainer() = default;

  virtual Index steps_per_epoch() const = 0;
  /// Images that training sees; the rest is held out.
  virtual Index image_count() const = 0;
  virtual Index steps() const = 0;
  /// The discriminator's step, then the generator's, on the next batch of images.
  virtual StepLosses step() = 0;

  /// The generator to draw digits with, as it is now: the moving average where the recipe keeps one, with statistics
  /// of its own. Valid until the next step.
  virtual const DigitGenerator& generator() = 0;
  virtual Index discriminator_param_size() const = 0;
  /// What has become infinite or NaN, as "generator: 3.weight[17, 4] is nan"; nothing if all is well. An infinite or
  /// NaN gradient shows in the optimisers' moments: one that is infinite stops its parameter for good, and no loss
  /// shows it.
  virtual std::optional<std::string> non_finite() = 0;
  /// What both learning rates are multiplied by from here on, beside their schedule.
  virtual void set_rate(double factor) = 0;
  virtual double rate() const = 0;

  /// Everything that steps change, and the run's history, so that a trainer of the same recipe, images and seed goes on
  /// from there bit for bit. See eigan::save_checkpoint and load_checkpoint.
  virtual void save_checkpoint(const std::filesystem::path& path, History& history, const Metadata& metadata,
                               const std::filesystem::path& keep) = 0;
  /// eigan::Error for a file that is none of such a run; then only a checkpoint can make this a trainer again.
  virtual void load_checkpoint(const eigan::SafetensorsFile& file, History& history) = 0;
  /// Each with the recipe, the seed and the progress in the file's metadata. eigan::Error if it cannot be written.
  virtual void save_generator(const std::filesystem::path& path) = 0;
  virtual void save_discriminator(const std::filesystem::path& path) const = 0;
};

/// `images` must outlive the trainer.
std::unique_ptr<Trainer> make_trainer(const Recipe& recipe, const eigan::LabelledImages& images, std::uint64_t seed,
                                      eigan::Threads threads);

}  // namespace mnist_gan
