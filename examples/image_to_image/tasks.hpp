// The tasks that come with the program: where their pictures come from, and how they are divided.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "picture_set.hpp"

namespace image_to_image {

/// What `make` is told. Empty names: the places where the scripts put what they fetch.
struct Sources {
  std::filesystem::path data;   ///< folder of the task's pictures
  std::filesystem::path mnist;  ///< MNIST, for the task that wants it
  Index size = 32;              ///< height and width, where the pictures are drawings
};

struct Task {
  const char* name;
  const char* text;  ///< for the help
  const char* data;  ///< where its pictures are, unless another folder is named
  bool sized;        ///< whether Sources::size says how large its pictures become
  TaskData (*make)(const Sources& sources);
};

const std::vector<Task>& tasks();
/// Null if there is none of that name.
const Task* find_task(std::string_view name);

}  // namespace image_to_image
