// The convolutions of one training step of a network of images, and how often the step runs each of a convolution's
// three products. A transposed convolution is one of these whose forward pass is the product to the input.
#pragma once

#include <array>
#include <stdexcept>
#include <string_view>
#include <vector>

#include "convolution_case.hpp"

namespace bench {

struct StepConvolution {
  ConvolutionCase convolution;
  std::array<int, 3> runs;  ///< forward, to input, to weights

  double flop() const { return convolution.flop() * (runs[0] + runs[1] + runs[2]); }
};

/// 4 x 4, stride 2, padding 1, all of them.
inline std::vector<StepConvolution> step_convolutions(std::string_view step) {
  const auto halving = [](int samples, int in, int side, int out) {
    return ConvolutionCase{samples, {in, side, side, out, 4, 4, 2, 2, 1, 1}};
  };
  if (step == "dcgan")
    return {// D: forward on real and on generated images, and again for G, whose way back goes down to the images.
            {halving(64, 1, 28, 64), {3, 1, 2}},
            {halving(64, 64, 14, 128), {3, 3, 2}},
            // G, mirrored.
            {halving(64, 64, 14, 128), {1, 1, 1}},
            {halving(64, 1, 28, 64), {1, 1, 1}}};
  if (step == "unet")
    return {// Down; nobody wants the gradient of the images.
            {halving(8, 3, 64, 32), {1, 0, 1}},
            {halving(8, 32, 32, 64), {1, 1, 1}},
            {halving(8, 64, 16, 128), {1, 1, 1}},
            {halving(8, 128, 8, 256), {1, 1, 1}},
            // Up, mirrored; what a skip brings lies beside.
            {halving(8, 128, 8, 256), {1, 1, 1}},
            {halving(8, 64, 16, 256), {1, 1, 1}},
            {halving(8, 32, 32, 128), {1, 1, 1}},
            {halving(8, 3, 64, 64), {1, 1, 1}}};
  throw std::invalid_argument("there is no such step of a network of images");
}

}  // namespace bench
