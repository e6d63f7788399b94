// The recogniser: a network that tells the ten digits apart. Its last hidden layer, 128 numbers after a ReLU, is also
// the feature space in which generated digits are compared with real ones.
#pragma once

#include <filesystem>

#include <eigan/core/parallel.hpp>
#include <eigan/layers/linear.hpp>
#include <eigan/layers/relu.hpp>
#include <eigan/net/model.hpp>
#include <eigan/net/sequential.hpp>

namespace mnist_recogniser {

using eigan::Index;

inline constexpr Index image_side = 28;
inline constexpr Index image_size = image_side * image_side;
inline constexpr Index feature_count = 128;
inline constexpr Index digit_count = 10;

/// Images in [-1, 1] to logits.
using RecogniserNet = eigan::Sequential<eigan::Linear<image_size, 512>, eigan::ReLU,     //
                                        eigan::Linear<512, feature_count>, eigan::ReLU,  //
                                        eigan::Linear<feature_count, digit_count>>;
using RecogniserModel = eigan::Model<RecogniserNet>;

/// The recogniser in a file that `mnist_recogniser train` wrote. example::BadInput if it is anything else.
RecogniserModel load_recogniser(const std::filesystem::path& path);

struct Recognised {
  eigan::Matrix<float> features;       ///< 128 x images
  eigan::Matrix<float> probabilities;  ///< 10 x images
};

/// What the recogniser makes of images in [-1, 1], one a column.
Recognised recognise(const RecogniserModel& model, eigan::ConstView<float> images, eigan::Threads threads = {});

}  // namespace mnist_recogniser
