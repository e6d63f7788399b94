#include <doctest/doctest.h>

#include <eigan/layers/flatten.hpp>
#include <eigan/testing/check_gradients.hpp>

using namespace eigan;

TEST_CASE("Flatten: gradients and tangents") {
  for (const Shape shape : {Shape{1, 3, 4}, Shape{5, 2, 3}, Shape{70, 3, 1}, Shape{4}}) {
    const auto report = testing::check_gradients(Flatten(), {.shape = shape, .batches = {1, 3}});
    INFO(shape.channels, " x ", shape.height, " x ", shape.width, "\n", report.text());
    CHECK(report.ok());
  }
}

TEST_CASE("Flatten: channels, rows, columns, as PyTorch has them") {
  // Two channels of 1 x 3 pixels: 1 2 3 and 10 20 30.
  const auto layer = Flatten().at({2, 1, 3});
  const Matrix<double> x{{1}, {10}, {2}, {20}, {3}, {30}};
  Matrix<double> y(6, 1), dx(6, 1);
  layer.forward<double>({}, x, y);
  CHECK(y == Matrix<double>{{1}, {2}, {3}, {10}, {20}, {30}});
  layer.backward_input<double>({}, x, y, y, dx);
  CHECK(dx == x);
}

TEST_CASE("Flatten: shapes and names") {
  static_assert(Flatten{}.output_shape({3, 2, 4}) == Shape{24} && !Flatten{}.output_shape({}));
  CHECK(Flatten().spec().text() == "Flatten()");
  CHECK(Flatten().at({3, 2, 4}).spec() == Flatten().spec());
}
