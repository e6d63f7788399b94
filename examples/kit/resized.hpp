// A picture in another size, and a part of it.
#pragma once

#include "picture.hpp"

namespace kit {

/// Each direction by itself. Smaller: a pixel is the mean of the area that it covers (box filter, "area" elsewhere), so
/// that nothing is left out and thin lines become faint instead of broken. Larger: linear between the centres of
/// pixels. Rounded once, at the end.
Picture resized(const Picture& picture, Index height, Index width);

/// The part that begins at (top, left), which must lie inside.
Picture cropped(const Picture& picture, Index top, Index left, Index height, Index width);

/// The largest part of the shape width : height, in the middle.
Picture cropped_to_shape(const Picture& picture, Index height, Index width);

}  // namespace kit
