// Translator: a trained generator and what its file says of it: which kind of picture it takes, and which it gives.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>

#include <eigan/core/parallel.hpp>
#include <eigan/core/view.hpp>
#include <eigan/io/safetensors.hpp>

#include "networks.hpp"
#include "picture_set.hpp"

namespace image_to_image {

struct Translator {
  Generator model;
  std::string task;       ///< "edges2fashion", or "pairs", "pictures"
  std::string from, to;   ///< "edges", "garments"
  bool reversed = false;  ///< from the task's b to its a
  Index multiple = 1;     ///< that heights and widths must be of

  Index from_channels() const { return model.input_shape().channels; }
  Index to_channels() const { return model.output_shape().channels; }
  /// Whether it takes pictures of that height and width.
  bool takes(Index height, Index width) const;
  /// The nearest size that it takes.
  Index nearest(Index side) const;
  /// Pictures of one size that it takes, translated. noise: the seed of what dropout draws; without, nothing is
  /// dropped.
  PictureSet translate(const PictureSet& pictures, std::optional<std::uint64_t> noise, eigan::Threads threads) const;
};

/// Writes it, with more about it for who reads the file.
void save_translator(const std::filesystem::path& path, const Translator& translator,
                     std::map<std::string, std::string> about);

/// The translator in a file that image_to_image trained. BadInput if it is anything else.
Translator load_translator(const std::filesystem::path& path);

}  // namespace image_to_image
