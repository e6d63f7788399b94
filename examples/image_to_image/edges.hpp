// Edges of a picture, drawn as a pen draws on a page: black lines on white.
#pragma once

#include "kit/picture.hpp"

namespace image_to_image {

/// One channel, 0 where the length of the Sobel gradient is above `least` in some channel, else 255. Values of pixels
/// count from 0 to 1, so a step from black to white has length 4; outside the picture its border goes on.
/// (Sobel and Feldman 1968, "A 3x3 isotropic gradient operator for image processing".)
kit::Picture edges(const kit::Picture& picture, double least);

}  // namespace image_to_image
