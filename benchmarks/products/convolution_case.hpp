// The convolutions that are measured: layers of image networks, first and last ones of few channels among them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <eigan/core/view.hpp>
#include <eigan/kernels/convolution_shape.hpp>

namespace bench {

struct ConvolutionCase {
  eigan::Index samples;
  eigan::ConvolutionShape shape;

  double flop() const { return 2.0 * static_cast<double>(samples) * shape.multiplications(); }
  std::string name() const {
    const auto& s = shape;
    return std::to_string(samples) + ", " + std::to_string(s.height) + "x" + std::to_string(s.width) + ", " +
           std::to_string(s.in) + " to " + std::to_string(s.out) + ", " + std::to_string(s.kernel_height) + ", " +
           std::to_string(s.stride_height);
  }
};

inline std::vector<ConvolutionCase> convolution_cases() {
  return {
      {64, {64, 14, 14, 128, 4, 4, 2, 2, 1, 1}},  {32, {64, 16, 16, 64, 3, 3, 1, 1, 1, 1}},
      {16, {64, 32, 32, 128, 4, 4, 2, 2, 1, 1}},  {32, {256, 8, 8, 256, 3, 3, 1, 1, 1, 1}},
      {16, {128, 16, 16, 256, 4, 4, 2, 2, 1, 1}}, {64, {1, 28, 28, 64, 4, 4, 2, 2, 1, 1}},
      {16, {3, 64, 64, 64, 4, 4, 2, 2, 1, 1}},
  };
}

/// Small numbers of no pattern: sums neither grow nor become denormal.
inline void fill_with_noise(eigan::View<float> values) {
  std::uint32_t state = 1;
  for (eigan::Index j = 0; j < values.cols(); ++j)
    for (eigan::Index i = 0; i < values.rows(); ++i) {
      state = state * 1664525u + 1013904223u;
      values(i, j) = static_cast<float>(state >> 8) * 0x1p-24f - 0.5f;
    }
}

}  // namespace bench
