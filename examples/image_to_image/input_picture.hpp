// Anybody's picture as a translator takes it.
#pragma once

#include <filesystem>

#include "picture_set.hpp"
#include "translator.hpp"

namespace image_to_image {

/// The picture in a file; its middle, size x size pixels, if size > 0. BadInput if it is none, or of channels or a size
/// that are not the model's.
PictureSet read_input(const std::filesystem::path& path, const Translator& translator, Index size);

}  // namespace image_to_image
