#include <doctest/doctest.h>
#include <limits>

#include <eigan/kernels/convolution_shape.hpp>

using namespace eigan;

TEST_CASE("ConvolutionShape: sizes of the output") {
  constexpr ConvolutionShape s{3, 64, 48, 32, 4, 3, 2, 1, 1, 0};
  CHECK(s.out_height() == 32);
  CHECK(s.out_width() == 46);
  CHECK(s.taps() == 12);
  CHECK(s.in_size() == 3 * 64 * 48);
  CHECK(s.out_size() == 32 * 32 * 46);
  CHECK(s.weights() == 32 * 3 * 12);
}

TEST_CASE("ConvolutionShape: a stride may leave rows over, which the output does not see") {
  CHECK(ConvolutionShape{1, 8, 8, 1, 3, 3, 2, 2}.out_height() == 3);
  CHECK(ConvolutionShape{1, 7, 7, 1, 3, 3, 2, 2}.out_height() == 3);
}

TEST_CASE("ConvolutionShape: multiplications are counted inside the image") {
  // Of 3 x 3 taps at 3 x 3 pixels, padded by one: along a side 2 + 3 + 2 meet a pixel.
  CHECK(ConvolutionShape{5, 3, 3, 2, 3, 3, 1, 1, 1, 1}.multiplications() == 5 * 2 * 7 * 7);
  CHECK(ConvolutionShape{5, 3, 3, 2, 3, 3}.multiplications() == 5 * 2 * 9);
  // The padding is so wide that some outputs see nothing else.
  CHECK(ConvolutionShape{1, 1, 1, 1, 1, 1, 1, 1, 2, 2}.multiplications() == 1);
}

TEST_CASE("ConvolutionShape: sizes beyond 32 bits") {
  CHECK(ConvolutionShape{1024, 4096, 4096, 1024, 1, 1}.multiplications() == static_cast<double>(Index{1} << 44));
}

TEST_CASE(
    "ConvolutionShape: multiplications are those that are counted one by one, and an image may have any number of "
    "rows") {
  for (Index size = 1; size < 8; ++size)
    for (Index kernel = 1; kernel < 5; ++kernel)
      for (Index stride = 1; stride < 4; ++stride)
        for (Index padding = 0; padding < 6; ++padding) {
          const ConvolutionShape s{3, 1, size, 2, 1, kernel, 1, stride, 0, padding};
          if (size + 2 * padding < kernel) continue;
          int count = 0;
          for (Index q = 0; q < s.out_width(); ++q)
            for (Index tap = 0; tap < kernel; ++tap) {
              const Index at = q * stride - padding + tap;
              if (at >= 0 && at < size) count += 6;
            }
          REQUIRE(s.multiplications() == doctest::Approx(count));
        }
  const Index rows = std::numeric_limits<Index>::max() / 64;
  CHECK(ConvolutionShape{1, rows, 1, 1, 3, 1, 1, 1, 1, 0}.multiplications() ==
        doctest::Approx(3 * static_cast<double>(rows)));
}
