#include <doctest/doctest.h>

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
  CHECK(ConvolutionShape{1024, 4096, 4096, 1024, 1, 1}.multiplications() == Index{1} << 44);
}
