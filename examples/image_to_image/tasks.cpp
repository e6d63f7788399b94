#include "tasks.hpp"

#include <algorithm>

#include "drawings.hpp"
#include "edges2fashion.hpp"
#include "fonts.hpp"

namespace image_to_image {

const std::vector<Task>& tasks() {
  static const std::vector<Task> all{
      {"edges2fashion", "garments from their edges, 28x28 (Fashion-MNIST)", "/usr/share/datasets/fashion-mnist", false,
       edges2fashion},
      {"outline2emoji", "emoji in colour from their outlines (OpenMoji)", "data/pictures/openmoji", true,
       outline2emoji},
      {"flat2shaded", "shaded emoji from flat ones (Fluent Emoji)", "data/pictures/fluent", true, flat2shaded},
      {"flat2shaded_shuffled", "the same, trained without pairs", "data/pictures/fluent", true, flat2shaded_shuffled},
      {"outline2fluent", "flat emoji from their outlines (Fluent Emoji)", "data/pictures/fluent", true, outline2fluent},
      {"mnist2fonts", "digits of fonts from digits by hand and back, unpaired, 28x28", "data/pictures/fonts", false,
       mnist2fonts},
  };
  return all;
}

const Task* find_task(std::string_view name) {
  const auto found = std::find_if(tasks().begin(), tasks().end(), [&](const Task& task) { return task.name == name; });
  return found == tasks().end() ? nullptr : &*found;
}

}  // namespace image_to_image
