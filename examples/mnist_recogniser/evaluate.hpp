// `mnist_recogniser evaluate`: what a recogniser knows of the test images.
#pragma once

#include "options.hpp"

namespace mnist_recogniser {

/// Prints accuracies and the confusion matrix, and writes the sheet of mistakes where one is wanted. Returns success.
/// BadInput for data and model, eigan::Error for a file that cannot be written.
int evaluate(const EvaluateOptions& options);

}  // namespace mnist_recogniser
