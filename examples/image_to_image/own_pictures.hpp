// People's own pictures: folders of PNG and JPEG files become sets of one size.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "picture_set.hpp"

namespace image_to_image {

struct FolderOptions {
  Index height = 0, width = 0;           ///< to make them; 0: as they are, and all alike
  Index multiple = 1;                    ///< of which the network wants height and width to be multiples
  Index least = 8;                       ///< a picture with fewer pixels a side shows nothing
  Index a_channels = 3, b_channels = 3;  ///< 1 grey, 3 colours
  std::uint8_t ground = 255;             ///< behind what is transparent
};

/// Pairs. Either the folder has two others in it, a and b (or A and B), whose files have equal names up to their
/// endings; or each of its files shows a on its left half and b on its right, as the published data sets do.
/// A picture of another shape than the size asked for gives its middle; see kit::resized for how sizes change.
/// kit::BadInput, one line that names a file or folder, what was expected and what was found: a file without a partner,
/// partners of different shapes, a file that is no picture, a size that is not legal, a folder without pictures.
TwoDomains read_pairs(const std::filesystem::path& folder, const FolderOptions& options);

/// Two folders of pictures that have nothing to do with each other. Refuses as read_pairs does.
TwoDomains read_unpaired(const std::filesystem::path& a, const std::filesystem::path& b, const FolderOptions& options);

/// The files of a folder that are pictures by their endings, sorted by name; kit::BadInput if there are none.
std::vector<std::filesystem::path> list_pictures(const std::filesystem::path& folder);

/// The multiple that is nearest to a size, at least one.
Index nearest_legal(Index size, Index multiple);

/// kit::BadInput, "NAME: 30x32 pixels, expected multiples of 4; the nearest is 32x32", unless both are.
void check_legal(const std::string& name, Index height, Index width, Index multiple);

}  // namespace image_to_image
