// Grey images from files: PNG, JPEG, or IDX as MNIST has it.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "grey.hpp"

#include "kit/picture_file.hpp"

namespace mnist_recogniser {

using kit::max_pixels;

/// The images in a file: one of a PNG or JPEG, any number of an IDX file, which may be gzip. Colours become grey, what
/// is transparent becomes white, or black around ink that is white itself. eigan::Error if the file cannot be read, is
/// none of them, or is damaged; also if an image has more than max_pixels or a file more than 2^30 bytes, packed or
/// unpacked, before memory is taken for them.
std::vector<GreyImage> read_grey_images(const std::filesystem::path& path);

/// The same for a file in memory. `name` opens every message.
std::vector<GreyImage> parse_grey_images(std::span<const std::byte> file, const std::string& name);

}  // namespace mnist_recogniser
