// The peers' data: images of noise, 16384 of 784 pixels, more than caches hold; and the classes of the recogniser.
#pragma once

#include <cstdint>
#include <random>
#include <vector>

namespace bench {

inline constexpr int noise_count = 16384, noise_features = 784;

inline std::vector<std::uint8_t> noise_pixels() {
  std::vector<std::uint8_t> pixels(static_cast<std::size_t>(noise_count) * noise_features);
  std::mt19937 random(1);
  for (std::uint8_t& pixel : pixels) pixel = static_cast<std::uint8_t>(random() >> 24);
  return pixels;
}

inline int noise_label(std::size_t image) {
  return static_cast<int>(image * 7 % 10);
}

}  // namespace bench
