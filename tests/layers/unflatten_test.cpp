#include <doctest/doctest.h>

#include <eigan/layers/unflatten.hpp>
#include <eigan/testing/check_gradients.hpp>

using namespace eigan;

TEST_CASE("Unflatten: gradients and tangents") {
  for (const Shape image : {Shape{1, 3, 4}, Shape{5, 2, 3}, Shape{70, 3, 1}, Shape{4}}) {
    const auto report = testing::check_gradients(Unflatten<>(image.channels, image.height, image.width),
                                                 {.shape = {image.size()}, .batches = {1, 3}});
    INFO(image.channels, " x ", image.height, " x ", image.width, "\n", report.text());
    CHECK(report.ok());
  }
}

TEST_CASE("Unflatten: takes channels, rows, columns, as PyTorch has them") {
  // Two channels of 1 x 3 pixels: 1 2 3 and 10 20 30.
  const auto layer = Unflatten<2, 1, 3>().at({6});
  const Matrix<double> x{{1}, {2}, {3}, {10}, {20}, {30}};
  Matrix<double> y(6, 1);
  layer.forward<double>({}, x, y);
  CHECK(y == Matrix<double>{{1}, {10}, {2}, {20}, {3}, {30}});
}

TEST_CASE("Unflatten: shapes, names, and what is refused") {
  static_assert(Unflatten<3, 2, 4>{}.output_shape({24}) == Shape{3, 2, 4});
  static_assert(!Unflatten<3, 2, 4>{}.output_shape({3, 2, 4}) && !Unflatten<3, 2, 4>{}.output_shape({23}));
  CHECK(Unflatten<3, 2, 4>().spec().text() == "Unflatten(channels=3, height=2, width=4)");
  CHECK(Unflatten<>(3, 2, 4).spec().type == "::eigan::Unflatten<3, 2, 4>");
  CHECK(Unflatten<3, 2, 4>().expects() == "24 features");
  CHECK_THROWS_WITH_AS((Unflatten<3, 2, 4>(3, 4, 2)),
                       "eigan::Unflatten<3, 2, 4>: cannot have the shape 3 x 4 x 2, expected positive sizes with a "
                       "product below 2^31 and what the type states",
                       std::invalid_argument);
  CHECK_THROWS_AS(Unflatten<>(3, 0, 2), std::invalid_argument);
}
