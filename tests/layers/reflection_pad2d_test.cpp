#include <doctest/doctest.h>

#include <eigan/layers/reflection_pad2d.hpp>
#include <eigan/testing/check_gradients.hpp>

using namespace eigan;

TEST_CASE("ReflectionPad2d: gradients and tangents") {
  for (const Shape shape : {Shape{1, 4, 5}, Shape{3, 6, 4}, Shape{70, 4, 4}})
    for (const Index padding : {0, 1, 2, 3}) {
      const auto report = testing::check_gradients(ReflectionPad2d<>(padding), {.shape = shape, .batches = {1, 3}});
      INFO(padding, " around ", shape.channels, " x ", shape.height, " x ", shape.width, "\n", report.text());
      CHECK(report.ok());
    }
}

TEST_CASE("ReflectionPad2d: a hand-worked image") {
  // 2 x 3 pixels: 1 2 3 / 4 5 6.
  const auto layer = ReflectionPad2d<1>().at({1, 2, 3});
  const Matrix<double> x{{1}, {2}, {3}, {4}, {5}, {6}};
  Matrix<double> y(20, 1), dx(6, 1);
  layer.forward<double>({}, x, y);
  CHECK(y.transpose() == Matrix<double>{{5, 4, 5, 6, 5, 2, 1, 2, 3, 2, 5, 4, 5, 6, 5, 2, 1, 2, 3, 2}});
  const Matrix<double> ones = Matrix<double>::Ones(20, 1);
  layer.backward_input<double>({}, x, y, ones, dx);
  CHECK(dx.transpose() == Matrix<double>{{2, 6, 2, 2, 6, 2}});
}

TEST_CASE("ReflectionPad2d: shapes, names, and what is refused") {
  static_assert(ReflectionPad2d<2>{}.output_shape({3, 3, 4}) == Shape{3, 7, 8});
  static_assert(!ReflectionPad2d<2>{}.output_shape({3, 2, 4}) && !ReflectionPad2d<2>{}.output_shape({3, 4, 2}));
  CHECK(ReflectionPad2d<2>().spec().text() == "ReflectionPad2d(padding=2)");
  CHECK(ReflectionPad2d<>(2).spec().type == "::eigan::ReflectionPad2d<2>");
  CHECK(ReflectionPad2d<2>().expects() == "at least 3 x 3 pixels");
  CHECK_THROWS_WITH_AS(
      ReflectionPad2d<>(-1),
      "eigan::ReflectionPad2d<dynamic>: cannot have padding -1, expected 0 to 2^30 - 1 and what the type states",
      std::invalid_argument);
  CHECK_THROWS_AS(ReflectionPad2d<2>(3), std::invalid_argument);
}
