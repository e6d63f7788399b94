// What the program does: a function for each of its subcommands. BadInput for data, a model or a recogniser that cannot
// be read, eigan::Error for files that cannot be written.
#pragma once

#include "kit/clock.hpp"

#include "options.hpp"

namespace mnist_gan {

/// Trains and writes the run folder. The exit code: success, or by_signal + the signal that stopped it. Diverged for
/// losses or weights that are not finite.
int train(const TrainOptions& options);
/// Prints a generator's scores, beside those of images that one knows what to think of, on standard output.
int evaluate(const EvaluateOptions& options);
/// Trains, scoring now and then, until the samples are good enough, and prints the seconds since `start` and what they
/// gave, one line on standard output. eigan::Error if the recipe's epochs did not suffice.
int race(const RaceOptions& options, Clock::time_point start);
/// Writes images from a trained generator.
int sample(const SampleOptions& options);

}  // namespace mnist_gan
