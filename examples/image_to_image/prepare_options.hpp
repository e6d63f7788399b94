// What the command line says to `prepare`.
#pragma once

#include "kit/command_line.hpp"

#include "prepare.hpp"

namespace image_to_image {

/// Adds the subcommand.
void add_prepare(CLI::App& program, PrepareOptions& options);

}  // namespace image_to_image
