// Any person's picture, as a program wants it: PNG or JPEG, grey or in colour, on a ground.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

#include "picture.hpp"

namespace kit {

struct PictureOptions {
  Index channels = 3;         ///< 1 grey, 3 red, green, blue: what the file has is turned into it
  std::uint8_t ground = 255;  ///< what is behind transparent pixels, in each channel
};

/// The picture in a file, upright, without transparency, of 16 bits the upper 8. Colours become grey with the weights
/// of ITU-R BT.601. eigan::Error that names the file, what was expected and what was found, if it cannot be read, is
/// another kind of file or damaged, or has more than max_pixels.
Picture read_picture(const std::filesystem::path& path, const PictureOptions& options);

/// The same for a file in memory. `name` opens every message.
Picture parse_picture(std::span<const std::byte> file, const std::string& name, const PictureOptions& options);

/// A value of which `opacity`, of 255, is seen in front of the ground.
inline std::uint8_t composed(int value, int opacity, int ground) {
  return static_cast<std::uint8_t>((value * opacity + ground * (255 - opacity) + 127) / 255);
}

}  // namespace kit
