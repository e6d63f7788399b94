// edges2fashion: lines that become a garment.
#pragma once

#include "tasks.hpp"

namespace image_to_image {

/// Fashion-MNIST (Xiao, Rasul and Vollgraf 2017), 28x28: a is black lines on white, where a garment's Sobel gradient is
/// longer than 1; b is the garment, light on black. Both have its label. Validation is the last 5,000 training
/// pictures. kit::BadInput if the four files are not there.
TaskData edges2fashion(const Sources& sources);

}  // namespace image_to_image
