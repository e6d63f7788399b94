#include <doctest/doctest.h>

#include <eigan/layers/global_avg_pool2d.hpp>
#include <eigan/testing/check_gradients.hpp>

using namespace eigan;

TEST_CASE("GlobalAvgPool2d: gradients and tangents") {
  for (const Shape shape : {Shape{1, 3, 4}, Shape{5, 2, 3}, Shape{70, 3, 1}, Shape{4}}) {
    const auto report = testing::check_gradients(GlobalAvgPool2d(), {.shape = shape, .batches = {1, 3}});
    INFO(shape.channels, " x ", shape.height, " x ", shape.width, "\n", report.text());
    CHECK(report.ok());
  }
}

TEST_CASE("GlobalAvgPool2d: a hand-worked image") {
  const auto layer = GlobalAvgPool2d().at({2, 1, 2});
  const Matrix<double> x{{1}, {10}, {3}, {40}};
  Matrix<double> y(2, 1), dx(4, 1);
  layer.forward<double>({}, x, y);
  CHECK(y == Matrix<double>{{2}, {25}});
  const Matrix<double> dy{{8}, {6}};
  layer.backward_input<double>({}, x, y, dy, dx);
  CHECK(dx == Matrix<double>{{4}, {3}, {4}, {3}});
}

TEST_CASE("GlobalAvgPool2d: shapes and names") {
  static_assert(GlobalAvgPool2d{}.output_shape({3, 8, 7}) == Shape{3} && !GlobalAvgPool2d{}.output_shape({}));
  CHECK(GlobalAvgPool2d().spec().text() == "GlobalAvgPool2d()");
}
