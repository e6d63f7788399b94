// `mnist_recogniser train`: the training loop.
#pragma once

#include "options.hpp"

namespace mnist_recogniser {

/// Trains and writes the model. The exit code: success, or by_signal + the signal that stopped it.
/// BadInput for the data, Diverged for a loss that is not finite, eigan::Error for a file that cannot be written.
int train(const TrainOptions& options);

}  // namespace mnist_recogniser
