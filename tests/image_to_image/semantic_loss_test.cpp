#include "image_to_image/semantic_loss.hpp"

#include "readers.hpp"

#include <doctest/doctest.h>

#include <cmath>

#include <eigan/core/random.hpp>

using namespace image_to_image;
using eigan::ConstView;
using eigan::Matrix;
using eigan::View;

namespace {

constexpr Index batch = 4;

Matrix<float> pictures(std::uint64_t seed) {
  Matrix<float> x(test::picture_size, batch);
  eigan::fill_uniform<float>(x, -1, 1, eigan::Rng(seed));
  return x;
}

}  // namespace

TEST_CASE("SemanticLoss: the cross entropy to what is read off the source, and its gradient, weighted and added") {
  const AnyModel reader = test::reader(1);
  const Matrix<float> source = pictures(2), made = pictures(3), before = pictures(4);
  for (const double weight : {1.0, 0.25}) {
    CAPTURE(weight);
    SemanticLoss loss(reader, weight, batch);
    Matrix<float> gradient = before;
    const double value = loss.add(source, made, gradient, {1});
    CHECK(value == doctest::Approx(test::meaning_lost(reader, source, made)).epsilon(1e-5));

    gradient = (gradient - before) / static_cast<float>(weight);
    const double norm = static_cast<double>(gradient.norm());
    const auto at = [&](double distance) {
      const Matrix<float> moved = made + static_cast<float>(distance / norm) * gradient;
      return test::meaning_lost(reader, source, moved);
    };
    constexpr double h = 1e-3;
    CHECK((at(h) - at(-h)) / (2 * h) == doctest::Approx(norm).epsilon(0.01));
  }
}

TEST_CASE("SemanticLoss: a picture is read by itself") {
  const AnyModel reader = test::reader(1);
  const Matrix<float> source = pictures(2), made = pictures(3);
  SemanticLoss loss(reader, 1, batch);
  Matrix<float> all = Matrix<float>::Zero(test::picture_size, batch), one = all.leftCols(1);
  loss.add(source, made, all, {1});
  loss.add(ConstView<float>(source).columns(0, 1), ConstView<float>(made).columns(0, 1), one, {1});
  CHECK((batch * all.col(0) - one).norm() < 1e-5F * one.norm());  // all of a mean of one
}

TEST_CASE("SemanticLoss: the same bits for any number of threads") {
  const AnyModel reader = test::reader(1);
  SemanticLoss loss(reader, 0.5, batch);
  Matrix<float> one = pictures(4), three = one;
  const double value = loss.add(pictures(2), pictures(3), one, {1});
  CHECK(loss.add(pictures(2), pictures(3), three, {3}) == value);
  CHECK(one == three);
}
