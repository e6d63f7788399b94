#include <doctest/doctest.h>

#include <eigan/layers/avg_pool2d.hpp>
#include <eigan/testing/check_gradients.hpp>

using namespace eigan;

TEST_CASE("AvgPool2d: gradients and tangents") {
  for (const Shape shape : {Shape{1, 6, 5}, Shape{3, 4, 7}, Shape{70, 5, 4}})
    for (const auto& layer : {AvgPool2d<>(1), AvgPool2d<>(2), AvgPool2d<>(3, 2, 1), AvgPool2d<>(3, 1),
                              AvgPool2d<>(2, 3), AvgPool2d<>(4, 2, 2)}) {
      const auto report = testing::check_gradients(layer, {.shape = shape, .batches = {1, 3}});
      INFO(layer.spec().text(), " of ", shape.channels, " x ", shape.height, " x ", shape.width, "\n", report.text());
      CHECK(report.ok());
    }
}

TEST_CASE("AvgPool2d: a hand-worked image") {
  // One channel, 2 x 4 pixels.
  const auto layer = AvgPool2d<2>().at({1, 2, 4});
  const Matrix<double> x{{1}, {5}, {-1}, {-2}, {5}, {0}, {-3}, {-1}};
  Matrix<double> y(2, 1), dx(8, 1);
  layer.forward<double>({}, x, y);
  CHECK(y == Matrix<double>{{2.75}, {-1.75}});
  const Matrix<double> dy{{4}, {8}};
  layer.backward_input<double>({}, x, y, dy, dx);
  CHECK(dx == Matrix<double>{{1}, {1}, {2}, {2}, {1}, {1}, {2}, {2}});
}

TEST_CASE("AvgPool2d: zeros of the padding count") {
  const auto layer = AvgPool2d<2, 1, 1>().at({1, 1, 1});
  const Matrix<double> x{{8}};
  Matrix<double> y(4, 1);
  layer.forward<double>({}, x, y);
  CHECK(y == Matrix<double>{{2}, {2}, {2}, {2}});
}

TEST_CASE("AvgPool2d: shapes, names, and what is refused") {
  static_assert(AvgPool2d<2>{}.output_shape({3, 8, 7}) == Shape{3, 4, 3});
  static_assert(!AvgPool2d<3>{}.output_shape({3, 2, 7}));
  CHECK(AvgPool2d<2>().spec().text() == "AvgPool2d(kernel_size=2, stride=2, padding=0)");
  CHECK(AvgPool2d<>(3, 2, 1).spec().type == "::eigan::AvgPool2d<3, 2, 1>");
  CHECK(AvgPool2d<4>().expects() == "at least 4 x 4 pixels");
  CHECK_THROWS_WITH_AS(
      AvgPool2d<>(3, 1, 2),
      "eigan::AvgPool2d<dynamic, dynamic, dynamic>: cannot have kernel_size 3, stride 1 and padding 2, expected a "
      "kernel and a stride of at least 1, a padding of at most half the kernel, and what the type states",
      std::invalid_argument);
}
