#include "input_picture.hpp"

#include <cstddef>
#include <string>

#include <eigan/core/printable.hpp>

#include "kit/exit_code.hpp"
#include "kit/read_picture.hpp"
#include "kit/resized.hpp"
#include "kit/text.hpp"

namespace image_to_image {

PictureSet read_input(const std::filesystem::path& path, const Translator& translator, Index size) {
  const std::string name = eigan::printable(path.native(), 4096);
  const Index channels = translator.from_channels();
  kit::Picture picture = reading([&] { return kit::read_picture(path, {.channels = 3}); });
  bool coloured = false;
  for (std::size_t i = 0; i < picture.bytes.size(); i += 3)
    coloured = coloured || picture.bytes[i] != picture.bytes[i + 1] || picture.bytes[i] != picture.bytes[i + 2];
  if (coloured && channels == 1)
    throw BadInput(concat(name, ": expected a grey picture, which the model translates, found one in colour"));
  if (size > 0) picture = kit::resized(kit::cropped_to_shape(picture, size, size), size, size);
  const Index height = picture.height, width = picture.width;
  if (!translator.takes(height, width))
    throw BadInput(concat(name, ": expected a height and width that are multiples of ", translator.multiple, ", found ",
                          width, "x", height, "; the nearest size is ", translator.nearest(width), "x",
                          translator.nearest(height), ", and --size ", translator.model.input_shape().height,
                          " makes pictures as large as those that the model learnt"));
  PictureSet set{1, height, width, channels, {}};
  for (std::size_t i = 0; i < picture.bytes.size(); ++i)
    if (channels == 3 || i % 3 == 0) set.bytes.push_back(picture.bytes[i]);
  return set;
}

}  // namespace image_to_image
