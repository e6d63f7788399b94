// What the command line says, checked: ranges hold, names have the right endings.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "recipe.hpp"

namespace mnist_gan {

/// The recogniser that comes with the program: metrics under another one are other numbers.
inline constexpr const char* yardstick = MNIST_YARDSTICK;
/// The one before, in whose terms the aims of a race are stated.
inline constexpr const char* first_yardstick = MNIST_FIRST_YARDSTICK;

/// When a checkpoint is due. Both 0: never.
struct CheckpointEvery {
  Index steps = 0;
  double seconds = 60;

  bool wanted() const { return steps > 0 || seconds > 0; }
};

struct TrainOptions {
  Recipe recipe = recipes().front();
  std::string data;
  std::string out;
  std::uint64_t seed = 1;
  int threads = 0;  ///< 0: all processors
  Index samples_every = 1;
  Index log_every = 100;
  Index evaluate_every = 0;  ///< epochs; 0: never
  bool evaluate = false;     ///< in full, at the end
  std::string recogniser = yardstick;
  CheckpointEvery checkpoint_every;
  Index retries = 0;  ///< times that a run which diverges goes on from its last checkpoint with half the rates
  bool resume = false;
  bool force = false;
  bool quiet = false;
  bool no_progress = false;
};

struct EvaluateOptions {
  std::string model;
  std::string data;
  std::string recogniser = yardstick;
  std::string json;                  ///< empty: not wanted
  std::optional<double> truncation;  ///< empty: the recipe's
  Index count = 10000;
  std::uint64_t seed = 1;
  int threads = 0;
};

struct RaceOptions {
  Recipe recipe = quick_recipe();
  std::string data;
  std::string recogniser = first_yardstick;
  // What the recipe `seed` reaches after its 100 epochs under yardstick 1; docs/quality.md has the command.
  double inception = 6.57;
  double frechet = 223.9;
  Index every = 100;  ///< steps from score to score
  Index count = 5000;
  std::uint64_t seed = 1;
  int threads = 0;
};

struct SampleOptions {
  std::string model;
  std::string out;
  std::string save_z;  ///< empty: not wanted
  std::string digits;  ///< empty: any
  bool interpolate = false;
  std::optional<double> truncation;  ///< empty: the recipe's
  Index count = 0;  ///< rows of the sheet if interpolate; 0: as many as there are digits, else a default
  std::uint64_t seed = 1;
  int threads = 0;  ///< 0: all processors
};

}  // namespace mnist_gan
