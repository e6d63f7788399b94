#include "edges.hpp"

#include <algorithm>

namespace image_to_image {

using eigan::Index;

kit::Picture edges(const kit::Picture& picture, double least) {
  const Index height = picture.height, width = picture.width;
  kit::Picture lines{height, width, 1, {}};
  lines.bytes.assign(static_cast<std::size_t>(height * width), 255);
  const double bound = least * 255 * least * 255;
  for (Index row = 0; row < height; ++row)
    for (Index col = 0; col < width; ++col) {
      const Index above = std::max<Index>(row - 1, 0), below = std::min(row + 1, height - 1);
      const Index left = std::max<Index>(col - 1, 0), right = std::min(col + 1, width - 1);
      for (Index channel = 0; channel < picture.channels; ++channel) {
        const auto at = [&](Index r, Index c) { return int{picture.at(r, c, channel)}; };
        const int x = at(above, right) - at(above, left) + 2 * (at(row, right) - at(row, left)) + at(below, right) -
                      at(below, left);
        const int y = at(below, left) - at(above, left) + 2 * (at(below, col) - at(above, col)) + at(below, right) -
                      at(above, right);
        if (x * x + y * y > bound) lines.bytes[static_cast<std::size_t>(row * width + col)] = 0;
      }
    }
  return lines;
}

}  // namespace image_to_image
