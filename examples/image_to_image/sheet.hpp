// Sheets of pictures: a row of examples, each from left to right: what went in, what came out, what was wanted.
#pragma once

#include <filesystem>
#include <vector>

#include "picture_set.hpp"

namespace image_to_image {

/// Pictures spread evenly over a set, at most so many.
std::vector<Index> spread(Index of, Index at_most);
/// Those pictures.
PictureSet some_of(const PictureSet& set, const std::vector<Index>& chosen);

/// Writes a PNG. sets: of as many pictures each; picture i of all of them is example i. Grey beside colour becomes
/// colour.
void write_sheet(const std::filesystem::path& path, const std::vector<PictureSet>& sets);

}  // namespace image_to_image
