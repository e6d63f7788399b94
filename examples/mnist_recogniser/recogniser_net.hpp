// The networks of the recogniser's versions, as they are trained and as they are asked: images in [-1, 1] to logits.
#pragma once

#include <eigan/layers/batch_norm.hpp>
#include <eigan/layers/conv2d.hpp>
#include <eigan/layers/flatten.hpp>
#include <eigan/layers/linear.hpp>
#include <eigan/layers/max_pool2d.hpp>
#include <eigan/layers/relu.hpp>
#include <eigan/net/input.hpp>
#include <eigan/net/model.hpp>
#include <eigan/net/sequential.hpp>
#include <eigan/net/skip_connection.hpp>

#include "frozen_batch_norm.hpp"
#include "recogniser.hpp"

namespace mnist_recogniser {

using Readout = eigan::Linear<feature_count, digit_count>;

/// Version 2: the last layer is `last`, `Norm` normalises. `dropout`: a Dropout, or nothing, that the dense layers'
/// inputs go through.
template <template <Index> class Norm = eigan::BatchNorm2d, class Last, class... Drop>
auto convolutional(Last last, Drop... dropout) {
  return eigan::Sequential(eigan::Input<1, image_side, image_side>(),  //
                           eigan::Conv2d<1, 32, 5, 1, 0>(), eigan::MaxPool2d<2>(), Norm<32>(), eigan::ReLU(),
                           eigan::Conv2d<32, 64, 3, 1, 0>(), eigan::MaxPool2d<2>(), Norm<64>(), eigan::ReLU(),
                           eigan::Flatten(), dropout..., eigan::Linear<64 * 5 * 5, feature_count>(), eigan::ReLU(),
                           dropout..., last);
}
template <class Last, template <Index> class Norm = eigan::BatchNorm2d>
using Convolutional = decltype(convolutional<Norm>(Last()));
/// Version 1.
template <class Last>
using Dense = eigan::Sequential<eigan::Linear<image_size, 512>, eigan::ReLU, eigan::Linear<512, feature_count>,
                                eigan::ReLU, Last>;

/// What a training gives.
using RecogniserNet = Convolutional<Readout>;
using TrainedRecogniser = eigan::Model<RecogniserNet>;

/// A network's features and logits are those of the same numbers with this as the last layer.
using FeaturesAndReadout = eigan::SkipConnection<Readout>;

/// What is asked, of the versions 2 and 1.
using Eyes = Convolutional<FeaturesAndReadout, FrozenBatchNorm2d>;
using DenseEyes = Dense<FeaturesAndReadout>;

}  // namespace mnist_recogniser
