// What the command line says, checked.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "digit_data.hpp"
#include "recipe.hpp"

namespace mnist_recogniser {

/// The recogniser that comes with the program.
inline constexpr const char* yardstick = MNIST_YARDSTICK;

struct TrainOptions {
  Recipe recipe = default_recipe;
  DataOptions data;
  eigan::Index held_out = 0;  ///< training images that are looked at in place of the test images
  std::string out;
  std::uint64_t seed = 1;
  int threads = 0;  ///< 0: all processors
  bool quiet = false;
};

struct EvaluateOptions {
  DataOptions data;
  std::string model = yardstick;
  std::string out;  ///< empty: no sheet
  int threads = 0;
};

struct RecogniseOptions {
  std::string model = yardstick;
  bool emnist = false;  ///< the images are transposed
  std::vector<std::string> files;
};

}  // namespace mnist_recogniser
