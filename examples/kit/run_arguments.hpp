// The options of every training: where its run lies, and what it leaves there. To be called in the order of the help.
#pragma once

#include <cmath>
#include <string>
#include <string_view>

#include "command_line.hpp"
#include "run_options.hpp"

namespace kit {

inline void add_out(OptionGroup& group, RunOptions& options) {
  group.name("--out", "DIR", "folder for the results; made if it is not there", options.out)->required();
}
inline void add_resume(OptionGroup& group, RunOptions& options) {
  auto* const resume =
      group.flag("--resume", "go on with the run in --out, or begin it; the options must be its own", options.resume);
  group.flag("--force", "replace the run in --out", options.force)->excludes(resume);
}

/// "500" or "90s".
inline CheckpointEvery checkpoint_every(const std::string& text) {
  CheckpointEvery every{0, 0};
  const bool is_time = text.ends_with('s');
  const bool valid = is_time ? parse_number(std::string_view(text).substr(0, text.size() - 1), every.seconds) &&
                                   every.seconds >= 0 && std::isfinite(every.seconds)
                             : parse_number(text, every.steps) && every.steps >= 0;
  if (!valid) refuse("--checkpoint-every", "a whole number of steps, or seconds such as 60s", text);
  return every;
}

inline void add_logs(OptionGroup& group, RunOptions& options) {
  group
      .read("--checkpoint-every", "N|Xs", "steps, or seconds with an s, from checkpoint to checkpoint; 0: none",
            [&options](const std::string& text) { options.checkpoint_every = checkpoint_every(text); })
      ->default_str("60s");
  group.number("--samples-every", "N", "epochs from sheet to sheet; 0: only the last", options.samples_every,
               whole(0, 1000000));
  group.number("--log-every", "N", "steps that a row of losses.csv is the mean of", options.log_every,
               whole(1, 1000000));
}
inline void add_retries(OptionGroup& group, RunOptions& options) {
  group.number("--retries", "N", "times that a run which diverges goes on from its last checkpoint at half the rates",
               options.retries, whole(0, 1000));
}
inline void add_silence(OptionGroup& group, RunOptions& options) {
  group.flag("--quiet", "only warnings and errors", options.quiet);
  group.flag("--no-progress", "no progress line, only a line an epoch", options.no_progress);
}
/// Once all options are read.
inline void check(const RunOptions& options) {
  if (options.retries > 0 && !options.checkpoint_every.wanted())
    refuse("--retries", "checkpoints to go back to, which --checkpoint-every 0 turns off",
           std::to_string(options.retries));
}

}  // namespace kit
