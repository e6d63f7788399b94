#include <doctest/doctest.h>
#include <cmath>
#include <string>

#include <eigan/layers/max_pool2d.hpp>
#include <eigan/testing/check_gradients.hpp>

using namespace eigan;

TEST_CASE("MaxPool2d: gradients and tangents") {
  for (const Shape shape : {Shape{1, 6, 5}, Shape{3, 4, 7}, Shape{70, 5, 4}})
    for (const auto& layer : {MaxPool2d<>(1), MaxPool2d<>(2), MaxPool2d<>(3, 2, 1), MaxPool2d<>(3, 1),
                              MaxPool2d<>(2, 3), MaxPool2d<>(4, 2, 2)}) {
      const auto report = testing::check_gradients(layer, {.shape = shape, .batches = {1, 3}});
      INFO(layer.spec().text(), " of ", shape.channels, " x ", shape.height, " x ", shape.width, "\n", report.text());
      CHECK(report.ok());
    }
}

TEST_CASE("MaxPool2d: a hand-worked image, and the first of equal numbers gets the gradient") {
  // One channel, 2 x 4 pixels: windows {1, 5, 5, 0} and {-1, -2, -3, -1}.
  const auto layer = MaxPool2d<2>().at({1, 2, 4});
  const Matrix<double> x{{1}, {5}, {-1}, {-2}, {5}, {0}, {-3}, {-1}};
  Matrix<double> y(2, 1), dx(8, 1);
  layer.forward<double>({}, x, y);
  CHECK(y == Matrix<double>{{5}, {-1}});
  const Matrix<double> dy{{3}, {7}};
  layer.backward_input<double>({}, x, y, dy, dx);
  CHECK(dx == Matrix<double>{{0}, {3}, {7}, {0}, {0}, {0}, {0}, {0}});
}

TEST_CASE("MaxPool2d: windows that overlap add up, padding is never largest") {
  // 1 x 3 pixels under windows of 3 x 3, stride 1, padding 1: all three windows see the middle.
  const auto layer = MaxPool2d<3, 1, 1>().at({1, 1, 3});
  const Matrix<double> x{{-7}, {-1}, {-5}}, dy{{1}, {10}, {100}};
  Matrix<double> y(3, 1), dx(3, 1);
  layer.forward<double>({}, x, y);
  CHECK(y == Matrix<double>{{-1}, {-1}, {-1}});
  layer.backward_input<double>({}, x, y, dy, dx);
  CHECK(dx == Matrix<double>{{0}, {111}, {0}});
}

TEST_CASE("MaxPool2d: a NaN shows") {
  const auto layer = MaxPool2d<2>().at({1, 2, 2});
  const double nan = std::nan("");
  for (Index at = 0; at < 4; ++at) {
    Matrix<double> x{{1}, {2}, {3}, {4}}, y(1, 1), dx(4, 1);
    x(at, 0) = nan;
    layer.forward<double>({}, x, y);
    CHECK(std::isnan(y(0, 0)));
    const Matrix<double> dy{{5}};
    layer.backward_input<double>({}, x, y, dy, dx);
    CHECK(dx(at, 0) == 5);
    CHECK(dx.sum() == 5);
  }
}

TEST_CASE("MaxPool2d: shapes, names, and what is refused") {
  static_assert(MaxPool2d<2>{}.output_shape({3, 8, 7}) == Shape{3, 4, 3});
  static_assert(MaxPool2d<3, 2, 1>{}.output_shape({3, 8, 7}) == Shape{3, 4, 4});
  static_assert(!MaxPool2d<3>{}.output_shape({3, 2, 7}) && !MaxPool2d<3>{}.output_shape({}));
  CHECK(MaxPool2d<2>().spec().text() == "MaxPool2d(kernel_size=2, stride=2, padding=0)");
  CHECK(MaxPool2d<>(3, 2, 1).spec().type == "::eigan::MaxPool2d<3, 2, 1>");
  CHECK(MaxPool2d<3, 2, 1>().expects() == "at least 1 x 1 pixels");
  CHECK_THROWS_WITH_AS(
      MaxPool2d<>(3, 1, 2),
      "eigan::MaxPool2d<dynamic, dynamic, dynamic>: cannot have kernel_size 3, stride 1 and padding 2, expected a "
      "kernel and a stride of at least 1, a padding of at most half the kernel, and what the type states",
      std::invalid_argument);
  CHECK_THROWS_AS(MaxPool2d<>(0), std::invalid_argument);
  CHECK_THROWS_AS(MaxPool2d<>(2, 0), std::invalid_argument);
  CHECK_THROWS_AS(MaxPool2d<>(2, 1, -1), std::invalid_argument);
  CHECK_THROWS_AS((MaxPool2d<2, 2, 0>(3, 2)), std::invalid_argument);
}
