// Pictures in memory as training takes them, and the prepared data of a task in files.
//
// A prepared task is a folder: task.json, and for each of train, validation and test two IDX files of bytes in four
// dimensions, [pictures, height, width, channels], such as train-a.idx4-ubyte; where pictures have labels or names,
// train-a-labels.idx1-ubyte and train-a-names.txt, one a line.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include <eigan/core/types.hpp>

#include "kit/text.hpp"

namespace image_to_image {

using eigan::Index;

/// Pictures of one size as bytes: picture by picture, row by row, pixel by pixel, channels last.
struct PictureSet {
  Index count = 0, height = 0, width = 0, channels = 0;
  std::vector<std::uint8_t> bytes;  ///< count x height x width x channels

  /// Bytes of one picture.
  Index size() const { return height * width * channels; }
  std::span<const std::uint8_t> picture(Index i) const {
    return std::span(bytes).subspan(static_cast<std::size_t>(i * size()), static_cast<std::size_t>(size()));
  }
};

/// "28x28 grey", "32x32 in colour": width, height, channels.
inline std::string picture_text(const PictureSet& set) {
  return kit::concat(set.width, 'x', set.height, set.channels == 1 ? " grey" : " in colour");
}

/// Adds a picture of another set of the same size.
inline void append(PictureSet& set, const PictureSet& from, Index picture) {
  const auto bytes = from.picture(picture);
  set.bytes.insert(set.bytes.end(), bytes.begin(), bytes.end());
  ++set.count;
}

/// Pictures of two domains; where `paired`, picture i of a belongs to picture i of b.
struct TwoDomains {
  PictureSet a, b;
  bool paired = false;
  std::vector<std::uint8_t> a_labels, b_labels;  ///< one a picture, or none
  std::vector<std::string> a_names, b_names;     ///< one a picture, or none
};

/// What the pictures are, in words.
struct TaskInfo {
  std::string task;     ///< "edges2fashion"
  std::string a, b;     ///< "edges, black on white"
  std::string licence;  ///< of the pictures
};

struct TaskData {
  TaskInfo info;
  TwoDomains train, validation, test;
};

/// What write_task wrote. kit::BadInput if a file is missing or damaged, or if files do not belong together.
TaskData read_task(const std::filesystem::path& folder);

/// Writes the folder, each file whole or not at all, task.json last. eigan::Error if that fails.
void write_task(const std::filesystem::path& folder, const TaskData& data);

}  // namespace image_to_image
