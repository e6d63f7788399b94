// `mnist_gan race`: how long it takes from nothing to samples of a given quality.
#pragma once

#include "common/clock.hpp"

#include "options.hpp"

namespace mnist_gan {

/// Trains, scoring now and then, until the samples are good enough, and prints the seconds since `start` and what they
/// gave, one line on standard output. Exit code `failure` if the recipe's epochs did not suffice. BadInput for data or
/// a recogniser that cannot be read.
int race(const RaceOptions& options, example::Clock::time_point start);

}  // namespace mnist_gan
