// `mnist_gan train`: the training loop.
#pragma once

#include "options.hpp"

namespace mnist_gan {

/// Trains and writes the run folder. The exit code: success, or by_signal + the signal that stopped it.
/// BadInput for the data, Diverged for a loss that is not finite, eigan::Error for files that cannot be written.
int train(const TrainOptions& options);

}  // namespace mnist_gan
