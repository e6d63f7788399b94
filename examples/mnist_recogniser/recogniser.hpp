// The recogniser: a network that tells the ten digits apart. Its last hidden layer, 128 numbers after a ReLU, is also
// the feature space in which generated digits are compared with real ones.
//
// Version 2 is convolutional (recogniser_net.hpp). Version 1, 784-512-128-10, is what figures were made with before;
// its files are read as well.
#pragma once

#include <filesystem>
#include <string>

#include <eigan/core/parallel.hpp>
#include <eigan/net/basic_model.hpp>

#include "digit_size.hpp"

namespace mnist_recogniser {

inline constexpr Index feature_count = 128;
inline constexpr Index digit_count = 10;

/// A recogniser that is there to be asked.
struct RecogniserModel {
  int version = 2;
  /// Images in [-1, 1] to features and, behind them, logits. A training pass gives what inference gives, and the way
  /// back leads to the images.
  eigan::BasicModel<float> eyes;
};

/// The recogniser in a file that `mnist_recogniser train` wrote, of either version. kit::BadInput if it is anything
/// else.
RecogniserModel load_recogniser(const std::filesystem::path& path);

/// What scores are in terms of: "yardstick 1" and "yardstick 2" for the two files of this folder, by their numbers;
/// "a recogniser of version 2 (checksum 0123456789abcdef)" for any other.
std::string yardstick_name(const RecogniserModel& model);

struct Recognised {
  eigan::Matrix<float> features;       ///< 128 x images
  eigan::Matrix<float> probabilities;  ///< 10 x images
};

/// What the recogniser makes of images in [-1, 1], one a column. Beside the result it takes memory for some thousand
/// images, however many there are.
Recognised recognise(const RecogniserModel& model, eigan::ConstView<float> images, eigan::Threads threads = {});

}  // namespace mnist_recogniser
