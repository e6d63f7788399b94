#include <doctest/doctest.h>
#include <limits>

#include <eigan/layers/upsample.hpp>
#include <eigan/testing/check_gradients.hpp>

using namespace eigan;

TEST_CASE("Upsample: gradients and tangents, nearest and bilinear") {
  for (const Shape shape : {Shape{1, 3, 4}, Shape{5, 2, 3}, Shape{70, 3, 1}, Shape{4}})
    for (const Index scale : {1, 2, 3, 4})
      for (const Interpolation mode : {Interpolation::nearest, Interpolation::bilinear}) {
        const auto report = testing::check_gradients(Upsample<>(scale, mode), {.shape = shape, .batches = {1, 3}});
        INFO(Upsample<>(scale, mode).spec().text(), " of ", shape.channels, " x ", shape.height, " x ", shape.width,
             "\n", report.text());
        CHECK(report.ok());
      }
}

TEST_CASE("Upsample: hand-worked rows") {
  const Matrix<double> x{{0}, {8}, {16}};
  Matrix<double> y(12, 1), dx(3, 1);
  Upsample<2>().at({1, 1, 3}).forward<double>({}, x, y);
  CHECK(y.transpose() == Matrix<double>{{0, 0, 8, 8, 16, 16, 0, 0, 8, 8, 16, 16}});
  // Pixels lie at -1/4, 1/4, 3/4, ... of x, those outside at its edge.
  Upsample<2, Interpolation::bilinear>().at({1, 1, 3}).forward<double>({}, x, y);
  CHECK(y.transpose() == Matrix<double>{{0, 2, 6, 10, 14, 16, 0, 2, 6, 10, 14, 16}});
  const Matrix<double> dy = Matrix<double>::Ones(12, 1);
  Upsample<2>().at({1, 1, 3}).backward_input<double>({}, x, y, dy, dx);
  CHECK(dx.transpose() == Matrix<double>{{4, 4, 4}});
  Upsample<2, Interpolation::bilinear>().at({1, 1, 3}).backward_input<double>({}, x, y, dy, dx);
  CHECK(dx.transpose() == Matrix<double>{{4, 4, 4}});
}

TEST_CASE("Upsample: bilinear in both directions at once") {
  // 2 x 2 pixels, 0 4 / 16 20: a plane, which bilinear pixels lie on.
  const Matrix<double> x{{0}, {4}, {16}, {20}};
  Matrix<double> y(16, 1);
  Upsample<2, Interpolation::bilinear>().at({1, 2, 2}).forward<double>({}, x, y);
  CHECK(y.transpose() == Matrix<double>{{0, 1, 3, 4, 4, 5, 7, 8, 12, 13, 15, 16, 16, 17, 19, 20}});
}

TEST_CASE("Upsample: shapes, names, and what is refused") {
  static_assert(Upsample<2>{}.output_shape({3, 3, 4}) == Shape{3, 6, 8} && !Upsample<2>{}.output_shape({}));
  constexpr Index most = std::numeric_limits<Index>::max();
  static_assert(Upsample<2>{}.output_shape({3, most / 2 + 1, 4}) == Shape{3, most, 8});  // no memory holds it
  CHECK(Upsample<2>().spec().text() == "Upsample(scale_factor=2, bilinear=0)");
  CHECK(Upsample<2>().spec().type == "::eigan::Upsample<2>");
  CHECK(Upsample<2, Interpolation::bilinear>{2, 1}.spec() == Upsample<2, Interpolation::bilinear>().spec());
  CHECK_THROWS_AS((Upsample<2, Interpolation::bilinear>{2, 0}), std::invalid_argument);
  CHECK(Upsample<2, Interpolation::bilinear>().spec().type == "::eigan::Upsample<2, ::eigan::Interpolation::bilinear>");
  CHECK(Upsample<>(3, Interpolation::bilinear).spec().text() == "Upsample(scale_factor=3, bilinear=1)");
  CHECK(Upsample<>(3, Interpolation::bilinear).spec() == Upsample<3, Interpolation::bilinear>().spec());
  CHECK_THROWS_WITH_AS(
      Upsample<>(0),
      "eigan::Upsample<dynamic>: cannot have the scale factor 0, expected 1 to 65535 and what the type states",
      std::invalid_argument);
  CHECK_THROWS_AS(Upsample<2>(3), std::invalid_argument);
}
