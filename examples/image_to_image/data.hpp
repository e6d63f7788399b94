// The pictures that a training or an evaluation is about.
#pragma once

#include <string>

#include "options.hpp"
#include "picture_set.hpp"

namespace image_to_image {

/// A prepared task, or folders of pictures, of which a tenth is held out for validation; in the direction that the
/// options ask for. BadInput if it cannot be read.
TaskData read_data(const DataOptions& options);

/// From b to a.
void reverse(TaskData& data);

/// Tells two sets of pictures apart.
std::string fingerprint(const TwoDomains& pictures);

}  // namespace image_to_image
