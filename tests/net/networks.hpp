// Networks with branches that several tests run: large enough that threads start even for a few samples.
#pragma once

#include <eigan/layers/batch_norm.hpp>
#include <eigan/layers/conv2d.hpp>
#include <eigan/layers/conv_transpose2d.hpp>
#include <eigan/layers/dropout.hpp>
#include <eigan/layers/flatten.hpp>
#include <eigan/layers/instance_norm2d.hpp>
#include <eigan/layers/leaky_relu.hpp>
#include <eigan/layers/linear.hpp>
#include <eigan/layers/max_pool2d.hpp>
#include <eigan/layers/relu.hpp>
#include <eigan/layers/sigmoid.hpp>
#include <eigan/layers/tanh.hpp>
#include <eigan/net/model.hpp>
#include <eigan/net/parallel.hpp>
#include <eigan/net/residual.hpp>
#include <eigan/net/sequential.hpp>
#include <eigan/net/skip_connection.hpp>

#include "net/own_images.hpp"
#include "net/own_layers.hpp"

namespace networks {

using namespace eigan;
using own::Halve;
using own::Pointwise;
using own::Twice;

/// A chain of dense layers, with dropout.
using Chain = Sequential<Linear<90, 300>, LeakyReLU, Dropout, Linear<300, 70>, Tanh, Dropout, Linear<70, 1>>;

/// A residual network of vectors, with dropout, a level of many readers and two heads.
using Residuals = Sequential<
    Linear<60, 256>, Residual<Linear<256, 128>, LeakyReLU, Dropout, Linear<128, 256>>, Tanh,
    Residual<Tanh, Residual<Dropout, Linear<256, 256>, Residual<own::Square>>, Sigmoid>,
    Parallel<Linear<256, 3>, Sequential<Dropout, Linear<256, 2>>, Residual<ReLU, Linear<256, 256>>, own::Negate>>;

/// A U-Net of two levels with a residual bottleneck, dropout and two heads, told a condition at every pixel.
using UNet =
    Sequential<Inputs<Sequential<Input<3, 8, 8>, Pointwise<3, 3>, Tanh, Dropout>, Input<2>>, Pointwise<5, 4>, LeakyReLU,
               SkipConnection<Halve, Pointwise<4, 6>, Tanh, Dropout,
                              SkipConnection<Halve, Pointwise<6, 7>,
                                             Residual<Pointwise<7, 7>, Tanh, Dropout, Pointwise<7, 7>>, Twice>,
                              Dropout, Twice>,
               Pointwise<17, 4>, Tanh, Parallel<Pointwise<4, 3>, Sequential<Dropout, Pointwise<4, 1>, Sigmoid>>>;

/// The same with batch normalisation.
using NormalizedUNet = Sequential<Input<3, 8, 8>, Pointwise<3, 18>, BatchNorm2d<18>, LeakyReLU,
                                  SkipConnection<Halve, Pointwise<18, 6>, BatchNorm2d<6>, Tanh,
                                                 Residual<Pointwise<6, 6>, BatchNorm2d<6>>, Dropout, Twice>,
                                  BatchNorm2d<24>, Pointwise<24, 2>, Residual<BatchNorm2d<2>>>;

/// A U-Net of the library's own layers for images, in front of a dense head.
using Convolutions =
    Sequential<Input<3, 12, 10>, Conv2d<3, 20, 3, 1, 1>, InstanceNorm2d<20>, LeakyReLU,
               SkipConnection<Conv2d<20, 24, 4, 2, 1>, ReLU, Residual<Conv2d<24, 24, 3, 1, 1>, Tanh, Dropout>,
                              ConvTranspose2d<24, 20, 4, 2, 1>>,
               MaxPool2d<2>, Conv2d<40, 8, 1>, Dropout, Flatten, Linear<240, 3>>;

}  // namespace networks
