// Which pictures are trained on, chosen by and tested with: by base drawing, so that no twin of a test picture is seen
// in training. A man, a woman and a person who do the same are one drawing, as are its colours and sizes, the hours of
// a clock, and whatever looks nearly alike.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "picture_set.hpp"

namespace image_to_image {

enum class Part { train, validation, test };

/// FNV-1a of 64 bits, its upper half mixed into the lower.
std::uint64_t hash_of(std::string_view name);

/// By the hash of the name: of 20, 2 are for validation and 2 for the test.
Part part_of(std::string_view base);

/// The drawing behind a name of code points, "1F469-200D-1F33E" (OpenMoji), or words, "woman-farmer" (Fluent):
/// "1F33E", "farmer".
std::string base_drawing(std::string_view name);

/// For each picture the first, by name, of the bases that belong together with its own: those of pictures whose L1,
/// values from 0 to 1, is below `alike`, and theirs.
std::vector<std::string> joined_bases(std::vector<std::string> bases, const PictureSet& pictures, double alike);

/// A base of more drawings is trained on: squares in all colours would else make up much of a test.
inline constexpr int largest_family = 6;

/// Pairs, each in the part of its base.
TaskData divided(const TwoDomains& pairs, const std::vector<std::string>& bases);

}  // namespace image_to_image
