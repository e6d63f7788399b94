// What the command line says, checked: ranges hold, names have the right endings.
#pragma once

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <variant>

#include "kit/run_options.hpp"

#include "recipe.hpp"

namespace mnist_gan {

/// The recogniser that comes with the program: metrics under another one are other numbers.
inline constexpr const char* yardstick = MNIST_YARDSTICK;
/// The one before, in whose terms the aims of a race are stated.
inline constexpr const char* first_yardstick = MNIST_FIRST_YARDSTICK;

struct TrainOptions {
  Recipe recipe = recipes().front();
  RunOptions run;
  std::string data;
  std::uint64_t seed = 1;
  Index evaluate_every = 0;  ///< epochs; 0: never
  bool evaluate = false;     ///< in full, at the end
  std::string recogniser = yardstick;
};

struct EvaluateOptions {
  std::string model;
  std::string data;
  std::string recogniser = yardstick;
  std::string json;                  ///< empty: not wanted
  std::optional<double> truncation;  ///< empty: the recipe's
  Index held_out = 0;                ///< training images that stand for the test images
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

enum class SampleFormat { png, idx, npy };
/// The format that a file's name asks for, if it is one of them.
inline std::optional<SampleFormat> sample_format(std::string_view name) {
  if (name.ends_with(".png")) return SampleFormat::png;
  if (name.ends_with(".npy")) return SampleFormat::npy;
  if (name.ends_with(".idx3-ubyte") || name.ends_with("-idx3-ubyte")) return SampleFormat::idx;  // both are in use
  return std::nullopt;
}

/// --help and --version want a text and nothing else.
struct Answer {
  std::string text;
};

using Command = std::variant<TrainOptions, EvaluateOptions, RaceOptions, SampleOptions, Answer>;

/// A command line that makes no sense; the text says why.
struct BadUsage : std::runtime_error {
  using runtime_error::runtime_error;
};

/// Reads the command line and does nothing else. BadUsage if it makes no sense.
Command parse_arguments(int argc, const char* const* argv);

}  // namespace mnist_gan
