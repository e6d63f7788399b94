#include "checkpoints.hpp"

#include <array>
#include <span>
#include <string>

#include <zlib.h>

#include <eigan/core/printable.hpp>
#include <eigan/data/labelled_images.hpp>
#include <eigan/io/checkpoint.hpp>
#include <eigan/kernels/isa.hpp>

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
  metadata_["kernels"] = eigan::to_string(eigan::active_isa());
  add_condition("images", images);
}

void Checkpoints::add_condition(const std::string& key, const eigan::LabelledImages& images) {
  add_condition(key, fingerprint(images));
}

bool Checkpoints::load(Trainer& trainer, History& history) {
  return load(trainer, history, false);
}

bool Checkpoints::load(Trainer& trainer, History& history, bool from_previous) {
  std::string damage;
  for (const char* name : {files[from_previous ? 1 : 0], files[from_previous ? 0 : 1]}) {
    std::error_code ignored;
    if (!std::filesystem::exists(folder_.file(name), ignored)) continue;
    try {
      const auto file = eigan::read_checkpoint(folder_.file(name));
      check_conditions(file);
      trainer.load_checkpoint(file, history);
      step_ = trainer.steps();
      time_ = Clock::now();
      last_is_bad_ = name != files[0];
      if (!damage.empty()) say("warning: ", damage, "; going on from the other checkpoint");
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

void Checkpoints::check_conditions(const eigan::SafetensorsFile& file) const {
  for (const auto& [key, value] : metadata_) {
    const auto found = file.metadata().find(key);
    const std::string there = found == file.metadata().end() ? "nothing" : found->second;
    // Where the rates do not fall towards the last epoch, a run may be made longer.
    if (there == value || (key == "epochs" && !options_.recipe.anneal)) continue;
    if (key == "kernels") {
      say("warning: the run began with the kernels for ", eigan::printable(there), " and goes on with those for ",
          value, ": its numbers will differ in their last bits");
      continue;
    }
    throw OtherRun(concat(file.name(), ": expected a run with ", key, " ", value, ", found ", eigan::printable(there),
                          "; --resume needs the images and options that the run began with"));
  }
}

bool Checkpoints::due(Index steps) const {
  const auto& every = options_.checkpoint_every;
  return steps != step_ && ((every.steps > 0 && steps % every.steps == 0) ||
                            (every.seconds > 0 && seconds_since(time_) >= every.seconds));
}

void Checkpoints::save(Trainer& trainer, History& history) {
  write(trainer, history, !last_is_bad_);
  last_is_bad_ = rolled_back_ = false;
}

bool Checkpoints::roll_back(Trainer& trainer, History& history) {
  if (!load(trainer, history, rolled_back_)) return false;
  rolled_back_ = true;
  return true;
}

void Checkpoints::replace(Trainer& trainer, History& history) {
  write(trainer, history, false);
}

void Checkpoints::write(Trainer& trainer, History& history, bool keeps_last) {
  time_ = Clock::now();  // of the attempt: a full disk is not tried again at every step
  trainer.save_checkpoint(folder_.file(files[0]), history, metadata_, keeps_last ? folder_.file(files[1]) : "");
  step_ = trainer.steps();
}

}  // namespace mnist_gan
