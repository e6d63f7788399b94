#include "sheet.hpp"

#include <algorithm>

#include <eigan/io/image_sheet.hpp>

namespace image_to_image {

std::vector<Index> spread(Index of, Index at_most) {
  const Index count = std::min(of, at_most);
  std::vector<Index> chosen;
  for (Index i = 0; i < count; ++i) chosen.push_back(i * of / count);
  return chosen;
}

PictureSet some_of(const PictureSet& set, const std::vector<Index>& chosen) {
  PictureSet some{static_cast<Index>(chosen.size()), set.height, set.width, set.channels, {}};
  for (const Index i : chosen) {
    const auto picture = set.picture(i);
    some.bytes.insert(some.bytes.end(), picture.begin(), picture.end());
  }
  return some;
}

void write_sheet(const std::filesystem::path& path, const std::vector<PictureSet>& sets) {
  constexpr Index padding = 2, gap = 8, examples = 4;  // examples side by side
  Index channels = 1;
  for (const PictureSet& set : sets) channels = std::max(channels, set.channels);
  const PictureSet& first = sets.front();
  const auto across = static_cast<Index>(sets.size());
  const Index wide = across * (first.width + padding) + gap, columns = std::min(examples, first.count);
  const Index rows = (first.count + columns - 1) / columns;
  const Index width = columns * wide - gap + padding, height = rows * (first.height + padding) + padding;
  std::vector<std::uint8_t> sheet(static_cast<std::size_t>(width * height * channels), 128);
  for (Index example = 0; example < first.count; ++example)
    for (Index s = 0; s < across; ++s) {
      const PictureSet& set = sets[static_cast<std::size_t>(s)];
      const auto bytes = set.picture(example);
      const Index top = padding + example / columns * (first.height + padding);
      const Index left = padding + example % columns * wide + s * (first.width + padding);
      for (Index r = 0; r < set.height; ++r)
        for (Index c = 0; c < set.width * channels; ++c) {
          const Index pixel = c / channels, channel = set.channels == 1 ? 0 : c % channels;
          sheet[static_cast<std::size_t>(((top + r) * width + left) * channels + c)] =
              bytes[static_cast<std::size_t>((r * set.width + pixel) * set.channels + channel)];
        }
    }
  eigan::write_png(path, sheet, width, height, channels);
}

}  // namespace image_to_image
