#include "checkpoints.hpp"

#include <array>
#include <filesystem>
#include <string>

#include <eigan/core/printable.hpp>
#include <eigan/io/checkpoint.hpp>
#include <eigan/kernels/isa.hpp>

#include "message.hpp"
#include "text.hpp"

namespace kit {
namespace {

constexpr std::array files{"checkpoint.safetensors", "checkpoint.previous.safetensors"};

}  // namespace

Checkpoints::Checkpoints(const RunFolder& folder, const CheckpointEvery& every, const State& state,
                         const std::int64_t& step)
    : folder_(folder), every_(every), state_(state), step_(step) {
  add_condition("kernels", eigan::to_string(eigan::active_isa()));
}

bool Checkpoints::load(bool from_previous) {
  std::string damage;
  for (const char* name : {files[from_previous ? 1 : 0], files[from_previous ? 0 : 1]}) {
    std::error_code ignored;
    if (!std::filesystem::exists(folder_.file(name), ignored)) continue;
    try {
      const auto file = eigan::read_checkpoint(folder_.file(name));
      check_conditions(file);
      state_.load(file);
      saved_step_ = step_;
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
    if (there == value || key == unchecked_) continue;
    if (key == "kernels") {
      say("warning: the run began with the kernels for ", eigan::printable(there), " and goes on with those for ",
          value, ": its numbers will differ in their last bits");
      continue;
    }
    throw OtherRun(concat(file.name(), ": expected a run with ", key, " ", value, ", found ", eigan::printable(there),
                          "; --resume needs the images and options that the run began with"));
  }
}

bool Checkpoints::due() const {
  return step_ != saved_step_ && ((every_.steps > 0 && step_ % every_.steps == 0) ||
                                  (every_.seconds > 0 && seconds_since(time_) >= every_.seconds));
}

void Checkpoints::save() {
  write(!last_is_bad_);
  last_is_bad_ = rolled_back_ = false;
}

bool Checkpoints::roll_back() {
  if (!load(rolled_back_)) return false;
  rolled_back_ = true;
  return true;
}

void Checkpoints::write(bool keeps_last) {
  time_ = Clock::now();  // of the attempt: a full disk is not tried again at every step
  state_.save(folder_.file(files[0]), metadata_, keeps_last ? folder_.file(files[1]) : "");
  saved_step_ = step_;
}

}  // namespace kit
