#include <doctest/doctest.h>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <vector>

#include <eigan/data/labelled_images.hpp>

namespace {

/// Three images of 1 x 2 pixels.
eigan::LabelledImages three_images() {
  return {1, 2, 3, {0, 255, 51, 204, 1, 2}, {7, 8, 9}};
}

}  // namespace

TEST_CASE_TEMPLATE("LabelledImages: pixels_to_unit: 0 to 255 becomes -1 to 1, an image a column", T, float, double) {
  const auto images = three_images();
  const std::vector<std::uint32_t> indices{1, 0};
  eigan::Matrix<T> memory = eigan::Matrix<T>::Constant(3, 2, T(99));  // one row more than an image: a stride
  eigan::pixels_to_unit(images, indices, eigan::View<T>(memory.data(), 2, 2, 3));
  CHECK(memory(0, 0) == doctest::Approx(51 / 127.5 - 1));
  CHECK(memory(1, 0) == doctest::Approx(204 / 127.5 - 1));
  CHECK(memory(0, 1) == T(-1));
  CHECK(memory(1, 1) == T(1));
  CHECK(memory(2, 0) == T(99));
  CHECK(memory(2, 1) == T(99));
}

TEST_CASE_TEMPLATE("LabelledImages: pixels_to_zero_one: 0 to 255 becomes 0 to 1", T, float, double) {
  eigan::Matrix<T> out(2, 2);
  eigan::pixels_to_zero_one(three_images(), std::vector<std::uint32_t>{1, 0}, eigan::View<T>(out));
  CHECK(out == eigan::Matrix<T>{{T(51) / 255, 0}, {T(204) / 255, 1}});
  CHECK_THROWS_AS(eigan::pixels_to_zero_one(three_images(), std::vector<std::uint32_t>{3, 0}, eigan::View<T>(out)),
                  std::invalid_argument);
  CHECK_THROWS_WITH_AS(eigan::pixels_to_zero_one(three_images(), std::vector<std::uint32_t>{0}, eigan::View<T>(out)),
                       "pixels_to_zero_one: out is 2 x 2, expected 2 x 1", std::invalid_argument);
}

TEST_CASE("LabelledImages: pixels_to_unit: wrong shapes and image numbers are programming errors") {
  const auto images = three_images();
  eigan::Matrix<float> out(2, 2);
  const auto run = [&](std::vector<std::uint32_t> indices, eigan::View<float> view) {
    eigan::pixels_to_unit(images, indices, view);
  };
  CHECK_NOTHROW(run({0, 2}, out));
  CHECK_THROWS_AS(run({0, 3}, out), std::invalid_argument);
  CHECK_THROWS_AS(run({0}, out), std::invalid_argument);
  CHECK_THROWS_AS(run({0, 1}, {out.data(), 1, 2}), std::invalid_argument);
}

TEST_CASE("LabelledImages: pixels: any number of threads writes every column") {
  eigan::LabelledImages images{28, 28, 40, std::vector<std::uint8_t>(40 * 784), {}};
  for (std::size_t i = 0; i < images.pixels.size(); ++i) images.pixels[i] = static_cast<std::uint8_t>(i * 7 % 251);
  std::vector<std::uint32_t> indices(100);
  for (std::size_t i = 0; i < indices.size(); ++i) indices[i] = static_cast<std::uint32_t>(i * 13 % 40);
  for (const int threads : {1, 2, 3, 8}) {
    eigan::Matrix<float> unit = eigan::Matrix<float>::Constant(784, 100, 99), zero_one = unit;
    eigan::pixels_to_unit<float>(images, indices, unit, {threads});
    eigan::pixels_to_zero_one<float>(images, indices, zero_one, {threads});
    for (eigan::Index column : {0, 1, 33, 34, 49, 50, 98, 99}) {
      const auto* pixels = images.pixels.data() + 784 * indices[static_cast<std::size_t>(column)];
      for (eigan::Index i : {0, 1, 500, 783}) {
        CHECK(unit(i, column) == doctest::Approx(pixels[i] / 127.5 - 1).epsilon(1e-6));
        CHECK(zero_one(i, column) == static_cast<float>(pixels[i]) / 255);
      }
    }
    CHECK(unit.maxCoeff() <= 1);
    CHECK(zero_one.maxCoeff() <= 1);
  }
}

TEST_CASE("LabelledImages: gather_labels: the labels of a batch") {
  const auto images = three_images();
  const std::vector<std::uint32_t> indices{2, 0, 2};
  std::vector<int> labels(3);
  eigan::gather_labels(images, indices, labels);
  CHECK(labels == std::vector{9, 7, 9});
  CHECK_THROWS_AS(eigan::gather_labels(images, indices, std::span(labels).first(2)), std::invalid_argument);
  CHECK_THROWS_AS(eigan::gather_labels(images, std::vector<std::uint32_t>{0, 1, 3}, labels), std::invalid_argument);
}
