// What the command line says, checked: ranges hold, options belong together.
#pragma once

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <variant>
#include <vector>

#include "kit/run_options.hpp"

#include "prepare.hpp"
#include "recipe.hpp"

namespace image_to_image {

/// Where pictures to learn from are: a prepared task, or somebody's own folders.
struct DataOptions {
  std::string task;                      ///< whose prepared data it is; empty: folders
  std::string data;                      ///< that data's folder; empty: data/prepared/TASK
  std::string pairs;                     ///< of files with both pictures side by side, or of folders a and b
  std::string a, b;                      ///< of pictures that nobody has paired
  Index size = 64;                       ///< that pictures of folders are resized to
  Index a_channels = 3, b_channels = 3;  ///< that they are read in
  bool reversed = false;                 ///< b becomes a

  std::string folder() const { return data.empty() ? "data/prepared/" + task : data; }
};

struct TrainOptions {
  DataOptions data;
  Recipe recipe;
  RunOptions run;
  std::uint64_t seed = 1;
  std::string recogniser;       ///< of labels of b; empty: none
  std::string back_recogniser;  ///< of those of a, by cyclegan
};

struct TranslateOptions {
  std::string model;
  std::vector<std::string> in;  ///< files and folders
  std::string out;
  std::optional<std::uint64_t> noise;  ///< the seed of dropout; empty: none
  Index size = 0;                      ///< that pictures are resized to; 0: their own
  bool force = false;                  ///< replaces files
  int threads = 0;
};

struct EvaluateOptions {
  std::string model;
  std::string data;        ///< empty: where the model's task is prepared
  std::string recogniser;  ///< empty: none
  std::string json;        ///< empty: not wanted
  std::string worst;       ///< a sheet of the worst translations; empty: not wanted
  bool validation = false;
  int threads = 0;
};

/// --help and --version want a text and nothing else.
struct Answer {
  std::string text;
};

using Command = std::variant<TrainOptions, TranslateOptions, EvaluateOptions, PrepareOptions, Answer>;

/// A command line that makes no sense; the text says why.
struct BadUsage : std::runtime_error {
  using runtime_error::runtime_error;
};

/// Reads the command line and does nothing else. BadUsage if it makes no sense.
Command parse_arguments(int argc, const char* const* argv);

}  // namespace image_to_image
