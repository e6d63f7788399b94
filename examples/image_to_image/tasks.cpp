#include "tasks.hpp"

#include <algorithm>

#include "edges2fashion.hpp"

namespace image_to_image {

const std::vector<Task>& tasks() {
  static const std::vector<Task> all{
      {"edges2fashion", "garments from their edges, 28x28 (Fashion-MNIST)", "/usr/share/datasets/fashion-mnist", false,
       edges2fashion},
  };
  return all;
}

const Task* find_task(std::string_view name) {
  const auto found = std::find_if(tasks().begin(), tasks().end(), [&](const Task& task) { return task.name == name; });
  return found == tasks().end() ? nullptr : &*found;
}

}  // namespace image_to_image
