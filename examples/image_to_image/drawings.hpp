// Tasks of drawings: emoji as outlines, flat and shaded, 128x128 pixels as scripts/fetch-pictures leaves them.
#pragma once

#include "tasks.hpp"

namespace image_to_image {

/// OpenMoji: a is the outline, black on white, one channel; b is the same drawing in colour.
TaskData outline2emoji(const Sources& sources);
/// Fluent Emoji: a flat, b the same shaded.
TaskData flat2shaded(const Sources& sources);
/// The same, for training without pairs: the training pictures of b are in another order. Validation and test are
/// pairs.
TaskData flat2shaded_shuffled(const Sources& sources);
/// Fluent Emoji: a is the outline of a flat one, where its colours change, black on white; b is the flat one.
TaskData outline2fluent(const Sources& sources);

}  // namespace image_to_image
