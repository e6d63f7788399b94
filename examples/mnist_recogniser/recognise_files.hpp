// `mnist_recogniser recognise`: which digits files show.
#pragma once

#include "options.hpp"

namespace mnist_recogniser {

/// Prints a line for each image. A file that is no image, and a picture of no digit or of several, is told and passed
/// over; the exit code is then bad_input, otherwise success. BadInput for the model.
int recognise_files(const RecogniseOptions& options);

}  // namespace mnist_recogniser
