// Images to be recognised, PNG, JPEG and IDX: of each, digits in [-1, 1] or a refusal.
#include <algorithm>
#include <array>
#include <cmath>

#include "mnist_recogniser/digit_image.hpp"
#include "mnist_recogniser/grey_image.hpp"

#include "fuzz.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::vector<mnist_recogniser::GreyImage> images;
  fuzz::accepts([&] { images = mnist_recogniser::parse_grey_images(std::as_bytes(std::span(data, size)), "f"); });
  for (std::size_t i = 0; i < std::min<std::size_t>(images.size(), 8); ++i) {
    const auto& image = images[i];
    fuzz::require(image.rows > 0 && image.cols > 0 && std::ssize(image.pixels) == image.rows * image.cols);
    if (image.pixels.size() > 65536) continue;  // it would only take time
    std::array<float, 784> digit;
    fuzz::accepts([&] {
      mnist_recogniser::write_digit(image, digit);
      fuzz::require(std::ranges::all_of(digit, [](float x) { return x >= -1 && x <= 1; }));
    });
  }
  return 0;
}
