// `mnist_gan sample`: images from a trained generator.
#pragma once

#include <optional>
#include <string_view>

#include "options.hpp"

namespace mnist_gan {

enum class SampleFormat { png, idx, npy };

/// The format that a file's name asks for, if it is one of them.
inline std::optional<SampleFormat> sample_format(std::string_view name) {
  if (name.ends_with(".png")) return SampleFormat::png;
  if (name.ends_with(".npy")) return SampleFormat::npy;
  if (name.ends_with(".idx3-ubyte") || name.ends_with("-idx3-ubyte")) return SampleFormat::idx;  // both are in use
  return std::nullopt;
}

/// Writes the images. BadInput for the model, eigan::Error for files that cannot be written.
int sample(const SampleOptions& options);

}  // namespace mnist_gan
