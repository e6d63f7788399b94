#include "checkpoints.hpp"

#include <array>
#include <span>
#include <string>

#include <zlib.h>

#include <eigan/core/printable.hpp>
#include <eigan/data/labelled_images.hpp>
#include <eigan/io/checkpoint.hpp>

#include "common/message.hpp"
#include "common/text.hpp"

#include "record.hpp"

namespace mnist_gan {
namespace {

constexpr std::array files{"checkpoint.safetensors", "checkpoint.previous.safetensors"};

/// Tells two data sets apart.
std::string fingerprint(const eigan::LabelledImages& images) {
  auto sum = crc32_z(0, images.pixels.data(), images.pixels.size());
  sum = crc32_z(sum, images.labels.data(), images.labels.size());
  return concat(images.count, " images, CRC-32 ", sum);
}

}  // namespace

Checkpoints::Checkpoints(const RunFolder& folder, const TrainOptions& options, const eigan::LabelledImages& images)
    : folder_(folder), options_(options) {
  const JsonObject decided = decisions(options);
  for (const auto& [key, value] : decided.members()) metadata_[key] = value;
  metadata_["images"] = fingerprint(images);
}

bool Checkpoints::load(Trainer& trainer, History& history) {
  std::string damage;
  for (const char* name : files) {
    std::error_code ignored;
    if (!std::filesystem::exists(folder_.file(name), ignored)) continue;
    try {
      const auto file = eigan::read_checkpoint(folder_.file(name));
      check_options(file);
      trainer.load_checkpoint(file, history);
      step_ = trainer.steps();
      time_ = Clock::now();
      if (!damage.empty()) say("warning: ", damage, "; going on from the checkpoint before it");
      return true;
    } catch (const OtherRun&) {
      throw;
    } catch (const eigan::Error& error) {
      if (!damage.empty()) throw eigan::Error(concat(damage, "; ", error.what()));
      damage = error.what();
    }
  }
  if (!damage.empty()) throw eigan::Error(damage);
  return false;
}

void Checkpoints::check_options(const eigan::SafetensorsFile& file) const {
  for (const auto& [key, value] : metadata_) {
    const auto found = file.metadata().find(key);
    const std::string there = found == file.metadata().end() ? "nothing" : found->second;
    // Where the rates do not fall towards the last epoch, a run may be made longer.
    if (there == value || (key == "epochs" && !options_.recipe.anneal)) continue;
    throw OtherRun(concat(file.name(), ": expected a run with ", key, " ", value, ", found ", eigan::printable(there),
                          "; --resume needs the images and options that the run began with"));
  }
}

void Checkpoints::save(Trainer& trainer, History& history) {
  time_ = Clock::now();
  trainer.save_checkpoint(folder_.file(files[0]), history, metadata_, folder_.file(files[1]));
  step_ = trainer.steps();
}

void Checkpoints::save_when_due(Trainer& trainer, History& history) {
  const auto& every = options_.checkpoint_every;
  const bool due = (every.steps > 0 && trainer.steps() % every.steps == 0) ||
                   (every.seconds > 0 && seconds_since(time_) >= every.seconds);
  if (!due || trainer.steps() == step_) return;
  or_warn([&] { save(trainer, history); });
}

}  // namespace mnist_gan
