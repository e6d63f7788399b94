#include <doctest/doctest.h>

#include <eigan/layers/linear.hpp>
#include <eigan/net/scratch.hpp>
#include <eigan/net/sequential.hpp>

using namespace eigan;

TEST_CASE("Scratch: two levels that do not overlap, each as wide as the widest layer's output") {
  using Net = Sequential<Linear<1000, 30>, Linear<30, 50>, Linear<50, 1>>;
  Scratch<Net> scratch(Net{}, 8);
  CHECK(scratch.fits(Net{}, 8));
  CHECK(scratch.fits(Net{}, 7));
  CHECK_FALSE(scratch.fits(Net{}, 9));
  const View<float> a = scratch.level(0, 50, 8), b = scratch.level(1, 50, 8);
  CHECK(a.rows() == 50);
  CHECK(a.cols() == 8);
  CHECK(a.outerStride() == padded_stride<float>(50));
  View<float>(a).setConstant(1);
  View<float>(b).setConstant(2);
  CHECK((a.array() == 1).all());

  // A narrower level lies in the same memory with its own padding.
  const View<float> narrow = scratch.level(0, 30, 5);
  CHECK(narrow.data() == a.data());
  CHECK(narrow.rows() == 30);
  CHECK(narrow.cols() == 5);
  CHECK(narrow.outerStride() == padded_stride<float>(30));
}
