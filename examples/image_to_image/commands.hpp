// What the program does: a function for each of its subcommands, beside prepare.hpp. BadInput for pictures or a model
// that cannot be read, eigan::Error for files that cannot be written.
#pragma once

#include "options.hpp"

namespace image_to_image {

/// Trains and writes the run folder. The exit code: success, or by_signal + the signal that stopped it. Diverged for
/// losses or weights that are not finite.
int train(const TrainOptions& options);
/// Writes translations of pictures.
int translate(const TranslateOptions& options);
/// Prints a translator's scores on held-out pictures, beside those of what learns nothing, on standard output.
int evaluate(const EvaluateOptions& options);

}  // namespace image_to_image
