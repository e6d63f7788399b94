// `mnist_gan sample`: images from a trained generator.
#pragma once

#include <optional>
#include <string_view>

#include "options.hpp"

namespace mnist_gan {

enum class SampleFormat { png, idx, npy };

/// The format that a file's name asks for, if it is one of them.
std::optional<SampleFormat> sample_format(std::string_view name);

/// Writes the images. BadInput for the model, eigan::Error for files that cannot be written.
int sample(const SampleOptions& options);

}  // namespace mnist_gan
