// The command `prepare`: pictures as they were fetched become a task's prepared data.
#pragma once

#include <string>

#include "tasks.hpp"

namespace image_to_image {

struct PrepareOptions {
  const Task* task = nullptr;
  std::string data;   ///< empty: the task's own
  std::string mnist;  ///< empty: data/mnist
  std::string out;    ///< empty: data/prepared/TASK
  Index size = 32;
};

/// Writes the folder, and says on standard output what is in it and what a translation that learns nothing scores.
/// The exit code. BadInput for pictures that are missing or damaged, eigan::Error for files that cannot be written.
int prepare(const PrepareOptions& options);

}  // namespace image_to_image
