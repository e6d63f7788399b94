// The command line, read: which of the subcommands, with which options.
#pragma once

#include <stdexcept>
#include <string>
#include <variant>

#include "options.hpp"

namespace mnist_gan {

/// --help and --version want a text and nothing else.
struct Answer {
  std::string text;
};

using Command = std::variant<TrainOptions, EvaluateOptions, RaceOptions, SampleOptions, Answer>;

/// A command line that makes no sense; the text says why.
struct BadUsage : std::runtime_error {
  using runtime_error::runtime_error;
};

/// Reads the command line and does nothing else. BadUsage if it makes no sense.
Command parse_arguments(int argc, const char* const* argv);

}  // namespace mnist_gan
